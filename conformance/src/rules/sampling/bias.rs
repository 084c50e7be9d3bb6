//! Whether estimates have the truth as their mean: SAMPLE-03, SAMPLE-04 and
//! SAMPLE-06.

use super::played::{PERIOD, Sum, can_move, one_in, sums, times, uses};
use crate::keys::Recording;
use crate::script::{Hold, Script, Step, Use};
use crate::statistics::bound;
use crate::subject::{Pacing, Subject};
use crate::trial::Trial;
use crate::truth::Line;
use crate::verdict::Failure;

const RUNS: u64 = 300;
const HOLD_NS: u64 = 500;
/// Nobody holds a lock, or waits for one, for longer.
const MOST_WAIT_NS: u64 = 2_000;

/// Runs of a program that are added up.
#[derive(Clone, Copy)]
pub(super) struct Runs {
    pub(super) seed: u64,
    pub(super) number: u64,
    /// The longest time that is waited or held, in nanoseconds.
    pub(super) most_ns: u64,
}

impl Runs {
    fn of(trial: &Trial) -> Self {
        Self { seed: trial.seed(), number: RUNS, most_ns: MOST_WAIT_NS }
    }
}

/// Whether the sums over these runs are as near to the truth as they must be.
pub(super) fn unbiased(subject: &Subject, script: &Script, runs: Runs) -> Result<(), Failure> {
    unbiased_beyond(subject, script, runs, 1)
}

/// The same, where an operation may weigh `heaviest`, if no period is longer.
fn unbiased_beyond(
    subject: &Subject,
    script: &Script,
    runs: Runs,
    heaviest: u32,
) -> Result<(), Failure> {
    let sums = sums(subject, runs.seed, runs.number, script)?;
    let heaviest = f64::from(sums.longest.max(heaviest));
    for (line, sum) in &sums.lines {
        near(*line, sum, heaviest, runs).map_err(|failure| {
            let steps = script.steps.iter().map(ToString::to_string);
            failure.after(core::iter::once(format!("{} runs, in each:", runs.number)).chain(steps))
        })?;
    }
    Ok(())
}

fn near(line: Line, sum: &Sum, heaviest: f64, runs: Runs) -> Result<(), Failure> {
    for ((name, stated), (_, truth)) in sum.stated.each().into_iter().zip(sum.truth.each()) {
        // No time is longer than `most`, so Σ x² is at most this times Σ x.
        let most = if name.ends_with("_ns") { runs.most_ns as f64 } else { 1.0 };
        let truth = truth as f64;
        let off = bound((heaviest - 1.0) * most * truth, heaviest * most);
        let off = if heaviest > 1.0 { off } else { 0.0 };
        // Not a number is not near, either.
        if (stated.value - truth).abs() <= off {
            continue;
        }
        return Err(Failure::new(
            format!(
                "{name} of lock {} at call site {} ({}), added up over all runs: {truth}, give or take {off:.0}",
                line.created,
                line.site,
                line.mode.as_str()
            ),
            format!("{:.0}", stated.value),
        ));
    }
    Ok(())
}

fn set(period: u32) -> Step {
    Step::Configure(PERIOD, period.to_string())
}

/// Often, once or twice, and now and then a new lock at the same line.
pub(super) fn fixed_period(trial: &mut Trial) -> Result<(), Failure> {
    let subject = one_in(trial, 8)?;
    let mut script = Script::default();
    let often = uses(&mut script, Hold::About(HOLD_NS));
    let rarely = uses(&mut script, Hold::Exactly(HOLD_NS));
    let short = uses(&mut script, Hold::Exactly(HOLD_NS));
    let replaced = short.map(|by| Step::Replace(by.lock));
    let replaced = [&replaced[..1], &replaced[2..]].concat();
    let lives = [vec![times(2, &short)], replaced].concat();
    script.extend([times(150, &often), times(2, &rarely), Step::Repeat(20, lives)]);
    unbiased(&subject, &script, Runs::of(trial))
}

pub(super) fn moving_period(trial: &mut Trial) -> Result<(), Failure> {
    let subject = one_in(trial, 32)?;
    if can_move(&subject)? {
        for script in [after_a_change(), across_changes()] {
            unbiased(&subject, &script, Runs::of(trial))?;
        }
    }
    // One that moves it by itself, as far as it likes.
    let subject = trial.subject(Recording::OneIn(2))?;
    let mut script = Script::default();
    let uses = uses(&mut script, Hold::About(HOLD_NS));
    script.extend([times(600, &uses), Step::Rest(1_000_000), times(200, &uses)]);
    unbiased(&subject, &script, Runs { number: 60, ..Runs::of(trial) })
}

/// Some locks see the period rise, others see it fall.
fn after_a_change() -> Script {
    let mut script = Script::default();
    let hold = Hold::About(HOLD_NS);
    let (risen, fallen) = (uses(&mut script, hold), uses(&mut script, hold));
    script.push(Step::Repeat(40, vec![set(32), times(3, &risen), set(4), times(5, &fallen)]));
    script
}

fn across_changes() -> Script {
    let mut script = Script::default();
    let uses = uses(&mut script, Hold::About(HOLD_NS));
    let changes = [set(32), times(3, &uses), set(2), times(2, &uses), set(8), times(7, &uses)];
    script.push(Step::Repeat(25, changes.into()));
    script
}

/// All are told; then one in four, with that weight.
pub(super) fn waits_are_all_there(trial: &mut Trial) -> Result<(), Failure> {
    crate::compare::counted_otherwise(trial, &waits())?;
    for contended_period in [1, 4] {
        let pacing = Pacing { contended_period: Some(contended_period), ..Pacing::default() };
        let subject = one_in(trial, 16)?.paced(pacing);
        let script = waits();
        let runs = Runs { number: 100, ..Runs::of(trial) };
        unbiased_beyond(&subject, &script, runs, contended_period)?;
        if contended_period == 1 {
            all_are_counted(&subject, &script, trial.seed())?;
        }
    }
    Ok(())
}

fn waits() -> Script {
    let mut script = Script::default();
    let uses = uses(&mut script, Hold::About(HOLD_NS));
    let waiting = uses.map(|by| Use { thread: 3, site: 7, ..by });
    let wait = Hold::About(MOST_WAIT_NS / 2);
    let waits = waiting.map(|by| Step::Wait(by, wait));
    let round = [vec![times(3, &uses)], waits.to_vec()].concat();
    script.push(Step::Repeat(30, round));
    script
}

fn all_are_counted(subject: &Subject, script: &Script, seed: u64) -> Result<(), Failure> {
    crate::compare::shortest(subject, seed, script, |played| {
        let (stated, truth) = (crate::truth::stated(&played.report), played.truth.lines());
        for (line, truth) in truth {
            let stated = stated.get(&line).copied().unwrap_or_default();
            let what = format!("acquisitions that waited for lock {}", line.created);
            Failure::unless_equal(&what, &(truth.contentions as f64), &stated.contentions.value)?;
            let what = format!("nanoseconds waited for lock {}", line.created);
            Failure::unless_equal(&what, &(truth.wait_ns as f64), &stated.wait_ns.value)?;
        }
        Ok(())
    })
}
