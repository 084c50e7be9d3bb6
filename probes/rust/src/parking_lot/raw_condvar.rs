//! The raw condition variable: parking_lot's, watched.
//!
//! A wait splits the hold of its mutex in two and is no contention: what was
//! waited for is not the lock. It is reported as idleness of the condition
//! variable, and ends with a new acquisition of the mutex, whose site is the
//! wait's. parking_lot hands the mutex over inside, so the time from being
//! called to owning the mutex again belongs to the idleness.

use std::time::{Duration, Instant};

use lockscope_core::event::{LockKind, Mode};
use lockscope_core::{Token, recorder};

use super::probed::{Held, Marker, Probed};
use super::site;
use super::storage::Storage;
use crate::watch::PROBE;

/// The mutex of a condition variable that keeps its words in `S`.
pub(super) type MutexOf<S> = Probed<parking_lot::RawMutex, S, { LockKind::MUTEX.0 }>;

/// A condition variable that keeps its words in `S`.
pub(super) type CondvarOf<S> = Probed<parking_lot::RawCondvar, S, { LockKind::CONDVAR.0 }>;

// SAFETY: releasing, waiting and acquiring are the original's, on the
// original's mutex; `guard` is left as an acquisition that the caller owns,
// also when the original panics because it was used with two mutexes, which it
// does before it releases anything.
unsafe impl<S: Storage> lock_api::RawCondvar for CondvarOf<S> {
    const INIT: Self = Self::with(S::INIT, <parking_lot::RawCondvar as lock_api::RawCondvar>::INIT);

    type RawMutex = MutexOf<S>;

    #[inline]
    unsafe fn wait(&self, mutex: &Self::RawMutex, guard: &mut Held) {
        // SAFETY: the caller owns the mutex by this acquisition.
        self.idle(mutex, guard, |bare| unsafe { self.bare.wait(&mutex.bare, bare) });
    }

    #[inline]
    fn notify_one(&self) -> bool {
        self.bare.notify_one()
    }

    #[inline]
    fn notify_all(&self) -> usize {
        self.bare.notify_all()
    }
}

// SAFETY: as above; the timeouts are the original's.
unsafe impl<S: Storage> lock_api::RawCondvarTimed for CondvarOf<S> {
    fn checked_duration_to_instant(timeout: &Duration) -> Option<Instant> {
        <parking_lot::RawCondvar as lock_api::RawCondvarTimed>::checked_duration_to_instant(timeout)
    }

    #[inline]
    unsafe fn wait_until(
        &self,
        mutex: &Self::RawMutex,
        guard: &mut Held,
        timeout: &Instant,
    ) -> bool {
        // SAFETY: the caller owns the mutex by this acquisition.
        self.idle(mutex, guard, |bare| unsafe { self.bare.wait_until(&mutex.bare, bare, timeout) })
    }

    #[inline]
    unsafe fn wait_for(
        &self,
        mutex: &Self::RawMutex,
        guard: &mut Held,
        timeout: &Duration,
    ) -> bool {
        // SAFETY: the caller owns the mutex by this acquisition.
        self.idle(mutex, guard, |bare| unsafe { self.bare.wait_for(&mutex.bare, bare, timeout) })
    }
}

impl<S: Storage> CondvarOf<S> {
    /// Waits by `wait`, which gives the mutex away and takes it again.
    #[inline]
    fn idle<T>(
        &self,
        mutex: &MutexOf<S>,
        guard: &mut Held,
        wait: impl FnOnce(&mut Marker) -> T,
    ) -> T {
        mutex.end(core::mem::replace(&mut guard.token, Token::NONE));
        let site = site::announced();
        let begin = recorder::idle_begin(&PROBE);
        // From here to its return the guard carries no record, so that a panic
        // in between unlocks and no more.
        let answer = wait(&mut guard.bare);
        recorder::idle_end(&PROBE, self, site, begin);
        let bare = core::mem::take(&mut guard.bare);
        *guard = mutex.owned(bare, Mode::EXCLUSIVE, site);
        answer
    }
}
