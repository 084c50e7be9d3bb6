//! FAIL-06: values that nobody means.

use lockscope_core::backend::{BackendError, ErrorKind};

use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::script::{Hold, Script, Step, Use};
use crate::simulation::Simulation;
use crate::trial::Trial;
use crate::verdict::Failure;

/// What is no number, or none that anybody has a use for.
const HOSTILE: [&str; 18] = [
    "",
    " ",
    "\0",
    "1\0",
    "-1",
    "-9223372036854775809",
    "4294967296",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "1e400",
    "NaN",
    "-inf",
    "0x10",
    "1;2",
    "١",
    "１",
    "näher",
    "\u{1f512}\u{200d}\u{301}",
];

pub(super) fn hostile_values_are_refused(trial: &mut Trial) -> Result<(), Failure> {
    let long = "9".repeat(64 << 10);
    let values: Vec<&str> = HOSTILE.into_iter().chain([&*long]).collect();
    refused_at_init(trial, &values)?;
    refused_in_a_session(trial, &values)
}

fn refused_at_init(trial: &mut Trial, values: &[&str]) -> Result<(), Failure> {
    let keys = trial.plugin()?.description.keys.clone();
    for key in &keys {
        for value in values {
            let subject = trial.fresh()?;
            let answer = subject.init(&subject.settings(&[(&key.name, value)]));
            of_kind_setting(&key.name, value, answer)?;
        }
    }
    Ok(())
}

/// Everything is recorded before and after, so a change would show.
fn refused_in_a_session(trial: &mut Trial, values: &[&str]) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let given = Recording::Everything.keys();
    let mut script = Script::default();
    let uses = [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS].map(|make| {
        let lock = script.lock(make);
        Step::Take(Use { hold: Hold::Exactly(30), ..Use::of(lock) })
    });
    let uses = Step::Repeat(30, uses.into());
    compare::counted_otherwise(trial, &Script { steps: vec![uses.clone()], ..script.clone() })?;
    let mut keys: Vec<(String, String)> = subject
        .description()
        .keys
        .iter()
        .map(|key| {
            let given = given.iter().find(|(name, _)| *name == *key.name);
            let value = given.map_or(key.default.to_string(), |(_, value)| value.clone());
            (key.name.to_string(), value)
        })
        .collect();
    keys.extend(["", "\0", "né"].map(|key| (key.to_owned(), "1".to_owned())));
    for (key, before) in &keys {
        let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
        let step = core::slice::from_ref(&uses);
        simulation.run(step)?;
        let mut history = vec!["three locks are used".to_owned()];
        for value in values {
            let answer = subject.configure(key, value);
            history.push(format!("the key {key:?} is to become {}", shown(value)));
            if answer.is_ok() && subject.configure(key, before).is_err() {
                // It has taken a value, and cannot go back: nothing to compare.
                break;
            }
            of_kind_setting(key, value, answer)?;
        }
        simulation.run(step)?;
        history.push("the three locks are used as before".to_owned());
        compare::exact(&simulation.stop()?).map_err(|failure| failure.after(history))?;
    }
    Ok(())
}

fn of_kind_setting(
    key: &str,
    value: &str,
    answer: Result<(), BackendError>,
) -> Result<(), Failure> {
    match answer {
        Err(error) if error.kind != ErrorKind::Setting => Err(Failure::new(
            format!("{} as the key {key:?} is used, or refused with kind Setting", shown(value)),
            format!("an error of kind {:?}: {error}", error.kind),
        )),
        _ => Ok(()),
    }
}

/// A value as a failure names it: cut if it is long.
fn shown(value: &str) -> String {
    let cut: String = value.chars().take(48).collect();
    if cut.len() == value.len() { format!("{value:?}") } else { format!("{cut:?}…") }
}
