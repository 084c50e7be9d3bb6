//! The backend itself: what the host asks, and what probes tell.

use lockscope_backends::life::Life;
use lockscope_backends::registry::Limits;
use lockscope_backends::settings::{MAX_LOCKS, MAX_SITES, PERIOD, not_now};
use lockscope_core::backend::{Backend, BackendError, Description, Setting};
use lockscope_core::report::Report;
use lockscope_core::sync::{Mutex, MutexGuard, PoisonError};
use lockscope_core::{Countdown, Event, LockRef, Session};

use crate::policy::Policy;
use crate::settings::KEYS;
use crate::state::State;

/// See the [crate].
#[derive(Debug, Default)]
pub struct __Name__Backend {
    policy: Policy,
    state: State,
    life: Life,
    limits: Mutex<Limits>,
}

impl __Name__Backend {
    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for __Name__Backend {
    fn describe() -> Description {
        let name = "__name__";
        let version = env!("CARGO_PKG_VERSION");
        let summary = "one operation in N; every wait";
        let mut description = Description::new(name, version, summary);
        for key in KEYS {
            description = key.describe(description);
        }
        description
    }

    fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        let locks = MAX_LOCKS.value_in(settings)?;
        let sites = MAX_SITES.value_in(settings)?;
        *self.limits() = Limits { locks, sites };
        self.policy.set_period(PERIOD.value_in(settings)?);
        Ok(())
    }

    fn start(&self, session: &Session) -> Result<(), BackendError> {
        // An error if one runs already; before anything of that one is forgotten.
        self.life.begin(session)?;
        self.state.start(session, *self.limits());
        self.policy.start(session);
        Ok(())
    }

    fn stop(&self) -> Result<(), BackendError> {
        self.life.end()?;
        self.policy.stop();
        Ok(())
    }

    fn configure(&self, key: &str, value: &str) -> Result<(), BackendError> {
        if key != PERIOD.name {
            return Err(not_now(key, &KEYS));
        }
        self.policy.set_period(PERIOD.parse(value)?);
        Ok(())
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        let mut report = self.state.report(self.life.clock()?);
        report.periods = self.policy.periods().into();
        Ok(report)
    }

    // From here on the caller is a thread of the program: no waiting, no printing.

    fn meet(&self, _: Option<&LockRef>) -> Countdown {
        self.policy.first()
    }

    #[inline]
    fn event(&self, event: &Event) -> Countdown {
        self.state.note(event);
        self.policy.next(event)
    }

    fn dropped(&self, lock: &LockRef) {
        self.state.forget(lock);
    }
}
