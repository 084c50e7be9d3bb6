//! The probe of a simulated program: what `lockscope_core::recorder` does, with
//! a clock that is made up and threads that take turns.
//!
//! Function by function it follows the recorder, so that a reader can lay the one
//! beside the other; the slots are the very same. What is missing is what turns
//! make needless: the bracket around hooks, and the threads' limit of recorded
//! acquisitions. So is the host's filter, of which a backend knows nothing, and
//! the count of what a session's end cuts short, which is the host's to tell.

mod recording;

use lockscope_core::gate::state;
use lockscope_core::slot::Holder;
use lockscope_core::{CallSite, Event, EventKind, LockRef, Mode};

use crate::lock::{Lock, Make};
use crate::random::Random;
use crate::subject::Subject;
use crate::thread::Thread;
use crate::truth::{Line, Totals, Truth};
use recording::What;

/// Who does what, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The thread's number, from 0.
    pub thread: usize,
    /// The lock's number, from 0.
    pub lock: usize,
    /// How the lock is wanted.
    pub mode: Mode,
    /// Where it stands; not 0.
    pub site: usize,
}

impl Operation {
    /// As the holder of its lock: readers are no threads that are known.
    fn holder(self) -> Holder {
        let thread =
            if self.mode.is_shared() { 0 } else { Holder::thread_bits(self.thread as u32) };
        Holder::new(CallSite(self.site), thread)
    }
}

/// A lock that is had, or waited for: what a guard carries.
#[derive(Debug)]
#[must_use = "it is still to be given back"]
pub struct Acquisition {
    operation: Operation,
    /// The session that has seen it begin; 0 if none has.
    generation: u32,
    /// When the thread began to wait, if it had to.
    waits_since_ns: Option<u64>,
    acquired_ns: u64,
    /// The place of its record; 0 if it has none.
    token: usize,
}

impl Acquisition {
    /// Whether it is recorded: drawn as a sample, or for certain.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.token != 0
    }
}

/// The probe, its locks, its threads, and the truth.
#[derive(Debug)]
pub struct Probe<'s> {
    subject: &'s Subject,
    /// One of [`state`].
    gate: u32,
    generation: u32,
    /// Of acquisitions that must wait, one in so many is recorded, and those during
    /// which the host looks at its session.
    contended_period: u32,
    looks: u32,
    random: Random,
    now_ns: u64,
    threads: Vec<Thread>,
    /// Each in a box: so that one stays where it is while others are made, and is
    /// elsewhere once it has [moved](Probe::place).
    #[expect(clippy::vec_box, reason = "where a lock is must not depend on others")]
    locks: Vec<Box<Lock>>,
    locks_made: u64,
    /// Acquisitions on their way, as the events they will be; the first is
    /// nobody's.
    records: Vec<Event>,
    free: Vec<usize>,
    truth: Truth,
}

impl<'s> Probe<'s> {
    /// A probe whose gate is closed, of a program with so many threads. What is
    /// drawn of the contended acquisitions follows from `random`.
    pub(crate) fn new(subject: &'s Subject, threads: usize, now_ns: u64, random: Random) -> Self {
        Self {
            subject,
            gate: state::CLOSED,
            generation: 0,
            contended_period: 1,
            looks: 0,
            random,
            now_ns,
            threads: vec![Thread::default(); threads],
            locks: Vec::new(),
            locks_made: 0,
            records: vec![NO_EVENT],
            free: Vec::new(),
            truth: Truth::default(),
        }
    }

    /// Sets the gate, for this generation.
    pub(crate) fn set_gate(&mut self, gate: u32, generation: u32) {
        self.gate = gate;
        self.generation = generation;
    }

    pub(crate) fn set_contended_period(&mut self, period: u32) {
        self.contended_period = period.max(1);
        self.looks += 1;
    }

    /// What has happened, which is forgotten.
    pub(crate) fn take_truth(&mut self) -> Truth {
        self.locks.iter_mut().for_each(|lock| lock.lines.clear());
        core::mem::take(&mut self.truth)
    }

    /// What has happened.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// How the gate stands: one of [`state`].
    #[must_use]
    pub fn gate(&self) -> u32 {
        self.gate
    }

    /// The time, in nanoseconds.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Lets time pass.
    #[inline]
    pub fn pass(&mut self, ns: u64) {
        self.now_ns += ns;
    }

    /// Makes a lock: its number. `created` tells its origin from others, and is
    /// not 0.
    pub fn make(&mut self, make: Make, created: usize) -> usize {
        self.locks_made += 1;
        self.locks.push(Box::new(Lock::new(make, self.locks_made, created)));
        self.locks.len() - 1
    }

    /// Takes a lock that is free.
    #[inline]
    pub fn acquire(&mut self, operation: Operation) -> Acquisition {
        let seen = self.gate == state::OPEN;
        let token = if self.passes(operation) { 0 } else { self.sample(operation) };
        Acquisition {
            operation,
            generation: if seen { self.generation } else { 0 },
            waits_since_ns: None,
            acquired_ns: self.now_ns,
            token,
        }
    }

    /// Begins to wait for a lock that somebody holds.
    pub fn wait(&mut self, operation: Operation) -> Acquisition {
        let seen = self.gate != state::CLOSED;
        let mut token = 0;
        if seen {
            let weight = match self.contended_period {
                1 => 1,
                period if self.random.below(period.into()) == 0 => period,
                _ => NOT_DRAWN,
            };
            let slot = self.locks[operation.lock].slot.as_ref();
            let holder = slot.map_or(Holder::UNKNOWN, |slot| slot.holder(self.stamp()));
            token = self.begin(operation, What { weight, contended: 1, counted: 0, holder });
            self.records[token].lock.state = self.looks.into();
        }
        Acquisition {
            operation,
            generation: if seen { self.generation } else { 0 },
            waits_since_ns: Some(self.now_ns),
            acquired_ns: self.now_ns,
            token,
        }
    }

    /// The wait has ended with the lock.
    pub fn waited(&mut self, mut waiting: Acquisition) -> Acquisition {
        let Operation { lock, site, .. } = waiting.operation;
        waiting.acquired_ns = self.now_ns;
        let lock = &self.locks[lock];
        let is_recorded = waiting.token != 0;
        if let Some(slot) = &lock.slot {
            let unknown = Holder::new(CallSite(site), 0);
            slot.set_holder(if is_recorded { waiting.operation.holder() } else { unknown });
        }
        if is_recorded {
            let record = &mut self.records[waiting.token];
            if record.weight != 1 && record.lock.state != u64::from(self.looks) {
                record.weight = 1;
            } else if record.weight == NOT_DRAWN {
                self.take(waiting.token);
                waiting.token = 0;
                return waiting;
            }
            let stamp = u64::from(waiting.generation) << 32;
            let state = match &lock.slot {
                Some(slot) if !lock.is_asking() => slot.state_in(stamp).unwrap_or_default(),
                _ => 0,
            };
            let record = &mut self.records[waiting.token];
            record.acquired = self.now_ns;
            record.lock.state = state;
        }
        waiting
    }

    /// The wait has ended without the lock.
    pub fn gave_up(&mut self, waiting: Acquisition) {
        if waiting.token != 0 {
            let (kind, now) = (EventKind::FAILED, self.now_ns);
            let begun = self.take(waiting.token);
            let lock = LockRef { state: 0, ..begun.lock };
            let event = Event { lock, kind, weight: 1, acquired: now, end: now, ..begun };
            self.tell(waiting.operation, waiting.generation, event);
        }
        self.note(waiting.operation, waiting.generation, |totals| totals.failures += 1);
    }

    /// A try fails at once.
    pub fn refused(&mut self, operation: Operation) {
        self.instant(operation, EventKind::FAILED, self.now_ns);
        self.note(operation, self.seen(), |totals| totals.failures += 1);
    }

    /// Tells of something of this kind, which may be one that nobody knows, and is
    /// nothing that has happened then.
    pub fn happened(&mut self, operation: Operation, kind: EventKind, begin_ns: u64) {
        self.instant(operation, kind, begin_ns);
    }

    /// A thread has waited idly since `begin_ns`, while the gate stood as it
    /// does now.
    pub fn idled(&mut self, operation: Operation, begin_ns: u64) {
        let (operation, idle_ns) =
            (Operation { mode: Mode::SHARED, ..operation }, self.now_ns - begin_ns);
        self.instant(operation, EventKind::IDLE, begin_ns);
        self.note(operation, self.seen(), |totals| {
            totals.idles += 1;
            totals.idle_ns += idle_ns;
        });
    }

    /// Gives a lock back.
    #[inline]
    pub fn release(&mut self, held: &Acquisition) {
        if held.token != 0 {
            self.release_recorded(held);
        }
        let hold_ns = self.now_ns - held.acquired_ns;
        let wait_ns = held.waits_since_ns.map(|since| held.acquired_ns - since);
        self.note(held.operation, held.generation, |totals| {
            totals.acquisitions += 1;
            totals.hold_ns += hold_ns;
            if let Some(wait_ns) = wait_ns {
                totals.contentions += 1;
                totals.wait_ns += wait_ns;
            }
        });
    }

    /// Drops a lock; another one is made at the same line in its place.
    pub fn replace(&mut self, lock: usize) {
        self.dropped(lock);
        self.locks_made += 1;
        *self.locks[lock] = self.locks[lock].successor(self.locks_made);
    }

    /// Moves a lock to another address, and its slot with it. Of that nobody is
    /// told.
    pub fn place(&mut self, lock: usize, address: usize) {
        let moved = Box::new(self.locks[lock].moved(address));
        self.locks[lock] = moved;
    }

    /// The lock's id; 0 if it has no slot.
    #[must_use]
    pub fn id(&self, lock: usize) -> u64 {
        self.locks[lock].described().id
    }

    fn stamp(&self) -> u64 {
        u64::from(self.generation) << 32
    }

    /// The session that sees what can be seen on a gate that watches; 0 for
    /// none.
    fn seen(&self) -> u32 {
        if self.gate == state::CLOSED { 0 } else { self.generation }
    }

    /// Writes down what has happened, if the session that saw it begin sees it
    /// end.
    #[inline]
    fn note(&mut self, by: Operation, generation: u32, note: impl FnOnce(&mut Totals<u64>)) {
        if generation == 0 || generation != self.seen() {
            return;
        }
        let lock = &mut self.locks[by.lock];
        let known = lock.lines.iter().find(|line| line.0 == by.site && line.1 == by.mode.0);
        let place = match known {
            Some((_, _, place)) => *place,
            None => {
                let line = Line { created: lock.created(), site: by.site, mode: by.mode };
                let place = self.truth.place(line);
                lock.lines.push((by.site, by.mode.0, place));
                place
            }
        };
        note(self.truth.at(place));
    }
}

/// The weight of an acquisition that must wait and was not drawn.
const NOT_DRAWN: u32 = 0;

/// Where nothing is said yet.
pub(crate) const NO_EVENT: Event = Event {
    lock: LockRef {
        slot: core::ptr::null(),
        address: 0,
        id: 0,
        created: CallSite::UNKNOWN,
        name: core::ptr::null(),
        state: 0,
        name_len: 0,
        kind: lockscope_core::LockKind::MUTEX,
        probe: 0,
        reserved: 0,
    },
    kind: EventKind::RELEASED,
    mode: Mode::EXCLUSIVE,
    contended: 0,
    counted: 0,
    stack_len: 0,
    reserved: 0,
    weight: 1,
    thread: 0,
    site: CallSite::UNKNOWN,
    holder: CallSite::UNKNOWN,
    begin: 0,
    acquired: 0,
    end: 0,
    stack: core::ptr::null(),
};
