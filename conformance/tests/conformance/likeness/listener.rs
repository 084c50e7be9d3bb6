//! A backend that listens.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lockscope_conformance::Random;
use lockscope_core::backend::{Backend, BackendError, Description, Pace, Setting};
use lockscope_core::gate::state;
use lockscope_core::report::Report;
use lockscope_core::sync::Ordering;
use lockscope_core::{Countdown, Event, LockRef, Session};

/// Writes down whatever it is told, and answers at random.
#[derive(Debug, Default)]
pub(super) struct Listener(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    gate: u32,
    random: Option<Random>,
    lines: Vec<String>,
    /// Numbers of threads and locks, in the order in which they came.
    threads: HashMap<u32, usize>,
    locks: HashMap<u64, usize>,
}

impl Listener {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn below(&mut self, end: u64) -> u64 {
        self.random.as_mut().map_or(0, |random| random.below(end))
    }

    fn answer(&mut self) -> Countdown {
        let countdown = match self.below(8) {
            0 => Countdown::UNCHANGED,
            1 => Countdown::NEVER,
            2 | 3 => Countdown::EVERY,
            _ => {
                Countdown { operations: 1 + self.below(4) as u32, weight: 2 + self.below(9) as u32 }
            }
        };
        if countdown.operations > 0 && self.below(4) == 0 { countdown.asking() } else { countdown }
    }

    /// The lock, by what is the same for both probes.
    fn said(&mut self, lock: &LockRef) -> String {
        let fresh = self.locks.len();
        let number = if lock.id == 0 { 0 } else { 1 + *self.locks.entry(lock.id).or_insert(fresh) };
        let (kind, created) = (lock.kind.as_str(), lock.created.0);
        let shown = if lock.slot.is_null() { "hidden" } else { "shown" };
        format!("{kind} {number} of line {created}, {shown}, with state {}", lock.state)
    }
}

impl Backend for Listener {
    fn describe() -> Description {
        Description::new("listener", "0.1.0", "writes down what it is told")
    }
    fn init(&self, _: &[Setting]) -> Result<(), BackendError> {
        Ok(())
    }
    fn start(&self, session: &Session) -> Result<(), BackendError> {
        let random = Some(Random::new(session.seed));
        *self.heard() = Heard { random, gate: state::OPEN, ..Heard::default() };
        Ok(())
    }
    fn stop(&self) -> Result<(), BackendError> {
        Ok(())
    }
    fn snapshot(&self) -> Result<Report, BackendError> {
        let notes = self.heard().lines.iter().map(|line| line.as_str().into()).collect();
        Ok(Report { notes, ..Report::default() })
    }
    fn pace(&self) -> Pace {
        Pace { gate: self.heard().gate, ..Pace::STEADY }
    }
    fn wake(&self, cause: &str) -> Result<(), BackendError> {
        self.heard().gate = cause.parse().expect("a state of the gate");
        Ok(())
    }
    fn meet(&self, lock: Option<&LockRef>) -> Countdown {
        let mut heard = self.heard();
        let answer = heard.answer();
        let met = lock.map_or_else(|| "a thread".to_owned(), |lock| heard.said(lock));
        heard.lines.push(format!("met {met}"));
        answer
    }
    fn event(&self, event: &Event) -> Countdown {
        let mut heard = self.heard();
        let fresh = heard.threads.len();
        let thread = *heard.threads.entry(event.thread).or_insert(fresh);
        let lock = heard.said(&event.lock);
        heard.lines.push(format!(
            "{:?} {:?} of {lock}, contended {}, counted {}, weight {}, thread {thread}, site {}, holder {}",
            event.kind,
            event.mode,
            event.contended,
            event.counted,
            event.weight,
            event.site.0,
            event.holder.0
        ));
        // SAFETY: the lock comes from a probe, within this call.
        if let Some(slot) = unsafe { event.lock.slot() }
            && event.lock.state == 0
            && heard.below(2) == 0
        {
            slot.state().store(heard.lines.len() as u64, Ordering::Relaxed);
        }
        heard.answer()
    }
    fn dropped(&self, lock: &LockRef) {
        let mut heard = self.heard();
        let lock = heard.said(lock);
        heard.lines.push(format!("dropped {lock}"));
    }
}
