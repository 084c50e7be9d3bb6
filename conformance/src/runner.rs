//! A process for each rule, so that one that crashes, hangs, exits or eats all
//! memory breaks this rule and no other.

mod child;
mod process;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::rule::{Level, Rule};
use crate::verdict::{Failure, Verdict};

pub use child::{Task, be_child};
use process::Ending;

/// How a plugin is judged.
#[derive(Clone, Debug)]
pub struct Kit {
    /// The program whose child processes make the checks: see [`be_child`].
    pub program: PathBuf,
    /// The plugin's file.
    pub plugin: PathBuf,
    /// From which everything random follows.
    pub seed: u64,
    /// Values for the plugin's keys.
    pub set: Vec<(String, String)>,
    /// More variables in the environment of the checks.
    pub environment: Vec<(String, String)>,
    /// How long the check of one rule may take.
    pub deadline: Duration,
    /// How much memory it may have, in bytes.
    pub memory: u64,
    /// How many checks are made at a time.
    pub at_a_time: usize,
}

/// What a plugin says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The backend's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The version of the interface that it speaks.
    pub abi: String,
}

/// A rule that was looked at.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The rule.
    pub rule: &'static Rule,
    /// How its check ended; none if it can only be shown by the source.
    pub verdict: Option<Verdict>,
    /// How long it took.
    pub took: Duration,
}

/// Everything that was found out.
#[derive(Clone, Debug)]
pub struct Run {
    /// What the plugin says of itself; nothing if it cannot be loaded.
    pub about: Option<About>,
    /// In the order in which they were asked for.
    pub judged: Vec<Judged>,
    /// How long it took.
    pub took: Duration,
}

impl Run {
    /// Whether no rule that the plugin must keep is broken, or could not be
    /// checked.
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.judged.iter().all(|judged| {
            judged.rule.level == Level::Should
                || matches!(judged.verdict, None | Some(Verdict::Passed))
        })
    }
}

impl Kit {
    /// For the plugin at this path, with checks by `program`.
    #[must_use]
    pub fn new(program: PathBuf, plugin: PathBuf) -> Self {
        Self {
            program,
            plugin,
            seed: 1,
            set: Vec::new(),
            environment: Vec::new(),
            deadline: Duration::from_secs(10),
            memory: 512 << 20,
            at_a_time: std::thread::available_parallelism().map_or(2, usize::from),
        }
    }

    /// Judges the plugin by these rules.
    #[must_use]
    pub fn run(&self, rules: &[&'static Rule]) -> Run {
        let began = Instant::now();
        let about = self.about();
        let judged = Mutex::new(Vec::new());
        let next = Mutex::new(rules.iter().enumerate());
        let work = || {
            loop {
                let Some((number, rule)) = locked(&next).next() else { return };
                let one = self.judge(rule);
                locked(&judged).push((number, one));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.at_a_time.clamp(1, rules.len().max(1)) {
                scope.spawn(work);
            }
        });
        let mut judged = judged.into_inner().unwrap_or_default();
        judged.sort_by_key(|(number, _)| *number);
        let judged = judged.into_iter().map(|(_, judged)| judged).collect();
        Run { about, judged, took: began.elapsed() }
    }

    fn about(&self) -> Option<About> {
        let ending = process::run(self, &Task::Describe).ok()?;
        serde_json::from_slice(&ending.said).ok()
    }

    fn judge(&self, rule: &'static Rule) -> Judged {
        let began = Instant::now();
        let verdict =
            rule.check.map(|_| match process::run(self, &Task::Check(rule.id.to_owned())) {
                Ok(ending) => verdict(ending),
                Err(error) => Verdict::NotRun {
                    because: rule.id.to_owned(),
                    why: format!("its process could not be started: {error}"),
                },
            });
        Judged { rule, verdict, took: began.elapsed() }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What a process that has ended says of the rule.
fn verdict(ending: Ending) -> Verdict {
    let said = serde_json::from_slice::<Verdict>(&ending.said).ok();
    let verdict = match (ending.how.words(), said) {
        (None, Some(verdict)) => verdict,
        (None, None) => Verdict::Failed(Failure::new(
            "the check goes to its end",
            "the process exited before it did, with status 0",
        )),
        (Some(how), _) => Verdict::Failed(Failure::new("the check goes to its end", how)),
    };
    match verdict {
        Verdict::Failed(failure) => Verdict::Failed(Failure { output: ending.output, ..failure }),
        other => other,
    }
}
