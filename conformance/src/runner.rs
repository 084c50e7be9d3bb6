//! A process for each rule, so that one that crashes, hangs, exits or eats all
//! memory breaks this rule and no other.

mod child;
mod process;

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::KitError;
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
    /// Rules that are expected to be broken, each with the reason.
    pub xfail: Vec<(&'static Rule, String)>,
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
    /// Why it is expected to be broken, if it is.
    pub xfail: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// What a verdict means for the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The rule is kept.
    Kept,
    /// It is broken, and must not be.
    Broken,
    /// It is broken, and may be.
    Advised,
    /// It is broken, as was expected.
    Expected,
    /// It is kept, although it was expected to be broken.
    Unexpected,
    /// It could not be checked, because another one is broken.
    NotRun,
    /// Only the source can show whether it is kept.
    NotDecided,
}

impl Judged {
    /// What the verdict means for the plugin.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (&self.verdict, &self.xfail) {
            (None, _) => Standing::NotDecided,
            (Some(Verdict::Passed), None) => Standing::Kept,
            (Some(Verdict::Passed), Some(_)) => Standing::Unexpected,
            (Some(Verdict::NotRun { .. }), None) => Standing::NotRun,
            (Some(_), Some(_)) => Standing::Expected,
            (Some(Verdict::Failed(_)), None) if self.rule.level == Level::Should => {
                Standing::Advised
            }
            (Some(Verdict::Failed(_)), None) => Standing::Broken,
        }
    }
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
    /// Whether the plugin conforms: every rule that it must keep was checked and is
    /// kept, but for those that are expected to be broken, which are.
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.judged.iter().all(|judged| match judged.standing() {
            Standing::Kept | Standing::Advised | Standing::Expected | Standing::NotDecided => true,
            Standing::NotRun => judged.rule.level == Level::Should,
            Standing::Broken | Standing::Unexpected => false,
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
            xfail: Vec::new(),
        }
    }

    /// Judges the plugin by these rules.
    ///
    /// # Errors
    ///
    /// That there is no such plugin, or that a process cannot be started.
    pub fn run(&self, rules: &[&'static Rule]) -> Result<Run, KitError> {
        if !self.plugin.is_file() {
            return Err(KitError::NoPlugin { path: self.plugin.clone() });
        }
        let began = Instant::now();
        let about = self.about();
        let judged = Mutex::new(Vec::new());
        let next = Mutex::new(rules.iter().enumerate());
        let work = || -> Result<(), KitError> {
            loop {
                let Some((number, rule)) = locked(&next).next() else { return Ok(()) };
                let one = self.judge(rule)?;
                locked(&judged).push((number, one));
            }
        };
        std::thread::scope(|scope| {
            let at_a_time = self.at_a_time.clamp(1, rules.len().max(1));
            let workers: Vec<_> = (0..at_a_time).map(|_| scope.spawn(work)).collect();
            // A worker that panicked has found a defect of ours: so shall we.
            let mut ended = workers.into_iter().map(|worker| worker.join());
            ended.try_for_each(|ended| ended.unwrap_or_else(|panic| resume_unwind(panic)))
        })?;
        let mut judged = judged.into_inner().unwrap_or_else(PoisonError::into_inner);
        judged.sort_by_key(|(number, _)| *number);
        let judged = judged.into_iter().map(|(_, judged)| judged).collect();
        Ok(Run { about, judged, took: began.elapsed() })
    }

    fn about(&self) -> Option<About> {
        let ending = process::run(self, &Task::Describe).ok()?;
        serde_json::from_slice(&ending.said).ok()
    }

    fn judge(&self, rule: &'static Rule) -> Result<Judged, KitError> {
        let began = Instant::now();
        let verdict = match rule.check {
            Some(_) => {
                let ending = process::run(self, &Task::Check(rule.id.to_owned()));
                Some(verdict(
                    self,
                    ending.map_err(|source| KitError::Start {
                        rule: rule.id,
                        program: self.program.clone(),
                        source,
                    })?,
                ))
            }
            None => None,
        };
        let xfail = self.xfail.iter().find(|(expected, _)| expected.id == rule.id);
        let xfail = xfail.map(|(_, reason)| reason.clone());
        Ok(Judged { rule, verdict, xfail, took: began.elapsed() })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a process that has ended says of the rule.
fn verdict(kit: &Kit, ending: Ending) -> Verdict {
    let said = serde_json::from_slice::<Verdict>(&ending.said).ok();
    let broken = |how| Verdict::Failed(Failure::new("the check goes to its end", how));
    let verdict = match (ending.how.words(), said) {
        (None, Some(verdict)) => verdict,
        (None, None) => broken("the process exited before it did, with status 0".to_owned()),
        // What an allocator's last words are in Rust.
        (Some(how), _) if ending.output.contains("memory allocation of") => {
            let most = process::limit(kit.memory) >> 20;
            broken(format!("{how}; it could have no more than {most} MB of memory"))
        }
        (Some(how), _) => broken(how),
    };
    match verdict {
        Verdict::Failed(failure) => Verdict::Failed(Failure { output: ending.output, ..failure }),
        other => other,
    }
}
