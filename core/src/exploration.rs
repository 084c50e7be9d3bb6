//! How models are explored, here and in other crates: only there in a build
//! for models, see [`crate::sync`].
//!
//! A model that cannot fail proves nothing, so each has a twin with a bug
//! seeded into it, for [`must_fail`]; and one that never meets a case says
//! nothing of it, so each tells [`Seen`] what came out. The main thread of a
//! model only prepares, spawns and joins, because loom explores no
//! interleavings of what it does between.
//!
//! With loom, every execution within the bounds is tried. With shuttle, so many
//! schedules are drawn, half of them at random and half by priorities that
//! change at a few random points (PCT: Burckhardt and others, *A Randomized
//! Scheduler with Probabilistic Guarantees of Finding Bugs*, 2010). They follow
//! from a seed, so a failure comes again.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(lockscope_loom)]
pub use loom::{self, thread};
#[cfg(lockscope_shuttle)]
pub use shuttle::{self, thread};

/// What a model saw, over all its executions.
#[derive(Debug)]
pub struct Seen(Mutex<Found>);

#[derive(Debug)]
struct Found {
    executions: usize,
    outcomes: BTreeSet<&'static str>,
}

impl Seen {
    /// Nothing yet.
    #[expect(clippy::new_without_default, reason = "made as a static, and nowhere else")]
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Found { executions: 0, outcomes: BTreeSet::new() }))
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an execution came out like this.
    pub fn note(&self, outcome: &'static str) {
        self.found().outcomes.insert(outcome);
    }

    /// Explores `model`; then asserts that there was something to explore,
    /// and that the outcomes were these, which are sorted.
    ///
    /// # Panics
    ///
    /// As `model` does in an interleaving, or if there was but one, or if the
    /// outcomes were others.
    pub fn check(&'static self, expected: &[&str], model: impl Fn() + Sync + Send + 'static) {
        explore(move || {
            self.found().executions += 1;
            model();
        });
        let found = self.found();
        assert!(found.executions > 1, "one execution is no exploration");
        let outcomes: Vec<_> = found.outcomes.iter().copied().collect();
        assert_eq!(outcomes, expected, "the outcomes were others");
    }
}

/// Asserts that `model`, which has a bug, is caught.
///
/// # Panics
///
/// If it is not.
pub fn must_fail(model: impl Fn() + Sync + Send + 'static) {
    let caught = catch_unwind(AssertUnwindSafe(|| explore(model)));
    assert!(caught.is_err(), "the seeded bug was not found");
}

/// The number that an environment variable says, for `cargo xtask test
/// --thorough`.
fn number_in(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// Switches from a thread that could go on, in one execution: bugs that need
/// more of them are not known, and each one more takes many times as long.
#[cfg(lockscope_loom)]
const PREEMPTIONS: usize = 3;

#[cfg(lockscope_loom)]
fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(number_in("LOCKSCOPE_PREEMPTIONS", PREEMPTIONS));
    builder.check(model);
}

/// Schedules of each sort that are drawn.
#[cfg(lockscope_shuttle)]
const SCHEDULES: usize = 5_000;
/// Points at which priorities change, and one: bugs that need more of them are
/// not known.
#[cfg(lockscope_shuttle)]
const DEPTH: usize = 3;
#[cfg(lockscope_shuttle)]
const SEED: u64 = 0x6c6f_636b_7363_6f70;

#[cfg(lockscope_shuttle)]
fn explore(model: impl Fn() + Sync + Send + 'static) {
    use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};

    fn run(
        by: impl Scheduler + 'static,
        model: &std::sync::Arc<impl Fn() + Sync + Send + 'static>,
    ) {
        let mut config = shuttle::Config::new();
        // Frames of code that is not optimised are large.
        config.stack_size = 1 << 18;
        // What it warns of stands in `crate::sync`.
        config.silence_warnings = true;
        let model = model.clone();
        shuttle::Runner::new(by, config).run(move || model());
    }

    let schedules = number_in("LOCKSCOPE_SCHEDULES", SCHEDULES);
    let model = std::sync::Arc::new(model);
    run(RandomScheduler::new_from_seed(SEED, schedules), &model);
    run(PctScheduler::new_from_seed(SEED, DEPTH, schedules), &model);
}
