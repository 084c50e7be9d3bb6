//! Stands in for parking_lot 0.12, so that lockscope sees the locks of a program's
//! dependencies without a change to any of them.
//!
//! ```toml
//! [patch.crates-io]
//! parking_lot = { path = "…/lockscope/probes/patched/parking_lot-0.12" }
//! ```
//!
//! Every crate in the program's graph that asks for parking_lot 0.12 now gets this
//! one. What it offers has the names, types and features of release 0.12.5, whose own
//! tests it passes (`cargo xtask test --only patched`).
//!
//! # What is beneath
//!
//! A crate that is patched in cannot depend on what it replaces: that would be itself.
//! The locking is done by parking_lot 0.13, another crate to Cargo, whose raw locks
//! mean the same. All that is added stands around them:
//!
//! ```text
//! Mutex<T> = lock_api::Mutex<RawMutex, T>     as in the original: an alias
//!            RawMutex = Watched<bare::RawMutex>
//!                       slot      56 bytes    identity, counts, origin
//!                       bare       1 byte     parking_lot 0.13's lock word
//!                       token      4 bytes    the record of who holds it
//! ```
//!
//! # Where the record of a hold is kept
//!
//! The guards of lock_api 0.5 carry what belongs to one acquisition. Those of 0.4 carry
//! nothing, and `unlock(&self)` is told nothing. So the token of a hold
//!
//! - that excludes others of its mode (a mutex's, a writer's, an upgradable reader's) is
//!   in the lock. There is one such holder at a time, an upgradable one being followed by
//!   the writer that it becomes, and nobody else looks: no atomic is needed. The word is
//!   [`Token::NONE`](lockscope_core::Token::NONE) whenever the lock is free.
//! - of a reader is in a table of its thread, by the lock's address: see `held`. A thread
//!   that reads one lock twice has two entries, and what it gives back first is taken to
//!   be what it took last. If it is not, the two exchange their ends, and their sum is
//!   still right.
//!
//! # What is known of a lock
//!
//! Call sites are the program's lines: lock_api's `lock`, `read`, `write` and so on pass
//! them. Two families do not: a [`ReentrantMutex`] takes its raw mutex in a closure, so
//! its operations are seen at a line of lock_api, and so are a mutex's in which somebody
//! calls the methods of the raw lock by a function of their own.
//!
//! Where a lock was *made* is known of [`Condvar`], [`Once`] and what the `const_…`
//! functions make. `Mutex::new` and `RwLock::new` are lock_api's: they take the constant
//! `INIT`, which cannot know a caller. Such a lock's origin is the line that is first
//! seen to lock it while something is recorded.
//!
//! # What differs from the original
//!
//! - A lock is larger: a `Mutex<()>` has 64 bytes instead of 1, an `RwLock<()>` 72
//!   instead of 8.
//! - Raw locks have a destructor, by which the backend learns that a lock is gone. A
//!   `union` field of such a type needs `ManuallyDrop`.
//! - Who gets a contended lock next is decided as in 0.13: it is handed to who has waited
//!   longest if it is unlocked fairly, and not by itself from time to time.
//! - `bump` on an open gate is a fair unlock and a lock, as in [`lockscope`].
//! - `hardware-lock-elision` is accepted and does nothing.
//! - `deadlock_detection` is that of parking_lot 0.13: what crates lock by parking_lot_core
//!   0.9 on their own is no part of its graph.
//! - With `send_guard`, a reader's guard that another thread drops leaves its record where
//!   it was taken: a loss, and counted as one when the session ends.

#![warn(missing_docs, unsafe_op_in_unsafe_fn, unreachable_pub)]
#![warn(clippy::undocumented_unsafe_blocks, clippy::missing_safety_doc)]

mod condvar;
#[cfg(feature = "deadlock_detection")]
pub mod deadlock;
mod held;
mod once;
mod raw_mutex;
mod raw_rwlock;
mod raw_upgrade;
mod thread_id;
mod watched;

#[cfg(all(feature = "send_guard", feature = "deadlock_detection"))]
compile_error!("the `send_guard` and `deadlock_detection` features cannot be used together");

/// Whether a guard may be sent, as lock_api asks for it.
#[cfg(feature = "send_guard")]
type GuardMarker = lock_api::GuardSend;
#[cfg(not(feature = "send_guard"))]
type GuardMarker = lock_api::GuardNoSend;

pub use ::lock_api;
#[cfg(feature = "arc_lock")]
pub use lock_api::{
    ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard,
    ArcRwLockWriteGuard,
};

pub use bare::OnceState;
pub use condvar::{Condvar, WaitTimeoutResult};
pub use once::Once;
pub use raw_mutex::{RawFairMutex, RawMutex};
pub use raw_rwlock::RawRwLock;
pub use thread_id::RawThreadId;

use core::panic::Location;

/// A mutex.
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
/// Holds a [`Mutex`].
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
/// Holds a [`Mutex`], and shows a part of its data.
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;

/// A mutex that is always handed to who has waited longest.
pub type FairMutex<T> = lock_api::Mutex<RawFairMutex, T>;
/// Holds a [`FairMutex`].
pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;
/// Holds a [`FairMutex`], and shows a part of its data.
pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;

/// A reader-writer lock.
pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
/// Holds an [`RwLock`] among other readers.
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
/// Holds an [`RwLock`] alone.
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
/// Holds an [`RwLock`] among other readers, and may become its writer.
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;
/// Holds an [`RwLock`] among other readers, and shows a part of its data.
pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
/// Holds an [`RwLock`] alone, and shows a part of its data.
pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;

/// A mutex that its owner may lock again.
pub type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, RawThreadId, T>;
/// Holds a [`ReentrantMutex`].
pub type ReentrantMutexGuard<'a, T> = lock_api::ReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
/// Holds a [`ReentrantMutex`], and shows a part of its data.
pub type MappedReentrantMutexGuard<'a, T> =
    lock_api::MappedReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;

/// A mutex for a constant context. It knows the line that makes it.
#[track_caller]
pub const fn const_mutex<T>(val: T) -> Mutex<T> {
    Mutex::from_raw(RawMutex::made_at(Location::caller()), val)
}

/// A fair mutex for a constant context. It knows the line that makes it.
#[track_caller]
pub const fn const_fair_mutex<T>(val: T) -> FairMutex<T> {
    FairMutex::from_raw(RawFairMutex::made_at(Location::caller()), val)
}

/// A reader-writer lock for a constant context. It knows the line that makes it.
#[track_caller]
pub const fn const_rwlock<T>(val: T) -> RwLock<T> {
    RwLock::from_raw(RawRwLock::made_at(Location::caller()), val)
}

/// A reentrant mutex for a constant context. It knows the line that makes it.
#[track_caller]
pub const fn const_reentrant_mutex<T>(val: T) -> ReentrantMutex<T> {
    let raw = RawMutex::made_at(Location::caller());
    ReentrantMutex::from_raw(raw, RawThreadId, val)
}

const _: () = {
    assert!(size_of::<Mutex<()>>() == 64);
    assert!(size_of::<FairMutex<()>>() == 64);
    assert!(size_of::<RwLock<()>>() == 72);
    assert!(size_of::<MutexGuard<'_, u64>>() == size_of::<usize>());
    assert!(size_of::<RwLockReadGuard<'_, u64>>() == size_of::<usize>());
};
