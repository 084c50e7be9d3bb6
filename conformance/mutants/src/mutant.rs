//! The good backend, with one entry altered.

use lockscope_core::backend::{Backend, BackendError, Description, Pace, Setting};
use lockscope_core::report::Report;
use lockscope_core::{Countdown, Event, LockRef, Session};

use crate::Good;
use crate::mutation::{Alter, chosen};

/// Which mutation it is follows from the environment: see [`chosen`].
#[derive(Debug)]
pub(crate) struct Mutant {
    good: Good,
    alter: &'static Alter,
}

impl Default for Mutant {
    fn default() -> Self {
        static GOOD: Alter = Alter::NOTHING;
        // A name that nobody knows was refused when the plugin was described.
        Self { good: Good::default(), alter: chosen().unwrap_or(&GOOD) }
    }
}

impl Backend for Mutant {
    fn describe() -> Description {
        Good::describe()
    }

    fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        (self.alter.init)(&self.good, settings)
    }

    fn start(&self, session: &Session) -> Result<(), BackendError> {
        (self.alter.start)(&self.good, session)
    }

    fn stop(&self) -> Result<(), BackendError> {
        (self.alter.stop)(&self.good)
    }

    fn configure(&self, key: &str, value: &str) -> Result<(), BackendError> {
        (self.alter.configure)(&self.good, key, value)
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        (self.alter.snapshot)(&self.good)
    }

    fn pace(&self) -> Pace {
        (self.alter.pace)(&self.good)
    }

    fn wake(&self, cause: &str) -> Result<(), BackendError> {
        (self.alter.wake)(&self.good, cause)
    }

    fn meet(&self, lock: Option<&LockRef>) -> Countdown {
        (self.alter.meet)(&self.good, lock)
    }

    fn event(&self, event: &Event) -> Countdown {
        (self.alter.event)(&self.good, event)
    }

    fn dropped(&self, lock: &LockRef) {
        (self.alter.dropped)(&self.good, lock);
    }
}
