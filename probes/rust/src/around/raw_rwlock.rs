//! Raw reader-writer locks, watched.
//!
//! Changing the mode of an acquisition ends one record and begins another, so
//! that each hold is told by the mode it was held in.

use std::panic::Location;
use std::time::{Duration, Instant};

use lockscope_core::Token;
use lockscope_core::event::Mode;

use super::probed::{Held, Probed};
use super::storage::Storage;
use crate::watch::PROBE;

/// A raw reader-writer lock that can be watched with all that it can do.
pub trait BareRwLock:
    lock_api::RawRwLockFair<SharedGuard: Default, ExclusiveGuard: Default>
    + lock_api::RawRwLockUpgradeFair<UpgradableGuard: Default>
    + lock_api::RawRwLockUpgradeDowngrade
    + lock_api::RawRwLockUpgradeTimed
    + lock_api::RawRwLockTimed<Duration = Duration, Instant = Instant>
{
}

impl<P> BareRwLock for P where
    P: lock_api::RawRwLockFair<SharedGuard: Default, ExclusiveGuard: Default>
        + lock_api::RawRwLockUpgradeFair<UpgradableGuard: Default>
        + lock_api::RawRwLockUpgradeDowngrade
        + lock_api::RawRwLockUpgradeTimed
        + lock_api::RawRwLockTimed<Duration = Duration, Instant = Instant>
{
}

// SAFETY: every acquisition and release is the original's, which upholds the
// trait's exclusion; `Held` is as sendable as the original's guard state.
unsafe impl<P: lock_api::RawRwLock, S: Storage, const KIND: u32> lock_api::RawRwLock
    for Probed<P, S, KIND>
{
    const INIT: Self = Self::with(S::INIT, P::INIT);

    type SharedGuard = Held<P::SharedGuard>;
    type ExclusiveGuard = Held<P::ExclusiveGuard>;

    #[inline(always)]
    #[track_caller]
    fn lock_shared(&self) -> Self::SharedGuard {
        let seen = PROBE.gate.look();
        if seen.is_closed() {
            return Held::bare(self.bare.lock_shared());
        }
        self.lock_open(seen, Mode::SHARED, Location::caller(), P::try_lock_shared, P::lock_shared)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared(&self) -> Option<Self::SharedGuard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_shared().map(Held::bare);
        }
        self.try_open(Mode::SHARED, Location::caller(), P::try_lock_shared)
    }

    #[inline(always)]
    unsafe fn unlock_shared(&self, held: Self::SharedGuard) {
        // SAFETY: the caller owns the lock by this acquisition.
        self.give_back(held, |bare, marker| unsafe { bare.unlock_shared(marker) });
    }

    #[inline(always)]
    #[track_caller]
    fn lock_exclusive(&self) -> Self::ExclusiveGuard {
        let seen = PROBE.gate.look();
        if seen.is_closed() {
            return Held::bare(self.bare.lock_exclusive());
        }
        self.lock_open(
            seen,
            Mode::EXCLUSIVE,
            Location::caller(),
            P::try_lock_exclusive,
            P::lock_exclusive,
        )
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive(&self) -> Option<Self::ExclusiveGuard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_exclusive().map(Held::bare);
        }
        self.try_open(Mode::EXCLUSIVE, Location::caller(), P::try_lock_exclusive)
    }

    #[inline(always)]
    unsafe fn unlock_exclusive(&self, held: Self::ExclusiveGuard) {
        // SAFETY: the caller owns the lock by this acquisition.
        self.give_back(held, |bare, marker| unsafe { bare.unlock_exclusive(marker) });
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
unsafe impl<P, S: Storage, const KIND: u32> lock_api::RawRwLockFair for Probed<P, S, KIND>
where
    P: lock_api::RawRwLockFair<SharedGuard: Default, ExclusiveGuard: Default>,
{
    #[inline]
    unsafe fn unlock_shared_fair(&self, held: Self::SharedGuard) {
        // SAFETY: the caller owns the lock by this acquisition.
        self.give_back(held, |bare, marker| unsafe { bare.unlock_shared_fair(marker) });
    }

    #[inline]
    unsafe fn unlock_exclusive_fair(&self, held: Self::ExclusiveGuard) {
        // SAFETY: the caller owns the lock by this acquisition.
        self.give_back(held, |bare, marker| unsafe { bare.unlock_exclusive_fair(marker) });
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_shared(&self, held: &mut Self::SharedGuard) {
        if PROBE.gate.is_closed() {
            self.end(core::mem::replace(&mut held.token, Token::NONE));
            // SAFETY: the caller owns the lock by this acquisition.
            return unsafe { self.bare.bump_shared(&mut held.bare) };
        }
        let (unlock, attempt, block) = (P::unlock_shared_fair, P::try_lock_shared, P::lock_shared);
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - The three functions are those of one mode of one lock.
        unsafe { self.bump_open(held, Mode::SHARED, Location::caller(), unlock, attempt, block) };
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_exclusive(&self, held: &mut Self::ExclusiveGuard) {
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
        unsafe {
            self.bump_open(held, Mode::EXCLUSIVE, Location::caller(), unlock, attempt, block)
        };
    }
}

// SAFETY: as above.
unsafe impl<P, S: Storage, const KIND: u32> lock_api::RawRwLockDowngrade for Probed<P, S, KIND>
where
    P: lock_api::RawRwLockDowngrade,
{
    #[inline]
    #[track_caller]
    unsafe fn downgrade(&self, held: Self::ExclusiveGuard) -> Self::SharedGuard {
        self.end(held.token);
        // SAFETY: the caller owns the lock by this acquisition.
        let bare = unsafe { self.bare.downgrade(held.bare) };
        self.owned(bare, Mode::SHARED, Location::caller())
    }
}

// SAFETY: as above; the timeouts are the original's.
unsafe impl<P, S: Storage, const KIND: u32> lock_api::RawRwLockTimed for Probed<P, S, KIND>
where
    P: lock_api::RawRwLockTimed,
{
    type Duration = P::Duration;
    type Instant = P::Instant;

    #[inline]
    #[track_caller]
    fn try_lock_shared_for(&self, timeout: P::Duration) -> Option<Self::SharedGuard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_shared_for(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_shared_for(timeout);
        self.timed_open(Mode::SHARED, Location::caller(), P::try_lock_shared, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_until(&self, timeout: P::Instant) -> Option<Self::SharedGuard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_shared_until(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_shared_until(timeout);
        self.timed_open(Mode::SHARED, Location::caller(), P::try_lock_shared, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_for(&self, timeout: P::Duration) -> Option<Self::ExclusiveGuard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_exclusive_for(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_exclusive_for(timeout);
        self.timed_open(Mode::EXCLUSIVE, Location::caller(), P::try_lock_exclusive, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_until(&self, timeout: P::Instant) -> Option<Self::ExclusiveGuard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_exclusive_until(timeout).map(Held::bare);
        }
        let block = |bare: &P| bare.try_lock_exclusive_until(timeout);
        self.timed_open(Mode::EXCLUSIVE, Location::caller(), P::try_lock_exclusive, block)
    }
}
