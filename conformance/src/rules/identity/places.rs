//! Locks that follow each other at one address, and locks that move.

use std::collections::BTreeSet;

use lockscope_core::LockKind;
use lockscope_core::report::{LockReport, Report};
use lockscope_host::report::model::{Lock, ReportFile};

use super::real::only_if_locks_come_back;
use super::rows::{LOCKS, acquisitions, made_at, only, only_if_it_counts, words};
use crate::keys::Recording;
use crate::lock::Make;
use crate::script::{LockId, Script, Step, Use};
use crate::simulation::Simulation;
use crate::trial::Trial;
use crate::verdict::Failure;

/// How many locks follow each other at one address.
const ROUNDS: u32 = 4;

pub(super) fn dropped_and_made_again_are_two(trial: &mut Trial) -> Result<(), Failure> {
    only_if_it_counts(trial)?;
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    let locks = LOCKS.map(|make| script.lock(make));
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    for lock in locks {
        let by = Use::of(lock);
        let mut known = BTreeSet::new();
        for round in 1..=ROUNDS {
            // The second is seen by one who tries in vain before anybody has it.
            let first = if round % 2 == 0 { vec![Step::Refuse(by)] } else { Vec::new() };
            simulation.run(&first)?;
            simulation.run(&[Step::Repeat(round, vec![Step::Take(by)])])?;
            let report = simulation.so_far()?.report;
            let id = the_last_of(&report, lock, round, &known)?;
            known.insert(id);
            simulation.run(&[Step::Replace(lock)])?;
        }
    }
    simulation.stop()?;
    real_locks_follow_each_other(trial)
}

/// The row of the lock that was made last, which was taken as often as there were
/// locks: its id. The others were taken once, twice, and so on.
fn the_last_of(
    report: &Report,
    lock: LockId,
    round: u32,
    known: &BTreeSet<u64>,
) -> Result<u64, Failure> {
    let rows = made_at(report, lock.created());
    let locks: u64 = rows.iter().map(|row| row.locks).sum();
    let all: f64 = rows.iter().map(|row| acquisitions(row)).sum();
    let is_last = |row: &&&LockReport| {
        let is_alone = row.locks == 1 && row.id != 0 && !known.contains(&row.id);
        is_alone && acquisitions(row) == f64::from(round)
    };
    let last = rows.iter().find(is_last).map(|row| row.id);
    let total = round * (round + 1) / 2;
    match last {
        Some(id) if locks == u64::from(round) && all == f64::from(total) => Ok(id),
        _ => Err(Failure::new(
            format!(
                "{round} locks that followed each other at one address, {total} acquisitions of them all, and {round} of the last in a row with an id of its own"
            ),
            words(rows),
        )
        .after((1..=round).flat_map(|number| {
            let taken = format!("a {} is made there, and taken {number} times", kind(report, lock));
            [taken, "it is dropped".to_owned()].into_iter().take(if number < round { 2 } else { 1 })
        }))),
    }
}

fn kind(report: &Report, lock: LockId) -> &'static str {
    made_at(report, lock.created()).first().map_or("lock", |row| LockKind(row.kind).as_str())
}

/// Real ones, each in the place of the one before.
fn real_locks_follow_each_other(trial: &mut Trial) -> Result<(), Failure> {
    use lockscope::parking_lot::slotless;
    only_if_locks_come_back(trial)?;
    let profiler = trial.profile(Recording::Everything)?;
    let mut place = Box::new(None);
    let mut without_slot = Box::new(None);
    for round in 1..=ROUNDS {
        *place = None;
        *without_slot = None;
        let lock = place.insert(lockscope::sync::RwLock::named("ident-again", ()));
        let slotless = without_slot.insert(slotless::Mutex::new(()));
        for _ in 0..round {
            drop(lock.write());
            drop(slotless.lock());
        }
    }
    let report = profiler.stop()?;
    let with_slot = |lock: &&Lock| lock.name.as_deref() == Some("ident-again");
    follow_each_other(report.locks.iter().filter(with_slot).collect(), "reader-writer locks")?;
    let slotless = |lock: &&Lock| lock.created.is_none();
    follow_each_other(report.locks.iter().filter(slotless).collect(), "locks without slot")
}

fn follow_each_other(rows: Vec<&Lock>, what: &str) -> Result<(), Failure> {
    let locks: u64 = rows.iter().map(|row| row.locks).sum();
    let all: f64 = rows.iter().map(|row| row.acquisitions()).sum();
    let is_last =
        |row: &&&Lock| row.locks == 1 && row.id != 0 && row.acquisitions() == f64::from(ROUNDS);
    let total = f64::from(ROUNDS * (ROUNDS + 1) / 2);
    if locks == u64::from(ROUNDS) && all == total && rows.iter().any(|row| is_last(&row)) {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "{ROUNDS} {what}, {total} acquisitions of them all, and {ROUNDS} of the last in a row of its own"
        ),
        real_words(rows),
    ))
}

fn real_words<'r>(rows: impl IntoIterator<Item = &'r Lock>) -> String {
    let word = |row: &Lock| {
        format!("id {:#x}, of {} locks, {} acquisitions", row.id, row.locks, row.acquisitions())
    };
    let words: Vec<String> = rows.into_iter().map(word).collect();
    if words.is_empty() { "no row".to_owned() } else { words.join("; ") }
}

/// Takes the lock so often.
fn take(lock: LockId, times: u32) -> Step {
    Step::Repeat(times, vec![Step::Take(Use::of(lock))])
}

/// Whether the lock is one row, with its own id and so many acquisitions.
fn is_one(report: &Report, lock: LockId, times: u32, when: &str) -> Result<u64, Failure> {
    let row = only(report, lock, when)?;
    let what = format!("acquisitions of lock {} {when}", lock.created());
    Failure::unless_equal(&what, &f64::from(times), &acquisitions(&row))?;
    Ok(row.id)
}

pub(super) fn moved_with_slot_is_the_same(trial: &mut Trial) -> Result<(), Failure> {
    only_if_it_counts(trial)?;
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    let locks = [Make::MUTEX, Make::RWLOCK, Make::MUTEX].map(|make| script.lock(make));
    let slotless = script.lock(Make::SLOTLESS);
    let [one, other, third] = locks;
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    simulation.run(&[take(one, 2), take(other, 3)])?;
    // To where nothing was; to where the other was; and something else to where
    // this one was.
    let steps = [
        Step::Move(one, 0x7000),
        take(one, 4),
        Step::Move(other, 0x7040),
        Step::Move(one, other.created() * 64),
        take(one, 1),
        take(other, 1),
        Step::Move(third, 0x7000),
        take(third, 5),
        Step::Move(slotless, 0x7040),
        take(slotless, 6),
        take(other, 1),
    ];
    simulation.run(&steps)?;
    let report = simulation.so_far()?.report;
    for (lock, times) in [(one, 7), (other, 5), (third, 5)] {
        let id = is_one(&report, lock, times, "after it moved")?;
        let own = simulation.probe().id(lock.0);
        Failure::unless_equal("its own id", &own, &id)?;
    }
    is_one(&report, slotless, 6, "which is where another has been")?;
    simulation.run(&[Step::Replace(one), take(other, 1), take(slotless, 1)])?;
    let report = simulation.stop()?.report;
    is_one(&report, other, 6, "after another was dropped that had moved")?;
    is_one(&report, slotless, 7, "after another was dropped that had moved")?;
    real_locks_move(trial)
}

/// Real ones: into a box, from one to another, and into each other's place.
fn real_locks_move(trial: &mut Trial) -> Result<(), Failure> {
    use lockscope::parking_lot::Mutex as Parking;
    use lockscope::sync::Mutex;
    only_if_locks_come_back(trial)?;
    let profiler = trial.profile(Recording::Everything)?;
    let one = Mutex::named("ident-moved", 1);
    let other = Mutex::named("ident-swapped", 2);
    let parking = Parking::named("ident-parking-moved", 3);
    let lock_all = |one: &Mutex<i32>, other: &Mutex<i32>, parking: &Parking<i32>| {
        drop(one.lock());
        drop((other.lock(), 0));
        drop(parking.lock());
    };
    lock_all(&one, &other, &parking);
    let (mut one, mut other, parking) = (Box::new(one), Box::new(other), Box::new(parking));
    lock_all(&one, &other, &parking);
    core::mem::swap(&mut *one, &mut *other);
    // Which is which goes by the place now.
    let mut many = Vec::with_capacity(1);
    many.push(*parking);
    lock_all(&one, &other, &many[0]);
    many.reserve_exact(1_000);
    lock_all(&other, &one, &many[0]);
    let report = profiler.stop()?;
    for name in ["ident-moved", "ident-swapped", "ident-parking-moved"] {
        moved(&report, name)?;
    }
    Ok(())
}

fn moved(report: &ReportFile, name: &str) -> Result<(), Failure> {
    let rows: Vec<&Lock> =
        report.locks.iter().filter(|row| row.name.as_deref() == Some(name)).collect();
    if let [row] = rows[..]
        && row.locks == 1
        && row.acquisitions() == 4.0
    {
        return Ok(());
    }
    let expected = format!("one row for the lock named '{name}', which moved, of 4 acquisitions");
    Err(Failure::new(expected, real_words(rows)))
}

/// Near each other, and far up; the last is also the number that the first lock
/// with a slot has for an id.
const ADDRESSES: [usize; 7] = [0x5000, 0x5001, 0x5002, 0x5040, 0x1_0000_5000, 0x7fff_ffff_f000, 1];

const KINDS: [LockKind; 4] =
    [LockKind::MUTEX, LockKind::RWLOCK, LockKind::REENTRANT, LockKind(0x8000_0001)];

pub(super) fn slotless_elsewhere_is_another(trial: &mut Trial) -> Result<(), Failure> {
    only_if_it_counts(trial)?;
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    let with_slot = script.lock(Make::MUTEX);
    let near = ADDRESSES.map(|address| (script.lock(Make::SLOTLESS), address));
    let kinds = KINDS.map(|kind| (script.lock(Make { kind, has_slot: false }), 0x9000));
    let moves = script.lock(Make::SLOTLESS);
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    let all: Vec<(LockId, usize)> = near.into_iter().chain(kinds).collect();
    for (lock, address) in &all {
        simulation.run(&[Step::Move(*lock, *address)])?;
    }
    simulation.run(&[take(with_slot, 2)])?;
    // In turns, and twice, so that each finds what it has left itself.
    for times in [1, 2] {
        for (lock, _) in &all {
            simulation.run(&[take(*lock, times)])?;
        }
    }
    let report = simulation.so_far()?.report;
    is_one(&report, with_slot, 2, "whose id is another's address")?;
    for (lock, address) in &all {
        is_one(&report, *lock, 3, &format!("at {address:#x}, beside others"))?;
    }
    // One of them is dropped: it is no end of the others at its address.
    simulation.run(&[Step::Replace(kinds[0].0), take(kinds[1].0, 1), take(near[1].0, 1)])?;
    let report = simulation.so_far()?.report;
    is_one(&report, kinds[1].0, 4, "where one of another kind was dropped")?;
    is_one(&report, near[1].0, 4, "one byte from another")?;

    simulation.run(&[take(moves, 1), Step::Move(moves, 0xa000), take(moves, 2)])?;
    let report = simulation.stop()?.report;
    let rows = made_at(&report, moves.created());
    let mut times: Vec<f64> = rows.iter().map(|row| acquisitions(row)).collect();
    times.sort_by(f64::total_cmp);
    if times == [1.0, 2.0] {
        return Ok(());
    }
    let expected = "two rows, of 1 and 2 acquisitions, of a lock without slot that has moved";
    Err(Failure::new(expected, words(rows)))
}
