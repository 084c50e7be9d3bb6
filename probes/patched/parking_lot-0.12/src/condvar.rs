//! The condition variable.
//!
//! A wait splits the hold of its mutex in two and is no contention: what was waited for
//! is not the lock. It is reported as idleness of the condition variable, and ends with a
//! new acquisition of the mutex, whose site is the wait's. parking_lot hands the mutex
//! over inside, so the time from being called to owning the mutex again belongs to the
//! idleness.

use core::panic::Location;
use std::time::{Duration, Instant};

use bare_api::{RawCondvar as _, RawCondvarTimed as _};
use lockscope::patched::PROBE;
use lockscope_core::event::{LockKind, Mode};
use lockscope_core::{CallSite, recorder};

use crate::MutexGuard;
use crate::raw_mutex::{Marker, RawMutex};
use crate::watched::{Place, Watched};

/// Whether a wait ended because its time was over.
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over.
    #[inline]
    pub fn timed_out(self) -> bool {
        self.0
    }
}

/// A condition variable. It knows the line that makes it.
pub struct Condvar(Watched<bare::RawCondvar, { LockKind::CONDVAR.0 }>);

impl Condvar {
    /// A condition variable for which nobody waits.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self(Watched::around(bare::RawCondvar::INIT, Some(Location::caller())))
    }

    /// Wakes one waiting thread; false if none waited.
    #[inline]
    pub fn notify_one(&self) -> bool {
        self.0.bare.notify_one()
    }

    /// Wakes all waiting threads, and says how many.
    #[inline]
    pub fn notify_all(&self) -> usize {
        self.0.bare.notify_all()
    }

    /// Gives the mutex away until it is called.
    ///
    /// # Panics
    ///
    /// If other threads wait on this condition variable with another mutex.
    #[inline]
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>) {
        self.idle(mutex_guard, Location::caller(), |bare, mutex| {
            // SAFETY: the guard says that the caller owns the mutex.
            unsafe { bare.wait(mutex, &mut Marker::default()) };
        });
    }

    /// As [`wait`](Self::wait), but no longer than until `timeout`.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[inline]
    #[track_caller]
    pub fn wait_until<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        timeout: Instant,
    ) -> WaitTimeoutResult {
        let is_over = self.idle(mutex_guard, Location::caller(), |bare, mutex| {
            // SAFETY: the guard says that the caller owns the mutex.
            unsafe { bare.wait_until(mutex, &mut Marker::default(), &timeout) }
        });
        WaitTimeoutResult(is_over)
    }

    /// As [`wait`](Self::wait), but no longer than `timeout`.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[inline]
    #[track_caller]
    pub fn wait_for<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        let is_over = self.idle(mutex_guard, Location::caller(), |bare, mutex| {
            // SAFETY: the guard says that the caller owns the mutex.
            unsafe { bare.wait_for(mutex, &mut Marker::default(), &timeout) }
        });
        WaitTimeoutResult(is_over)
    }

    /// As [`wait`](Self::wait), as long as `condition` holds.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait), and if `condition` does.
    #[inline]
    #[track_caller]
    pub fn wait_while<T, F>(&self, mutex_guard: &mut MutexGuard<'_, T>, mut condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut **mutex_guard) {
            self.wait(mutex_guard);
        }
    }

    /// As [`wait_while`](Self::wait_while), but no longer than until `timeout`.
    ///
    /// # Panics
    ///
    /// As [`wait_while`](Self::wait_while).
    #[inline]
    #[track_caller]
    pub fn wait_while_until<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        mut condition: F,
        timeout: Instant,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        let mut result = WaitTimeoutResult(false);
        while !result.timed_out() && condition(&mut **mutex_guard) {
            result = self.wait_until(mutex_guard, timeout);
        }
        result
    }

    /// As [`wait_while`](Self::wait_while), but no longer than `timeout`.
    ///
    /// # Panics
    ///
    /// As [`wait_while`](Self::wait_while).
    #[inline]
    #[track_caller]
    pub fn wait_while_for<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        match Instant::now().checked_add(timeout) {
            Some(timeout) => self.wait_while_until(mutex_guard, condition, timeout),
            // Further away than time can tell.
            None => {
                self.wait_while(mutex_guard, condition);
                WaitTimeoutResult(false)
            }
        }
    }

    /// Waits by `wait`, which gives the mutex away and takes it again.
    #[inline]
    fn idle<T: ?Sized, R>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        place: Place,
        wait: impl FnOnce(&bare::RawCondvar, &bare::RawMutex) -> R,
    ) -> R {
        // SAFETY: the guard is borrowed alone for as long as the mutex is away.
        let mutex: &RawMutex = unsafe { MutexGuard::mutex(guard).raw() };
        mutex.end(mutex.take(Mode::EXCLUSIVE));
        let begin = recorder::idle_begin(&PROBE);
        // From here to its return the lock carries no token of ours, so that a panic in
        // between, which leaves the mutex held, is no event.
        let answer = wait(&self.0.bare, &mutex.bare);
        recorder::idle_end(&PROBE, &self.0, CallSite::of(place), begin);
        mutex.owned(Mode::EXCLUSIVE, place);
        answer
    }
}

impl Default for Condvar {
    #[inline]
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Condvar {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad("Condvar { .. }")
    }
}
