//! Raw mutexes, watched.

use std::panic::Location;
use std::time::{Duration, Instant};

use lockscope_core::Token;
use lockscope_core::event::Mode;

use super::probed::{Held, Probed};
use super::storage::Storage;
use crate::watch::PROBE;

/// A raw mutex that can be watched with all that it can do.
pub trait BareMutex:
    lock_api::RawMutexFair<Guard: Default>
    + lock_api::RawMutexTimed<Duration = Duration, Instant = Instant>
{
}

impl<P> BareMutex for P where
    P: lock_api::RawMutexFair<Guard: Default>
        + lock_api::RawMutexTimed<Duration = Duration, Instant = Instant>
{
}

// SAFETY: every acquisition and release is the original's, which upholds the
// trait's exclusion; `Held` is as sendable as the original's guard state.
unsafe impl<P: lock_api::RawMutex, S: Storage, const KIND: u32> lock_api::RawMutex
    for Probed<P, S, KIND>
{
    const INIT: Self = Self::with(S::INIT, P::INIT);

    type Guard = Held<P::Guard>;

    #[inline(always)]
    #[track_caller]
    fn lock(&self) -> Self::Guard {
        let seen = PROBE.gate.look();
        if seen.is_closed() {
            return Held::bare(self.bare.lock());
        }
        self.lock_open(seen, Mode::EXCLUSIVE, Location::caller(), P::try_lock, P::lock)
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> Option<Self::Guard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock().map(Held::bare);
        }
        self.try_open(Mode::EXCLUSIVE, Location::caller(), P::try_lock)
    }

    #[inline(always)]
    unsafe fn unlock(&self, held: Self::Guard) {
        // SAFETY: the caller owns the lock by this acquisition.
        self.give_back(held, |bare, marker| unsafe { bare.unlock(marker) });
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.bare.is_locked()
    }
}

// SAFETY: as above.
unsafe impl<P, S: Storage, const KIND: u32> lock_api::RawMutexFair for Probed<P, S, KIND>
where
    P: lock_api::RawMutexFair<Guard: Default>,
{
    #[inline]
    unsafe fn unlock_fair(&self, held: Self::Guard) {
        // SAFETY: the caller owns the lock by this acquisition.
        self.give_back(held, |bare, marker| unsafe { bare.unlock_fair(marker) });
    }

    #[inline]
    #[track_caller]
    unsafe fn bump(&self, held: &mut Self::Guard) {
        if PROBE.gate.is_closed() {
            self.end(core::mem::replace(&mut held.token, Token::NONE));
            // SAFETY: the caller owns the lock by this acquisition.
            return unsafe { self.bare.bump(&mut held.bare) };
        }
        // SAFETY:
        // - The caller owns the lock by this acquisition.
        // - The three functions are those of one exclusive lock.
        unsafe {
            self.bump_open(
                held,
                Mode::EXCLUSIVE,
                Location::caller(),
                P::unlock_fair,
                P::try_lock,
                P::lock,
            );
        }
    }
}

// SAFETY: as above; the timeouts are the original's.
unsafe impl<P, S: Storage, const KIND: u32> lock_api::RawMutexTimed for Probed<P, S, KIND>
where
    P: lock_api::RawMutexTimed,
{
    type Duration = P::Duration;
    type Instant = P::Instant;

    #[inline]
    #[track_caller]
    fn try_lock_for(&self, timeout: P::Duration) -> Option<Self::Guard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_for(timeout).map(Held::bare);
        }
        self.timed_open(Mode::EXCLUSIVE, Location::caller(), P::try_lock, |bare| {
            bare.try_lock_for(timeout)
        })
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(&self, timeout: P::Instant) -> Option<Self::Guard> {
        if PROBE.gate.is_closed() {
            return self.bare.try_lock_until(timeout).map(Held::bare);
        }
        self.timed_open(Mode::EXCLUSIVE, Location::caller(), P::try_lock, |bare| {
            bare.try_lock_until(timeout)
        })
    }
}
