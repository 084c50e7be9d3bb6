//! The same locks without slot: as large as the originals.
//!
//! Nothing is added to a lock here, so it is known by its address: reports
//! show neither where it was made nor a name, a lock that moves becomes a new
//! one, and operations are counted by thread instead of by lock. Everything
//! else is as in the [module above](super).

use lockscope_core::event::LockKind;

use super::RawThreadId;
use super::reentrant::{self, ProbedReentrantMutex};
use crate::around::{CondvarOf, MutexOf, Probed, ProbedCondvar, ProbedOnce, WithoutSlot};

/// The raw mutex.
pub type RawMutex = MutexOf<parking_lot::RawMutex, WithoutSlot>;
/// The raw fair mutex.
pub type RawFairMutex = Probed<parking_lot::RawFairMutex, WithoutSlot, { LockKind::MUTEX.0 }>;
/// The raw reader-writer lock.
pub type RawRwLock<const RECURSIVE: bool = false> =
    Probed<parking_lot::RawRwLock<RECURSIVE>, WithoutSlot, { LockKind::RWLOCK.0 }>;
/// The raw recursive reader-writer lock.
pub type RawRwLockRecursive = RawRwLock<true>;
/// The raw condition variable.
pub type RawCondvar = CondvarOf<parking_lot::RawCondvar, WithoutSlot>;
/// The raw mutex below a [`ReentrantMutex`].
pub type RawReentrantMutex = reentrant::Raw<WithoutSlot>;

/// As [`parking_lot::Mutex`](super::Mutex), without slot: as large as the original.
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
/// As [`parking_lot::FairMutex`](super::FairMutex), without slot: as large as the original.
pub type FairMutex<T> = lock_api::Mutex<RawFairMutex, T>;
/// As [`parking_lot::RwLock`](super::RwLock), without slot: as large as the original.
pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
/// As [`parking_lot::RecursiveRwLock`](super::RecursiveRwLock), without slot: as
/// large as the original.
pub type RecursiveRwLock<T> = lock_api::RwLock<RawRwLockRecursive, T>;
/// As [`parking_lot::ReentrantMutex`](super::ReentrantMutex), without slot: as
/// large as the original.
pub type ReentrantMutex<T> = ProbedReentrantMutex<WithoutSlot, T>;
/// As [`parking_lot::Condvar`](super::Condvar), without slot: as large as the
/// original. For [`Mutex`].
pub type Condvar = ProbedCondvar<parking_lot::RawCondvar, WithoutSlot>;
/// As [`parking_lot::Once`](super::Once), without slot: as large as the original.
pub type Once = ProbedOnce<parking_lot::Once, WithoutSlot>;

super::guards!();

const _: () = {
    use parking_lot as original;

    assert!(size_of::<Mutex<()>>() == size_of::<original::Mutex<()>>());
    assert!(size_of::<Mutex<u64>>() == size_of::<original::Mutex<u64>>());
    assert!(size_of::<FairMutex<u64>>() == size_of::<original::FairMutex<u64>>());
    assert!(size_of::<RwLock<u8>>() == size_of::<original::RwLock<u8>>());
    assert!(size_of::<RwLock<u64>>() == size_of::<original::RwLock<u64>>());
    assert!(size_of::<RecursiveRwLock<()>>() == size_of::<original::RecursiveRwLock<()>>());
    assert!(size_of::<ReentrantMutex<()>>() == size_of::<original::ReentrantMutex<()>>());
    assert!(size_of::<ReentrantMutex<u64>>() == size_of::<original::ReentrantMutex<u64>>());
    assert!(size_of::<Condvar>() == size_of::<original::Condvar>());
    assert!(size_of::<Once>() == size_of::<original::Once>());
};
