//! The condition variable, and what a condition wait does to a hold.

use std::fmt;
use std::sync::{LockResult, WaitTimeoutResult};
use std::time::Duration;

use lockscope_core::CallSite;
use lockscope_core::event::{LockKind, Mode};
use lockscope_core::recorder::{self, Idle};

use super::hold::{self, Hold};
use super::mark::Mark;
use super::mutex::{self, MutexGuard};
use crate::watch::{PROBE, here};

const KIND: u32 = LockKind::CONDVAR.0;

/// A condition variable: [`std::sync::Condvar`], watched.
///
/// A wait splits the hold of the mutex in two, and the time between them is
/// idleness at the condition variable, not contention. It is 64 bytes large.
///
/// ```
/// use lockscope::sync::{Condvar, Mutex};
///
/// let queue = Mutex::named("queue", vec![1]);
/// let filled = Condvar::named("queue filled");
/// let mut items = filled.wait_while(queue.lock().unwrap(), |items| items.is_empty()).unwrap();
/// assert_eq!(items.pop(), Some(1));
/// ```
pub struct Condvar {
    mark: Mark<KIND>,
    inner: std::sync::Condvar,
}

const _: () = assert!(size_of::<Condvar>() == 64);

/// A hold that a condition wait interrupts.
///
/// The record ends before std gives the mutex away, and a new one begins once
/// it has it again; whatever code of the program runs in between two waits runs
/// under a hold of its own, which ends properly if that code panics.
struct Split<'a, 'c> {
    condvar: &'c Mark<KIND>,
    site: CallSite,
    /// The wait that goes on, or the last one.
    idle: Idle,
    mutex: &'a Mark<{ mutex::KIND }>,
    /// The present hold; `None` while its thread waits.
    hold: Option<Hold<'a, { mutex::KIND }>>,
}

impl<'a, 'c> Split<'a, 'c> {
    /// A hold that is about to be interrupted.
    fn waiting(condvar: &'c Mark<KIND>, hold: Hold<'a, { mutex::KIND }>, site: CallSite) -> Self {
        let mutex = hold.end();
        Self { condvar, site, idle: recorder::idle_begin(&PROBE), mutex, hold: None }
    }

    /// A hold that will be interrupted if a condition says so.
    fn holding(condvar: &'c Mark<KIND>, hold: Hold<'a, { mutex::KIND }>, site: CallSite) -> Self {
        Self { condvar, site, idle: Idle::NONE, mutex: hold.mark(), hold: Some(hold) }
    }

    /// The mutex is owned: the present hold, or the one that begins.
    fn resume(&mut self) -> Hold<'a, { mutex::KIND }> {
        self.hold.take().unwrap_or_else(|| {
            recorder::idle_end(&PROBE, &self.condvar.seen(), self.site, self.idle);
            Hold::begin(self.mutex, Mode::EXCLUSIVE, self.site)
        })
    }

    /// Asks the program's `condition`, under a hold, whether to wait on.
    fn goes_on<T>(&mut self, condition: &mut impl FnMut(&mut T) -> bool, value: &mut T) -> bool {
        let hold = self.resume();
        let goes_on = condition(value);
        if goes_on {
            hold.end();
            self.idle = recorder::idle_begin(&PROBE);
        } else {
            self.hold = Some(hold);
        }
        goes_on
    }
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
        let (hold, inner) = guard.into_parts();
        let mut split = Split::waiting(&self.mark, hold, here());
        let result = self.inner.wait(inner);
        hold::map_lock(result, |inner| MutexGuard::new(split.resume(), inner))
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
        guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        let (hold, inner) = guard.into_parts();
        let mut split = Split::holding(&self.mark, hold, here());
        let result = self.inner.wait_while(inner, |value| split.goes_on(&mut condition, value));
        hold::map_lock(result, |inner| MutexGuard::new(split.resume(), inner))
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
        let (hold, inner) = guard.into_parts();
        let mut split = Split::waiting(&self.mark, hold, here());
        let result = self.inner.wait_timeout(inner, dur);
        hold::map_lock(result, |(inner, outcome)| (MutexGuard::new(split.resume(), inner), outcome))
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
        guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let (hold, inner) = guard.into_parts();
        let mut split = Split::holding(&self.mark, hold, here());
        let result =
            self.inner.wait_timeout_while(inner, dur, |value| split.goes_on(&mut condition, value));
        hold::map_lock(result, |(inner, outcome)| (MutexGuard::new(split.resume(), inner), outcome))
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
