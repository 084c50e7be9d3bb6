//! FAIL-03, FAIL-04 and FAIL-05: more than there is room for.

use lockscope_core::CallSite;
use lockscope_core::report::Report;

use super::by_hand::{HandLock, start};
use crate::keys::Recording;
use crate::lock::Make;
use crate::random::Random;
use crate::script::{Hold, Script, Step, Use};
use crate::simulation::{Played, Simulation};
use crate::subject::Subject;
use crate::trial::Trial;
use crate::truth::stated;
use crate::verdict::Failure;

const MAX_LOCKS: usize = 5;
const MAX_SITES: usize = 4;
const MAKES: [Make; 4] = [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS, Make::SLOTLESS_RWLOCK];

fn has_key(subject: &Subject, name: &str) -> bool {
    subject.description().keys.iter().any(|key| key.name == name)
}

/// So many locks of all sorts, used at so many call sites, and some of them
/// dropped.
fn program(random: &mut Random, locks: usize, sites: u64) -> Script {
    let mut script = Script::default();
    let locks: Vec<_> = (0..locks).map(|number| script.lock(MAKES[number % 4])).collect();
    for _ in 0..300 {
        let lock = locks[random.below(locks.len() as u64) as usize];
        let hold = Hold::Exactly(random.below(100));
        let site = 1 + random.below(sites) as usize;
        let by = Use { hold, site, thread: random.below(3) as usize, ..Use::of(lock) };
        script.push(match random.below(10) {
            0 => Step::Replace(lock),
            1 => Step::Wait(by, Hold::Exactly(30)),
            2 => Step::GiveUp(by, Hold::Exactly(30)),
            3 => Step::Refuse(by),
            _ => Step::Take(by),
        });
    }
    script
}

fn full(trial: &mut Trial, name: &str, most: usize) -> Result<Subject, Failure> {
    trial.subject_with(Recording::Everything, &[(name, &most.to_string())])
}

pub(super) fn limits_hold(trial: &mut Trial) -> Result<(), Failure> {
    let mut random = trial.random();
    let subject = full(trial, "max_locks", MAX_LOCKS)?;
    if has_key(&subject, "max_locks") {
        for _ in 0..5 {
            let script = program(&mut random, 10 * MAX_LOCKS, 3);
            let played = Simulation::play(&subject, trial.seed(), &script)?;
            at_most("locks", played.report.locks.len(), MAX_LOCKS, 1)?;
        }
    }
    let subject = full(trial, "max_sites", MAX_SITES)?;
    if has_key(&subject, "max_sites") {
        for _ in 0..5 {
            let script = program(&mut random, 4, 10 * MAX_SITES as u64);
            let played = Simulation::play(&subject, trial.seed(), &script)?;
            for lock in &played.report.locks {
                // Threads may have call sites of their own, up to the limit.
                let most = 3 * MAX_SITES;
                at_most("call sites of one lock", lock.sites.len(), most, 3)?;
            }
        }
    }
    Ok(())
}

fn at_most(what: &str, rows: usize, most: usize, rest: usize) -> Result<(), Failure> {
    if rows <= most + rest {
        return Ok(());
    }
    let expected = format!("rows for {most} {what} at most, and {rest} for the rest");
    Err(Failure::new(expected, format!("{rows} rows")))
}

pub(super) fn losses_are_counted(trial: &mut Trial) -> Result<(), Failure> {
    let mut random = trial.random();
    for (key, most) in [("max_locks", MAX_LOCKS), ("max_sites", MAX_SITES), ("max_threads", 1)] {
        let subject = full(trial, key, most)?;
        for _ in 0..10 {
            let script = program(&mut random, 4 * MAX_LOCKS, 4 * MAX_SITES as u64);
            crate::compare::counted_otherwise(trial, &script)?;
            crate::compare::shortest(&subject, random.bits(), &script, |played| {
                adds_up(played, key == "max_locks")
            })?;
        }
    }
    Ok(())
}

/// Whether the report and its losses are the truth. Where a call site alone has
/// no place, its operations may be there all the same.
fn adds_up(played: &Played, is_all: bool) -> Result<(), Failure> {
    let truth = played.truth.sum();
    let truth = truth.acquisitions + truth.failures + truth.idles;
    let told = operations(&played.report);
    let lost: u64 = played.report.losses.iter().map(|loss| loss.count).sum();
    let is_right =
        if is_all { told + lost == truth } else { told <= truth && told + lost >= truth };
    if is_right {
        return Ok(());
    }
    let losses: Vec<String> =
        played.report.losses.iter().map(|loss| format!("{} {}", loss.count, loss.what)).collect();
    Err(Failure::new(
        format!("{truth} operations, told or lost"),
        format!("{told} that are told, and {lost} that are lost ({})", losses.join(", ")),
    ))
}

fn operations(report: &Report) -> u64 {
    let all = stated(report);
    let of = |totals: &crate::truth::Totals<lockscope_core::report::Estimate>| {
        totals.acquisitions.value + totals.failures.value + totals.idles.value
    };
    all.values().map(of).sum::<f64>() as u64
}

/// Locks that are met: a million would show no more, and take twice as long.
const LOCKS: u64 = 400_000;
/// So many call sites, and origins.
const OTHERS: u64 = 40_000;
const THREADS: u64 = 200;
/// Limits are reached after this part of them.
const FIRST: u64 = 4;
/// So much more may be had after the rest: less than what 32 bytes of each lock
/// take that are kept, and more than an allocator moves to and fro.
const MOST_BYTES: u64 = 24 << 20;

pub(super) fn memory_is_bounded(trial: &mut Trial) -> Result<(), Failure> {
    let few = [("max_locks", "1000"), ("max_sites", "16"), ("max_threads", "8")];
    let subject = trial.subject_with(Recording::Everything, &few)?;
    let session = start(&subject, trial.seed())?;
    let use_once = |id: u64, created: usize, site: usize| {
        let lock = HandLock::met(&subject, &session, id, created);
        lock.arm(subject.event(&lock.released(site)));
        lock
    };
    grows("locks that are met", LOCKS, |number| {
        use_once(1 + number, 1, 1);
    })?;
    grows("locks that are dropped, each of an origin of its own", OTHERS, |number| {
        let lock = use_once(1 << 30 | number, 2 + number as usize, 1);
        subject.dropped(&lock.shown());
    })?;
    let one = HandLock::met(&subject, &session, 1, 1);
    grows("call sites of one lock, and threads that wait at them", OTHERS, |number| {
        let site = 2 + number as usize;
        one.arm(subject.event(&one.released(site)));
        let mut waited = one.released(site);
        (waited.contended, waited.counted, waited.thread) = (1, 0, site as u32);
        (waited.holder, waited.begin) = (CallSite(site + 1), 1_900);
        subject.event(&waited);
    })?;
    grows("threads that come and go", THREADS, |number| {
        std::thread::scope(|scope| {
            scope.spawn(|| use_once(1 << 31 | number, 1, 1));
        });
    })?;
    subject.stop()?;
    Ok(())
}

/// Does it so often, and looks at the memory after a part of that and at the end.
fn grows(what: &str, times: u64, mut act: impl FnMut(u64)) -> Result<(), Failure> {
    let first = times / FIRST;
    (0..first).for_each(&mut act);
    let before = resident();
    (first..times).for_each(&mut act);
    let more = resident().saturating_sub(before);
    if more <= MOST_BYTES {
        return Ok(());
    }
    Err(Failure::new(
        format!("no more memory after {times} {what} than after {first} (24 MB at most)"),
        format!("{} MB more", more >> 20),
    ))
}

/// How much memory this process has, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    // SAFETY: the call takes an integer only.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64
}
