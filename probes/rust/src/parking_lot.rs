//! Locks that stand in for those of `parking_lot` 0.13.
//!
//! Replace `use parking_lot::…` by `use lockscope::parking_lot::…`, and nothing
//! else:
//!
//! ```
//! use lockscope::parking_lot::{Condvar, Mutex, RwLock};
//!
//! static HITS: Mutex<u64> = Mutex::new(0);
//!
//! let names = RwLock::named("names", vec!["anna", "bert"]);
//! *HITS.lock() += names.read().len() as u64;
//! assert_eq!(*HITS.lock(), 2);
//! # let _ = Condvar::new();
//! ```
//!
//! # What is what
//!
//! Every operation is parking_lot's own, on parking_lot's own raw locks;
//! fairness, timeouts, parking and whether guards may be sent are the
//! original's. The features `arc_lock`, `owning_ref`, `send_guard` and `serde`
//! are passed on to it.
//!
//! - A raw lock is a [`Probed`] original: `lock_api`'s traits with the gate read
//!   first. On a closed gate that is all it does.
//! - `Mutex`, `RwLock` and the like are newtypes over `lock_api`'s types, so that
//!   `new` can be a `#[track_caller] const fn`: a lock is known by the line that
//!   makes it, also in a `static`. `named` gives it a name.
//! - Guards are `lock_api`'s, with a token in them that names the record of the
//!   acquisition: 8 bytes more than the original's. A reentrant mutex keeps it
//!   in the lock, and its guards are as large as the original's.
//! - A lock carries a slot of 56 bytes, which makes it as large as 64 and its
//!   data; the locks in [`slotless`] carry none and are as large as the originals.
//!
//! # What differs from the original
//!
//! - `MutexGuard::mutex` and the like name the inner `lock_api` type. The
//!   newtype dereferences to it, and `from_inner` leads back.
//! - Where the original takes a `GuardNoSend` for a guard that was forgotten
//!   (`force_unlock`, `make_guard_unchecked`), give `Default::default()`.
//! - While something is recorded, `bump` is what it stands for, a fair unlock
//!   and a lock, and is recorded as two holds: parking_lot does not say whether
//!   anybody waited.
//! - For deadlock detection name the feature of `parking_lot` itself, and ask
//!   `parking_lot::deadlock`: it cannot be combined with `send_guard`, and
//!   features of one crate should be.
//!
//! # What is recorded
//!
//! | operation | record |
//! |---|---|
//! | acquisition | `EXCLUSIVE`, `SHARED` or `UPGRADABLE`; contended if it could not be had at once |
//! | try that fails, timeout that passes | a failure |
//! | downgrade | the hold ends, and one in the new mode begins, without wait |
//! | upgrade | the same; contended if readers had to leave; if it fails, the hold goes on |
//! | wait on a [`Condvar`] | the hold of the mutex ends, idleness of the condition variable, a new acquisition |
//! | [`Once::call_once`](ProbedOnce::call_once) | who runs holds, who waits is contended |
//! | [`ReentrantMutex`] | the outermost lock and unlock |
//!
//! Call sites are the program's. Where a guard's method locks again from within
//! `lock_api` (`unlocked`, `with_upgraded`, and `bump` of a reentrant mutex), the
//! site of that acquisition is the method's own line in `lock_api`.

mod forward;
mod mutex;
mod once;
mod reentrant;
mod rwlock;
pub mod slotless;

use lockscope_core::event::LockKind;

pub use ::lock_api;
pub use ::parking_lot::{OnceState, RawThreadId};
pub use lock_api::WaitTimeoutResult;

pub use crate::around::{
    BareCondvar, BareMutex, BareOnce, BareRwLock, Held, Probed, ProbedCondvar, ProbedOnce, Storage,
    WithSlot, WithoutSlot,
};
pub use mutex::ProbedMutex;
pub use reentrant::ProbedReentrantMutex;
pub use rwlock::ProbedRwLock;

use crate::around::{CondvarOf, MutexOf};

/// The raw mutex.
pub type RawMutex = MutexOf<::parking_lot::RawMutex, WithSlot>;
/// The raw fair mutex.
pub type RawFairMutex = Probed<::parking_lot::RawFairMutex, WithSlot, { LockKind::MUTEX.0 }>;
/// The raw reader-writer lock.
pub type RawRwLock<const RECURSIVE: bool = false> =
    Probed<::parking_lot::RawRwLock<RECURSIVE>, WithSlot, { LockKind::RWLOCK.0 }>;
/// The raw recursive reader-writer lock.
pub type RawRwLockRecursive = RawRwLock<true>;
/// The raw condition variable.
pub type RawCondvar = CondvarOf<::parking_lot::RawCondvar, WithSlot>;
/// The raw mutex below a [`ReentrantMutex`].
pub type RawReentrantMutex = reentrant::Raw<WithSlot>;

/// A mutual-exclusion lock.
///
/// Its size is 64 bytes and its data, rounded up to a multiple of 8.
pub type Mutex<T> = ProbedMutex<::parking_lot::RawMutex, T>;
/// A mutex whose unlocks always hand it to whoever waits.
///
/// Its size is 64 bytes and its data, rounded up to a multiple of 8.
pub type FairMutex<T> = ProbedMutex<::parking_lot::RawFairMutex, T>;
/// A reader-writer lock, whose readers wait behind a waiting writer.
///
/// Its size is 64 bytes and its data, rounded up to a multiple of 8.
pub type RwLock<T> = ProbedRwLock<::parking_lot::RawRwLock, T>;
/// A reader-writer lock whose readers may read again while a writer waits.
///
/// Its size is 64 bytes and its data, rounded up to a multiple of 8.
pub type RecursiveRwLock<T> = ProbedRwLock<::parking_lot::RawRwLockRecursive, T>;
/// A mutex that its owner may lock again.
///
/// Its size is 88 bytes and its data, rounded up to a multiple of 8: the record
/// of the outermost acquisition is named in the lock, and not in a guard.
pub type ReentrantMutex<T> = ProbedReentrantMutex<WithSlot, T>;
/// A condition variable, for [`Mutex`].
///
/// Its size is 64 bytes, where the original's is 8.
pub type Condvar = ProbedCondvar<::parking_lot::RawCondvar, WithSlot>;
/// A one-time initialisation.
///
/// Its size is 64 bytes, where the original's is 1.
pub type Once = ProbedOnce<::parking_lot::Once, WithSlot>;

/// The names of guards, in the module that has the raw locks of these names.
macro_rules! guards {
    () => {
        /// Holds a [`Mutex`].
        ///
        /// Its size is 8 bytes more than the original's.
        pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
        /// Holds a [`Mutex`], and shows a part of its data.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;
        /// Holds a [`FairMutex`].
        ///
        /// Its size is 8 bytes more than the original's.
        pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;
        /// Holds a [`FairMutex`], and shows a part of its data.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;
        /// Holds a [`RwLock`] among readers.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
        /// Holds a [`RwLock`] alone.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
        /// Holds a [`RwLock`] as the reader who may become the writer.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type RwLockUpgradableReadGuard<'a, T> =
            lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;
        /// Holds a [`RwLock`] among readers, and shows a part of its data.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
        /// Holds a [`RwLock`] alone, and shows a part of its data.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;
        /// Holds a [`RecursiveRwLock`] among readers.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type RecursiveRwLockReadGuard<'a, T> =
            lock_api::RwLockReadGuard<'a, RawRwLockRecursive, T>;
        /// Holds a [`RecursiveRwLock`] alone.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type RecursiveRwLockWriteGuard<'a, T> =
            lock_api::RwLockWriteGuard<'a, RawRwLockRecursive, T>;
        /// Holds a [`RecursiveRwLock`] as the reader who may become the writer.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type RecursiveRwLockUpgradableReadGuard<'a, T> =
            lock_api::RwLockUpgradableReadGuard<'a, RawRwLockRecursive, T>;
        /// Holds a [`RecursiveRwLock`] among readers, and shows a part of its data.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type MappedRecursiveRwLockReadGuard<'a, T> =
            lock_api::MappedRwLockReadGuard<'a, RawRwLockRecursive, T>;
        /// Holds a [`RecursiveRwLock`] alone, and shows a part of its data.
        ///
        /// Its size is 8 bytes more than the original's.
        pub type MappedRecursiveRwLockWriteGuard<'a, T> =
            lock_api::MappedRwLockWriteGuard<'a, RawRwLockRecursive, T>;
        /// Holds a [`ReentrantMutex`].
        ///
        /// Its size is the original's.
        pub type ReentrantMutexGuard<'a, T> =
            lock_api::ReentrantMutexGuard<'a, RawReentrantMutex, RawThreadId, T>;
        /// Holds a [`ReentrantMutex`], and shows a part of its data.
        ///
        /// Its size is the original's.
        pub type MappedReentrantMutexGuard<'a, T> =
            lock_api::MappedReentrantMutexGuard<'a, RawReentrantMutex, RawThreadId, T>;
    };
}
use guards;

guards!();

#[cfg(feature = "arc_lock")]
pub use lock_api::{
    ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard,
    ArcRwLockWriteGuard,
};

const _: () = {
    assert!(size_of::<Mutex<()>>() == 64);
    assert!(size_of::<Mutex<u64>>() == 72);
    assert!(size_of::<FairMutex<u64>>() == 72);
    assert!(size_of::<RwLock<u64>>() == 72);
    assert!(size_of::<RecursiveRwLock<u64>>() == 72);
    assert!(size_of::<ReentrantMutex<()>>() == 88);
    assert!(size_of::<ReentrantMutex<u64>>() == 96);
    assert!(size_of::<Condvar>() == 64);
    assert!(size_of::<Once>() == 64);
};

/// How much larger than the original's a guard is, for each of these.
macro_rules! guard_sizes {
    ($more:literal: $($guard:ident)*) => {$(
        const _: () = {
            let original = size_of::<::parking_lot::$guard<'_, u64>>();
            assert!(size_of::<$guard<'_, u64>>() == original + $more);
            assert!(size_of::<slotless::$guard<'_, u64>>() == original + $more);
        };
    )*};
}

guard_sizes! { 8:
    MutexGuard MappedMutexGuard FairMutexGuard MappedFairMutexGuard
    RwLockReadGuard RwLockWriteGuard RwLockUpgradableReadGuard
    MappedRwLockReadGuard MappedRwLockWriteGuard
    RecursiveRwLockReadGuard RecursiveRwLockWriteGuard RecursiveRwLockUpgradableReadGuard
    MappedRecursiveRwLockReadGuard MappedRecursiveRwLockWriteGuard
}
guard_sizes! { 0: ReentrantMutexGuard MappedReentrantMutexGuard }
