//! How programs are played: one operation after the other, or many runs that are
//! added up.

use std::collections::BTreeMap;

use lockscope_core::backend::BackendError;
use lockscope_core::report::{Estimate, Report};

use crate::keys::Recording;
use crate::lock::Make;
use crate::probe::Operation;
use crate::script::{Hold, Script, Step, Use};
use crate::simulation::Simulation;
use crate::subject::Subject;
use crate::trial::Trial;
use crate::truth::{Line, Totals, stated};
use crate::verdict::Failure;

/// The key by which the period is moved.
pub(super) const PERIOD: &str = "period";

/// A backend that samples one operation in `period`, and that does not move it
/// beyond that by itself, if it has keys to say so.
pub(super) fn one_in(trial: &mut Trial, period: u32) -> Result<Subject, Failure> {
    trial.subject_with(Recording::OneIn(period), &[("max_period", &period.to_string())])
}

/// Whether the period can be changed in a running session.
pub(super) fn can_move(subject: &Subject) -> Result<bool, Failure> {
    let simulation = Simulation::start(subject, 0, &Script::default())?;
    let is_moved = subject.configure(PERIOD, "4").is_ok();
    simulation.stop()?;
    Ok(is_moved)
}

/// One of each sort of use: counted by lock at two call sites, and by thread.
pub(super) fn uses(script: &mut Script, hold: Hold) -> [Use; 4] {
    let mutex = Use { hold, ..Use::of(script.lock(Make::MUTEX)) };
    let read = Use { hold, thread: 1, ..Use::reading(script.lock(Make::RWLOCK)) };
    let slotless = Use { hold, thread: 2, ..Use::of(script.lock(Make::SLOTLESS)) };
    [mutex, Use { site: 2, ..mutex }, read, slotless]
}

/// All of these, so many times.
pub(super) fn times(times: u32, uses: &[Use]) -> Step {
    Step::Repeat(times, uses.iter().copied().map(Step::Take).collect())
}

/// A sample, as a report shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// Operations since the last one, itself included.
    pub(super) distance: u32,
    /// How many it stands for.
    pub(super) weight: u32,
}

/// Uses a lock until there are `most` samples of it, or it was used `uses` times;
/// then what each sample stands for, by the report before it and after it.
pub(super) fn samples(
    simulation: &mut Simulation<'_>,
    subject: &Subject,
    by: Operation,
    most: usize,
    uses: u32,
) -> Result<Vec<Sample>, BackendError> {
    let (mut samples, mut distance) = (Vec::new(), 0);
    let mut before = acquisitions(&subject.snapshot()?);
    for _ in 0..uses {
        let probe = simulation.probe();
        probe.pass(20);
        distance += 1;
        let held = probe.acquire(by);
        let is_recorded = held.is_recorded();
        probe.release(&held);
        if is_recorded {
            let now = acquisitions(&subject.snapshot()?);
            samples.push(Sample { distance, weight: (now - before).round() as u32 });
            (before, distance) = (now, 0);
        }
        if samples.len() == most {
            break;
        }
    }
    Ok(samples)
}

fn acquisitions(report: &Report) -> f64 {
    stated(report).values().map(|line| line.acquisitions.value).sum()
}

/// What many runs state of one line, and what has happened there.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub(super) stated: Totals<Estimate>,
    pub(super) truth: Totals<u64>,
}

/// Many runs of one program, added up by line.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) lines: BTreeMap<Line, Sum>,
    /// The longest period that any of the reports states.
    pub(super) longest: u32,
}

/// Plays `script` with so many seeds, the first of which is `seed`.
pub(super) fn sums(
    subject: &Subject,
    seed: u64,
    runs: u64,
    script: &Script,
) -> Result<Sums, BackendError> {
    let mut sums = Sums { lines: BTreeMap::new(), longest: 1 };
    for run in 0..runs {
        let played = Simulation::play(subject, seed.wrapping_add(run), script)?;
        sums.longest = played.report.periods.iter().copied().fold(sums.longest, u32::max);
        for (line, stated) in stated(&played.report) {
            sums.lines.entry(line).or_default().stated += stated;
        }
        for (line, truth) in played.truth.lines() {
            sums.lines.entry(line).or_default().truth += truth;
        }
    }
    Ok(sums)
}
