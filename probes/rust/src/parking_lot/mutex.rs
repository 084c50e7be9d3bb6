//! `Mutex` and `FairMutex`: mutexes that know where they were made.

use std::panic::Location;
use std::time::{Duration, Instant};

use lockscope_core::event::LockKind;

use super::forward::{forward, forward_unsafe, made_by_new, newtype_of_lock};
use crate::around::{BareMutex, Held, Probed, WithSlot};

type Raw<P> = Probed<P, WithSlot, { LockKind::MUTEX.0 }>;
type Inner<P, T> = lock_api::Mutex<Raw<P>, T>;

/// A mutex over the raw mutex `P` of parking_lot: see [`Mutex`](super::Mutex)
/// and [`FairMutex`](super::FairMutex).
///
/// It is a `lock_api::Mutex` in all but its constructors, and its guards are
/// that type's. What a guard calls its mutex is the inner type:
/// [`ProbedMutex::from_inner`] leads back.
#[repr(transparent)]
pub struct ProbedMutex<P: BareMutex, T: ?Sized>(Inner<P, T>);

impl<P: BareMutex, T> ProbedMutex<P, T> {
    /// A mutex that is known by the line that makes it.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self::from_raw(Probed::with(WithSlot::made_at(Location::caller()), P::INIT), value)
    }

    /// A mutex that reports call `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, value: T) -> Self {
        let slot = WithSlot::named_at(Location::caller(), name);
        Self::from_raw(Probed::with(slot, P::INIT), value)
    }

    /// A mutex around a raw one, whose creation site and name it keeps.
    #[inline]
    pub const fn from_raw(raw: Raw<P>, value: T) -> Self {
        Self(lock_api::Mutex::from_raw(raw, value))
    }

    /// Takes the mutex apart.
    #[inline]
    pub fn into_inner_with_raw(self) -> (Raw<P>, T) {
        self.0.into_inner_with_raw()
    }
}

impl<P: BareMutex, T: ?Sized> ProbedMutex<P, T> {
    forward! {
        /// Takes the lock, and waits for it if need be.
        fn lock(&self) -> lock_api::MutexGuard<'_, Raw<P>, T>;
        /// Takes the lock if nobody holds it.
        fn try_lock(&self) -> Option<lock_api::MutexGuard<'_, Raw<P>, T>>;
        /// Takes the lock, unless it is not to be had for so long.
        fn try_lock_for(&self, timeout: Duration) -> Option<lock_api::MutexGuard<'_, Raw<P>, T>>;
        /// Takes the lock, unless it is not to be had until then.
        fn try_lock_until(&self, timeout: Instant) -> Option<lock_api::MutexGuard<'_, Raw<P>, T>>;
        /// Whether anybody holds the lock at this moment.
        fn is_locked(&self) -> bool;
    }

    forward_unsafe! {
        /// Unlocks without the guard, which was forgotten.
        fn force_unlock(&self, guard: Held<P::Guard>);
        /// Unlocks without the guard, which was forgotten, by handing the lock
        /// to whoever waits.
        fn force_unlock_fair(&self, guard: Held<P::Guard>);
        /// The raw mutex.
        fn raw(&self) -> &Raw<P>;
        /// A guard for a lock that is held already.
        fn make_guard_unchecked(&self, guard: Held<P::Guard>) -> lock_api::MutexGuard<'_, Raw<P>, T>;
    }

    #[cfg(feature = "arc_lock")]
    super::forward::forward_arc! {
        /// As `lock`, with a guard that shares the mutex.
        fn lock_arc(self) -> lock_api::ArcMutexGuard<Raw<P>, T>;
        /// As `try_lock`, with a guard that shares the mutex.
        fn try_lock_arc(self) -> Option<lock_api::ArcMutexGuard<Raw<P>, T>>;
        /// As `try_lock_for`, with a guard that shares the mutex.
        fn try_lock_arc_for(self, timeout: Duration) -> Option<lock_api::ArcMutexGuard<Raw<P>, T>>;
        /// As `try_lock_until`, with a guard that shares the mutex.
        fn try_lock_arc_until(self, timeout: Instant) -> Option<lock_api::ArcMutexGuard<Raw<P>, T>>;
    }
}

newtype_of_lock!(ProbedMutex<P: BareMutex, T>, Inner<P, T>);
made_by_new!([P: BareMutex,] ProbedMutex<P, T>);
