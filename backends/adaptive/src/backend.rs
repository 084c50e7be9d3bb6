//! The backend itself: what the host asks, and what probes tell.

use lockscope_backends::life::Life;
use lockscope_backends::registry::Limits;
use lockscope_backends::settings::{MAX_LOCKS, MAX_SITES, not_now_of};
use lockscope_core::backend::{Backend, BackendError, Description, Pace, Setting};
use lockscope_core::clock::{self, ClockScale};
use lockscope_core::gate::state;
use lockscope_core::report::Report;
use lockscope_core::sync::{Mutex, MutexGuard, PoisonError};
use lockscope_core::{Countdown, Event, LockRef, Session};

use crate::budget::{Budget, Governor, Reading, Ruling};
use crate::meter::Meter;
use crate::policy::Policy;
use crate::report::{contended_period, notes};
use crate::settings::{
    AUTO_DISABLE, BUDGET_PERCENT, MAX_PERIOD, NAMES, PERIOD, SAMPLES_PER_SEC, describe, ending_in,
    parse_ending,
};
use crate::state::State;

/// Contended locks closely, quiet ones ever more rarely, all within a budget:
/// see the [crate].
#[derive(Debug, Default)]
pub struct Adaptive {
    policy: Policy,
    state: State,
    meter: Meter,
    life: Life,
    control: Mutex<Control>,
}

/// What no hook needs.
#[derive(Debug, Default)]
struct Control {
    limits: Limits,
    governor: Governor,
    /// The one that runs.
    session: Option<Session>,
}

impl Adaptive {
    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How things stand, in a session whose ticks are `clock`'s.
    fn reading(&self, clock: ClockScale) -> Reading {
        Reading {
            at_ns: clock::monotonic_ns(),
            cpu_ns: clock::process_cpu_ns(),
            done: self.meter.done(),
            prices: self.meter.prices(clock),
        }
    }
}

impl Backend for Adaptive {
    fn describe() -> Description {
        let description = Description::new(
            "adaptive",
            env!("CARGO_PKG_VERSION"),
            "contended locks closely, quiet ones ever more rarely, within a budget",
        );
        describe(description)
    }

    fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        let (locks, sites) = (MAX_LOCKS.value_in(settings)?, MAX_SITES.value_in(settings)?);
        let mut control = self.control();
        control.limits = Limits { locks, sites };
        control.governor.budget = Budget {
            cpu_percent: BUDGET_PERCENT.value_in(settings)?,
            samples_per_sec: SAMPLES_PER_SEC.value_in(settings)?,
            ending: ending_in(settings)?,
        };
        self.policy.set_period(PERIOD.value_in(settings)?);
        self.policy.set_max_period(MAX_PERIOD.value_in(settings)?);
        Ok(())
    }

    fn start(&self, session: &Session) -> Result<(), BackendError> {
        self.life.begin(session)?;
        let mut control = self.control();
        self.state.start(session, control.limits);
        self.policy.start(session);
        self.meter.start(session);
        control.governor.start(self.reading(session.clock));
        control.session = Some(*session);
        Ok(())
    }

    fn stop(&self) -> Result<(), BackendError> {
        self.life.end()?;
        let mut control = self.control();
        if let Some(session) = control.session.take() {
            control.governor.stop(&self.reading(session.clock));
        }
        Ok(())
    }

    fn configure(&self, key: &str, value: &str) -> Result<(), BackendError> {
        let budget = &mut self.control().governor.budget;
        match key {
            _ if key == PERIOD.name => self.policy.set_period(PERIOD.parse(value)?),
            _ if key == MAX_PERIOD.name => self.policy.set_max_period(MAX_PERIOD.parse(value)?),
            _ if key == BUDGET_PERCENT.name => budget.cpu_percent = BUDGET_PERCENT.parse(value)?,
            _ if key == SAMPLES_PER_SEC.name => {
                budget.samples_per_sec = SAMPLES_PER_SEC.parse(value)?;
            }
            _ if key == AUTO_DISABLE.name => budget.ending = parse_ending(value)?,
            _ => return Err(not_now_of(key, &NAMES)),
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        let clock = self.life.clock()?;
        let account = self.control().governor.account(&self.reading(clock));
        Ok(Report {
            periods: self.policy.periods().into(),
            notes: notes(&account).into_iter().map(Into::into).collect(),
            ..self.state.report(clock)
        })
    }

    fn pace(&self) -> Pace {
        let mut control = self.control();
        let Some(session) = control.session else { return Pace::STEADY };
        match control.governor.judge(&self.reading(session.clock)) {
            Ruling::GoOn { tuning, ask_after_ns } => {
                self.policy.set_squeeze(tuning.squeeze);
                let contended_period = contended_period(tuning);
                Pace { gate: state::OPEN, contended_period, ask_after_ns }
            }
            Ruling::End(reason) => {
                drop(control);
                abandon(&session, &reason);
                Pace { gate: state::CLOSED, ..Pace::STEADY }
            }
            Ruling::Over => Pace { gate: state::CLOSED, ..Pace::STEADY },
        }
    }

    fn meet(&self, lock: Option<&LockRef>) -> Countdown {
        // A thread asks for each sample that it counted down itself, whose cost is
        // known.
        let timing = lock.and_then(|lock| self.meter.begin_rest(lock));
        let first = self.policy.first(lock);
        self.meter.end(timing);
        first
    }

    #[inline]
    fn event(&self, event: &Event) -> Countdown {
        let timing = self.meter.begin_event(event);
        let next = self.state.note(event, |lock| self.policy.next(event, Some(lock)));
        let next = next.unwrap_or_else(|| self.policy.next(event, None));
        self.meter.end(timing);
        next
    }

    fn dropped(&self, lock: &LockRef) {
        let timing = self.meter.begin_rest(lock);
        self.state.forget(lock);
        self.meter.end(timing);
    }
}

/// Ends `session`, which is running.
fn abandon(session: &Session, reason: &str) {
    // SAFETY:
    // - the host's entry and context are valid while the session runs, and the
    //   host, which asks how it is to go on, does not end it meanwhile;
    // - the reason is UTF-8 and lives for the call.
    unsafe { (session.abandon)(session.context, reason.as_ptr(), reason.len()) };
}
