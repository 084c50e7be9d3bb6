//! How models are explored, here and in other crates: only there in a build
//! for models, `--cfg lockscope_loom`.
//!
//! A model that cannot fail proves nothing, so each has a twin with a bug
//! seeded into it, for [`must_fail`]; and one that never meets a case says
//! nothing of it, so each tells [`Seen`] what came out. The main thread of a
//! model only prepares, spawns and joins, because loom explores no
//! interleavings of what it does between.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use loom;

/// Switches from a thread that could go on, in one execution: bugs that need
/// more of them are not known, and each one more takes many times as long.
const PREEMPTIONS: usize = 3;

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
        assert_eq!(found.outcomes.iter().copied().collect::<Vec<_>>(), expected);
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

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(model);
}
