//! A probe around locks of others: whatever has the traits of `lock_api` 0.5.
//!
//! A raw lock in a [`Probed`] is the same raw lock, with the gate read first; on a
//! closed gate that is all that it adds. What belongs to one acquisition travels in
//! its guard's state, a [`Held`]. Whose locks they are is decided elsewhere: in
//! `parking_lot` of this crate, and in the package that stands in for parking_lot 0.13
//! under `[patch.crates-io]`.

mod condvar;
mod once;
mod probed;
mod raw_condvar;
mod raw_mutex;
mod raw_rwlock;
mod raw_upgrade;
pub(crate) mod site;
mod storage;

pub use condvar::ProbedCondvar;
pub use once::{BareOnce, ProbedOnce};
pub use probed::{Held, Probed};
pub use raw_condvar::{BareCondvar, CondvarOf, MutexOf};
pub use raw_mutex::BareMutex;
pub use raw_rwlock::BareRwLock;
pub use storage::{Storage, WithSlot, WithoutSlot};
