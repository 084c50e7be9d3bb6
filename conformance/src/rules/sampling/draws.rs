//! What is drawn: SAMPLE-01 and SAMPLE-02.

use lockscope_core::Mode;

use super::bias::{Runs, unbiased};
use super::played::{Sample, one_in, samples};
use crate::lock::Make;
use crate::probe::Operation;
use crate::random::Random;
use crate::script::{Script, Step, Use};
use crate::simulation::Simulation;
use crate::trial::Trial;
use crate::verdict::Failure;

/// So many samples of each sort of lock, if it takes no more than `USES`.
const SAMPLES: usize = 2_000;
const USES: u32 = 100_000;
/// Of fewer nothing can be said.
const ENOUGH: usize = 200;
const BINS: usize = 10;
/// χ² with nine degrees of freedom has a mean of 9 and a standard deviation of
/// 4.2; one in 10⁹ is beyond 60.
const MOST_CHI_SQUARE: f64 = 60.0;
/// Correlation of neighbours, in standard errors.
const MOST_ERRORS: f64 = 6.0;

pub(super) fn countdowns_are_geometric(trial: &mut Trial) -> Result<(), Failure> {
    let subject = one_in(trial, 10)?;
    let mut random = trial.random();
    let sorts = [
        (Make::MUTEX, Mode::EXCLUSIVE, "a mutex"),
        (Make::RWLOCK, Mode::SHARED, "a lock that is read"),
        (Make::SLOTLESS, Mode::EXCLUSIVE, "a lock without slot"),
    ];
    for (make, mode, name) in sorts {
        let mut script = Script::default();
        script.lock(make);
        let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
        let by = Operation { thread: 0, lock: 0, mode, site: 1 };
        let samples = samples(&mut simulation, &subject, by, SAMPLES, USES)?;
        simulation.stop()?;
        if samples.len() >= ENOUGH {
            are_geometric(&samples, name, &mut random)?;
        }
    }
    Ok(())
}

/// Puts each distance to where its distribution function says, at random within
/// the step of a whole number: such places are uniform and independent.
fn are_geometric(samples: &[Sample], name: &str, random: &mut Random) -> Result<(), Failure> {
    let place = |sample: &Sample, random: &mut Random| {
        let misses = 1.0 - 1.0 / f64::from(sample.weight.max(1));
        let beyond = |distance: u32| misses.powf(f64::from(distance));
        let (before, after) = (beyond(sample.distance - 1), beyond(sample.distance));
        1.0 - before + random.uniform() * (before - after)
    };
    let places: Vec<f64> = samples.iter().map(|sample| place(sample, random)).collect();
    let mut bins = [0_u32; BINS];
    for place in &places {
        bins[((place * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    let expected = places.len() as f64 / BINS as f64;
    let chi_square: f64 =
        bins.iter().map(|bin| (f64::from(*bin) - expected).powi(2) / expected).sum();
    // Each product has a mean of 0, and a variance of 1/144.
    let products: f64 = places.windows(2).map(|two| (two[0] - 0.5) * (two[1] - 0.5)).sum();
    let correlation = products * 12.0 / ((places.len() - 1) as f64).sqrt();
    let first: Vec<String> = samples
        .iter()
        .take(12)
        .map(|sample| format!("{} (weight {})", sample.distance, sample.weight))
        .collect();
    let history = [
        format!("{name} is used, again and again"),
        format!(
            "{} samples were taken; distances of the first: {}",
            places.len(),
            first.join(", ")
        ),
    ];
    if chi_square > MOST_CHI_SQUARE {
        return Err(Failure::new(
            "about as many countdowns in each tenth of the geometric distribution",
            format!("{bins:?}, with a χ² of {chi_square:.0}; 60 is the most"),
        )
        .after(history));
    }
    if correlation.abs() > MOST_ERRORS {
        return Err(Failure::new(
            "countdowns that have nothing to do with the ones before them",
            format!("neighbours whose correlation is off by {correlation:.1} standard errors"),
        )
        .after(history));
    }
    Ok(())
}

pub(super) fn turns_get_their_share(trial: &mut Trial) -> Result<(), Failure> {
    let period = 12;
    let subject = one_in(trial, period)?;
    // All but 5 divide the period.
    for length in [2, 3, 5, 12] {
        for turn in [sites, locks, reads] {
            let mut script = Script::default();
            let uses = turn(&mut script, length);
            script.push(Step::Repeat(300, uses.into_iter().map(Step::Take).collect()));
            unbiased(&subject, &script, Runs { seed: trial.seed(), number: 12, most_ns: 0 })?;
        }
    }
    Ok(())
}

/// Call sites of one lock.
fn sites(script: &mut Script, length: usize) -> Vec<Use> {
    let lock = script.lock(Make::MUTEX);
    (1..=length).map(|site| Use { site, ..Use::of(lock) }).collect()
}

/// Locks, each with a countdown of its own.
fn locks(script: &mut Script, length: usize) -> Vec<Use> {
    (0..length).map(|_| Use::of(script.lock(Make::MUTEX))).collect()
}

/// Locks that are read, which a thread counts together.
fn reads(script: &mut Script, length: usize) -> Vec<Use> {
    (0..length).map(|_| Use::reading(script.lock(Make::RWLOCK))).collect()
}
