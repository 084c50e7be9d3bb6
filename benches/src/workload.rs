//! What is measured: something that threads do with locks, and what must have come
//! of it.

use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
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
    /// After how long there are enough rounds: so a run has an end that is known
    /// beforehand, and a figure that needs more of them is marked as too rough.
    pub budget: Duration,
}

/// Of fewer rounds no interval can be made.
pub(crate) const LEAST_ROUNDS: usize = 7;

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
    Team::work(&[workload], |team| team.time(0, n))
}

/// Threads that do one workload after another, `n` times each. They stay: a thread
/// that is new in each round would be measured with all that a backend does when it
/// meets one.
struct Team<'a> {
    workloads: &'a [&'a dyn Workload],
    /// Passed by all before a round and after it.
    together: Barrier,
    round: Mutex<Round>,
}

#[derive(Clone, Copy)]
struct Round {
    /// Which workload, and how often; 0 times: it was the last.
    workload: usize,
    n: u64,
    /// When the first thread has begun.
    began: Option<Instant>,
}

impl<'a> Team<'a> {
    /// Calls `rounds` with a team for workloads of as many threads as the first.
    fn work<R>(workloads: &'a [&'a dyn Workload], rounds: impl FnOnce(&Self) -> R) -> R {
        let threads = workloads[0].threads();
        let round = Mutex::new(Round { workload: 0, n: 0, began: None });
        let team = &Self { workloads, together: Barrier::new(threads as usize), round };
        std::thread::scope(|scope| {
            for thread in 1..threads {
                scope.spawn(move || while team.take_part(thread) {});
            }
            // If what has come of a round is not right, nobody waits for the next.
            let _dismissed = Dismissed(team);
            rounds(team)
        })
    }

    /// How long the team takes to do a workload `n` times.
    fn time(&self, workload: usize, n: u64) -> Duration {
        *self.round() = Round { workload, n, began: None };
        self.take_part(0);
        let began = self.round().began;
        let time = began.map_or(Duration::ZERO, |began| began.elapsed());
        self.workloads[workload].check(n);
        time
    }

    /// A thread's part of a round; false if there is none any more.
    fn take_part(&self, thread: u64) -> bool {
        // Together, or what is measured is in part one thread alone.
        self.together.wait();
        let Round { workload, n, .. } = {
            let mut round = self.round();
            round.began.get_or_insert_with(Instant::now);
            *round
        };
        if n > 0 {
            self.workloads[workload].run(thread, n);
            self.together.wait();
        }
        n > 0
    }

    fn round(&self) -> MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a team home when it is dropped.
struct Dismissed<'a>(&'a Team<'a>);

impl Drop for Dismissed<'_> {
    fn drop(&mut self) {
        self.0.round().n = 0;
        self.0.take_part(0);
    }
}

/// Ratios of the times of `ours` to those of `bare`, run in turn.
///
/// # Panics
///
/// As [`time`].
#[must_use]
pub fn ratio(ours: &dyn Workload, bare: &dyn Workload, size: &Size) -> Ratio {
    assert_eq!(ours.threads(), bare.threads(), "the same is to be compared");
    Team::work(&[ours, bare], |team| {
        let [ours, bare] = [0, 1].map(|which| move || team.time(which, size.operations));
        bare();
        ours();
        let began = Instant::now();
        Ratio::of(
            (0..size.rounds)
                .take_while(|round| *round < LEAST_ROUNDS || began.elapsed() < size.budget)
                .map(|round| {
                    // Whoever goes first does so every other time.
                    let (ours, bare) = if round % 2 == 0 {
                        let ours = ours();
                        (ours, bare())
                    } else {
                        let bare = bare();
                        (ours(), bare)
                    };
                    ours.as_secs_f64() / bare.as_secs_f64()
                })
                .collect(),
        )
    })
}
