//! The std family.

mod barrier;
mod condvar;
mod exclusion;
mod first;
mod lazy_lock;
mod likeness;
mod mutex;
mod once;
mod once_lock;
mod poison;
mod rwlock;
mod sessions;
mod teardown;
