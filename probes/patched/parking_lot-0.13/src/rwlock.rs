//! parking_lot 0.12's raw reader-writer lock, as lock_api 0.5 wants it.
//!
//! In 0.12 an operation says whether its reader gives way to a writer that waits; in 0.13
//! the lock does, by `RECURSIVE`.

use std::time::{Duration, Instant};

use bare_api::{
    RawRwLock as _, RawRwLockDowngrade as _, RawRwLockFair as _, RawRwLockRecursive as _,
    RawRwLockRecursiveTimed as _, RawRwLockTimed as _, RawRwLockUpgrade as _,
    RawRwLockUpgradeDowngrade as _, RawRwLockUpgradeFair as _, RawRwLockUpgradeTimed as _,
};

use crate::GuardMarker;

/// The reader-writer lock; if `RECURSIVE`, readers join other readers while a writer waits.
pub struct Bare<const RECURSIVE: bool>(bare::RawRwLock);

// SAFETY: every acquisition and release is the original's, which upholds the trait's
// exclusion; a guard is as sendable as the feature `send_guard` says.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLock for Bare<RECURSIVE> {
    const INIT: Self = Self(bare::RawRwLock::INIT);

    type SharedGuard = GuardMarker;
    type ExclusiveGuard = GuardMarker;

    #[inline(always)]
    fn lock_shared(&self) -> GuardMarker {
        if RECURSIVE {
            self.0.lock_shared_recursive();
        } else {
            self.0.lock_shared();
        }
        GuardMarker::new()
    }

    #[inline(always)]
    fn try_lock_shared(&self) -> Option<GuardMarker> {
        let is_had =
            if RECURSIVE { self.0.try_lock_shared_recursive() } else { self.0.try_lock_shared() };
        is_had.then(GuardMarker::new)
    }

    #[inline(always)]
    unsafe fn unlock_shared(&self, _guard: GuardMarker) {
        // SAFETY: the caller owns the lock, shared.
        unsafe { self.0.unlock_shared() };
    }

    #[inline(always)]
    fn lock_exclusive(&self) -> GuardMarker {
        self.0.lock_exclusive();
        GuardMarker::new()
    }

    #[inline(always)]
    fn try_lock_exclusive(&self) -> Option<GuardMarker> {
        self.0.try_lock_exclusive().then(GuardMarker::new)
    }

    #[inline(always)]
    unsafe fn unlock_exclusive(&self, _guard: GuardMarker) {
        // SAFETY: the caller owns the lock alone.
        unsafe { self.0.unlock_exclusive() };
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }

    /// In 0.12 a writer that waits for readers to leave owns the lock already; in 0.13 it
    /// does not. Readers that are there let another one in, who therefore tells the two
    /// apart.
    fn is_locked_exclusive(&self) -> bool {
        if !self.0.is_locked_exclusive() {
            return false;
        }
        let has_readers = self.0.try_lock_shared_recursive();
        if has_readers {
            // SAFETY: it was taken here.
            unsafe { self.0.unlock_shared() };
        }
        !has_readers
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockFair for Bare<RECURSIVE> {
    #[inline]
    unsafe fn unlock_shared_fair(&self, _guard: GuardMarker) {
        // SAFETY: the caller owns the lock, shared.
        unsafe { self.0.unlock_shared_fair() };
    }

    #[inline]
    unsafe fn unlock_exclusive_fair(&self, _guard: GuardMarker) {
        // SAFETY: the caller owns the lock alone.
        unsafe { self.0.unlock_exclusive_fair() };
    }

    #[inline]
    unsafe fn bump_shared(&self, _guard: &mut GuardMarker) {
        if !RECURSIVE {
            // SAFETY: the caller owns the lock, shared.
            return unsafe { self.0.bump_shared() };
        }
        // While readers own the lock, this says that a writer waits. As long as there are
        // other readers, the lock is not to be given to it, and is had again at once.
        if self.0.is_locked_exclusive() {
            // SAFETY: the caller owns the lock, shared.
            unsafe { self.0.unlock_shared_fair() };
            self.0.lock_shared_recursive();
        }
    }

    #[inline]
    unsafe fn bump_exclusive(&self, _guard: &mut GuardMarker) {
        // SAFETY: the caller owns the lock alone.
        unsafe { self.0.bump_exclusive() };
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockDowngrade for Bare<RECURSIVE> {
    #[inline]
    unsafe fn downgrade(&self, guard: GuardMarker) -> GuardMarker {
        // SAFETY: the caller owns the lock alone.
        unsafe { self.0.downgrade() };
        guard
    }
}

// SAFETY: as above; the timeouts are the original's.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockTimed for Bare<RECURSIVE> {
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    fn try_lock_shared_for(&self, timeout: Duration) -> Option<GuardMarker> {
        let is_had = if RECURSIVE {
            self.0.try_lock_shared_recursive_for(timeout)
        } else {
            self.0.try_lock_shared_for(timeout)
        };
        is_had.then(GuardMarker::new)
    }

    #[inline]
    fn try_lock_shared_until(&self, timeout: Instant) -> Option<GuardMarker> {
        let is_had = if RECURSIVE {
            self.0.try_lock_shared_recursive_until(timeout)
        } else {
            self.0.try_lock_shared_until(timeout)
        };
        is_had.then(GuardMarker::new)
    }

    #[inline]
    fn try_lock_exclusive_for(&self, timeout: Duration) -> Option<GuardMarker> {
        self.0.try_lock_exclusive_for(timeout).then(GuardMarker::new)
    }

    #[inline]
    fn try_lock_exclusive_until(&self, timeout: Instant) -> Option<GuardMarker> {
        self.0.try_lock_exclusive_until(timeout).then(GuardMarker::new)
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockUpgrade for Bare<RECURSIVE> {
    type UpgradableGuard = GuardMarker;

    #[inline]
    fn lock_upgradable(&self) -> GuardMarker {
        self.0.lock_upgradable();
        GuardMarker::new()
    }

    #[inline]
    fn try_lock_upgradable(&self) -> Option<GuardMarker> {
        self.0.try_lock_upgradable().then(GuardMarker::new)
    }

    #[inline]
    unsafe fn unlock_upgradable(&self, _guard: GuardMarker) {
        // SAFETY: the caller owns the lock upgradably.
        unsafe { self.0.unlock_upgradable() };
    }

    #[inline]
    unsafe fn upgrade(&self, guard: GuardMarker) -> GuardMarker {
        // SAFETY: the caller owns the lock upgradably.
        unsafe { self.0.upgrade() };
        guard
    }

    #[inline]
    unsafe fn try_upgrade(&self, guard: GuardMarker) -> Result<GuardMarker, GuardMarker> {
        // SAFETY: the caller owns the lock upgradably.
        upgraded(guard, unsafe { self.0.try_upgrade() })
    }
}

/// What a try to upgrade answers: the same, for the guards of all modes are alike.
#[inline]
fn upgraded(guard: GuardMarker, is_had: bool) -> Result<GuardMarker, GuardMarker> {
    if is_had { Ok(guard) } else { Err(guard) }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockUpgradeFair for Bare<RECURSIVE> {
    #[inline]
    unsafe fn unlock_upgradable_fair(&self, _guard: GuardMarker) {
        // SAFETY: the caller owns the lock upgradably.
        unsafe { self.0.unlock_upgradable_fair() };
    }

    #[inline]
    unsafe fn bump_upgradable(&self, _guard: &mut GuardMarker) {
        // SAFETY: the caller owns the lock upgradably.
        unsafe { self.0.bump_upgradable() };
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockUpgradeDowngrade for Bare<RECURSIVE> {
    #[inline]
    unsafe fn downgrade_upgradable(&self, guard: GuardMarker) -> GuardMarker {
        // SAFETY: the caller owns the lock upgradably.
        unsafe { self.0.downgrade_upgradable() };
        guard
    }

    #[inline]
    unsafe fn downgrade_to_upgradable(&self, guard: GuardMarker) -> GuardMarker {
        // SAFETY: the caller owns the lock alone.
        unsafe { self.0.downgrade_to_upgradable() };
        guard
    }
}

// SAFETY: as above; the timeouts are the original's.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLockUpgradeTimed for Bare<RECURSIVE> {
    #[inline]
    fn try_lock_upgradable_for(&self, timeout: Duration) -> Option<GuardMarker> {
        self.0.try_lock_upgradable_for(timeout).then(GuardMarker::new)
    }

    #[inline]
    fn try_lock_upgradable_until(&self, timeout: Instant) -> Option<GuardMarker> {
        self.0.try_lock_upgradable_until(timeout).then(GuardMarker::new)
    }

    #[inline]
    unsafe fn try_upgrade_for(
        &self,
        guard: GuardMarker,
        timeout: Duration,
    ) -> Result<GuardMarker, GuardMarker> {
        // SAFETY: the caller owns the lock upgradably.
        upgraded(guard, unsafe { self.0.try_upgrade_for(timeout) })
    }

    #[inline]
    unsafe fn try_upgrade_until(
        &self,
        guard: GuardMarker,
        timeout: Instant,
    ) -> Result<GuardMarker, GuardMarker> {
        // SAFETY: the caller owns the lock upgradably.
        upgraded(guard, unsafe { self.0.try_upgrade_until(timeout) })
    }
}
