//! The upgradable side of raw reader-writer locks.
//!
//! Changing the mode of an acquisition ends one record and begins another, as
//! in [`raw_rwlock`](super::raw_rwlock).

use std::convert::Infallible;
use std::panic::Location;

use lockscope_core::event::Mode;
use lockscope_core::{Token, recorder};

use super::probed::{Held, Place, Probed};
use super::storage::Storage;
use crate::watch::PROBE;

// SAFETY: every acquisition, upgrade and release is the original's, which upholds
// the trait's exclusion; `Held` is as sendable as the original's guard state.
unsafe impl<P, S: Storage, const KIND: u32> lock_api::RawRwLockUpgrade for Probed<P, S, KIND>
where
    P: lock_api::RawRwLockUpgrade,
{
    type UpgradableGuard = Held<P::UpgradableGuard>;

    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) -> Self::UpgradableGuard {
        let seen = PROBE.gate.look();
        if seen.is_closed() {
            return Held::bare(self.bare.lock_upgradable());
        }
        self.lock_open(
            seen,
            Mode::UPGRADABLE,
            Location::caller(),
            P::try_lock_upgradable,
            P::lock_upgradable,
        )
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> Option<Self::UpgradableGuard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_upgradable().map(Held::bare);
        }
        self.try_open(Mode::UPGRADABLE, Location::caller(), P::try_lock_upgradable)
    }

    #[inline]
    unsafe fn unlock_upgradable(&self, held: Self::UpgradableGuard) {
        // SAFETY: the caller owns the lock by this acquisition.
        self.give_back(held, |bare, marker| unsafe { bare.unlock_upgradable(marker) });
    }

    #[inline]
    #[track_caller]
    unsafe fn upgrade(&self, held: Self::UpgradableGuard) -> Self::ExclusiveGuard {
        if PROBE.gate.is_closed() {
            self.end(held.token);
            // SAFETY: the caller owns the lock by this acquisition.
            return Held::bare(unsafe { self.bare.upgrade(held.bare) });
        }
        // SAFETY: as above.
        let block = |bare| Ok::<_, Infallible>(unsafe { self.bare.upgrade(bare) });
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - `block` gives it back upgraded.
        let Ok(held) = unsafe { self.upgrade_open(held, Location::caller(), block) };
        held
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade(
        &self,
        held: Self::UpgradableGuard,
    ) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard> {
        // SAFETY: the caller owns the lock by this acquisition.
        match unsafe { self.bare.try_upgrade(held.bare) } {
            Ok(bare) => {
                self.end(held.token);
                Ok(self.owned(bare, Mode::EXCLUSIVE, Location::caller()))
            }
            Err(bare) => {
                if !PROBE.gate.is_closed() {
                    self.refused(Mode::EXCLUSIVE, Location::caller());
                }
                Err(Held { token: held.token, bare })
            }
        }
    }
}

// SAFETY: as above.
unsafe impl<P, S: Storage, const KIND: u32> lock_api::RawRwLockUpgradeFair for Probed<P, S, KIND>
where
    P: lock_api::RawRwLockUpgradeFair<
            SharedGuard: Default,
            ExclusiveGuard: Default,
            UpgradableGuard: Default,
        >,
{
    #[inline]
    unsafe fn unlock_upgradable_fair(&self, held: Self::UpgradableGuard) {
        // SAFETY: the caller owns the lock by this acquisition.
        self.give_back(held, |bare, marker| unsafe { bare.unlock_upgradable_fair(marker) });
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_upgradable(&self, held: &mut Self::UpgradableGuard) {
        if PROBE.gate.is_closed() {
            self.end(core::mem::replace(&mut held.token, Token::NONE));
            // SAFETY: the caller owns the lock by this acquisition.
            return unsafe { self.bare.bump_upgradable(&mut held.bare) };
        }
        let (unlock, attempt, block) =
            (P::unlock_upgradable_fair, P::try_lock_upgradable, P::lock_upgradable);
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - The three functions are those of one mode of one lock.
        unsafe {
            self.bump_open(held, Mode::UPGRADABLE, Location::caller(), unlock, attempt, block)
        };
    }
}

// SAFETY: as above.
unsafe impl<P, S: Storage, const KIND: u32> lock_api::RawRwLockUpgradeDowngrade
    for Probed<P, S, KIND>
where
    P: lock_api::RawRwLockUpgradeDowngrade,
{
    #[inline]
    #[track_caller]
    unsafe fn downgrade_upgradable(&self, held: Self::UpgradableGuard) -> Self::SharedGuard {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        let bare = unsafe { self.bare.downgrade_upgradable(held.bare) };
        self.owned(bare, Mode::SHARED, Location::caller())
    }

    #[inline]
    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self, held: Self::ExclusiveGuard) -> Self::UpgradableGuard {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        let bare = unsafe { self.bare.downgrade_to_upgradable(held.bare) };
        self.owned(bare, Mode::UPGRADABLE, Location::caller())
    }
}

// SAFETY: as above.
unsafe impl<P, S: Storage, const KIND: u32> lock_api::RawRwLockUpgradeTimed for Probed<P, S, KIND>
where
    P: lock_api::RawRwLockUpgradeTimed,
{
    #[inline]
    #[track_caller]
    fn try_lock_upgradable_for(&self, timeout: P::Duration) -> Option<Self::UpgradableGuard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_upgradable_for(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_upgradable_for(timeout);
        self.timed_open(Mode::UPGRADABLE, Location::caller(), P::try_lock_upgradable, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable_until(&self, timeout: P::Instant) -> Option<Self::UpgradableGuard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_upgradable_until(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_upgradable_until(timeout);
        self.timed_open(Mode::UPGRADABLE, Location::caller(), P::try_lock_upgradable, block)
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_for(
        &self,
        held: Self::UpgradableGuard,
        timeout: P::Duration,
    ) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard> {
        // SAFETY: the caller owns the lock by this acquisition.
        let block = |bare| unsafe { self.bare.try_upgrade_for(bare, timeout) };
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - `block` gives it back, upgraded or as it was.
        unsafe { self.upgrade_timed(held, Location::caller(), block) }
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_until(
        &self,
        held: Self::UpgradableGuard,
        timeout: P::Instant,
    ) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard> {
        // SAFETY: the caller owns the lock by this acquisition.
        let block = |bare| unsafe { self.bare.try_upgrade_until(bare, timeout) };
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - `block` gives it back, upgraded or as it was.
        unsafe { self.upgrade_timed(held, Location::caller(), block) }
    }
}

/// How a wait for an upgrade ends: upgraded, or as it was.
type Upgraded<P, E> = Result<<P as lock_api::RawRwLock>::ExclusiveGuard, E>;

impl<P: lock_api::RawRwLockUpgrade, S: Storage, const KIND: u32> Probed<P, S, KIND> {
    /// # Safety
    ///
    /// - As of [`Self::upgrade_open`].
    #[inline]
    unsafe fn upgrade_timed(
        &self,
        held: Held<P::UpgradableGuard>,
        place: Place,
        block: impl FnOnce(P::UpgradableGuard) -> Upgraded<P, P::UpgradableGuard>,
    ) -> Result<Held<P::ExclusiveGuard>, Held<P::UpgradableGuard>> {
        if !PROBE.gate.is_closed() {
            // SAFETY: as of this function.
            return unsafe { self.upgrade_open(held, place, block) };
        }
        match block(held.bare) {
            Ok(bare) => {
                self.end(held.token);
                Ok(Held::bare(bare))
            }
            Err(bare) => Err(Held { token: held.token, bare }),
        }
    }

    /// Upgrades at once, or by `block`, which waits for the readers to leave.
    ///
    /// The upgradable hold lasts until the upgrade has succeeded: all that
    /// while the thread keeps writers out. If it fails, the hold goes on.
    ///
    /// # Safety
    ///
    /// - The caller owns the lock, upgradably, by the acquisition that `held`
    ///   stands for.
    /// - `block` upgrades that acquisition and returns `Ok`, or leaves it as it
    ///   was and returns `Err`.
    #[inline(never)]
    unsafe fn upgrade_open<E>(
        &self,
        held: Held<P::UpgradableGuard>,
        place: Place,
        block: impl FnOnce(P::UpgradableGuard) -> Upgraded<P, E>,
    ) -> Result<Held<P::ExclusiveGuard>, Held<E>> {
        // SAFETY: the caller owns the lock by this acquisition.
        let bare = match unsafe { self.bare.try_upgrade(held.bare) } {
            Ok(bare) => {
                self.end(held.token);
                return Ok(self.owned(bare, Mode::EXCLUSIVE, place));
            }
            Err(bare) => bare,
        };
        let token = self.wait(Mode::EXCLUSIVE, place);
        match block(bare) {
            Ok(bare) => {
                let upgraded = self.waited(bare, place, token);
                self.end(held.token);
                Ok(upgraded)
            }
            Err(bare) => {
                recorder::gave_up(&PROBE, self, token);
                Err(Held { token: held.token, bare })
            }
        }
    }
}
