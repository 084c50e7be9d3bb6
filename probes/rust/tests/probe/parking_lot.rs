//! The parking_lot family.

mod condvar;
mod exclusion;
mod likeness;
mod mutex;
mod once;
mod reentrant;
mod rwlock;
mod sessions;
