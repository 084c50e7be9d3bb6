//! The raw reader-writer locks: parking_lot's, watched.
//!
//! Changing the mode of an acquisition ends one record and begins another, so
//! that each hold is told by the mode it was held in.

use std::time::{Duration, Instant};

use lockscope_core::event::Mode;
use lockscope_core::{CallSite, Token, recorder};

use super::probed::{Held, Marker, Probed};
use super::storage::Storage;
use crate::watch::{PROBE, here};

mod sealed {
    pub trait Sealed {}
    impl<const RECURSIVE: bool> Sealed for parking_lot::RawRwLock<RECURSIVE> {}
}

/// A raw reader-writer lock of parking_lot. Sealed: the plain and the
/// recursive one.
pub trait BareRwLock:
    sealed::Sealed
    + lock_api::RawRwLock<SharedGuard = Marker, ExclusiveGuard = Marker>
    + lock_api::RawRwLockFair
    + lock_api::RawRwLockUpgradeFair
    + lock_api::RawRwLockUpgradeDowngrade
    + lock_api::RawRwLockUpgrade<UpgradableGuard = Marker>
    + lock_api::RawRwLockUpgradeTimed
    + lock_api::RawRwLockTimed<Duration = Duration, Instant = Instant>
{
}

impl<const RECURSIVE: bool> BareRwLock for parking_lot::RawRwLock<RECURSIVE> {}

// SAFETY: every acquisition and release is the original's, which upholds the
// trait's exclusion; `Held` is as sendable as the original's guard state.
unsafe impl<P: BareRwLock, S: Storage, const KIND: u32> lock_api::RawRwLock for Probed<P, S, KIND> {
    const INIT: Self = Self::with(S::INIT, P::INIT);

    type SharedGuard = Held;
    type ExclusiveGuard = Held;

    #[inline]
    #[track_caller]
    fn lock_shared(&self) -> Held {
        if PROBE.gate.is_closed() {
            return Held::bare(self.bare.lock_shared());
        }
        self.lock_open(Mode::SHARED, here(), P::try_lock_shared, P::lock_shared)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared(&self) -> Option<Held> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_shared().map(Held::bare);
        }
        self.try_open(Mode::SHARED, here(), P::try_lock_shared)
    }

    #[inline]
    unsafe fn unlock_shared(&self, held: Held) {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        unsafe { self.bare.unlock_shared(held.bare) }
    }

    #[inline]
    #[track_caller]
    fn lock_exclusive(&self) -> Held {
        if PROBE.gate.is_closed() {
            return Held::bare(self.bare.lock_exclusive());
        }
        self.lock_open(Mode::EXCLUSIVE, here(), P::try_lock_exclusive, P::lock_exclusive)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive(&self) -> Option<Held> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_exclusive().map(Held::bare);
        }
        self.try_open(Mode::EXCLUSIVE, here(), P::try_lock_exclusive)
    }

    #[inline]
    unsafe fn unlock_exclusive(&self, held: Held) {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        unsafe { self.bare.unlock_exclusive(held.bare) }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.bare.is_locked()
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.bare.is_locked_exclusive()
    }
}

// SAFETY: as above.
unsafe impl<P: BareRwLock, S: Storage, const KIND: u32> lock_api::RawRwLockFair
    for Probed<P, S, KIND>
{
    #[inline]
    unsafe fn unlock_shared_fair(&self, held: Held) {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        unsafe { self.bare.unlock_shared_fair(held.bare) }
    }

    #[inline]
    unsafe fn unlock_exclusive_fair(&self, held: Held) {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        unsafe { self.bare.unlock_exclusive_fair(held.bare) }
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_shared(&self, held: &mut Held) {
        if PROBE.gate.is_closed() {
            self.end(core::mem::replace(&mut held.token, Token::NONE));
            // SAFETY: the caller owns the lock by this acquisition.
            return unsafe { self.bare.bump_shared(&mut held.bare) };
        }
        let (unlock, attempt, block) = (P::unlock_shared_fair, P::try_lock_shared, P::lock_shared);
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - The three functions are those of one mode of one lock.
        unsafe { self.bump_open(held, Mode::SHARED, here(), unlock, attempt, block) };
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_exclusive(&self, held: &mut Held) {
        if PROBE.gate.is_closed() {
            self.end(core::mem::replace(&mut held.token, Token::NONE));
            // SAFETY: the caller owns the lock by this acquisition.
            return unsafe { self.bare.bump_exclusive(&mut held.bare) };
        }
        let (unlock, attempt, block) =
            (P::unlock_exclusive_fair, P::try_lock_exclusive, P::lock_exclusive);
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - The three functions are those of one mode of one lock.
        unsafe { self.bump_open(held, Mode::EXCLUSIVE, here(), unlock, attempt, block) };
    }
}

// SAFETY: as above.
unsafe impl<P: BareRwLock, S: Storage, const KIND: u32> lock_api::RawRwLockDowngrade
    for Probed<P, S, KIND>
{
    #[inline]
    #[track_caller]
    unsafe fn downgrade(&self, held: Held) -> Held {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        let bare = unsafe { self.bare.downgrade(held.bare) };
        self.owned(bare, Mode::SHARED, here())
    }
}

// SAFETY: as above; the timeouts are the original's.
unsafe impl<P: BareRwLock, S: Storage, const KIND: u32> lock_api::RawRwLockTimed
    for Probed<P, S, KIND>
{
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    #[track_caller]
    fn try_lock_shared_for(&self, timeout: Duration) -> Option<Held> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_shared_for(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_shared_for(timeout);
        self.timed_open(Mode::SHARED, here(), P::try_lock_shared, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_until(&self, timeout: Instant) -> Option<Held> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_shared_until(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_shared_until(timeout);
        self.timed_open(Mode::SHARED, here(), P::try_lock_shared, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_for(&self, timeout: Duration) -> Option<Held> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_exclusive_for(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_exclusive_for(timeout);
        self.timed_open(Mode::EXCLUSIVE, here(), P::try_lock_exclusive, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_until(&self, timeout: Instant) -> Option<Held> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_exclusive_until(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_exclusive_until(timeout);
        self.timed_open(Mode::EXCLUSIVE, here(), P::try_lock_exclusive, block)
    }
}

// SAFETY: as above.
unsafe impl<P: BareRwLock, S: Storage, const KIND: u32> lock_api::RawRwLockUpgrade
    for Probed<P, S, KIND>
{
    type UpgradableGuard = Held;

    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) -> Held {
        if PROBE.gate.is_closed() {
            return Held::bare(self.bare.lock_upgradable());
        }
        self.lock_open(Mode::UPGRADABLE, here(), P::try_lock_upgradable, P::lock_upgradable)
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> Option<Held> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_upgradable().map(Held::bare);
        }
        self.try_open(Mode::UPGRADABLE, here(), P::try_lock_upgradable)
    }

    #[inline]
    unsafe fn unlock_upgradable(&self, held: Held) {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        unsafe { self.bare.unlock_upgradable(held.bare) }
    }

    #[inline]
    #[track_caller]
    unsafe fn upgrade(&self, held: Held) -> Held {
        if PROBE.gate.is_closed() {
            self.end(held.token);
            // SAFETY: the caller owns the lock by this acquisition.
            return Held::bare(unsafe { self.bare.upgrade(held.bare) });
        }
        // SAFETY: as above.
        let block = |bare| Ok(unsafe { self.bare.upgrade(bare) });
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - `block` gives it back upgraded.
        match unsafe { self.upgrade_open(held, here(), block) } {
            Ok(held) | Err(held) => held,
        }
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade(&self, held: Held) -> Result<Held, Held> {
        // SAFETY: the caller owns the lock by this acquisition.
        match unsafe { self.bare.try_upgrade(held.bare) } {
            Ok(bare) => {
                self.end(held.token);
                Ok(self.owned(bare, Mode::EXCLUSIVE, here()))
            }
            Err(bare) => {
                if !PROBE.gate.is_closed() {
                    recorder::refused(&PROBE, self, Mode::EXCLUSIVE, here());
                }
                Err(Held { token: held.token, bare })
            }
        }
    }
}

// SAFETY: as above.
unsafe impl<P: BareRwLock, S: Storage, const KIND: u32> lock_api::RawRwLockUpgradeFair
    for Probed<P, S, KIND>
{
    #[inline]
    unsafe fn unlock_upgradable_fair(&self, held: Held) {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        unsafe { self.bare.unlock_upgradable_fair(held.bare) }
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_upgradable(&self, held: &mut Held) {
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
        unsafe { self.bump_open(held, Mode::UPGRADABLE, here(), unlock, attempt, block) };
    }
}

// SAFETY: as above.
unsafe impl<P: BareRwLock, S: Storage, const KIND: u32> lock_api::RawRwLockUpgradeDowngrade
    for Probed<P, S, KIND>
{
    #[inline]
    #[track_caller]
    unsafe fn downgrade_upgradable(&self, held: Held) -> Held {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        let bare = unsafe { self.bare.downgrade_upgradable(held.bare) };
        self.owned(bare, Mode::SHARED, here())
    }

    #[inline]
    #[track_caller]
    unsafe fn downgrade_to_upgradable(&self, held: Held) -> Held {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        let bare = unsafe { self.bare.downgrade_to_upgradable(held.bare) };
        self.owned(bare, Mode::UPGRADABLE, here())
    }
}

// SAFETY: as above.
unsafe impl<P: BareRwLock, S: Storage, const KIND: u32> lock_api::RawRwLockUpgradeTimed
    for Probed<P, S, KIND>
{
    #[inline]
    #[track_caller]
    fn try_lock_upgradable_for(&self, timeout: Duration) -> Option<Held> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_upgradable_for(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_upgradable_for(timeout);
        self.timed_open(Mode::UPGRADABLE, here(), P::try_lock_upgradable, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable_until(&self, timeout: Instant) -> Option<Held> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_upgradable_until(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_upgradable_until(timeout);
        self.timed_open(Mode::UPGRADABLE, here(), P::try_lock_upgradable, block)
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_for(&self, held: Held, timeout: Duration) -> Result<Held, Held> {
        // SAFETY: the caller owns the lock by this acquisition.
        let block = |bare| unsafe { self.bare.try_upgrade_for(bare, timeout) };
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - `block` gives it back, upgraded or as it was.
        unsafe { self.upgrade_timed(held, here(), block) }
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade_until(&self, held: Held, timeout: Instant) -> Result<Held, Held> {
        // SAFETY: the caller owns the lock by this acquisition.
        let block = |bare| unsafe { self.bare.try_upgrade_until(bare, timeout) };
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - `block` gives it back, upgraded or as it was.
        unsafe { self.upgrade_timed(held, here(), block) }
    }
}

impl<P: BareRwLock, S: Storage, const KIND: u32> Probed<P, S, KIND> {
    /// # Safety
    ///
    /// - As of [`Self::upgrade_open`].
    #[inline]
    unsafe fn upgrade_timed(
        &self,
        held: Held,
        site: CallSite,
        block: impl FnOnce(Marker) -> Result<Marker, Marker>,
    ) -> Result<Held, Held> {
        if !PROBE.gate.is_closed() {
            // SAFETY: as of this function.
            return unsafe { self.upgrade_open(held, site, block) };
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
    unsafe fn upgrade_open(
        &self,
        held: Held,
        site: CallSite,
        block: impl FnOnce(Marker) -> Result<Marker, Marker>,
    ) -> Result<Held, Held> {
        // SAFETY: the caller owns the lock by this acquisition.
        let bare = match unsafe { self.bare.try_upgrade(held.bare) } {
            Ok(bare) => {
                self.end(held.token);
                return Ok(self.owned(bare, Mode::EXCLUSIVE, site));
            }
            Err(bare) => bare,
        };
        let token = recorder::wait(&PROBE, self, Mode::EXCLUSIVE, site);
        match block(bare) {
            Ok(bare) => {
                recorder::waited(&PROBE, self, site, token);
                self.end(held.token);
                Ok(Held { token, bare })
            }
            Err(bare) => {
                recorder::gave_up(&PROBE, self, token);
                Err(Held { token: held.token, bare })
            }
        }
    }
}
