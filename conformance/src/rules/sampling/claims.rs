//! What a report says of its own estimates: SAMPLE-05, SAMPLE-07 and SAMPLE-08.

use std::collections::BTreeMap;

use lockscope_core::Mode;

use super::played::{PERIOD, can_move, one_in, samples, times, uses};
use crate::keys::Recording;
use crate::lock::Make;
use crate::probe::Operation;
use crate::script::{Hold, Script, Step};
use crate::simulation::{Played, Simulation};
use crate::statistics::Runs;
use crate::subject::Subject;
use crate::trial::Trial;
use crate::truth::{Line, Totals, stated};
use crate::verdict::Failure;
use lockscope_core::report::Estimate;

const RUNS: u64 = 400;
/// What the variance of so many estimates is found to be has a standard error of
/// √(2/400) = 7 %, and 8 % where the estimates' distribution has longer tails: the
/// stated one is within five of those.
const STATED_VARIANCE: core::ops::RangeInclusive<f64> = 0.65..=1.6;
/// The part of them whose 95 % interval contains the truth has a standard error
/// of 1.1 %, and a conforming backend's is 94 % or more: five of those below that.
const LEAST_COVERAGE: f64 = 0.885;
/// An estimate of fewer samples is not normally distributed.
const ENOUGH: u64 = 100;
/// No program is played for longer to have that many.
const LONGEST: u32 = 16;

pub(super) fn standard_errors_hold(trial: &mut Trial) -> Result<(), Failure> {
    let subject = one_in(trial, 8)?;
    let fixed = |rounds| {
        let mut script = Script::default();
        let uses = uses(&mut script, Hold::About(500));
        script.push(times(1_200 * rounds, &uses));
        script
    };
    let moving = |rounds| {
        let mut script = Script::default();
        let uses = uses(&mut script, Hold::About(500));
        let set = |period: &str| Step::Configure(PERIOD, period.to_owned());
        let changes = [set("8"), times(20, &uses), set("4"), times(20, &uses)];
        script.push(Step::Repeat(20 * rounds, changes.into()));
        script
    };
    hold(&subject, trial.seed(), fixed)?;
    if can_move(&subject)? {
        hold(&subject, trial.seed(), moving)?;
    }
    Ok(())
}

/// Whether they hold in a program that takes longer until there are enough
/// samples.
fn hold(subject: &Subject, seed: u64, program: impl Fn(u32) -> Script) -> Result<(), Failure> {
    let (mut rounds, mut script) = (1, program(1));
    while fewest_samples(&Simulation::play(subject, seed, &script)?) < ENOUGH {
        rounds *= 2;
        if rounds > LONGEST {
            return Ok(());
        }
        script = program(rounds);
    }
    let mut quantities = BTreeMap::<(Line, &str), Runs>::new();
    for run in 0..RUNS {
        let played = Simulation::play(subject, seed.wrapping_add(run), &script)?;
        let stated = stated(&played.report);
        for (line, truth) in played.truth.lines() {
            let stated = stated.get(&line).copied().unwrap_or_default();
            let mut add = |name, stated: Estimate, truth: u64| {
                quantities.entry((line, name)).or_default().add(stated, truth as f64);
            };
            add("acquisitions", stated.acquisitions, truth.acquisitions);
            add("hold_ns", stated.hold_ns, truth.hold_ns);
        }
    }
    for ((line, name), runs) in &quantities {
        let is_right = runs.are_exact()
            || STATED_VARIANCE.contains(&runs.stated_variance())
                && runs.coverage() >= LEAST_COVERAGE;
        if !is_right {
            let steps = script.steps.iter().map(ToString::to_string);
            let steps = core::iter::once(format!("{RUNS} runs, in each:")).chain(steps);
            return Err(Failure::new(
                format!(
                    "{name} of lock {} at call site {}: a stated variance that is the one that the estimates have, give or take a third, and the truth within 1.96 standard errors in 95 % of the runs",
                    line.created, line.site
                ),
                format!(
                    "{:.2} of that variance, and the truth in {:.1} % of the intervals",
                    runs.stated_variance(),
                    runs.coverage() * 100.0
                ),
            )
            .after(steps));
        }
    }
    Ok(())
}

/// The samples of the line that has fewest.
fn fewest_samples(played: &Played) -> u64 {
    let sites = played.report.locks.iter().flat_map(|lock| lock.sites.iter());
    sites.map(|site| site.samples).min().unwrap_or(0)
}

pub(super) fn periods_are_told(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::OneIn(16))?;
    let can_move = can_move(&subject)?;
    let mut script = Script::default();
    script.lock(Make::MUTEX);
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    let by = Operation { thread: 0, lock: 0, mode: Mode::EXCLUSIVE, site: 1 };
    let (mut weights, mut history) = (Vec::new(), Vec::new());
    for period in ["", "4", "32", "2"] {
        if !period.is_empty() {
            if !can_move {
                break;
            }
            simulation.run(&[Step::Configure(PERIOD, period.to_owned())])?;
            history.push(format!("the key '{PERIOD}' becomes {period}"));
        }
        let samples = samples(&mut simulation, &subject, by, 20, 2_000)?;
        history.push(format!("{} samples of one mutex are taken", samples.len()));
        weights.extend(samples.into_iter().map(|sample| sample.weight));
    }
    let Played { report, .. } = simulation.stop()?;
    let told: Vec<u32> = report.periods.to_vec();
    let missing = weights.iter().find(|weight| !told.contains(weight));
    if let Some(weight) = missing {
        let observed = format!("the periods {told:?}, and a sample of weight {weight}");
        let expected = "a list of periods in which each weight of a sample stands";
        return Err(Failure::new(expected, observed).after(history));
    }
    Ok(())
}

pub(super) fn a_seed_repeats_a_run(trial: &mut Trial) -> Result<(), Failure> {
    let subject = one_in(trial, 8)?;
    let mut script = Script::default();
    let uses = uses(&mut script, Hold::Exactly(100));
    script.push(times(200, &uses));
    let play = |seed| -> Result<BTreeMap<Line, Totals<Estimate>>, Failure> {
        Ok(stated(&Simulation::play(&subject, seed, &script)?.report))
    };
    let seed = trial.seed();
    let first = play(seed)?;
    let mut are_same = true;
    for other in 1..=8 {
        are_same &= play(seed.wrapping_add(other))? == first;
        Failure::unless_equal("the totals of the run before with this seed", &first, &play(seed)?)
            .map_err(|failure| failure.after(script.steps.iter().map(ToString::to_string)))?;
    }
    let is_drawn = first.values().any(|totals| totals.acquisitions.variance > 0.0);
    if are_same && is_drawn {
        return Err(Failure::new("other samples with another seed", "the same with nine seeds"));
    }
    Ok(())
}
