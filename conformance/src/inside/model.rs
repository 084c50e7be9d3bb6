//! Whatever happens, in whatever order: the backend says what a naive one
//! would, which writes everything down and adds it up when it is asked.
//!
//! A history is drawn at random: sessions that start and stop, at the right time
//! and at the wrong one, locks that are met, used, dropped, forgotten and moved, all
//! kinds of events with all that may be told of them, looks in between, and a
//! period that changes. One that the backend gets wrong is made as short as it can
//! be.

mod naive;
mod step;

use core::fmt::Display;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lockscope_core::backend::{Backend, BackendError, ErrorKind};
use lockscope_core::{CallSite, Event, EventKind, Mode};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::naive::{Naive, SLOTLESS};
use self::step::{Happening, LOCKS, Step, history};
use super::probe::{GIVEN, Lock, begin, event, recording, session, started, tell};

/// Which histories are drawn, unless `LOCKSCOPE_SEED` says otherwise.
const SEED: u64 = 1;

fn told(lock: &Lock, happening: &Happening) -> Event {
    let (holder, wait_ns) = match (happening.kind, happening.wait) {
        // A failed try is told with the time that it took, which is no wait.
        (EventKind::RELEASED, None) | (EventKind::FAILED, _) => (0, 0),
        (_, wait) => wait.unwrap_or((0, 0)),
    };
    let contended = happening.kind == EventKind::RELEASED && happening.wait.is_some();
    Event {
        kind: happening.kind,
        weight: happening.weight,
        thread: happening.thread,
        contended: u8::from(contended),
        holder: CallSite(holder),
        begin: 1_000,
        acquired: 1_000 + wait_ns,
        end: 1_000 + wait_ns + happening.hold_ns,
        ..event(lock, happening.site, happening.mode)
    }
}

/// A backend, the locks of a program, and what was done with them.
struct Run<B> {
    backend: B,
    has_period: bool,
    /// The session that runs, or the last; 0 before the first.
    generation: u32,
    is_running: bool,
    locks: Vec<Lock>,
    /// They live for ever.
    leaked: Vec<Lock>,
    /// How many locks there were.
    made: u64,
    naive: Naive,
}

impl<B: Backend> Run<B> {
    fn of(backend: B) -> Self {
        let has_period = B::describe().keys.iter().any(|key| key.name == "period");
        let mut run = Self {
            backend,
            has_period,
            generation: 1,
            is_running: true,
            locks: Vec::new(),
            leaked: Vec::new(),
            made: 0,
            naive: Naive::default(),
        };
        for index in 0..LOCKS {
            let lock = run.make(index);
            run.locks.push(lock);
        }
        run
    }

    /// Half of the locks have a slot, and were made at one line. The others are
    /// known by their creation site here, because the backend gives them ids, and
    /// are where the one before them was.
    fn make(&mut self, index: usize) -> Lock {
        self.made += 1;
        if index < LOCKS / 2 {
            return Lock::new(self.made, 7);
        }
        let lock = Lock::slotless(64 * (1 + index));
        Lock { id: self.made, created: SLOTLESS + index, ..lock }
    }

    /// A lock as [`Run::make`] makes it; without slot, where none was before, and
    /// made where none was.
    fn make_elsewhere(&mut self, index: usize) -> Lock {
        let lock = self.make(index);
        if lock.slot.is_some() {
            return lock;
        }
        let apart = LOCKS * self.made as usize;
        Lock { created: lock.created + apart, address: lock.address + 64 * apart, ..lock }
    }

    fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Happens(index, happening) if self.is_running => self.happens(*index, happening),
            Step::Replaced(index) => {
                // Where the one was, and as it was made.
                let fresh = self.make(*index);
                let old = &self.locks[*index];
                let fresh = Lock { address: old.address, created: old.created, ..fresh };
                let gone = core::mem::replace(&mut self.locks[*index], fresh);
                let stamp = u64::from(self.generation) << 32;
                let is_met = gone.slot.as_ref().is_none_or(|slot| slot.is_current(stamp));
                if self.is_running && is_met {
                    self.backend.dropped(&gone.as_ref());
                    self.naive.dropped.push(gone.id);
                }
            }
            Step::Leaked(index) => {
                let fresh = self.make_elsewhere(*index);
                self.leaked.push(core::mem::replace(&mut self.locks[*index], fresh));
            }
            Step::Moved(index) => {
                if self.locks[*index].slot.is_some() {
                    self.locks[*index].address += 1 << 20;
                } else {
                    self.locks[*index] = self.make_elsewhere(*index);
                }
            }
            Step::Counted if self.is_running => {
                let countdown = self.backend.meet(None);
                if countdown.operations == 0 {
                    return Err(format!("a thread cannot count down from {countdown:?}"));
                }
            }
            Step::Looked => self.look()?,
            Step::Configured(period) if self.has_period => {
                // It may be refused while a session runs.
                let _ = self.backend.configure("period", &period.to_string());
            }
            Step::Configured(_) => {}
            Step::Misconfigured => {
                let outcome = self.backend.configure("no such key", "1");
                expect_error(outcome, ErrorKind::Setting, "configuring a key that there is not")?;
            }
            Step::Started => self.start()?,
            Step::Stopped => self.stop()?,
            // The gates are closed: the program goes on, and nobody tells of it.
            Step::Happens(..) | Step::Counted => {}
        }
        Ok(())
    }

    fn happens(&mut self, index: usize, happening: &Happening) {
        let lock = &self.locks[index];
        // A failed try does not meet the lock: its owner does.
        if happening.kind != EventKind::FAILED {
            lock.meet(&self.backend, self.generation);
        }
        tell(&self.backend, told(lock, happening));
        self.naive.log.push((lock.created, lock.id, happening.clone()));
    }

    fn start(&mut self) -> Result<(), String> {
        if self.is_running {
            let again = self.backend.start(&session(self.generation + 1));
            return expect_error(again, ErrorKind::State, "a second start");
        }
        self.locks.iter().for_each(Lock::outlive);
        self.generation += 1;
        begin(&self.backend, self.generation);
        self.is_running = true;
        self.naive = Naive::default();
        Ok(())
    }

    fn stop(&mut self) -> Result<(), String> {
        if !self.is_running {
            return expect_error(self.backend.stop(), ErrorKind::State, "a second stop");
        }
        self.is_running = false;
        self.backend.stop().map_err(|error| format!("stop failed: {error}"))
    }

    /// Holds what the backend says against what was told.
    fn look(&self) -> Result<(), String> {
        let report = self.backend.snapshot().map_err(|error| format!("no snapshot: {error}"))?;
        agree(&self.naive.lines_of(&report)?, &self.naive.lines(), |(created, id, site, mode)| {
            let mode = Mode(*mode).as_str();
            format!("{}, call site {site}, {mode}:", lock_name(*created, *id))
        })?;
        agree(&self.naive.charges_of(&report), &self.naive.charges(), |key| {
            let (created, id, holder, waiter) = key;
            let lock = lock_name(*created, *id);
            format!("{lock}, how call site {waiter} waited for call site {holder}:")
        })?;
        match &report.losses[..] {
            [] => Ok(()),
            losses => Err(format!("it says that it has lost something: {losses:?}")),
        }
    }
}

fn expect_error(
    outcome: Result<(), BackendError>,
    kind: ErrorKind,
    what: &str,
) -> Result<(), String> {
    let observed = match outcome {
        Err(error) if error.kind == kind => return Ok(()),
        Err(error) => format!("one of the kind {:?}: {error}", error.kind),
        Ok(()) => "none".to_owned(),
    };
    Err(format!("{what}:\n  expected  an error of the kind {kind:?}\n  observed  {observed}"))
}

/// What differs, or nothing.
fn agree<K: Ord, V: PartialEq + Display>(
    found: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
    name: impl Fn(&K) -> String,
) -> Result<(), String> {
    let mut keys = found.keys().chain(expected.keys());
    let Some(key) = keys.find(|key| found.get(key) != expected.get(key)) else { return Ok(()) };
    let said = |side: Option<&V>| side.map_or("nothing".to_owned(), V::to_string);
    Err(format!(
        "{}\n  expected  {}\n  observed  {}",
        name(key),
        said(expected.get(key)),
        said(found.get(key))
    ))
}

/// A lock as [`naive`] knows it.
fn lock_name(created: usize, id: u64) -> String {
    match id {
        0 => format!("dropped locks made at {created}"),
        GIVEN => format!("the lock without slot that was made at {created}"),
        id => format!("the lock with the id {id}, made at {created}"),
    }
}

/// Whatever happens.
pub fn agrees_with_the_naive_backend<B: Backend>() {
    check(|| recording::<B>(&[]));
}

/// Whatever happens to a backend with these settings, which must not make it
/// lose anything.
pub fn agrees_with_these_settings<B: Backend>(given: &[(&str, &str)]) {
    check(|| started::<B>(given));
}

/// Histories of this seed, and the shortest that fails.
fn check<B: Backend>(make: impl Fn() -> B) {
    let seed = std::env::var("LOCKSCOPE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or(SEED);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    // What fails is shown in full, so that nothing has to be kept beside it.
    let config = Config { failure_persistence: None, ..Config::default() };
    let play = |steps: &[Step]| {
        let mut run = Run::of(make());
        steps.iter().try_for_each(|step| run.take(step)).and_then(|()| run.look())
    };
    let outcome = TestRunner::new_with_rng(config, random)
        .run(&history(), |steps| play(&steps).map_err(TestCaseError::fail));
    if let Err(TestError::Fail(why, steps)) = outcome {
        let (why, steps) = shortest(why.to_string(), steps, play);
        panic!("{}", told_of_failure(&B::describe().name, &why, &steps, seed));
    }
}

/// Takes out of `steps`, which are made as simple as can be, what is not needed any
/// more since they are.
fn shortest(
    mut why: String,
    mut steps: Vec<Step>,
    play: impl Fn(&[Step]) -> Result<(), String>,
) -> (String, Vec<Step>) {
    let mut index = 0;
    while index < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(index);
        match catch_unwind(AssertUnwindSafe(|| play(&fewer))) {
            Ok(Err(reason)) => (why, steps, index) = (reason, fewer, 0),
            // It fails otherwise, or not at all.
            Ok(Ok(())) | Err(_) => index += 1,
        }
    }
    (why, steps)
}

fn told_of_failure(name: &str, why: &str, steps: &[Step], seed: u64) -> String {
    let steps: Vec<String> =
        steps.iter().zip(2..).map(|(step, number)| format!("  {number}. {step:?}\n")).collect();
    format!(
        "{name} does not say what a naive backend says, which writes everything down.\n\n\
         {why}\n\n\
         The shortest history after which it is so:\n\n  \
         1. start\n{}\n\
         To see it again: LOCKSCOPE_SEED={seed} cargo test agrees_with_the_naive_backend",
        steps.concat()
    )
}
