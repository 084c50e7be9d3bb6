//! Checks in a simulated program.

use std::collections::BTreeMap;

use lockscope_core::backend::{BackendError, ErrorKind, Pace};
use lockscope_core::gate::state;
use lockscope_core::report::{Estimate, Report};

use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::script::{Hold, Script, Step, Use};
use crate::simulation::Simulation;
use crate::subject::Subject;
use crate::trial::Trial;
use crate::truth::{Line, Totals, stated};
use crate::verdict::Failure;

/// A bit of everything, on locks of all sorts.
pub(super) fn program() -> Script {
    let mut script = Script::default();
    let makes = [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS, Make::SLOTLESS_RWLOCK];
    let locks = makes.map(|make| script.lock(make));
    for site in 1..=3 {
        for lock in locks {
            let by = Use { thread: site % 2, site, hold: Hold::Exactly(40), ..Use::of(lock) };
            script.extend([
                Step::Take(by),
                Step::Wait(by, Hold::Exactly(170)),
                Step::GiveUp(by, Hold::Exactly(90)),
                Step::Refuse(by),
                Step::Take(by),
            ]);
        }
        let reading = Use { site, hold: Hold::Exactly(30), ..Use::reading(locks[1]) };
        script.push(Step::Take(reading));
    }
    script
}

/// What a session that nobody disturbs reports of that program.
fn undisturbed(trial: &mut Trial, script: &Script) -> Result<Report, Failure> {
    let subject = trial.subject(Recording::Everything)?;
    plain(&subject, trial.seed(), script)
}

fn plain(subject: &Subject, seed: u64, script: &Script) -> Result<Report, Failure> {
    let played = Simulation::play(subject, seed, script);
    played.map(|played| played.report).map_err(|error| Failure::blocked_by("EVENT-01", error))
}

/// That this backend counts what happens in a session that nobody disturbs.
pub(super) fn counts_at_all(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let played = Simulation::play(&subject, trial.seed(), &program())
        .map_err(|error| Failure::blocked_by("EVENT-01", error))?;
    compare::exact(&played).map_err(|Failure { expected, observed, .. }| {
        Failure::blocked_by("EVENT-01", format!("{expected}, and not {observed}"))
    })
}

/// That the call was refused as one at the wrong time.
fn refused<T>(call: &str, result: Result<T, BackendError>) -> Result<(), Failure> {
    of_kind(ErrorKind::State, call, result)
}

fn of_kind<T>(kind: ErrorKind, call: &str, result: Result<T, BackendError>) -> Result<(), Failure> {
    let observed = match result {
        Err(error) if error.kind == kind => return Ok(()),
        Err(error) => format!("an error of kind {:?}: {error}", error.kind),
        Ok(_) => "no error".to_owned(),
    };
    Err(Failure::new(format!("an error of kind {kind:?} for {call}"), observed))
}

/// That two reports say the same of every line, and of the session.
fn same(when: &str, expected: &Report, observed: &Report) -> Result<(), Failure> {
    let (expects, observes) = (stated(expected), stated(observed));
    for line in expects.keys().chain(observes.keys()) {
        let numbers = |all: &BTreeMap<Line, Totals<Estimate>>| {
            all.get(line).copied().unwrap_or_default().each()
        };
        for ((name, expected), (_, observed)) in
            numbers(&expects).into_iter().zip(numbers(&observes))
        {
            let Line { created, site, mode } = line;
            let mode = mode.as_str();
            let what = format!("{name} of lock {created} at call site {site} ({mode}), {when}");
            Failure::unless_equal(&what, &expected.value, &observed.value)?;
        }
    }
    let session = |report: &Report| (report.samples, report.periods.to_vec());
    let what = format!("samples, and periods in force, {when}");
    Failure::unless_equal(&what, &session(expected), &session(observed))
}

pub(super) fn a_second_start_changes_nothing(trial: &mut Trial) -> Result<(), Failure> {
    let script = program();
    let expected = undisturbed(trial, &script)?;
    let (before, after) = script.steps.split_at(script.steps.len() / 2);
    let subject = trial.subject(Recording::Everything)?;
    let mut running = Simulation::start(&subject, trial.seed(), &script)?;
    running.run(before)?;
    let again = || Simulation::start(&subject, !trial.seed(), &script);
    refused("a start while a session runs", again())?;
    refused("another start while a session runs", again())?;
    running.run(after)?;
    same("after a start that was refused", &expected, &running.stop()?.report)
}

pub(super) fn a_stop_without_start_changes_nothing(trial: &mut Trial) -> Result<(), Failure> {
    let script = program();
    let expected = undisturbed(trial, &script)?;
    let subject = trial.subject(Recording::Everything)?;
    refused("a stop before the first start", subject.stop())?;
    let report = Simulation::play(&subject, trial.seed(), &script)?.report;
    same("after a stop that was refused", &expected, &report)?;
    refused("a second stop", subject.stop())?;
    same("after a second stop", &expected, &subject.snapshot()?)?;
    let report = Simulation::play(&subject, trial.seed(), &script)?.report;
    same("in the session after a second stop", &expected, &report)
}

pub(super) fn a_snapshot_before_the_first_start_changes_nothing(
    trial: &mut Trial,
) -> Result<(), Failure> {
    let script = program();
    let expected = undisturbed(trial, &script)?;
    let subject = trial.subject(Recording::Everything)?;
    for _ in 0..2 {
        refused("a snapshot before the first start", subject.snapshot())?;
    }
    let report = Simulation::play(&subject, trial.seed(), &script)?.report;
    same("after a snapshot that was refused", &expected, &report)
}

/// A session whose report nobody has asked for leaves nothing to the next one.
pub(super) fn a_session_that_nobody_asked_for_is_forgotten(
    trial: &mut Trial,
) -> Result<(), Failure> {
    let script = program();
    let expected = undisturbed(trial, &script)?;
    let subject = trial.subject(Recording::Everything)?;
    let mut first = Simulation::start(&subject, trial.seed(), &script)?;
    first.run(&script.steps)?;
    // The locks live on.
    subject.stop()?;
    let second = Simulation::play(&subject, trial.seed(), &script)?.report;
    drop(first);
    same("in the session after one whose report nobody asked for", &expected, &second)
}

pub(super) fn the_report_stays_after_the_stop(trial: &mut Trial) -> Result<(), Failure> {
    let script = program();
    let subject = trial.subject(Recording::Everything)?;
    let first = Simulation::play(&subject, trial.seed(), &script)?.report;
    for when in ["at once", "a moment later", "after another's session"] {
        let again = subject.snapshot()?;
        same(&format!("asked again {when}"), &first, &again)?;
        Failure::unless_equal(
            &format!("number of locks, asked again {when}"),
            &first.locks.len(),
            &again.locks.len(),
        )?;
        let notes = |report: &Report| report.notes.to_vec();
        Failure::unless_equal(
            &format!("notes, asked again {when}"),
            &notes(&first),
            &notes(&again),
        )?;
        std::thread::sleep(core::time::Duration::from_millis(3));
        if when != "at once" {
            undisturbed(trial, &script)?;
        }
    }
    Ok(())
}

pub(super) fn a_refused_key_changes_nothing(trial: &mut Trial) -> Result<(), Failure> {
    only_if_it_refuses_keys(trial)?;
    let script = program();
    let expected = undisturbed(trial, &script)?;
    let (before, after) = script.steps.split_at(script.steps.len() / 2);
    let subject = trial.subject(Recording::Everything)?;
    refuses_keys(&subject, "before the first start")?;
    let mut running = Simulation::start(&subject, trial.seed(), &script)?;
    running.run(before)?;
    refuses_keys(&subject, "in a running session")?;
    running.run(after)?;
    let report = running.stop()?.report;
    refuses_keys(&subject, "after the stop")?;
    same("after keys that were refused", &expected, &report)?;
    same("asked again, after keys that were refused", &expected, &subject.snapshot()?)
}

/// Looks first whether a key that is unknown is refused where LOAD-07 looks: in a
/// running session.
fn only_if_it_refuses_keys(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let running = Simulation::start(&subject, trial.seed(), &Script::default())?;
    let answer = subject.configure(NO_KEY, "1");
    running.stop()?;
    match answer {
        Ok(()) => Err(Failure::blocked_by("LOAD-07", format!("the key '{NO_KEY}' is taken"))),
        Err(_) => Ok(()),
    }
}

/// What nobody calls a key.
const NO_KEY: &str = "no_such_key";
/// No key: neither has any backend a use for them.
const UNKNOWN: [&str; 3] = ["", NO_KEY, "période"];
/// No value of a key that has a meaning for it.
const UNUSABLE: [&str; 4] = ["", "-1", "99999999999999999999", "no such value"];

fn refuses_keys(subject: &Subject, when: &str) -> Result<(), Failure> {
    for key in UNKNOWN {
        let call = format!("the unknown key '{key}' {when}");
        of_kind(ErrorKind::Setting, &call, subject.configure(key, "1"))?;
    }
    for key in &subject.description().keys {
        for value in UNUSABLE {
            let call = format!("the value '{value}' of the key '{}' {when}", key.name);
            let done = subject.configure(&key.name, value);
            match done {
                Ok(()) => return Err(Failure::blocked_by("LOAD-07", format!("{call} is taken"))),
                refused => of_kind(ErrorKind::Setting, &call, refused)?,
            }
        }
    }
    Ok(())
}

/// So many answers in a row may want to be followed by another at once.
const MOST_AT_ONCE: usize = 8;

pub(super) fn a_host_can_follow_the_pace(trial: &mut Trial) -> Result<(), Failure> {
    for recording in [Recording::Usual, Recording::OneIn(3), Recording::Everything] {
        let subject = trial.subject(recording)?;
        let script = program();
        let mut running = Simulation::start(&subject, trial.seed(), &script)?;
        follow(&subject, "after the start")?;
        for steps in script.steps.chunks(10) {
            running.run(steps)?;
            follow(&subject, "while the program runs")?;
        }
        if subject.wake("to see its pace").is_ok() {
            follow(&subject, "after it was woken")?;
        }
        for key in &subject.description().keys {
            if subject.configure(&key.name, &key.default).is_ok() {
                follow(&subject, &format!("after its key '{}' was set", key.name))?;
            }
        }
        running.stop()?;
    }
    Ok(())
}

fn follow(subject: &Subject, when: &str) -> Result<(), Failure> {
    for _ in 0..MOST_AT_ONCE {
        let Pace { gate, contended_period, ask_after_ns } = subject.pace(0)?;
        if ![state::OPEN, state::WATCH, state::CLOSED].contains(&gate) {
            let observed = format!("{gate}");
            return Err(Failure::new(format!("a state that gates have, {when}"), observed));
        }
        if contended_period == 0 {
            return Err(Failure::new(format!("a contended period of 1 or more, {when}"), "0"));
        }
        if ask_after_ns > 0 {
            return Ok(());
        }
    }
    let observed = format!("{MOST_AT_ONCE} answers in a row that are to be asked for after 0 ns");
    Err(Failure::new(format!("time to pass before it is asked again, {when}"), observed))
}

const WARM_UP: usize = 200;
const SESSIONS: usize = 1_000;
/// What may be left behind all the same: what an allocator does not give back.
const MOST_LEFT: u64 = 4 << 20;

pub(super) fn a_thousand_sessions_leave_no_memory(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let seed = trial.seed();
    let mut script = Script::default();
    for _ in 0..12 {
        let lock = script.lock(Make::MUTEX);
        script.push(Step::Take(Use::of(lock)));
    }
    // Locks that live through all of it.
    let mut alive = Simulation::start(&subject, seed, &script)?;
    alive.run(&script.steps)?;
    subject.stop()?;
    let cycle = || Simulation::play(&subject, seed, &script).map(drop);
    (0..WARM_UP).try_for_each(|_| cycle())?;
    let before = resident();
    (0..SESSIONS).try_for_each(|_| cycle())?;
    let left = resident().saturating_sub(before);
    if left <= MOST_LEFT {
        return Ok(());
    }
    let expected = format!("no more than {} KB more after {SESSIONS} sessions", MOST_LEFT >> 10);
    Err(Failure::new(expected, format!("{} KB more", left >> 10)))
}

/// How much memory this process has, in bytes.
fn resident() -> u64 {
    const PAGE: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default() * PAGE
}
