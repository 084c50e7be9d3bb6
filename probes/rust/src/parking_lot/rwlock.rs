//! `RwLock` and `RecursiveRwLock`: reader-writer locks that know where they
//! were made.

use std::panic::Location;
use std::time::{Duration, Instant};

use lock_api::{RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};
use lockscope_core::event::LockKind;

use super::forward::{forward, forward_unsafe, made_by_new, newtype_of_lock};
use crate::around::{BareRwLock, Held, Probed, WithSlot};

type Raw<P> = Probed<P, WithSlot, { LockKind::RWLOCK.0 }>;
type Inner<P, T> = lock_api::RwLock<Raw<P>, T>;

/// A reader-writer lock over the raw lock `P` of parking_lot: see
/// [`RwLock`](super::RwLock) and [`RecursiveRwLock`](super::RecursiveRwLock).
///
/// It is a `lock_api::RwLock` in all but its constructors, and its guards are
/// that type's. What a guard calls its lock is the inner type:
/// [`ProbedRwLock::from_inner`] leads back.
#[repr(transparent)]
pub struct ProbedRwLock<P: BareRwLock, T: ?Sized>(Inner<P, T>);

impl<P: BareRwLock, T> ProbedRwLock<P, T> {
    /// A lock that is known by the line that makes it.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self::from_raw(Probed::with(WithSlot::made_at(Location::caller()), P::INIT), value)
    }

    /// A lock that reports call `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, value: T) -> Self {
        let slot = WithSlot::named_at(Location::caller(), name);
        Self::from_raw(Probed::with(slot, P::INIT), value)
    }

    /// A lock around a raw one, whose creation site and name it keeps.
    #[inline]
    pub const fn from_raw(raw: Raw<P>, value: T) -> Self {
        Self(lock_api::RwLock::from_raw(raw, value))
    }

    /// Takes the lock apart.
    #[inline]
    pub fn into_inner_with_raw(self) -> (Raw<P>, T) {
        self.0.into_inner_with_raw()
    }
}

impl<P: BareRwLock, T: ?Sized> ProbedRwLock<P, T> {
    forward! {
        /// Takes the lock among readers, and waits for it if need be.
        fn read(&self) -> RwLockReadGuard<'_, Raw<P>, T>;
        /// Takes the lock among readers if that is possible at once.
        fn try_read(&self) -> Option<RwLockReadGuard<'_, Raw<P>, T>>;
        /// Takes the lock among readers, unless it is not to be had for so long.
        fn try_read_for(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, Raw<P>, T>>;
        /// Takes the lock among readers, unless it is not to be had until then.
        fn try_read_until(&self, timeout: Instant) -> Option<RwLockReadGuard<'_, Raw<P>, T>>;
        /// Takes the lock alone, and waits for it if need be.
        fn write(&self) -> RwLockWriteGuard<'_, Raw<P>, T>;
        /// Takes the lock alone if that is possible at once.
        fn try_write(&self) -> Option<RwLockWriteGuard<'_, Raw<P>, T>>;
        /// Takes the lock alone, unless it is not to be had for so long.
        fn try_write_for(&self, timeout: Duration) -> Option<RwLockWriteGuard<'_, Raw<P>, T>>;
        /// Takes the lock alone, unless it is not to be had until then.
        fn try_write_until(&self, timeout: Instant) -> Option<RwLockWriteGuard<'_, Raw<P>, T>>;
        /// Takes the lock as the one reader who may become the writer.
        fn upgradable_read(&self) -> RwLockUpgradableReadGuard<'_, Raw<P>, T>;
        /// As `upgradable_read`, if that is possible at once.
        fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, Raw<P>, T>>;
        /// As `upgradable_read`, unless the lock is not to be had for so long.
        fn try_upgradable_read_for(
            &self, timeout: Duration
        ) -> Option<RwLockUpgradableReadGuard<'_, Raw<P>, T>>;
        /// As `upgradable_read`, unless the lock is not to be had until then.
        fn try_upgradable_read_until(
            &self, timeout: Instant
        ) -> Option<RwLockUpgradableReadGuard<'_, Raw<P>, T>>;
        /// Whether anybody holds the lock at this moment.
        fn is_locked(&self) -> bool;
        /// Whether a writer holds the lock at this moment.
        fn is_locked_exclusive(&self) -> bool;
    }

    forward_unsafe! {
        /// Ends a read without the guard, which was forgotten.
        fn force_unlock_read(&self, guard: Held<P::SharedGuard>);
        /// Ends a write without the guard, which was forgotten.
        fn force_unlock_write(&self, guard: Held<P::ExclusiveGuard>);
        /// As `force_unlock_read`, by handing the lock to whoever waits.
        fn force_unlock_read_fair(&self, guard: Held<P::SharedGuard>);
        /// As `force_unlock_write`, by handing the lock to whoever waits.
        fn force_unlock_write_fair(&self, guard: Held<P::ExclusiveGuard>);
        /// The raw lock.
        fn raw(&self) -> &Raw<P>;
        /// A guard for a lock that is held by a reader already.
        fn make_read_guard_unchecked(&self, guard: Held<P::SharedGuard>) -> RwLockReadGuard<'_, Raw<P>, T>;
        /// A guard for a lock that is held by a writer already.
        fn make_write_guard_unchecked(&self, guard: Held<P::ExclusiveGuard>) -> RwLockWriteGuard<'_, Raw<P>, T>;
        /// A guard for a lock that is held by an upgradable reader already.
        fn make_upgradable_guard_unchecked(
            &self, guard: Held<P::UpgradableGuard>
        ) -> RwLockUpgradableReadGuard<'_, Raw<P>, T>;
    }
}

#[cfg(feature = "arc_lock")]
mod arc {
    use lock_api::{ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard};

    use super::super::forward::{forward_arc, forward_arc_unsafe};
    use super::{BareRwLock, Duration, Held, Instant, ProbedRwLock, Raw};

    impl<P: BareRwLock, T: ?Sized> ProbedRwLock<P, T> {
        forward_arc! {
            /// As `read`, with a guard that shares the lock.
            fn read_arc(self) -> ArcRwLockReadGuard<Raw<P>, T>;
            /// As `try_read`, with a guard that shares the lock.
            fn try_read_arc(self) -> Option<ArcRwLockReadGuard<Raw<P>, T>>;
            /// As `try_read_for`, with a guard that shares the lock.
            fn try_read_arc_for(self, timeout: Duration) -> Option<ArcRwLockReadGuard<Raw<P>, T>>;
            /// As `try_read_until`, with a guard that shares the lock.
            fn try_read_arc_until(self, timeout: Instant) -> Option<ArcRwLockReadGuard<Raw<P>, T>>;
            /// As `write`, with a guard that shares the lock.
            fn write_arc(self) -> ArcRwLockWriteGuard<Raw<P>, T>;
            /// As `try_write`, with a guard that shares the lock.
            fn try_write_arc(self) -> Option<ArcRwLockWriteGuard<Raw<P>, T>>;
            /// As `try_write_for`, with a guard that shares the lock.
            fn try_write_arc_for(self, timeout: Duration) -> Option<ArcRwLockWriteGuard<Raw<P>, T>>;
            /// As `try_write_until`, with a guard that shares the lock.
            fn try_write_arc_until(
                self, timeout: Instant
            ) -> Option<ArcRwLockWriteGuard<Raw<P>, T>>;
            /// As `upgradable_read`, with a guard that shares the lock.
            fn upgradable_read_arc(self) -> ArcRwLockUpgradableReadGuard<Raw<P>, T>;
            /// As `try_upgradable_read`, with a guard that shares the lock.
            fn try_upgradable_read_arc(self) -> Option<ArcRwLockUpgradableReadGuard<Raw<P>, T>>;
            /// As `try_upgradable_read_for`, with a guard that shares the lock.
            fn try_upgradable_read_arc_for(
                self, timeout: Duration
            ) -> Option<ArcRwLockUpgradableReadGuard<Raw<P>, T>>;
            /// As `try_upgradable_read_until`, with a guard that shares the lock.
            fn try_upgradable_read_arc_until(
                self, timeout: Instant
            ) -> Option<ArcRwLockUpgradableReadGuard<Raw<P>, T>>;
        }

        forward_arc_unsafe! {
            /// A sharing guard for a lock that is held by a reader already.
            fn make_arc_read_guard_unchecked(self, guard: Held<P::SharedGuard>) -> ArcRwLockReadGuard<Raw<P>, T>;
            /// A sharing guard for a lock that is held by a writer already.
            fn make_arc_write_guard_unchecked(self, guard: Held<P::ExclusiveGuard>) -> ArcRwLockWriteGuard<Raw<P>, T>;
            /// A sharing guard for a lock that is held by an upgradable reader
            /// already.
            fn make_upgradable_arc_guard_unchecked(
                self, guard: Held<P::UpgradableGuard>
            ) -> ArcRwLockUpgradableReadGuard<Raw<P>, T>;
        }
    }
}

newtype_of_lock!(ProbedRwLock<P: BareRwLock, T>, Inner<P, T>);
made_by_new!([P: BareRwLock,] ProbedRwLock<P, T>);
