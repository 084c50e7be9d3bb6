//! Kinds and call sites, as many as there may be.

use lockscope_core::{CallSite, Event, EventKind, LockRef, Mode};

use super::counts::{LOCKS, modes};
use crate::compare;
use crate::keys::Recording;
use crate::probe::NO_EVENT;
use crate::script::{Hold, Script, Step, Use};
use crate::simulation::{Played, Simulation};
use crate::trial::Trial;
use crate::truth::{Line, stated};
use crate::verdict::Failure;

/// None that there is.
const UNKNOWN: [u8; 6] = [0, 4, 5, 77, 128, 255];

pub(super) fn unknown_kinds_change_nothing(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    let locks = LOCKS.map(|make| script.lock(make));
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    // Of locks that nobody has met, and then of those that are known.
    for round in 0..2 {
        for kind in UNKNOWN.map(EventKind) {
            for lock in locks {
                let samples = subject.snapshot()?.samples;
                let probe = simulation.probe();
                let begin_ns = probe.now_ns();
                probe.pass(3_000);
                probe.happened(Use::of(lock).operation(), kind, begin_ns);
                subject.event(&odd(lock.created(), kind, begin_ns));
                let history = [format!(
                    "an event of kind {} is told of lock {}, {}",
                    kind.0,
                    lock.created(),
                    if round == 0 { "the first of it" } else { "which is known" }
                )];
                let so_far = simulation.so_far()?;
                compare::exact(&so_far)
                    .and_then(|()| {
                        Failure::unless_equal("samples", &samples, &so_far.report.samples)
                    })
                    .map_err(|failure| failure.after(history))?;
            }
        }
        for lock in locks {
            let by = Use { hold: Hold::Exactly(30), ..Use::of(lock) };
            simulation.run(&[Step::Take(by), Step::Wait(by, Hold::Exactly(200))])?;
        }
    }
    compare::exact(&simulation.stop()?)
}

/// With everything set that means something in other kinds.
fn odd(created: usize, kind: EventKind, begin: u64) -> Event {
    let lock = LockRef { address: 0xb000, created: CallSite(created), ..NO_EVENT.lock };
    Event {
        lock,
        kind,
        mode: Mode(9),
        contended: 1,
        counted: 1,
        weight: 1_000,
        site: CallSite(1),
        holder: CallSite(2),
        thread: 1,
        begin,
        acquired: begin + 1_000,
        end: begin + 2_000,
        ..NO_EVENT
    }
}

/// Near each other, and alike in their lower halves, or in their upper ones.
fn sites() -> impl Iterator<Item = usize> {
    let near = 1..=16;
    let aligned = (0..8).map(|number| 0x5555_0000_1000 + number * 0x18);
    let alike = (1..=6).map(|upper| upper << 40 | 0x0000_1234_5678);
    let last = [0x7fff_ffff_fff0, 0x7fff_ffff_fff8, 0xffff_ffff_ffff];
    near.chain(aligned).chain(alike).chain(last)
}

pub(super) fn call_sites_are_apart(trial: &mut Trial) -> Result<(), Failure> {
    let script = everywhere();
    let subject = trial.subject(Recording::Everything)?;
    let played = Simulation::play(&subject, trial.seed(), &script)?;
    if played.report.losses.is_empty() {
        compare::exact(&played)?;
    } else {
        no_more_is_missing_than_said(&played)?;
    }
    // Where there is room for few.
    let subject = trial.subject_with(Recording::Everything, &[("max_sites", "3")])?;
    no_more_is_missing_than_said(&Simulation::play(&subject, trial.seed(), &script)?)
}

/// Each lock is used at every call site, in all modes, twice and by two threads.
fn everywhere() -> Script {
    let mut script = Script::default();
    let locks = LOCKS.map(|make| (script.lock(make), make));
    for thread in 0..2 {
        for (site, number) in sites().zip(1..) {
            for (lock, make) in locks {
                let mode = modes(make)[number % modes(make).len()];
                let hold = Hold::Exactly(number as u64);
                let by = Use { thread, lock, mode, site, hold };
                script.extend([Step::Take(by), Step::Wait(by, Hold::Exactly(50))]);
            }
        }
    }
    script
}

/// Whether no call site has more than its own, and nothing is missing that was
/// not told as lost.
fn no_more_is_missing_than_said(played: &Played) -> Result<(), Failure> {
    let (stated, truth) = (stated(&played.report), played.truth.lines());
    for (line, stated) in &stated {
        let truth = truth.get(line).copied().unwrap_or_default();
        // Site 0 is where those are that have no place of their own.
        if line.site != 0 && stated.acquisitions.value > truth.acquisitions as f64 {
            let expected =
                format!("at most {} acquisitions of {}", truth.acquisitions, words(line));
            return Err(Failure::new(expected, format!("{}", stated.acquisitions.value)));
        }
    }
    let sum: f64 = stated.values().map(|line| line.acquisitions.value).sum();
    let lost: u64 = played.report.losses.iter().map(|loss| loss.count).sum();
    let all = played.truth.sum().acquisitions as f64;
    if sum <= all && sum + lost as f64 >= all {
        return Ok(());
    }
    let expected = format!("{all} acquisitions in all, or losses that say how many are missing");
    Err(Failure::new(expected, format!("{sum} acquisitions, and {lost} losses")))
}

fn words(line: &Line) -> String {
    format!("lock {} at call site {:#x} ({})", line.created, line.site, line.mode.as_str())
}
