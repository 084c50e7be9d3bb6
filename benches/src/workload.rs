//! What is measured: something that threads do with locks, and what must have come
//! of it.

use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use crate::locks::{Counter, Held};
use crate::stats::Ratio;

/// Something that threads do with locks.
pub trait Workload: Sync {
    /// How many threads do it.
    fn threads(&self) -> u64 {
        1
    }
    /// What the thread of this number does, `n` times.
    fn run(&self, thread: u64, n: u64);
    /// Looks whether all threads together have done what they should `n` times each,
    /// and forgets it.
    ///
    /// # Panics
    ///
    /// If they have not.
    fn check(&self, n: u64);
}

/// How a [`Counter`] is used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    threads: u64,
    pattern: Pattern,
}

#[derive(Clone, Copy, Debug)]
enum Pattern {
    Idle,
    Paced,
    Busy(Held),
}

impl Usage {
    /// By one thread, which does nothing else.
    pub const ALONE: Self = Self::idle(1);
    /// By one thread, which does something else for some ninety nanoseconds each
    /// time: ten million operations a second.
    pub const PACED: Self = Self { threads: 1, pattern: Pattern::Paced };

    /// By threads that do nothing else.
    #[must_use]
    pub const fn idle(threads: u64) -> Self {
        Self { threads, pattern: Pattern::Idle }
    }

    /// By threads that hold it for so long, and for up to six times as long not.
    #[must_use]
    pub const fn busy(threads: u64, held: Held) -> Self {
        Self { threads, pattern: Pattern::Busy(held) }
    }
}

/// A counter that is used in one way.
#[derive(Clone, Copy)]
pub struct Used<'a>(pub &'a dyn Counter, pub Usage);

impl core::fmt::Debug for Used<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.1.fmt(f)
    }
}

impl Workload for Used<'_> {
    fn threads(&self) -> u64 {
        self.1.threads
    }

    fn run(&self, _: u64, n: u64) {
        match self.1.pattern {
            Pattern::Idle => self.0.run(n),
            Pattern::Paced => self.0.run_paced(n),
            Pattern::Busy(held) => self.0.run_busy(n, held),
        }
        self.0.note(n);
    }

    fn check(&self, n: u64) {
        assert_eq!(self.0.take(), self.1.threads * n, "the lock under test lost operations");
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// How many ratios.
    pub rounds: usize,
    /// Of how many operations of each thread.
    pub operations: u64,
}

impl Size {
    /// As many rounds of so many times fewer operations, which take longer.
    #[must_use]
    pub fn part(&self, times: u64) -> Self {
        Self { operations: self.operations / times, ..*self }
    }
}

/// How long it takes to do it `n` times in each thread.
///
/// # Panics
///
/// If what has come of it is not right.
pub fn time(workload: &dyn Workload, n: u64) -> Duration {
    // Together, or what is measured is in part one thread alone.
    let start = Barrier::new(workload.threads() as usize);
    let began = Mutex::new(None);
    let work = |thread| {
        start.wait();
        began.lock().expect("nothing panics").get_or_insert_with(Instant::now);
        workload.run(thread, n);
    };
    let work = &work;
    std::thread::scope(|scope| {
        for thread in 1..workload.threads() {
            scope.spawn(move || work(thread));
        }
        work(0);
    });
    let began = began.into_inner().expect("nothing panics").expect("it has run");
    let time = began.elapsed();
    workload.check(n);
    time
}

/// Ratios of the times of `ours` to those of `bare`, run in turn.
///
/// # Panics
///
/// As [`time`].
#[must_use]
pub fn ratio(ours: &dyn Workload, bare: &dyn Workload, size: &Size) -> Ratio {
    time(bare, size.operations);
    time(ours, size.operations);
    Ratio::of(
        (0..size.rounds)
            .map(|round| {
                // Whoever goes first does so every other time.
                let (ours, bare) = if round % 2 == 0 {
                    let ours = time(ours, size.operations);
                    (ours, time(bare, size.operations))
                } else {
                    let bare = time(bare, size.operations);
                    (time(ours, size.operations), bare)
                };
                ours.as_secs_f64() / bare.as_secs_f64()
            })
            .collect(),
    )
}
