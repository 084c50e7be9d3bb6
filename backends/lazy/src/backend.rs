//! The backend itself: what the host asks, and what probes tell.

use lockscope_backends::life::Life;
use lockscope_backends::registry::Limits;
use lockscope_backends::settings::{MAX_LOCKS, MAX_SITES, not_now};
use lockscope_core::backend::{Backend, BackendError, Description, ErrorKind, Pace, Setting};
use lockscope_core::pad::Lent;
use lockscope_core::report::Report;
use lockscope_core::sync::{Mutex, MutexGuard, PoisonError};
use lockscope_core::{Countdown, Event, LockRef, Session};

use crate::policy::Policy;
use crate::settings::{KEYS, wakes_at_start};
use crate::state::State;

/// Asleep until something wakes it, then a window of profiling: see the
/// [crate].
#[derive(Debug, Default)]
pub struct Lazy {
    policy: Policy,
    state: State,
    life: Life,
    configured: Mutex<Configured>,
}

/// What holds for the life of the backend.
#[derive(Clone, Copy, Debug, Default)]
struct Configured {
    limits: Limits,
    wakes_at_start: bool,
}

impl Lazy {
    fn configured(&self) -> MutexGuard<'_, Configured> {
        self.configured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Lazy {
    fn describe() -> Description {
        let description = Description::new(
            "lazy",
            env!("CARGO_PKG_VERSION"),
            "asleep until a command, a signal or contention wakes it, then a window of profiling",
        );
        KEYS.iter().fold(description, |description, key| key.describe(description))
    }

    fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        let (locks, sites) = (MAX_LOCKS.value_in(settings)?, MAX_SITES.value_in(settings)?);
        let limits = Limits { locks, sites };
        *self.configured() = Configured { limits, wakes_at_start: wakes_at_start(settings)? };
        self.policy.init(settings)
    }

    fn start(&self, session: &Session) -> Result<(), BackendError> {
        self.life.begin(session)?;
        let Configured { limits, wakes_at_start } = *self.configured();
        self.state.start(session, limits);
        self.policy.start(session, wakes_at_start);
        Ok(())
    }

    fn stop(&self) -> Result<(), BackendError> {
        self.life.end()?;
        self.policy.stop(self.state.samples());
        Ok(())
    }

    fn configure(&self, key: &str, value: &str) -> Result<(), BackendError> {
        if self.policy.configure(key, value)? { Ok(()) } else { Err(not_now(key, &KEYS)) }
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        let mut report = self.state.report(self.life.clock()?);
        self.policy.report(&mut report);
        Ok(report)
    }

    fn pace(&self) -> Pace {
        let limits = self.configured().limits;
        self.policy.pace(|window| {
            self.state.settle(window, limits);
            self.state.samples()
        })
    }

    fn wake(&self, cause: &str) -> Result<(), BackendError> {
        if self.policy.wake(cause) {
            return Ok(());
        }
        let message = "no session is running; start one before it is woken";
        Err(BackendError::new(ErrorKind::State, message))
    }

    fn meet(&self, _: Option<&LockRef>) -> Countdown {
        self.policy.first()
    }

    #[inline]
    fn event(&self, event: &Event) -> Countdown {
        match self.policy.window() {
            0 => {
                self.policy.count(event);
                Countdown::UNCHANGED
            }
            window => {
                self.state.note(event, window);
                self.policy.next(event)
            }
        }
    }

    const LENDS_PADS: bool = true;

    fn pad(&self, event: &Event) -> Option<Lent> {
        if self.policy.window() == 0 { None } else { self.state.lend(event) }
    }

    fn dropped(&self, lock: &LockRef) {
        self.state.forget(lock);
    }
}
