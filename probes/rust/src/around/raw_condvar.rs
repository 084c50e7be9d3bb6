//! A raw condition variable, watched.
//!
//! A wait splits the hold of its mutex in two and is no contention: what was
//! waited for is not the lock. It is reported as idleness of the condition
//! variable, and ends with a new acquisition of the mutex, whose site is the
//! wait's. parking_lot's hands the mutex over inside, so the time from being
//! called to owning the mutex again belongs to the idleness.

use lockscope_core::event::{LockKind, Mode};
use lockscope_core::{CallSite, Token, recorder};

use super::probed::{Held, Probed};
use super::raw_mutex::BareMutex;
use super::site;
use super::storage::Storage;
use crate::watch::PROBE;

/// A raw condition variable whose waits may be bounded, for a mutex that can be watched.
pub trait BareCondvar: lock_api::RawCondvarTimed<RawMutex: BareMutex> {}

impl<C: lock_api::RawCondvarTimed<RawMutex: BareMutex>> BareCondvar for C {}

/// A raw mutex `P` that keeps its words in `S`, seen as a mutex.
pub type MutexOf<P, S> = Probed<P, S, { LockKind::MUTEX.0 }>;

/// A raw condition variable `C` that keeps its words in `S`.
pub type CondvarOf<C, S> = Probed<C, S, { LockKind::CONDVAR.0 }>;

/// What the original's guard of a mutex `P` carries.
type GuardOf<P> = <P as lock_api::RawMutex>::Guard;
type DurationOf<P> = <P as lock_api::RawMutexTimed>::Duration;
type InstantOf<P> = <P as lock_api::RawMutexTimed>::Instant;

// SAFETY: releasing, waiting and acquiring are the original's, on the
// original's mutex; `guard` is left as an acquisition that the caller owns,
// also when the original panics because it was used with two mutexes, which it
// does before it releases anything.
unsafe impl<C, S: Storage> lock_api::RawCondvar for CondvarOf<C, S>
where
    C: lock_api::RawCondvar<RawMutex: lock_api::RawMutex<Guard: Default>>,
{
    const INIT: Self = Self::with(S::INIT, C::INIT);

    type RawMutex = MutexOf<C::RawMutex, S>;

    #[inline]
    unsafe fn wait(&self, mutex: &Self::RawMutex, guard: &mut Held<GuardOf<C::RawMutex>>) {
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
unsafe impl<C, S: Storage> lock_api::RawCondvarTimed for CondvarOf<C, S>
where
    C: lock_api::RawCondvarTimed<RawMutex: lock_api::RawMutexTimed<Guard: Default>>,
{
    fn checked_duration_to_instant(
        timeout: &DurationOf<C::RawMutex>,
    ) -> Option<InstantOf<C::RawMutex>> {
        C::checked_duration_to_instant(timeout)
    }

    #[inline]
    unsafe fn wait_until(
        &self,
        mutex: &Self::RawMutex,
        guard: &mut Held<GuardOf<C::RawMutex>>,
        timeout: &InstantOf<C::RawMutex>,
    ) -> bool {
        // SAFETY: the caller owns the mutex by this acquisition.
        self.idle(mutex, guard, |bare| unsafe { self.bare.wait_until(&mutex.bare, bare, timeout) })
    }

    #[inline]
    unsafe fn wait_for(
        &self,
        mutex: &Self::RawMutex,
        guard: &mut Held<GuardOf<C::RawMutex>>,
        timeout: &DurationOf<C::RawMutex>,
    ) -> bool {
        // SAFETY: the caller owns the mutex by this acquisition.
        self.idle(mutex, guard, |bare| unsafe { self.bare.wait_for(&mutex.bare, bare, timeout) })
    }
}

impl<C, S: Storage> CondvarOf<C, S> {
    /// Waits by `wait`, which gives the mutex away and takes it again.
    #[inline]
    fn idle<P, G: Default, T>(
        &self,
        mutex: &MutexOf<P, S>,
        guard: &mut Held<G>,
        wait: impl FnOnce(&mut G) -> T,
    ) -> T {
        mutex.end(core::mem::replace(&mut guard.token, Token::NONE));
        let site = site::announced().map_or(CallSite::UNKNOWN, CallSite::of);
        let begin = recorder::idle_begin(&PROBE);
        // From here to its return the guard carries no record, so that a panic
        // in between unlocks and no more.
        let answer = wait(&mut guard.bare);
        recorder::idle_end(&PROBE, self, site, begin);
        let bare = core::mem::take(&mut guard.bare);
        *guard = mutex.owned_at(bare, Mode::EXCLUSIVE, site);
        answer
    }
}
