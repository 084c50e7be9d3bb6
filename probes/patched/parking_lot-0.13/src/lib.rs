//! Stands in for parking_lot 0.13, so that lockscope sees the locks of a program's
//! dependencies without a change to any of them.
//!
//! ```toml
//! [patch.crates-io]
//! parking_lot = { path = "…/lockscope/probes/patched/parking_lot-0.13" }
//! ```
//!
//! Every crate in the program's graph that asks for parking_lot 0.13 now gets this
//! one. What it offers has the names, types and features of release 0.13.0, whose own
//! tests it passes, but for two (`cargo xtask test --only patched`).
//!
//! # What is beneath
//!
//! A crate that is patched in cannot depend on what it replaces: that would be itself.
//! The locking is done by parking_lot 0.12, another crate to Cargo. Between the two
//! stand adapters, a file for each kind of lock, which give its raw locks the traits of
//! lock_api 0.5; and around those the probe that [`lockscope`] puts around its own:
//!
//! ```text
//! Mutex<T> = lock_api::Mutex<RawMutex, T>     as in the original: an alias
//!            RawMutex = Probed<Unfair>        lockscope's
//!                       slot      56 bytes    identity, counts, origin
//!                       Unfair     1 byte     the adapter: parking_lot 0.12's lock word
//! ```
//!
//! The record of a hold is named by a token in the guard, as lock_api 0.5 lets it.
//!
//! # What is known of a lock
//!
//! Call sites are the program's lines: lock_api's `lock`, `read`, `write` and so on pass
//! them. Those of [`ReentrantMutex`] do not: it takes its raw mutex in a closure, so its
//! operations are seen at a line of lock_api.
//!
//! Where a lock was *made* is known of [`Condvar`] and [`Once`]. `Mutex::new` and
//! `RwLock::new` are lock_api's: they take the constant `INIT`, which cannot know a caller.
//! Such a lock's origin is the line that is first seen to lock it while something is
//! recorded.
//!
//! # What differs from the original
//!
//! - A lock is larger: a `Mutex<()>` has 64 bytes instead of 1, an `RwLock<()>` 64
//!   instead of 8. A guard is 8 bytes larger.
//! - What a guard carries is no `GuardNoSend`. Where one is asked for, for a guard that was
//!   forgotten (`force_unlock`, `make_guard_unchecked`), give `Default::default()`, which
//!   is right with the original as well.
//! - [`Condvar`] is a type of its own, which dereferences to lock_api's: that one does not
//!   say who waits. [`Once`] is lockscope's.
//! - Raw locks have a destructor, by which the backend learns that a lock is gone. A
//!   `union` field of such a type needs `ManuallyDrop`.
//! - Who gets a contended lock next is decided as in 0.12: about every half millisecond it
//!   is handed to who has waited longest. 0.13 does that only if it is asked to.
//! - `bump` on an open gate is a fair unlock and a lock, as in [`lockscope`].
//! - `deadlock_detection` is that of parking_lot 0.12: what crates lock by parking_lot_core
//!   0.10 on their own is no part of its graph, and of readers and writers it may miss a
//!   circle, or see one that is none.

#![warn(missing_docs, unsafe_op_in_unsafe_fn, unreachable_pub)]
#![warn(clippy::undocumented_unsafe_blocks, clippy::missing_safety_doc)]

mod condvar;
#[cfg(feature = "deadlock_detection")]
pub mod deadlock;
mod mutex;
mod once;
mod rwlock;
mod thread_id;

#[cfg(all(feature = "send_guard", feature = "deadlock_detection"))]
compile_error!("the `send_guard` and `deadlock_detection` features cannot be used together");

/// Whether a guard may be sent, as lock_api asks for it.
#[cfg(feature = "send_guard")]
type GuardMarker = lock_api::GuardSend;
#[cfg(not(feature = "send_guard"))]
type GuardMarker = lock_api::GuardNoSend;

pub use ::lock_api;
pub use lock_api::WaitTimeoutResult;
#[cfg(feature = "arc_lock")]
pub use lock_api::{
    ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard,
    ArcRwLockWriteGuard,
};

pub use once::OnceState;
pub use thread_id::RawThreadId;

use lockscope::patched::{CondvarOf, MutexOf, Probed, ProbedCondvar, ProbedOnce, WithSlot};
use lockscope_core::event::LockKind;

/// What a lock carries: a slot, whose origin may have to be told later.
type Slot = WithSlot<true>;

/// The raw mutex.
pub type RawMutex = MutexOf<mutex::Unfair, Slot>;
/// The raw mutex that is handed to who has waited longest.
pub type RawFairMutex = MutexOf<mutex::Fair, Slot>;
/// The raw reader-writer lock; if `RECURSIVE`, readers join other readers while a writer
/// waits.
pub type RawRwLock<const RECURSIVE: bool = false> =
    Probed<rwlock::Bare<RECURSIVE>, Slot, { LockKind::RWLOCK.0 }>;
/// The raw reader-writer lock whose readers join other readers while a writer waits.
pub type RawRwLockRecursive = RawRwLock<true>;
/// The raw condition variable.
pub type RawCondvar = CondvarOf<condvar::Bare, Slot>;

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

/// A reader-writer lock, whose readers give way to a writer that waits.
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

/// A reader-writer lock, whose readers join other readers while a writer waits.
pub type RecursiveRwLock<T> = lock_api::RwLock<RawRwLockRecursive, T>;
/// Holds a [`RecursiveRwLock`] among other readers.
pub type RecursiveRwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLockRecursive, T>;
/// Holds a [`RecursiveRwLock`] alone.
pub type RecursiveRwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLockRecursive, T>;
/// Holds a [`RecursiveRwLock`] among other readers, and may become its writer.
pub type RecursiveRwLockUpgradableReadGuard<'a, T> =
    lock_api::RwLockUpgradableReadGuard<'a, RawRwLockRecursive, T>;
/// Holds a [`RecursiveRwLock`] among other readers, and shows a part of its data.
pub type MappedRecursiveRwLockReadGuard<'a, T> =
    lock_api::MappedRwLockReadGuard<'a, RawRwLockRecursive, T>;
/// Holds a [`RecursiveRwLock`] alone, and shows a part of its data.
pub type MappedRecursiveRwLockWriteGuard<'a, T> =
    lock_api::MappedRwLockWriteGuard<'a, RawRwLockRecursive, T>;

/// A mutex that its owner may lock again.
pub type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, RawThreadId, T>;
/// Holds a [`ReentrantMutex`].
pub type ReentrantMutexGuard<'a, T> = lock_api::ReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
/// Holds a [`ReentrantMutex`], and shows a part of its data.
pub type MappedReentrantMutexGuard<'a, T> =
    lock_api::MappedReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;

/// A condition variable. It knows the line that makes it.
pub type Condvar = ProbedCondvar<condvar::Bare, Slot>;
/// A one-time initialisation. It knows the line that makes it.
pub type Once = ProbedOnce<once::Bare, Slot>;

const _: () = {
    assert!(size_of::<Mutex<()>>() == 64);
    assert!(size_of::<FairMutex<()>>() == 64);
    assert!(size_of::<RwLock<()>>() == 64);
    assert!(size_of::<Condvar>() == 64);
    assert!(size_of::<Once>() == 64);
    assert!(size_of::<MutexGuard<'_, u64>>() == size_of::<usize>() + 8);
    assert!(size_of::<RwLockReadGuard<'_, u64>>() == size_of::<usize>() + 8);
};
