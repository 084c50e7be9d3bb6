//! The backend itself: what the host asks, and what probes tell.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lockscope_core::backend::{Backend, BackendError, Description, ErrorKind, Setting};
use lockscope_core::clock::ClockScale;
use lockscope_core::report::Report;
use lockscope_core::sync::{AtomicU32, AtomicU64, Ordering};
use lockscope_core::{Countdown, Event, LockRef, Session};

use crate::record::Record;
use crate::registry::Registry;
use crate::report::{self, Losses};
use crate::sampler::Sampler;
use crate::settings::{self, KEYS, MAX_LOCKS, MAX_SITES, PERIOD};

/// One record per lock, one operation in N: see the [crate].
#[derive(Debug, Default)]
pub struct Wrapper {
    sampler: Sampler,
    registry: Registry,
    max_sites: AtomicU32,
    /// Operations whose call site has no place of its own: weighted.
    merged: AtomicU64,
    control: Mutex<Control>,
}

/// What the host's calls need to know of each other.
#[derive(Debug, Default)]
struct Control {
    max_locks: u32,
    running: bool,
    /// The session's, or the last one's.
    clock: Option<ClockScale>,
    /// Periods that were in force in it.
    periods: Vec<u32>,
}

impl Wrapper {
    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn note(&self, record: &Record, event: &Event) {
        let sites = self.max_sites.load(Ordering::Relaxed);
        if !record.note(event, sites) {
            self.merged.fetch_add(u64::from(event.weight), Ordering::Relaxed);
        }
    }

    fn set_period(&self, control: &mut Control, period: u32) {
        self.sampler.set_period(period);
        if control.running && control.periods.last() != Some(&period) {
            control.periods.push(period);
        }
    }
}

impl Backend for Wrapper {
    fn describe() -> Description {
        let description = Description::new(
            "wrapper",
            env!("CARGO_PKG_VERSION"),
            "one record per lock, one operation in N; every wait",
        );
        KEYS.iter().fold(description, |description, key| key.describe(description))
    }

    fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        let value = |key: &settings::Key| {
            let given = settings.iter().find(|setting| setting.key == key.name);
            given.map_or(Ok(key.default), |setting| key.parse(&setting.value))
        };
        let mut control = self.control();
        control.max_locks = value(&MAX_LOCKS)?;
        self.max_sites.store(value(&MAX_SITES)?, Ordering::Relaxed);
        self.set_period(&mut control, value(&PERIOD)?);
        Ok(())
    }

    fn start(&self, session: &Session) -> Result<(), BackendError> {
        let mut control = self.control();
        if control.running {
            let message = "a session is running; stop it before the next one starts";
            return Err(BackendError::new(ErrorKind::State, message));
        }
        self.registry.start(session, control.max_locks);
        self.merged.store(0, Ordering::Relaxed);
        self.sampler.start(session);
        control.running = true;
        control.clock = Some(session.clock);
        control.periods = vec![self.sampler.period()];
        Ok(())
    }

    fn stop(&self) -> Result<(), BackendError> {
        if core::mem::replace(&mut self.control().running, false) {
            return Ok(());
        }
        let message = "no session is running; start one before it is stopped";
        Err(BackendError::new(ErrorKind::State, message))
    }

    fn configure(&self, key: &str, value: &str) -> Result<(), BackendError> {
        if key != PERIOD.name {
            return Err(settings::not_now(key));
        }
        let period = PERIOD.parse(value)?;
        self.set_period(&mut self.control(), period);
        Ok(())
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        let (clock, periods, max_locks) = {
            let control = self.control();
            (control.clock, control.periods.clone(), control.max_locks)
        };
        let Some(clock) = clock else {
            let message = "no session was started yet; start one before it is looked at";
            return Err(BackendError::new(ErrorKind::State, message));
        };
        let mut report = Report { periods: periods.into(), ..Report::default() };
        self.registry.for_each(|record| report::add(&mut report, record, clock));
        let losses = Losses {
            refused: self.registry.refused(),
            max_locks,
            merged: self.merged.load(Ordering::Relaxed),
            max_sites: self.max_sites.load(Ordering::Relaxed),
        };
        report.losses.extend(losses.told());
        Ok(report)
    }

    fn meet(&self, _: Option<&LockRef>) -> Countdown {
        self.sampler.draw()
    }

    #[inline]
    fn event(&self, event: &Event) -> Countdown {
        self.registry.with(&event.lock, event.weight, |record| self.note(record, event));
        // What had to wait is recorded beside the countdown, not by it.
        if event.counted != 0 { self.sampler.draw() } else { Countdown::UNCHANGED }
    }

    fn dropped(&self, lock: &LockRef) {
        self.registry.drop_lock(lock, self.max_sites.load(Ordering::Relaxed));
    }
}
