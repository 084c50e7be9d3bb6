//! The upgradable side of the raw reader-writer lock.

use core::panic::Location;
use std::time::{Duration, Instant};

use bare_api::{
    RawRwLockUpgrade as _, RawRwLockUpgradeDowngrade as _, RawRwLockUpgradeFair as _,
    RawRwLockUpgradeTimed as _,
};
use lockscope::patched::PROBE;
use lockscope_core::event::Mode;
use lockscope_core::recorder;

use crate::raw_mutex::Marker;
use crate::raw_rwlock::{Bare, RawRwLock};
use crate::watched::Place;

const ALONE: Mode = Mode::EXCLUSIVE;
const UPGRADABLE: Mode = Mode::UPGRADABLE;

fn attempt(bare: &Bare) -> bool {
    bare.try_lock_upgradable().is_some()
}

fn block(bare: &Bare) {
    let _: Marker = bare.lock_upgradable();
}

// SAFETY: every acquisition, upgrade and release is the original's, which upholds the
// trait's exclusion.
unsafe impl lock_api::RawRwLockUpgrade for RawRwLock {
    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) {
        let seen = PROBE.gate.look();
        if seen.is_closed() {
            return block(&self.bare);
        }
        self.lock_open(seen, UPGRADABLE, Location::caller(), attempt, block);
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> bool {
        if PROBE.gate.is_closed() {
            return attempt(&self.bare);
        }
        self.try_open(UPGRADABLE, Location::caller(), attempt)
    }

    #[inline]
    unsafe fn unlock_upgradable(&self) {
        // SAFETY: the caller owns the lock upgradably.
        self.give_back(UPGRADABLE, |bare| unsafe { bare.unlock_upgradable(Marker::default()) });
    }

    #[inline]
    #[track_caller]
    unsafe fn upgrade(&self) {
        let place = Location::caller();
        // SAFETY:
        // - The caller owns the lock upgradably.
        // - `block` upgrades that.
        unsafe {
            self.upgrade_by(place, |bare| {
                let _: Marker = bare.upgrade(Marker::default());
                true
            });
        }
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade(&self) -> bool {
        // SAFETY: the caller owns the lock upgradably.
        let is_upgraded = unsafe { self.bare.try_upgrade(Marker::default()) }.is_ok();
        if is_upgraded {
            self.end(self.take(UPGRADABLE));
            self.owned(ALONE, Location::caller());
        } else if !PROBE.gate.is_closed() {
            self.refused(ALONE, Location::caller());
        }
        is_upgraded
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeFair for RawRwLock {
    #[inline]
    unsafe fn unlock_upgradable_fair(&self) {
        self.give_back(UPGRADABLE, |bare| {
            // SAFETY: the caller owns the lock upgradably.
            unsafe { bare.unlock_upgradable_fair(Marker::default()) }
        });
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_upgradable(&self) {
        if PROBE.gate.is_closed() {
            self.end(self.take(UPGRADABLE));
            // SAFETY: the caller owns the lock upgradably.
            return unsafe { self.bare.bump_upgradable(&mut Marker::default()) };
        }
        // SAFETY: the caller owns the lock upgradably.
        let unlock = |bare: &Bare| unsafe { bare.unlock_upgradable_fair(Marker::default()) };
        // SAFETY:
        // - The caller owns the lock upgradably.
        // - The three functions are those of one mode of one lock.
        unsafe { self.bump_open(UPGRADABLE, Location::caller(), unlock, attempt, block) };
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeDowngrade for RawRwLock {
    #[inline]
    #[track_caller]
    unsafe fn downgrade_upgradable(&self) {
        self.end(self.take(UPGRADABLE));
        // SAFETY: the caller owns the lock upgradably.
        let _: Marker = unsafe { self.bare.downgrade_upgradable(Marker::default()) };
        self.owned(Mode::SHARED, Location::caller());
    }

    #[inline]
    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self) {
        self.end(self.take(ALONE));
        // SAFETY: the caller owns the lock alone.
        let _: Marker = unsafe { self.bare.downgrade_to_upgradable(Marker::default()) };
        self.owned(UPGRADABLE, Location::caller());
    }
}

// SAFETY: as above; the timeouts are the original's.
unsafe impl lock_api::RawRwLockUpgradeTimed for RawRwLock {
    #[inline]
    #[track_caller]
    fn try_lock_upgradable_for(&self, timeout: Duration) -> bool {
        let block = |bare: &Bare| bare.try_lock_upgradable_for(timeout).is_some();
        if PROBE.gate.is_closed() {
            return block(&self.bare);
        }
        self.timed_open(UPGRADABLE, Location::caller(), attempt, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable_until(&self, timeout: Instant) -> bool {
        let block = |bare: &Bare| bare.try_lock_upgradable_until(timeout).is_some();
        if PROBE.gate.is_closed() {
            return block(&self.bare);
        }
        self.timed_open(UPGRADABLE, Location::caller(), attempt, block)
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_for(&self, timeout: Duration) -> bool {
        let place = Location::caller();
        // SAFETY:
        // - The caller owns the lock upgradably.
        // - `block` upgrades that, or leaves it.
        unsafe {
            self.upgrade_by(place, |bare| bare.try_upgrade_for(Marker::default(), timeout).is_ok())
        }
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_until(&self, timeout: Instant) -> bool {
        let place = Location::caller();
        // SAFETY:
        // - The caller owns the lock upgradably.
        // - `block` upgrades that, or leaves it.
        unsafe {
            self.upgrade_by(place, |bare| {
                bare.try_upgrade_until(Marker::default(), timeout).is_ok()
            })
        }
    }
}

impl RawRwLock {
    /// Upgrades at once, or by `block`, which waits for the readers to leave, and says
    /// whether they did.
    ///
    /// The upgradable hold lasts until the upgrade has succeeded: all that while the
    /// thread keeps writers out. If it fails, the hold goes on.
    ///
    /// # Safety
    ///
    /// - The caller owns the lock upgradably.
    /// - `block` upgrades that and returns true, or leaves it as it was and returns false.
    #[inline]
    unsafe fn upgrade_by(&self, place: Place, block: impl FnOnce(&Bare) -> bool) -> bool {
        if PROBE.gate.is_closed() {
            let is_upgraded = block(&self.bare);
            if is_upgraded {
                self.end(self.take(UPGRADABLE));
            }
            return is_upgraded;
        }
        // SAFETY: the caller owns the lock upgradably.
        if unsafe { self.bare.try_upgrade(Marker::default()) }.is_ok() {
            self.end(self.take(UPGRADABLE));
            self.owned(ALONE, place);
            return true;
        }
        let token = self.wait(ALONE, place);
        let is_upgraded = block(&self.bare);
        if is_upgraded {
            self.end(self.take(UPGRADABLE));
            self.waited(ALONE, place, token);
        } else {
            recorder::gave_up(&PROBE, self, token);
        }
        is_upgraded
    }
}
