//! Keys, values, errors, and instances that have values of their own.

use lockscope_core::backend::{BackendError, ErrorKind, Setting};

use super::life;
use crate::compare;
use crate::keys::Recording;
use crate::script::Script;
use crate::simulation::Simulation;
use crate::subject::Subject;
use crate::trial::Trial;
use crate::verdict::Failure;

pub(super) fn defaults_can_be_used(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.fresh()?;
    let fails = |what: &str, error: BackendError| {
        Failure::new(
            format!("to {what} with the default values"),
            format!("an error of kind {:?}: {error}", error.kind),
        )
    };
    subject.init(&subject.settings(&[])).map_err(|error| fails("initialise", error))?;
    let simulation = Simulation::start(&subject, trial.seed(), &Script::default())
        .map_err(|error| fails("start", error))?;
    simulation.stop().map(drop).map_err(|error| fails("stop", error))
}

/// Two configurations that a report can tell apart.
const FIRST: Recording = Recording::OneIn(4);
const SECOND: Recording = Recording::OneIn(16);

pub(super) fn second_init_replaces_or_is_refused(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(FIRST)?;
    let in_force = match subject.init(&trial.settings(&subject, SECOND)?) {
        Ok(()) => SECOND,
        Err(error) if matches!(error.kind, ErrorKind::State | ErrorKind::Setting) => FIRST,
        Err(error) => {
            return Err(Failure::new(
                "a second initialisation to be taken, or refused with an error of kind State or Setting",
                format!("an error of kind {:?}: {error}", error.kind),
            ));
        }
    };
    let like = trial.subject(in_force)?;
    let (seed, script) = (trial.seed(), life::script());
    let expected = Simulation::play(&like, seed, &script)?.report.periods;
    let observed = Simulation::play(&subject, seed, &script)?.report.periods;
    let history = [
        "initialise with period = 4".to_owned(),
        format!("initialise again with period = 16: {}", answer(in_force)),
        "a session".to_owned(),
    ];
    Failure::unless_equal("the periods that were in force", &expected, &observed)
        .map_err(|failure| failure.after(history))
}

fn answer(in_force: Recording) -> &'static str {
    if in_force == SECOND { "no error" } else { "an error" }
}

/// What no number is.
const NOT_A_NUMBER: &str = "x";
/// What some keys can have, and others cannot.
const ODD: [&str; 6] = ["", NOT_A_NUMBER, "-1", "1e99", "99999999999999999999", "\u{1f512}\n"];
/// What nobody calls a key.
const NO_KEY: &str = "there_is_no_such_key";

pub(super) fn what_cannot_be_used_is_named(trial: &mut Trial) -> Result<(), Failure> {
    let keys = trial.plugin()?.description.keys.clone();
    for (key, odd) in keys.iter().flat_map(|key| ODD.map(|odd| (key, odd))) {
        let is_number = key.default.trim().parse::<u64>().is_ok();
        let subject = trial.fresh()?;
        let answer = subject.init(&subject.settings(&[(&key.name, odd)]));
        let history = [format!("initialise with {} = {odd:?}", key.name)];
        refusal(&key.name, answer, is_number && odd == NOT_A_NUMBER)
            .map_err(|failure| failure.after(history))?;
    }
    let subject = trial.subject(Recording::Usual)?;
    let simulation = Simulation::start(&subject, trial.seed(), &Script::default())?;
    let numbers = keys.iter().filter(|key| key.default.trim().parse::<u64>().is_ok());
    let wrong = numbers.map(|key| (&*key.name, NOT_A_NUMBER)).chain([(NO_KEY, "1")]);
    for (key, value) in wrong {
        let history = [format!("configure {key} = {value:?} while a session runs")];
        refusal(key, subject.configure(key, value), true)
            .map_err(|failure| failure.after(history))?;
    }
    simulation.stop()?;
    Ok(())
}

/// Whether the answer to a value is one that it may have.
fn refusal(
    key: &str,
    answer: Result<(), BackendError>,
    must_be_refused: bool,
) -> Result<(), Failure> {
    let expected = format!("an error of kind Setting that names '{key}'");
    match answer {
        Ok(()) if must_be_refused => Err(Failure::new(expected, "no error")),
        Err(error) if error.kind != ErrorKind::Setting => {
            Err(Failure::new(expected, format!("an error of kind {:?}: {error}", error.kind)))
        }
        Err(error) if !error.message.contains(key) => {
            Err(Failure::new(expected, format!("the message '{error}'")))
        }
        _ => Ok(()),
    }
}

pub(super) fn instances_share_nothing(trial: &mut Trial) -> Result<(), Failure> {
    let one = trial.subject(Recording::Everything)?;
    let other = trial.subject(Recording::Everything)?;
    let seed = trial.seed();
    for times in [1, 7] {
        beside_each_other(&one, &other, seed, times)?;
        beside_each_other(&other, &one, seed, times)?;
    }
    Ok(())
}

/// Plays the same locks, differently often, in two sessions that run beside each
/// other. They are held against what the same instances say of the same when they
/// are alone: whether that is the truth is another rule's matter.
fn beside_each_other(one: &Subject, other: &Subject, seed: u64, times: u32) -> Result<(), Failure> {
    let (script, steps) = (life::script(), life::steps());
    let mut first = Simulation::start(one, seed, &script)?;
    let mut second = Simulation::start(other, seed, &script)?;
    for _ in 0..times {
        first.run(&steps)?;
        second.run(&steps)?;
        second.run(&steps)?;
    }
    let beside = [first.stop()?, second.stop()?];
    let history = [
        "two instances are initialised and started".to_owned(),
        format!("{times} times: the first is told of some operations, the second of them twice"),
        "both are stopped".to_owned(),
    ];
    for ((beside, subject), each) in beside.into_iter().zip([one, other]).zip([times, 2 * times]) {
        let mut alone = Simulation::start(subject, seed, &script)?;
        (0..each).try_for_each(|_| alone.run(&steps))?;
        let alone = alone.stop()?;
        compare::alike(&alone.report, &beside.report, "as if it were alone")
            .map_err(|failure| failure.after(history.clone()))?;
    }
    Ok(())
}

pub(super) fn errors_say_what_to_do(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Usual)?;
    let mut errors = vec![
        ("a stop without a start", subject.stop().err()),
        ("a look before the first start", subject.snapshot().err()),
        ("a key that there is not", subject.configure(NO_KEY, "1").err()),
    ];
    for key in trial.plugin()?.description.keys.clone() {
        let subject = trial.fresh()?;
        let setting = Setting { key: key.name.clone(), value: "\u{1f512}".into() };
        let mut settings = subject.settings(&[]);
        settings.retain(|known| known.key != setting.key);
        settings.push(setting);
        errors.push(("a value that cannot be used", subject.init(&settings).err()));
    }
    for (what, error) in errors {
        let Some(error) = error else { continue };
        if !is_advice(&error.message) {
            let expected = format!("of {what}: a sentence, and then what to do");
            return Err(Failure::new(expected, format!("'{error}'")));
        }
    }
    Ok(())
}

/// Two parts at least, in words, on one line.
fn is_advice(message: &str) -> bool {
    let parts = message.split(['.', ';', ':', ',']).filter(|part| part.contains(' ')).count();
    parts >= 2 && message.split_whitespace().count() >= 6 && !message.contains('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_told_from_what_is_none() {
        assert!(is_advice("no session is running; start one before it is stopped"));
        assert!(is_advice("there is no key 'x'; the keys are period, max_locks"));
        assert!(!is_advice("invalid digit found in string"));
        assert!(!is_advice("not running"));
        assert!(!is_advice(""));
    }
}
