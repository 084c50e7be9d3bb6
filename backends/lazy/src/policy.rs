//! Which operations are sampled, and when nothing is: in a window one in N, of
//! every lock alike, and of every thread's readers; what has to wait is recorded
//! beside that, up to a limit. Between windows nothing, but that contention may be
//! counted.

mod contention;
mod schedule;

use lockscope_backends::steady::Steady;
use lockscope_core::backend::{BackendError, Pace, Setting};
use lockscope_core::clock::{self, ClockScale};
use lockscope_core::gate::state;
use lockscope_core::report::Report;
use lockscope_core::sync::{AtomicU64, Mutex, MutexGuard, Ordering, PoisonError};
use lockscope_core::{Countdown, Event, Session};

use crate::report;
use crate::settings::{PERIOD, Terms};
use schedule::Schedule;

/// One period for all, in windows.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    /// What holds in a window; between windows it counts what has to wait.
    steady: Steady,
    /// The number of the window that is open, or may still be written to; 0
    /// while there is none.
    ///
    /// Relaxed: it is set before the gates open for a window, which publishes
    /// it, and after all is quiet behind a window. What had to wait while they
    /// watched, and is told as they open, is taken for the window's: it ends in
    /// it.
    window: AtomicU64,
    timed: Mutex<Timed>,
}

/// What the host alone asks for.
#[derive(Debug, Default)]
struct Timed {
    schedule: Schedule,
    /// How ticks become nanoseconds, and when the session started, in ticks;
    /// none before the first session.
    clock: Option<(ClockScale, u64)>,
}

impl Timed {
    /// Nanoseconds since the session's start.
    fn now_ns(&self) -> u64 {
        let (clock, started) = self.clock();
        clock.ns(clock::now(clock.tsc == 1).saturating_sub(started))
    }

    fn clock(&self) -> (ClockScale, u64) {
        self.clock.unwrap_or((ClockScale::NANOSECONDS, 0))
    }
}

impl Policy {
    fn timed(&self) -> MutexGuard<'_, Timed> {
        self.timed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session, and perhaps a window with it.
    pub(crate) fn start(&self, session: &Session, is_awake: bool) {
        self.steady.start(session);
        let mut timed = self.timed();
        timed.clock = Some((session.clock, session.started));
        let now_ns = timed.now_ns();
        timed.schedule.start(now_ns, is_awake);
        self.window.store(timed.schedule.window(), Ordering::Relaxed);
    }

    /// Ends the session, in which so many samples were taken. No hook runs.
    pub(crate) fn stop(&self, samples: u64) {
        self.steady.stop();
        let mut timed = self.timed();
        let now_ns = timed.now_ns();
        timed.schedule.stop(now_ns, samples);
        self.window.store(0, Ordering::Relaxed);
    }

    /// Takes its part of the configuration.
    pub(crate) fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        self.steady.init(&PERIOD, settings)?;
        *self.timed().schedule.terms_mut() = Terms::of(settings)?;
        Ok(())
    }

    /// Takes a new value in a running session; false if the key is about something
    /// else.
    pub(crate) fn configure(&self, key: &str, value: &str) -> Result<bool, BackendError> {
        Ok(self.steady.configure(key, value)?
            || self.timed().schedule.terms_mut().set(key, value)?)
    }

    /// Somebody wants it to wake up; false if no session runs.
    pub(crate) fn wake(&self, cause: &str) -> bool {
        self.timed().schedule.wake(cause)
    }

    /// How the session is to go on. `settle` is called with the number of a
    /// window that is over for good, and answers how many samples were taken in
    /// the session.
    pub(crate) fn pace(&self, settle: impl FnOnce(u64) -> u64) -> Pace {
        let mut timed = self.timed();
        let schedule = &mut timed.schedule;
        if schedule.is_settling() {
            // The last answer has closed the gates, and whoever is asked again
            // after that is told that all is quiet.
            schedule.settle(settle(schedule.window()));
        }
        let (clock, now_ns) = (timed.clock().0, timed.now_ns());
        let slept = timed.schedule.window() == 0;
        let pace = timed.schedule.next(now_ns, self.steady.waits(clock));
        self.window.store(timed.schedule.window(), Ordering::Relaxed);
        if pace.gate != state::OPEN {
            return pace;
        }
        if slept {
            self.steady.resume();
        }
        let Pace { contended_period, ask_after_ns, .. } = self.steady.pace();
        Pace { contended_period, ask_after_ns: ask_after_ns.min(pace.ask_after_ns), ..pace }
    }

    /// Adds what is to be said of windows to a report of all samples.
    pub(crate) fn report(&self, report: &mut Report) {
        let timed = self.timed();
        report.periods = self.steady.periods().into();
        report::add(report, timed.schedule.told(timed.now_ns(), report.samples));
        report.notes.extend(self.steady.notes().into_iter().map(Into::into));
    }

    /// The number of the window to which what happens belongs; 0 if nothing is
    /// to be recorded.
    #[inline]
    pub(crate) fn window(&self) -> u64 {
        self.window.load(Ordering::Relaxed)
    }

    /// Counts `event` for what contention there is between windows.
    #[cold]
    pub(crate) fn count(&self, event: &Event) {
        self.steady.count(event);
    }

    /// The countdown of a lock, or of a thread, that has none yet.
    pub(crate) fn first(&self) -> Countdown {
        if self.window() == 0 { Countdown::NEVER } else { self.steady.first() }
    }

    /// The countdown after `event`, which belongs to a window.
    #[inline]
    pub(crate) fn next(&self, event: &Event) -> Countdown {
        self.steady.next(event)
    }
}
