//! A correct backend that knows little: it counts the acquisitions of each
//! lock. Its key `fail` makes it fail in one way or another.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lockscope_core::backend::{Backend, BackendError, Description, ErrorKind, Setting};
use lockscope_core::report::{Estimate, LockReport, Report, SiteReport};
use lockscope_core::{Countdown, Event, EventKind, LockRef, Session};

/// Counts acquisitions per lock and call site.
#[derive(Debug, Default)]
pub struct Minimal {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    period: u32,
    fail: String,
    running: bool,
    locks: HashMap<u64, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    probe: u32,
    kind: u32,
    created: usize,
    name: String,
    sites: HashMap<(usize, u8), SiteReport>,
}

impl Minimal {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Minimal {
    fn describe() -> Description {
        Description::new("minimal", "0.1.0", "counts the acquisitions of each lock")
            .key("period", "1", "One operation in this many is sampled; 1 or more.")
            .key("fail", "no", "What to fail in: init-panic, start-error, event-panic, or no.")
    }

    fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        let mut state = self.state();
        for setting in settings {
            match setting.key.as_str() {
                "fail" => state.fail = setting.value.to_string(),
                _ => state.period = period(&setting.value)?,
            }
        }
        assert!(state.fail != "init-panic", "init was told to panic");
        Ok(())
    }

    fn start(&self, _: &Session) -> Result<(), BackendError> {
        let mut state = self.state();
        if state.fail == "start-error" {
            let message = "start was told to fail; tell it not to";
            return Err(BackendError::new(ErrorKind::Resource, message));
        }
        if state.running {
            let message = "a session is running; stop it first";
            return Err(BackendError::new(ErrorKind::State, message));
        }
        state.running = true;
        state.locks.clear();
        Ok(())
    }

    fn stop(&self) -> Result<(), BackendError> {
        let mut state = self.state();
        if !core::mem::replace(&mut state.running, false) {
            let message = "no session is running; start one first";
            return Err(BackendError::new(ErrorKind::State, message));
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        let state = self.state();
        let mut report = Report { periods: vec![state.period].into(), ..Report::default() };
        for (id, seen) in &state.locks {
            let sites: Vec<SiteReport> = seen.sites.values().cloned().collect();
            report.samples += sites.iter().map(|site| site.samples).sum::<u64>();
            report.locks.push(LockReport {
                id: *id,
                probe: seen.probe,
                kind: seen.kind,
                created: seen.created,
                name: seen.name.as_str().into(),
                locks: 1,
                sites: sites.into(),
                ..LockReport::default()
            });
        }
        Ok(report)
    }

    fn meet(&self, _: Option<&LockRef>) -> Countdown {
        let period = self.state().period;
        Countdown { operations: period, weight: period }
    }

    fn event(&self, event: &Event) -> Countdown {
        let mut state = self.state();
        assert!(state.fail != "event-panic", "event was told to panic");
        let period = state.period;
        if event.kind == EventKind::RELEASED {
            let seen = state.locks.entry(event.lock.id).or_default();
            seen.probe = event.lock.probe;
            seen.kind = event.lock.kind.0;
            seen.created = event.lock.created.0;
            // SAFETY: the event comes from a probe, within the call.
            seen.name = unsafe { event.lock.name() }.unwrap_or_default().to_owned();
            seen.count(event);
        }
        if event.counted == 1 {
            Countdown { operations: period, weight: period }
        } else {
            Countdown::UNCHANGED
        }
    }
}

impl Seen {
    fn count(&mut self, event: &Event) {
        let site = self.sites.entry((event.site.0, event.mode.0)).or_default();
        site.site = event.site.0;
        site.mode = event.mode.0;
        site.samples += 1;
        let weight = f64::from(event.weight);
        site.acquisitions += Estimate { value: weight, variance: weight * (weight - 1.0) };
        site.contentions += Estimate::exact(f64::from(event.contended));
    }
}

fn period(value: &str) -> Result<u32, BackendError> {
    match value.parse() {
        Ok(period) if period > 0 => Ok(period),
        _ => Err(BackendError::new(
            ErrorKind::Setting,
            format!("the key 'period' must be a number from 1, and is '{value}'; correct it"),
        )),
    }
}

lockscope_core::export_backend!(Minimal);
