//! A small backend that keeps all rules: what a new author would write.
//!
//! Where a lock's state lives, how it is bounded and how it becomes a report is
//! the business of `lockscope-backends`; what is left is to say which operations
//! are sampled (one in a period that can be changed), and when a session begins
//! and ends.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lockscope_backends::life::Life;
use lockscope_backends::registry::{Limits, Registry};
use lockscope_backends::sampler::Sampler;
use lockscope_backends::settings::{Key, MAX_LOCKS, MAX_SITES, PERIOD, not_now};
use lockscope_core::backend::{Backend, BackendError, Description, Setting};
use lockscope_core::report::Report;
use lockscope_core::{Countdown, Event, LockRef, Session};

const KEYS: [&Key; 3] = [&PERIOD, &MAX_LOCKS, &MAX_SITES];

/// One record for each lock, one operation in N.
#[derive(Debug, Default)]
pub struct Good {
    life: Life,
    sampler: Sampler,
    registry: Registry,
    limits: Mutex<Limits>,
}

impl Good {
    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Good {
    fn describe() -> Description {
        let description =
            Description::new("mutant", env!("CARGO_PKG_VERSION"), "one record per lock");
        KEYS.iter().fold(description, |description, key| key.describe(description))
    }

    fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        let (locks, sites) = (MAX_LOCKS.value_in(settings)?, MAX_SITES.value_in(settings)?);
        let period = PERIOD.value_in(settings)?;
        *self.limits() = Limits { locks, sites };
        self.sampler.set_period(period);
        Ok(())
    }

    fn start(&self, session: &Session) -> Result<(), BackendError> {
        self.life.begin(session)?;
        self.registry.start(session, *self.limits());
        self.sampler.start(session);
        Ok(())
    }

    fn stop(&self) -> Result<(), BackendError> {
        self.life.end()?;
        self.sampler.stop();
        Ok(())
    }

    fn configure(&self, key: &str, value: &str) -> Result<(), BackendError> {
        if key != PERIOD.name {
            return Err(not_now(key, &KEYS));
        }
        self.sampler.set_period(PERIOD.parse(value)?);
        Ok(())
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        let clock = self.life.clock()?;
        Ok(Report { periods: self.sampler.periods().into(), ..self.registry.report(clock) })
    }

    fn meet(&self, _: Option<&LockRef>) -> Countdown {
        self.sampler.draw()
    }

    fn event(&self, event: &Event) -> Countdown {
        let note = |record: &_| self.registry.note(record, event);
        // SAFETY:
        // - a backend is told of events by a probe, while a session runs;
        // - nothing else here writes to slots.
        unsafe { self.registry.with(&event.lock, event.weight, note) };
        self.sampler.draw_after(event)
    }

    fn dropped(&self, lock: &LockRef) {
        self.registry.drop_lock(lock);
    }
}
