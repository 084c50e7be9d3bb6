//! A backend that does everything in the plainest way: one lock around it all, and
//! what was dropped is kept as it was. Or one that has a flaw.

use std::collections::BTreeMap;

use lockscope_core::backend::{Backend, BackendError, Description, ErrorKind, Setting};
use lockscope_core::report::{Blame, Bucket, Estimate, LockReport, Report, SiteReport, Times};
use lockscope_core::sync::{Mutex, MutexGuard, PoisonError};
use lockscope_core::{Countdown, Event, EventKind, LockRef, Mode, Session};

macro_rules! flaws {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: u8 = $value;)*
    };
}

flaws! {
    NONE = 0;
    // What one thread can see.
    FAILED_TRIES_COUNT = 1;
    UNKNOWN_KINDS_COUNT = 2;
    EVENTS_COUNT_TWICE = 3;
    READERS_ARE_WRITERS = 4;
    WEIGHTS_ARE_IGNORED = 5;
    VARIANCE_IS_WEIGHT_SQUARED = 6;
    WAITS_ARE_CHARGED_TO_THE_WAITER = 7;
    DROPPED_LOCKS_ARE_FORGOTTEN = 8;
    DROPPED_LOCKS_STAY = 9;
    START_KEEPS_WHAT_WAS = 10;
    START_TWICE_IS_FINE = 11;
    STOP_FORGETS = 12;
    LOOKS_TAKE_AWAY = 13;
    ANY_KEY_IS_FINE = 14;
    THREADS_GET_NO_COUNTDOWN = 15;
    LOCKS_ARE_THEIR_ADDRESS = 16;
    THE_LAST_IS_THE_LONGEST = 17;
    KINDS_ARE_ONE = 18;
    // What it takes two threads to see.
    READS_THEN_WRITES = 30;
    LOOKS_THEN_MAKES = 31;
    DROPS_IN_TWO_STEPS = 32;
    LOOKS_IN_TWO_STEPS = 33;
    CHARGES_IN_TWO_STEPS = 34;
}

pub(crate) type Good = Plain<NONE>;

#[derive(Debug, Default)]
pub(crate) struct Plain<const FLAW: u8>(Mutex<Recorded>);

/// What a lock is known by: its id, or where it is and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name(u64, usize, u32);

#[derive(Debug, Default)]
struct Recorded {
    session: Option<Session>,
    is_running: bool,
    living: BTreeMap<Name, LockReport>,
    past: Vec<LockReport>,
}

impl<const FLAW: u8> Plain<FLAW> {
    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(lock: &LockRef) -> Name {
        match (FLAW, lock.id) {
            (LOCKS_ARE_THEIR_ADDRESS, _) => Name(0, lock.address, lock.kind.0),
            (KINDS_ARE_ONE, 0) => Name(0, lock.address, 0),
            (_, 0) => Name(0, lock.address, lock.kind.0),
            (_, id) => Name(id, 0, 0),
        }
    }

    fn estimate(x: u64, weight: u32) -> Estimate {
        let (x, w) = (x as f64, f64::from(weight));
        let w = if FLAW == WEIGHTS_ARE_IGNORED { 1.0 } else { w };
        let less = if FLAW == VARIANCE_IS_WEIGHT_SQUARED { 0.0 } else { 1.0 };
        Estimate { value: w * x, variance: if w > 1.0 { w * (w - less) * x * x } else { 0.0 } }
    }

    fn add_time(times: &mut Times, ns: u64, weight: u32) {
        times.total_ns += Self::estimate(ns, weight);
        let is_longest = FLAW == THE_LAST_IS_THE_LONGEST || ns > times.max_ns;
        times.max_ns = if is_longest { ns } else { times.max_ns };
        let before: f64 = times.histogram.iter().map(|bucket| bucket.weight).sum();
        let weight = before + f64::from(weight);
        times.histogram = vec![Bucket { lower_ns: 0, upper_ns: u64::MAX, weight }].into();
    }

    /// Writes `event` into the line of its call site.
    fn add(line: &mut SiteReport, event: &Event) {
        let one = Self::estimate(1, event.weight);
        match event.kind {
            EventKind::FAILED => {
                line.failures += one;
                if FLAW == FAILED_TRIES_COUNT {
                    line.acquisitions += one;
                }
            }
            EventKind::IDLE => {
                line.idles += one;
                Self::add_time(&mut line.idle, event.wait_ticks(), event.weight);
            }
            EventKind(kind) if kind == EventKind::RELEASED.0 || FLAW == UNKNOWN_KINDS_COUNT => {
                line.samples += 1;
                line.acquisitions += one;
                Self::add_time(&mut line.hold, event.hold_ticks(), event.weight);
                if event.contended != 0 {
                    line.contentions += one;
                    Self::add_time(&mut line.wait, event.wait_ticks(), event.weight);
                }
            }
            _ => {}
        }
    }

    fn charge(lock: &mut LockReport, event: &Event) {
        let is_to_the_waiter = FLAW == WAITS_ARE_CHARGED_TO_THE_WAITER;
        let holder = if is_to_the_waiter { event.site.0 } else { event.holder.0 };
        let waiter = event.site.0;
        let index = lock.blame.iter().position(|b| (b.holder, b.waiter) == (holder, waiter));
        let index = index.unwrap_or_else(|| {
            let (contentions, wait_ns) = (Estimate::default(), Estimate::default());
            lock.blame.push(Blame { holder, waiter, contentions, wait_ns });
            lock.blame.len() - 1
        });
        lock.blame[index].contentions += Self::estimate(1, event.weight);
        lock.blame[index].wait_ns += Self::estimate(event.wait_ticks(), event.weight);
    }

    /// Writes `event` down in a look at what is recorded.
    fn note(recorded: &mut Recorded, event: &Event) {
        let lock = Self::living(recorded, &event.lock);
        if event.kind == EventKind::RELEASED && event.contended != 0 && FLAW != CHARGES_IN_TWO_STEPS
        {
            Self::charge(lock, event);
        }
        let is_one = FLAW == READERS_ARE_WRITERS;
        let mode = if is_one { Mode::EXCLUSIVE.0 } else { event.mode.0 };
        let key = (event.site.0, mode);
        let index = lock.sites.iter().position(|line| (line.site, line.mode) == key);
        let index = index.unwrap_or_else(|| {
            lock.sites.push(SiteReport { site: key.0, mode, ..SiteReport::default() });
            lock.sites.len() - 1
        });
        Self::add(&mut lock.sites[index], event);
    }

    fn living<'a>(recorded: &'a mut Recorded, lock: &LockRef) -> &'a mut LockReport {
        let session = recorded.session.expect("hooks run in a session");
        recorded.living.entry(Self::name(lock)).or_insert_with(|| Self::fresh(&session, lock))
    }

    fn fresh(session: &Session, lock: &LockRef) -> LockReport {
        LockReport {
            id: if lock.id == 0 { (session.next_lock_id)() } else { lock.id },
            probe: lock.probe,
            kind: lock.kind.0,
            created: lock.created.0,
            locks: 1,
            ..LockReport::default()
        }
    }
}

impl<const FLAW: u8> Backend for Plain<FLAW> {
    fn describe() -> Description {
        Description::new("plain", "0.1.0", "writes everything down")
    }

    fn init(&self, _: &[Setting]) -> Result<(), BackendError> {
        Ok(())
    }

    fn start(&self, session: &Session) -> Result<(), BackendError> {
        let mut recorded = self.recorded();
        if recorded.is_running && FLAW != START_TWICE_IS_FINE {
            return Err(BackendError::new(ErrorKind::State, "stop it first"));
        }
        if FLAW != START_KEEPS_WHAT_WAS {
            *recorded = Recorded::default();
        }
        (recorded.session, recorded.is_running) = (Some(*session), true);
        Ok(())
    }

    fn stop(&self) -> Result<(), BackendError> {
        let mut recorded = self.recorded();
        if !core::mem::replace(&mut recorded.is_running, false) {
            return Err(BackendError::new(ErrorKind::State, "start it first"));
        }
        if FLAW == STOP_FORGETS {
            (recorded.living, recorded.past) = (BTreeMap::new(), Vec::new());
        }
        Ok(())
    }

    fn configure(&self, key: &str, _: &str) -> Result<(), BackendError> {
        if FLAW == ANY_KEY_IS_FINE {
            return Ok(());
        }
        Err(BackendError::new(ErrorKind::Setting, format!("there is no key '{key}'")))
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        let mut recorded = self.recorded();
        if recorded.session.is_none() {
            return Err(BackendError::new(ErrorKind::State, "start it first"));
        }
        let mut locks: Vec<_> = recorded.living.values().cloned().collect();
        if FLAW == LOOKS_IN_TWO_STEPS {
            drop(recorded);
            recorded = self.recorded();
        }
        locks.extend(recorded.past.iter().cloned());
        if FLAW == LOOKS_TAKE_AWAY {
            recorded.living.clear();
        }
        drop(recorded);
        let sites = locks.iter().flat_map(|lock| lock.sites.iter());
        let samples = sites.map(|site| site.samples).sum();
        Ok(Report { locks: locks.into(), samples, ..Report::default() })
    }

    fn meet(&self, lock: Option<&LockRef>) -> Countdown {
        match lock {
            None if FLAW == THREADS_GET_NO_COUNTDOWN => Countdown::UNCHANGED,
            _ => Countdown::EVERY,
        }
    }

    fn event(&self, event: &Event) -> Countdown {
        let mut recorded = self.recorded();
        let is_first = !recorded.living.contains_key(&Self::name(&event.lock));
        if FLAW == LOOKS_THEN_MAKES && is_first {
            drop(recorded);
            recorded = self.recorded();
            let session = recorded.session.expect("hooks run in a session");
            let fresh = Self::fresh(&session, &event.lock);
            recorded.living.insert(Self::name(&event.lock), fresh);
        }
        if FLAW == READS_THEN_WRITES {
            let mut lock = Self::living(&mut recorded, &event.lock).clone();
            drop(recorded);
            recorded = self.recorded();
            core::mem::swap(Self::living(&mut recorded, &event.lock), &mut lock);
        }
        Self::note(&mut recorded, event);
        if FLAW == EVENTS_COUNT_TWICE {
            Self::note(&mut recorded, event);
        }
        if FLAW == CHARGES_IN_TWO_STEPS && event.contended != 0 {
            let before = Self::living(&mut recorded, &event.lock).blame.clone();
            drop(recorded);
            let mut recorded = self.recorded();
            let lock = Self::living(&mut recorded, &event.lock);
            lock.blame = before;
            Self::charge(lock, event);
        }
        Countdown::EVERY
    }

    fn dropped(&self, lock: &LockRef) {
        if FLAW == DROPPED_LOCKS_STAY {
            return;
        }
        let mut recorded = self.recorded();
        let Some(gone) = recorded.living.remove(&Self::name(lock)) else { return };
        if FLAW == DROPS_IN_TWO_STEPS {
            drop(recorded);
            recorded = self.recorded();
        }
        if FLAW != DROPPED_LOCKS_ARE_FORGOTTEN {
            recorded.past.push(gone);
        }
    }
}
