//! The condition variable, and what a condition wait does to a hold.

use std::fmt;
use std::sync::{LazyLock, LockResult, PoisonError, WaitTimeoutResult};
use std::time::{Duration, Instant};

use lockscope_core::event::{LockKind, Mode};
use lockscope_core::recorder;

use super::hold::{self, Hold};
use super::mark::Mark;
use super::mutex::MutexGuard;
use crate::watch::{PROBE, here};

const KIND: u32 = LockKind::CONDVAR.0;

/// A condition variable: [`std::sync::Condvar`], watched.
///
/// A wait splits the hold of the mutex in two, and the time between them is
/// idleness at the condition variable, not contention.
///
/// ```
/// use lockscope::sync::{Condvar, Mutex};
///
/// let queue = Mutex::named("queue", vec![1]);
/// let filled = Condvar::named("queue filled");
/// let mut items = filled.wait_while(queue.lock().unwrap(), |items| items.is_empty()).unwrap();
/// assert_eq!(items.pop(), Some(1));
/// ```
///
/// Its size is 64 bytes, where std's is 4.
pub struct Condvar {
    mark: Mark<KIND>,
    inner: std::sync::Condvar,
}

const _: () = assert!(size_of::<Condvar>() == 64 && size_of::<std::sync::Condvar>() == 4);

/// What std says of a wait that was in time, and of one that was not. Only std
/// can say it, so it is asked once.
static OUTCOMES: LazyLock<[WaitTimeoutResult; 2]> = LazyLock::new(|| [false, true].map(outcome));

fn outcome(timed_out: bool) -> WaitTimeoutResult {
    let (condvar, mutex) = (std::sync::Condvar::new(), std::sync::Mutex::new(()));
    let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
    let result = condvar.wait_timeout_while(guard, Duration::ZERO, |()| timed_out);
    result.unwrap_or_else(PoisonError::into_inner).1
}

impl Condvar {
    /// A condition variable; the caller's line is its creation site.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new() -> Self {
        Self { mark: Mark::new(), inner: std::sync::Condvar::new() }
    }

    /// As [`Condvar::new`], with a name by which reports call it.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Self { mark: Mark::named(name), inner: std::sync::Condvar::new() }
    }

    /// Unlocks the mutex of `guard`, waits to be notified, and locks it again.
    ///
    /// It may also return without having been notified.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned when it is locked again; the error holds the
    /// guard.
    ///
    /// # Panics
    ///
    /// May panic if waits at this condition variable use different mutexes, as
    /// std's does.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let site = here();
        let (hold, inner) = guard.into_parts();
        let mutex = hold.end();
        let idle = recorder::idle_begin(&PROBE);
        let result = self.inner.wait(inner);
        recorder::idle_end(&PROBE, &self.mark, site, idle);
        hold::map_lock(result, |inner| {
            MutexGuard::new(Hold::begin(mutex, Mode::EXCLUSIVE, site), inner)
        })
    }

    /// Waits as [`Condvar::wait`] does, while `condition` says true.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned when it is locked again; the error holds the
    /// guard.
    ///
    /// # Panics
    ///
    /// As [`Condvar::wait`], and if `condition` panics.
    #[track_caller]
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        // std's own loop, for each of its waits splits the hold.
        while condition(&mut *guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Waits as [`Condvar::wait`] does, `ms` milliseconds at most; false if
    /// they have passed.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned when it is locked again; the error holds the
    /// same pair.
    ///
    /// # Panics
    ///
    /// As [`Condvar::wait`].
    #[deprecated(note = "as std's is: `wait_timeout` says the same with a `Duration`")]
    #[track_caller]
    pub fn wait_timeout_ms<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let result = self.wait_timeout(guard, Duration::from_millis(u64::from(ms)));
        hold::map_lock(result, |(guard, outcome)| (guard, !outcome.timed_out()))
    }

    /// Waits as [`Condvar::wait`] does, for the time `dur` at most.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned when it is locked again; the error holds the
    /// same pair.
    ///
    /// # Panics
    ///
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let site = here();
        let (hold, inner) = guard.into_parts();
        let mutex = hold.end();
        let idle = recorder::idle_begin(&PROBE);
        let result = self.inner.wait_timeout(inner, dur);
        recorder::idle_end(&PROBE, &self.mark, site, idle);
        hold::map_lock(result, |(inner, outcome)| {
            (MutexGuard::new(Hold::begin(mutex, Mode::EXCLUSIVE, site), inner), outcome)
        })
    }

    /// Waits as [`Condvar::wait`] does, while `condition` says true, for the
    /// time `dur` at most in all.
    ///
    /// # Errors
    ///
    /// If the mutex is poisoned when it is locked again; the error holds the
    /// same pair.
    ///
    /// # Panics
    ///
    /// As [`Condvar::wait`], and if `condition` panics.
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        // std's own loop, for each of its waits splits the hold.
        let start = Instant::now();
        loop {
            if !condition(&mut *guard) {
                return Ok((guard, OUTCOMES[0]));
            }
            let Some(left) = dur.checked_sub(start.elapsed()) else {
                return Ok((guard, OUTCOMES[1]));
            };
            guard = self.wait_timeout(guard, left)?.0;
        }
    }

    /// Wakes one of the threads that wait here, if any does.
    #[inline]
    pub fn notify_one(&self) {
        self.inner.notify_one();
    }

    /// Wakes all threads that wait here.
    #[inline]
    pub fn notify_all(&self) {
        self.inner.notify_all();
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}
