//! A session of a simulated program: the host's part.

use core::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use lockscope_core::Session;
use lockscope_core::backend::{BackendError, ErrorKind, Pace};
use lockscope_core::clock::ClockScale;
use lockscope_core::gate::state;
use lockscope_core::report::Report;
use lockscope_core::sync::{AtomicU32, AtomicU64, Ordering};

use crate::probe::{Acquisition, Operation, Probe};
use crate::random::Random;
use crate::script::{LockId, Script, Step, Use};
use crate::subject::Subject;
use crate::truth::Truth;

/// A generation that no session of this process has had.
///
/// # Panics
///
/// After 2³¹ of them, which is as many as there are.
#[must_use]
pub fn next_generation() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    // Relaxed: atomicity alone keeps two from being the same.
    let generation = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    assert!(generation < 1 << 31, "generations are used up");
    generation
}

extern "C" fn next_lock_id() -> u64 {
    /// Far from the numbers that probes give.
    static NEXT: AtomicU64 = AtomicU64::new(1 << 48);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Sessions that their backends have ended, each as often as it was: generation
/// and reason.
static ABANDONED: Mutex<Vec<(u32, String)>> = Mutex::new(Vec::new());

unsafe extern "C" fn abandon(generation: *const c_void, reason: *const u8, len: usize) {
    // SAFETY: by contract the reason is so many bytes, valid for the call.
    let reason = unsafe { core::slice::from_raw_parts(reason, len) };
    let reason = String::from_utf8_lossy(reason).into_owned();
    let mut abandoned = ABANDONED.lock().unwrap_or_else(PoisonError::into_inner);
    abandoned.push((generation as usize as u32, reason));
}

/// Why the session of this generation was ended by its backend, as often as it
/// was: not at all, if nothing went wrong.
#[must_use]
pub fn abandoned(generation: u32) -> Vec<String> {
    let abandoned = ABANDONED.lock().unwrap_or_else(PoisonError::into_inner);
    let of_it = abandoned.iter().filter(|(of, _)| *of == generation);
    of_it.map(|(_, reason)| reason.clone()).collect()
}

/// A session of a generation that none had before, whose ticks are nanoseconds.
#[must_use]
pub fn session(seed: u64) -> Session {
    let generation = next_generation();
    Session {
        generation,
        reserved: 0,
        clock: ClockScale::NANOSECONDS,
        started: STARTED_NS,
        seed,
        next_lock_id,
        abandon,
        context: generation as usize as *const c_void,
    }
}

/// When simulated sessions start. Not 0, which stands for "not yet".
const STARTED_NS: u64 = 1_000_000_000;

/// How often a backend that asks to be asked at once is. After that, time passes
/// first, as it does for a host in any case.
const MOST_ANSWERS: usize = 4;

/// What every operation takes beside its hold, so that time passes.
const OPERATION_NS: u64 = 20;

/// A running session.
#[derive(Debug)]
pub struct Simulation<'s> {
    subject: &'s Subject,
    generation: u32,
    probe: Probe<'s>,
    random: Random,
    /// What is had: see [`Step::Keep`].
    kept: Vec<(Use, Acquisition)>,
    /// When the backend is to be asked for its pace again.
    ask_at_ns: u64,
    /// How often it was.
    asked: usize,
}

/// A session that is over: what the backend says of it, and what has happened.
#[derive(Debug)]
pub struct Played {
    /// What the backend says.
    pub report: Report,
    /// What has happened.
    pub truth: Truth,
}

impl<'s> Simulation<'s> {
    /// A session from its start to its stop, in which `script` is played.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub fn play(subject: &'s Subject, seed: u64, script: &Script) -> Result<Played, BackendError> {
        let mut simulation = Self::start(subject, seed, script)?;
        simulation.run(&script.steps)?;
        simulation.stop()
    }

    /// Starts a session of the program of `script`, whose steps are still to be
    /// [run](Self::run).
    ///
    /// # Errors
    ///
    /// Those of the backend's `start` and `pace`.
    pub fn start(subject: &'s Subject, seed: u64, script: &Script) -> Result<Self, BackendError> {
        Self::start_by(ClockScale::NANOSECONDS, subject, seed, script)
    }

    /// The same with a clock of another scale: all that else is nanoseconds are
    /// its ticks, but for what the backend says.
    ///
    /// # Errors
    ///
    /// Those of [`Simulation::start`].
    pub fn start_by(
        clock: ClockScale,
        subject: &'s Subject,
        seed: u64,
        script: &Script,
    ) -> Result<Self, BackendError> {
        let session = Session { clock, ..session(seed) };
        let generation = session.generation;
        subject.start(&session)?;
        // Not the numbers that the backend makes of the seed.
        let mut random = Random::new(!seed);
        let drawn = Random::new(random.bits());
        let mut probe = Probe::new(subject, script.threads(), STARTED_NS, drawn);
        for (make, created) in script.locks.iter().zip(1..) {
            probe.make(*make, created);
        }
        probe.set_gate(state::CLOSED, generation);
        let mut simulation = Self {
            subject,
            generation,
            probe,
            random,
            kept: Vec::new(),
            ask_at_ns: STARTED_NS,
            asked: 0,
        };
        simulation.ask()?;
        Ok(simulation)
    }

    /// Ends the session, and begins another in the same program: its locks stay,
    /// and whoever has one keeps it. What the first has seen.
    ///
    /// # Errors
    ///
    /// Those of [`Simulation::stop`] and [`Simulation::start`].
    pub fn restart(&mut self, seed: u64) -> Result<Played, BackendError> {
        let played = self.end()?;
        let started = self.probe.now_ns();
        let session = Session { started, ..session(seed) };
        self.generation = session.generation;
        self.subject.start(&session)?;
        self.probe.set_gate(state::CLOSED, session.generation);
        self.asked = 0;
        self.ask()?;
        Ok(played)
    }

    /// Asks the backend for its pace, and sets the gate as it says; again, if
    /// that is to be done at once.
    fn ask(&mut self) -> Result<(), BackendError> {
        for _ in 0..MOST_ANSWERS {
            let Pace { gate, contended_period, ask_after_ns } = self.subject.pace(self.asked)?;
            self.asked += 1;
            if gate != self.probe.gate() {
                self.probe.set_gate(gate, next_generation());
            }
            self.probe.set_contended_period(contended_period);
            self.ask_at_ns = self.probe.now_ns().saturating_add(ask_after_ns);
            if ask_after_ns > 0 {
                break;
            }
        }
        Ok(())
    }

    /// The session's generation: see [`abandoned`].
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The program's probe, for what no step says.
    pub fn probe(&mut self) -> &mut Probe<'s> {
        &mut self.probe
    }

    /// Ends the session.
    ///
    /// # Errors
    ///
    /// Those of the backend's `stop` and `snapshot`; and that it has ended the
    /// session itself.
    pub fn stop(mut self) -> Result<Played, BackendError> {
        self.end()
    }

    fn end(&mut self) -> Result<Played, BackendError> {
        self.probe.set_gate(state::CLOSED, 0);
        self.subject.stop()?;
        if let Some(reason) = abandoned(self.generation).first() {
            let message = format!("the backend abandoned its session: {reason}");
            return Err(BackendError::new(ErrorKind::State, message));
        }
        Ok(Played { report: self.subject.snapshot()?, truth: self.probe.take_truth() })
    }

    /// What the backend says up to now, and what has happened.
    ///
    /// # Errors
    ///
    /// Those of the backend's `snapshot`.
    pub fn so_far(&self) -> Result<Played, BackendError> {
        Ok(Played { report: self.subject.snapshot()?, truth: self.probe.truth().clone() })
    }

    /// Plays these steps.
    ///
    /// # Errors
    ///
    /// Those of the backend's `configure`, `wake` and `pace`.
    pub fn run(&mut self, steps: &[Step]) -> Result<(), BackendError> {
        for step in steps {
            match step {
                Step::Repeat(times, steps) => (0..*times).try_for_each(|_| self.run(steps))?,
                Step::Configure(key, value) => {
                    self.subject.configure(key, value)?;
                    self.ask()?;
                }
                Step::Wake(cause) => {
                    self.subject.wake(cause)?;
                    self.ask()?;
                }
                step => self.operate(step),
            }
            if self.probe.now_ns() >= self.ask_at_ns {
                self.ask()?;
            }
        }
        Ok(())
    }

    #[inline]
    fn operate(&mut self, step: &Step) {
        let (probe, random) = (&mut self.probe, &mut self.random);
        probe.pass(OPERATION_NS);
        match step {
            Step::Take(by) => {
                let held = probe.acquire(by.operation());
                probe.pass(by.hold.ns(random));
                probe.release(&held);
            }
            Step::Wait(by, wait) => {
                let waiting = probe.wait(by.operation());
                probe.pass(wait.ns(random));
                let held = probe.waited(waiting);
                probe.pass(by.hold.ns(random));
                probe.release(&held);
            }
            Step::GiveUp(by, wait) => {
                let waiting = probe.wait(by.operation());
                probe.pass(wait.ns(random));
                probe.gave_up(waiting);
            }
            Step::Refuse(by) => probe.refused(by.operation()),
            Step::Idle(by, idle) => {
                let begin_ns = probe.now_ns();
                probe.pass(idle.ns(random));
                probe.idled(by.operation(), begin_ns);
            }
            Step::Keep(by) => self.keep(*by),
            Step::GiveBack(thread, lock) => self.give_back(*thread, *lock),
            Step::Replace(lock) => probe.replace(lock.0),
            Step::Move(lock, address) => probe.place(lock.0, *address),
            Step::Rest(ns) => probe.pass(*ns),
            // Not operations: see `run`.
            Step::Repeat(..) | Step::Configure(..) | Step::Wake(_) => {}
        }
    }
}

impl Simulation<'_> {
    fn keep(&mut self, by: Use) {
        let is_in_the_way = |(kept, _): &(Use, Acquisition)| {
            kept.lock == by.lock && !(kept.mode.is_shared() && by.mode.is_shared())
        };
        if !self.kept.iter().any(is_in_the_way) {
            self.kept.push((by, self.probe.acquire(by.operation())));
        }
    }

    fn give_back(&mut self, thread: usize, lock: LockId) {
        let is_it = |(kept, _): &(Use, Acquisition)| kept.lock == lock && kept.thread == thread;
        if let Some(place) = self.kept.iter().position(is_it) {
            self.probe.release(&self.kept.remove(place).1);
        }
    }
}

impl Use {
    pub(crate) fn operation(self) -> Operation {
        let Self { thread, lock, mode, site, .. } = self;
        Operation { thread, lock: lock.0, mode, site }
    }
}
