//! The backend itself: what the host asks, and what probes tell.

use lockscope_backends::life::Life;
use lockscope_backends::registry::Limits;
use lockscope_backends::settings::{PERIOD, not_now};
use lockscope_core::backend::{Backend, BackendError, Description, Pace, Setting};
use lockscope_core::pad::Lent;
use lockscope_core::report::Report;
use lockscope_core::sync::{Mutex, MutexGuard, PoisonError};
use lockscope_core::{Countdown, Event, LockRef, Session};

use crate::policy::Policy;
use crate::settings::{KEYS, MAX_LOCKS, MAX_SITES, MAX_THREADS};
use crate::state::State;

/// A table by id and address, tallies by thread, one operation in N: see the [crate].
#[derive(Debug, Default)]
pub struct Sidetable {
    policy: Policy,
    state: State,
    life: Life,
    configured: Mutex<Configured>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Configured {
    limits: Limits,
    max_threads: u32,
}

impl Sidetable {
    fn configured(&self) -> MutexGuard<'_, Configured> {
        self.configured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Sidetable {
    fn describe() -> Description {
        let description = Description::new(
            "sidetable",
            env!("CARGO_PKG_VERSION"),
            "a table by id and address, tallies by thread; one operation in N, every wait",
        );
        KEYS.iter().fold(description, |description, key| key.describe(description))
    }

    fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        let (locks, sites) = (MAX_LOCKS.value_in(settings)?, MAX_SITES.value_in(settings)?);
        let max_threads = MAX_THREADS.value_in(settings)?;
        *self.configured() = Configured { limits: Limits { locks, sites }, max_threads };
        self.policy.init(&PERIOD, settings)
    }

    fn start(&self, session: &Session) -> Result<(), BackendError> {
        self.life.begin(session)?;
        let Configured { limits, max_threads } = *self.configured();
        self.state.start(session, limits, max_threads);
        self.policy.start(session);
        Ok(())
    }

    fn stop(&self) -> Result<(), BackendError> {
        self.life.end()?;
        self.policy.stop();
        Ok(())
    }

    fn configure(&self, key: &str, value: &str) -> Result<(), BackendError> {
        if self.policy.configure(key, value)? { Ok(()) } else { Err(not_now(key, &KEYS)) }
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        let clock = self.life.clock()?;
        Ok(Report {
            periods: self.policy.periods().into(),
            notes: self.policy.notes().into_iter().map(Into::into).collect(),
            ..self.state.report(clock)
        })
    }

    fn pace(&self) -> Pace {
        self.policy.pace()
    }

    fn meet(&self, _: Option<&LockRef>) -> Countdown {
        self.policy.first()
    }

    #[inline]
    fn event(&self, event: &Event) -> Countdown {
        self.state.note(event);
        self.policy.next(event)
    }

    const LENDS_PADS: bool = true;

    fn pad(&self, event: &Event) -> Option<Lent> {
        self.state.lend(event)
    }

    fn dropped(&self, lock: &LockRef) {
        self.state.forget(lock);
    }
}
