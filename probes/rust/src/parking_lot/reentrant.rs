//! `ReentrantMutex`: a mutex that its owner may lock again.
//!
//! Only the outermost lock and its unlock reach the raw mutex; what happens in
//! between is one hold. `lock_api` keeps the guard's state of that acquisition
//! inside the lock, so its guards are as large as the original's.

use std::panic::Location;
use std::time::{Duration, Instant};

use lock_api::ReentrantMutexGuard;
use lockscope_core::event::LockKind;
use parking_lot::RawThreadId;

use super::forward::{forward, forward_unsafe, made_by_new, newtype_of_lock};
use crate::around::{Probed, Storage, WithSlot, WithoutSlot, site};

/// The raw mutex below a reentrant one that keeps its words in `S`.
pub(super) type Raw<S> = Probed<parking_lot::RawMutex, S, { LockKind::REENTRANT.0 }>;
type Inner<S, T> = lock_api::ReentrantMutex<Raw<S>, RawThreadId, T>;
type Guard<'a, S, T> = ReentrantMutexGuard<'a, Raw<S>, RawThreadId, T>;
#[cfg(feature = "arc_lock")]
type ArcGuard<S, T> = lock_api::ArcReentrantMutexGuard<Raw<S>, RawThreadId, T>;

/// parking_lot's own, unlocked.
const fn bare() -> parking_lot::RawMutex {
    <parking_lot::RawMutex as lock_api::RawMutex>::INIT
}

/// A reentrant mutex that keeps its words in `S`: see
/// [`ReentrantMutex`](super::ReentrantMutex).
///
/// It is a `lock_api::ReentrantMutex` in all but its constructors and the call
/// sites of its locking methods, which that type does not pass on. Its guards
/// are that type's; [`ProbedReentrantMutex::from_inner`] leads from what they
/// call their mutex back to this one.
#[repr(transparent)]
pub struct ProbedReentrantMutex<S: Storage, T: ?Sized>(Inner<S, T>);

impl<T> ProbedReentrantMutex<WithSlot, T> {
    /// A mutex that is known by the line that makes it.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        let raw = Probed::with(WithSlot::made_at(Location::caller()), bare());
        Self::from_raw(raw, RawThreadId, value)
    }

    /// A mutex that reports call `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, value: T) -> Self {
        let raw = Probed::with(WithSlot::named_at(Location::caller(), name), bare());
        Self::from_raw(raw, RawThreadId, value)
    }
}

impl<T> ProbedReentrantMutex<WithoutSlot, T> {
    /// A mutex that is known by its address.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self::from_raw(Probed::with(WithoutSlot, bare()), RawThreadId, value)
    }
}

impl<S: Storage, T> ProbedReentrantMutex<S, T> {
    /// A mutex around a raw one, whose creation site and name it keeps.
    #[inline]
    pub const fn from_raw(raw: Raw<S>, thread_id: RawThreadId, value: T) -> Self {
        Self(lock_api::ReentrantMutex::from_raw(raw, thread_id, value))
    }

    /// Takes the mutex apart.
    #[inline]
    pub fn into_inner_with_raw(self) -> (Raw<S>, RawThreadId, T) {
        self.0.into_inner_with_raw()
    }
}

impl<S: Storage, T: ?Sized> ProbedReentrantMutex<S, T> {
    /// Takes the lock, and waits for it if another thread holds it.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> Guard<'_, S, T> {
        site::around(|| self.0.lock())
    }

    /// Takes the lock if no other thread holds it.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Option<Guard<'_, S, T>> {
        site::around(|| self.0.try_lock())
    }

    /// Takes the lock, unless it is not to be had for so long.
    #[inline]
    #[track_caller]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<Guard<'_, S, T>> {
        site::around(|| self.0.try_lock_for(timeout))
    }

    /// Takes the lock, unless it is not to be had until then.
    #[inline]
    #[track_caller]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<Guard<'_, S, T>> {
        site::around(|| self.0.try_lock_until(timeout))
    }

    forward! {
        /// Whether any thread holds the lock at this moment.
        fn is_locked(&self) -> bool;
        /// Whether this thread holds the lock.
        fn is_owned_by_current_thread(&self) -> bool;
    }

    forward_unsafe! {
        /// Unlocks once without the guard, which was forgotten.
        fn force_unlock(&self);
        /// As `force_unlock`, by handing the lock to whoever waits.
        fn force_unlock_fair(&self);
        /// The raw mutex.
        fn raw(&self) -> &Raw<S>;
        /// A guard for a lock that is held already.
        fn make_guard_unchecked(&self) -> Guard<'_, S, T>;
    }
}

#[cfg(feature = "arc_lock")]
impl<S: Storage, T: ?Sized> ProbedReentrantMutex<S, T> {
    /// As `lock`, with a guard that shares the mutex.
    #[inline]
    #[track_caller]
    pub fn lock_arc(self: &std::sync::Arc<Self>) -> ArcGuard<S, T> {
        site::around(|| Self::lend(self).lock_arc())
    }

    /// As `try_lock`, with a guard that shares the mutex.
    #[inline]
    #[track_caller]
    pub fn try_lock_arc(self: &std::sync::Arc<Self>) -> Option<ArcGuard<S, T>> {
        site::around(|| Self::lend(self).try_lock_arc())
    }

    /// As `try_lock_for`, with a guard that shares the mutex.
    #[inline]
    #[track_caller]
    pub fn try_lock_arc_for(
        self: &std::sync::Arc<Self>,
        timeout: Duration,
    ) -> Option<ArcGuard<S, T>> {
        site::around(|| Self::lend(self).try_lock_arc_for(timeout))
    }

    /// As `try_lock_until`, with a guard that shares the mutex.
    #[inline]
    #[track_caller]
    pub fn try_lock_arc_until(
        self: &std::sync::Arc<Self>,
        timeout: Instant,
    ) -> Option<ArcGuard<S, T>> {
        site::around(|| Self::lend(self).try_lock_arc_until(timeout))
    }

    super::forward::forward_arc_unsafe! {
        /// A sharing guard for a lock that is held already.
        fn make_arc_guard_unchecked(self) -> ArcGuard<S, T>;
    }
}

newtype_of_lock!(ProbedReentrantMutex<S: Storage, T>, Inner<S, T>);
made_by_new!([] ProbedReentrantMutex<WithSlot, T>);
made_by_new!([] ProbedReentrantMutex<WithoutSlot, T>);
