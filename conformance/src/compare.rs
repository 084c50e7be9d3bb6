//! A report beside the truth, and the shortest program for which they differ.

use lockscope_core::report::{Estimate, Report};

use crate::keys::Recording;
use crate::script::{Script, Step};
use crate::simulation::{Played, Simulation};
use crate::subject::Subject;
use crate::trial::Trial;
use crate::truth::{Line, stated};
use crate::verdict::Failure;

/// Whether every number is the truth, and says so; and nothing is lost.
///
/// # Errors
///
/// The first that is not.
pub fn exact(played: &Played) -> Result<(), Failure> {
    each(played, |stated, truth| stated == Estimate::exact(truth), "exactly")?;
    no_loss(&played.report)
}

/// Whether `script` is counted exactly when nothing else happens: if it is not,
/// that is the matter of EVENT-01.
///
/// # Errors
///
/// That it is not; or those of the backend.
pub fn counted_otherwise(trial: &mut Trial, script: &Script) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    exact(&Simulation::play(&subject, trial.seed(), script)?)
        .map_err(|failure| Failure::blocked_by("EVENT-01", failure.observed))
}

/// Whether no number is more than the truth.
///
/// # Errors
///
/// The first that is.
pub fn no_more_than_the_truth(played: &Played) -> Result<(), Failure> {
    each(played, |stated, truth| stated.value <= truth, "at most")
}

/// Whether the report speaks of no loss.
///
/// # Errors
///
/// The first loss.
pub fn no_loss(report: &Report) -> Result<(), Failure> {
    report.losses.first().map_or(Ok(()), |loss| {
        Err(Failure::new("no loss", format!("{} lost: {}", loss.count, loss.what)))
    })
}

/// Whether each number of each line `fits` the truth, which it is `how`.
///
/// # Errors
///
/// The first that does not.
pub fn each(
    played: &Played,
    fits: impl Fn(Estimate, f64) -> bool,
    how: &str,
) -> Result<(), Failure> {
    let (stated, truth) = (stated(&played.report), played.truth.lines());
    for line in stated.keys().chain(truth.keys()) {
        let stated = stated.get(line).copied().unwrap_or_default();
        let truth = truth.get(line).copied().unwrap_or_default();
        for ((name, stated), (_, truth)) in stated.each().into_iter().zip(truth.each()) {
            if !fits(stated, truth as f64) {
                return Err(Failure::new(
                    format!("{name} of {}: {how} {truth}", words(*line)),
                    said(stated),
                ));
            }
        }
    }
    Ok(())
}

/// Whether two reports state the same of each line: the second one is `how`.
///
/// # Errors
///
/// The first number that is another.
pub fn alike(expected: &Report, observed: &Report, how: &str) -> Result<(), Failure> {
    let (expected, observed) = (stated(expected), stated(observed));
    for line in expected.keys().chain(observed.keys()) {
        let expected = expected.get(line).copied().unwrap_or_default();
        let observed = observed.get(line).copied().unwrap_or_default();
        for ((name, expected), (_, observed)) in expected.each().into_iter().zip(observed.each()) {
            if expected != observed {
                return Err(Failure::new(
                    format!("{name} of {}, {how}: {}", words(*line), said(expected)),
                    said(observed),
                ));
            }
        }
    }
    Ok(())
}

fn words(line: Line) -> String {
    format!("lock {} at call site {} ({})", line.created, line.site, line.mode.as_str())
}

fn said(stated: Estimate) -> String {
    match stated.variance {
        0.0 => format!("{}", stated.value),
        _ => format!("{} with a standard error of {:.2}", stated.value, stated.standard_error()),
    }
}

/// Plays `script`, and compares. If they differ, they do so for the shortest
/// script that was found, whose steps are the failure's history.
///
/// # Errors
///
/// What `compare` says of it, or the backend.
pub fn shortest(
    subject: &Subject,
    seed: u64,
    script: &Script,
    compare: impl Fn(&Played) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let try_it = |steps: &[Step]| {
        let script = Script { steps: steps.to_vec(), ..script.clone() };
        match Simulation::play(subject, seed, &script) {
            Ok(played) => compare(&played),
            Err(error) => {
                // Whatever went wrong, the next try is to begin anew.
                let _ = subject.stop();
                Err(error.into())
            }
        }
    };
    shorten(script, try_it)
}

/// Does something with the steps of `script`. If that fails, it does so for the
/// shortest list of them that was found, which is the failure's history.
///
/// # Errors
///
/// What `try_it` says of it.
pub fn shorten(
    script: &Script,
    try_it: impl Fn(&[Step]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Err(mut failure) = try_it(&script.steps) else { return Ok(()) };
    let mut steps = script.steps.clone();
    let mut chunk = steps.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + chunk).min(steps.len()));
            match try_it(&fewer) {
                Err(same) => (steps, failure) = (fewer, same),
                Ok(()) => at += chunk,
            }
        }
        chunk /= 2;
    }
    Err(failure.after(steps.iter().map(ToString::to_string)))
}
