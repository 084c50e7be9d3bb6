//! What a simulated program does: a list of steps, written down beforehand.

use lockscope_core::Mode;

use crate::lock::Make;
use crate::random::Random;

/// A lock of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockId(pub(crate) usize);

impl LockId {
    /// Where it is made, as reports name the place: no other lock of the script
    /// has it.
    #[must_use]
    pub fn created(self) -> usize {
        self.0 + 1
    }
}

/// How long something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// So many nanoseconds.
    Exactly(u64),
    /// Up to twice so many nanoseconds, all alike: from the seed of the run.
    About(u64),
}

impl Hold {
    #[inline]
    pub(crate) fn ns(self, random: &mut Random) -> u64 {
        match self {
            Self::Exactly(ns) => ns,
            Self::About(ns) => random.below(2 * ns + 1),
        }
    }
}

/// A use of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// By which thread, from 0.
    pub thread: usize,
    /// Of which lock.
    pub lock: LockId,
    /// In which mode.
    pub mode: Mode,
    /// Where it stands; not 0.
    pub site: usize,
    /// How long the lock is held.
    pub hold: Hold,
}

impl Use {
    /// One by the first thread, exclusive, at call site 1, for no time.
    #[must_use]
    pub fn of(lock: LockId) -> Self {
        Self { thread: 0, lock, mode: Mode::EXCLUSIVE, site: 1, hold: Hold::Exactly(0) }
    }

    /// The same by a reader.
    #[must_use]
    pub fn reading(lock: LockId) -> Self {
        Self { mode: Mode::SHARED, ..Self::of(lock) }
    }
}

/// One thing that happens. Each is over before the next begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A lock is taken, which is free, held, and given back.
    Take(Use),
    /// The same after a wait for somebody who holds it.
    Wait(Use, Hold),
    /// A wait for somebody who holds the lock ends without it.
    GiveUp(Use, Hold),
    /// A try fails.
    Refuse(Use),
    /// A thread has nothing to do for so long.
    Idle(Use, Hold),
    /// A lock is taken, if that can be, and kept.
    Keep(Use),
    /// What the thread has kept of the lock longest is given back, if there is any.
    GiveBack(usize, LockId),
    /// The lock is dropped, and another one made at the same line.
    Replace(LockId),
    /// The lock moves to this address.
    Move(LockId, usize),
    /// Nothing happens for so many nanoseconds.
    Rest(u64),
    /// All of these, so many times.
    Repeat(u32, Vec<Step>),
    /// A key of the backend gets another value.
    Configure(&'static str, String),
    /// Somebody wakes the backend.
    Wake(&'static str),
}

/// A program: its locks, and what its threads do with them, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    pub(crate) locks: Vec<Make>,
    pub(crate) steps: Vec<Step>,
}

impl Script {
    /// Another lock.
    pub fn lock(&mut self, make: Make) -> LockId {
        self.locks.push(make);
        LockId(self.locks.len() - 1)
    }

    /// Another step.
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// How many threads it takes.
    #[must_use]
    pub fn threads(&self) -> usize {
        threads(&self.steps)
    }
}

impl Extend<Step> for Script {
    fn extend<I: IntoIterator<Item = Step>>(&mut self, steps: I) {
        self.steps.extend(steps);
    }
}

fn threads(steps: &[Step]) -> usize {
    let of = |step: &Step| match step {
        Step::Take(by)
        | Step::Wait(by, _)
        | Step::GiveUp(by, _)
        | Step::Refuse(by)
        | Step::Idle(by, _)
        | Step::Keep(by) => by.thread + 1,
        Step::GiveBack(thread, _) => thread + 1,
        Step::Repeat(_, steps) => threads(steps),
        Step::Replace(_) | Step::Move(..) | Step::Rest(_) | Step::Configure(..) | Step::Wake(_) => {
            1
        }
    };
    steps.iter().map(of).max().unwrap_or(1)
}

impl core::fmt::Display for Use {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { thread, lock, mode, site, hold } = self;
        let verb = if mode.is_shared() { "reads" } else { "locks" };
        write!(f, "thread {thread} {verb} lock {} at call site {site}, for {hold}", lock.created())
    }
}

impl core::fmt::Display for Hold {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Exactly(ns) => write!(f, "{ns} ns"),
            Self::About(ns) => write!(f, "about {ns} ns"),
        }
    }
}

impl core::fmt::Display for Step {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Take(by) => write!(f, "{by}"),
            Self::Wait(by, wait) => write!(f, "{by}, after it waited {wait}"),
            Self::GiveUp(by, wait) => {
                write!(
                    f,
                    "thread {} gives lock {} up after {wait}, at call site {}",
                    by.thread,
                    by.lock.created(),
                    by.site
                )
            }
            Self::Refuse(by) => write!(
                f,
                "thread {} tries lock {} in vain, at call site {}",
                by.thread,
                by.lock.created(),
                by.site
            ),
            Self::Idle(by, idle) => write!(
                f,
                "thread {} is idle for {idle} at lock {}, call site {}",
                by.thread,
                by.lock.created(),
                by.site
            ),
            Self::Keep(Use { thread, lock, mode, site, .. }) => {
                let verb = if mode.is_shared() { "reads" } else { "locks" };
                let lock = lock.created();
                write!(f, "thread {thread} {verb} lock {lock} at call site {site}, and keeps it")
            }
            Self::GiveBack(thread, lock) => {
                write!(f, "thread {thread} gives lock {} back", lock.created())
            }
            Self::Move(lock, address) => {
                write!(f, "lock {} moves to {address:#x}", lock.created())
            }
            Self::Replace(lock) => {
                write!(f, "lock {} is dropped, and another made in its place", lock.created())
            }
            Self::Rest(ns) => write!(f, "nothing happens for {ns} ns"),
            Self::Repeat(times, steps) => {
                let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
                write!(f, "{times} times: {}", steps.join("; "))
            }
            Self::Configure(key, value) => write!(f, "the key '{key}' becomes '{value}'"),
            Self::Wake(cause) => write!(f, "the backend is woken: {cause}"),
        }
    }
}
