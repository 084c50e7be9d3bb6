//! What stands in one row, and under which id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockscope_core::Mode;
use lockscope_core::report::{LockReport, Report};
use lockscope_host::report::model::ReportFile;

use super::real::in_threads;
use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::probe::Operation;
use crate::script::{Hold, LockId, Script, Step, Use};
use crate::simulation::{Simulation, session};
use crate::trial::Trial;
use crate::verdict::Failure;

pub(super) const LOCKS: [Make; 4] =
    [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS, Make::SLOTLESS_RWLOCK];

/// The rows of locks that were made there.
pub(super) fn made_at(report: &Report, created: usize) -> Vec<&LockReport> {
    report.locks.iter().filter(|row| row.created == created).collect()
}

/// How often the lock of a row was acquired.
pub(super) fn acquisitions(row: &LockReport) -> f64 {
    row.sites.iter().map(|site| site.acquisitions.value).sum()
}

/// Rows as words: id, number of locks, acquisitions.
pub(super) fn words<'r>(rows: impl IntoIterator<Item = &'r LockReport>) -> String {
    let word = |row: &LockReport| {
        let (id, locks) = (row.id, row.locks);
        format!("id {id:#x}, of {locks} locks, {} acquisitions", acquisitions(row))
    };
    let words: Vec<String> = rows.into_iter().map(word).collect();
    if words.is_empty() { "no row".to_owned() } else { words.join("; ") }
}

/// The only row of a lock that lives, and of no other.
pub(super) fn only(report: &Report, lock: LockId, when: &str) -> Result<LockReport, Failure> {
    let rows = made_at(report, lock.created());
    if let [row] = rows[..]
        && row.locks == 1
        && row.id != 0
    {
        return Ok(row.clone());
    }
    let expected = format!("one row with an id for lock {} {when}", lock.created());
    Err(Failure::new(expected, words(rows)))
}

/// Looks first whether operations are counted at all as they should be: by what
/// was counted it is seen below which lock is which.
pub(super) fn only_if_it_counts(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    for make in LOCKS {
        let by = Use { hold: Hold::Exactly(30), ..Use::of(script.lock(make)) };
        let waits = Step::Wait(Use { site: 2, ..by }, Hold::Exactly(100));
        script.extend([Step::Repeat(4, vec![Step::Take(by)]), waits, Step::Refuse(by)]);
    }
    let played = Simulation::play(&subject, trial.seed(), &script)?;
    compare::exact(&played).map_err(|failure| Failure::blocked_by("EVENT-01", failure.observed))?;
    let all = played.report.locks.iter().flat_map(|row| row.blame.iter());
    let wrong = all.map(|blame| blame.holder).find(|holder| *holder > 1);
    wrong.map_or(Ok(()), |holder| {
        Err(Failure::blocked_by("EVENT-08", format!("site {holder} is charged for a wait")))
    })
}

/// Everything that can be done with a lock at one moment, by a thread of its own.
fn uses(lock: LockId, make: Make, thread: usize) -> Vec<Step> {
    let wait = Hold::Exactly(100);
    let by = Use { thread, site: 1 + thread, hold: Hold::Exactly(30), ..Use::of(lock) };
    let mut steps =
        vec![Step::Refuse(by), Step::Take(by), Step::Wait(by, wait), Step::GiveUp(by, wait)];
    if make.kind == Make::RWLOCK.kind {
        let by = Use { mode: Mode::SHARED, ..by };
        steps.extend([Step::Take(by), Step::Wait(by, wait)]);
    }
    steps
}

pub(super) fn one_lock_is_one_row(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    let locks = LOCKS.map(|make| (script.lock(make), make));
    for round in 0..6 {
        // A different thread each time is the first to meet a lock.
        let turn = (0..3).map(|thread| (thread + round) % 3);
        for (thread, (lock, make)) in turn.flat_map(|thread| locks.map(|lock| (thread, lock))) {
            script.extend(uses(lock, make, thread));
        }
    }
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    for steps in script.steps.chunks(40) {
        simulation.run(steps)?;
        let report = simulation.so_far()?.report;
        for (lock, _) in locks {
            if !made_at(&report, lock.created()).is_empty() {
                only(&report, lock, "while three threads use it")?;
            }
        }
    }
    let report = simulation.stop()?.report;
    locks
        .iter()
        .try_for_each(|(lock, _)| only(&report, *lock, "that three threads have used").map(drop))?;
    threads_meet_at_one_row(trial)
}

struct Shared {
    mutex: lockscope::sync::Mutex<()>,
    rwlock: lockscope::sync::RwLock<()>,
    parking: lockscope::parking_lot::Mutex<()>,
    slotless: lockscope::parking_lot::slotless::Mutex<()>,
    readers: lockscope::parking_lot::slotless::RwLock<()>,
}

/// Real threads, which meet each lock at the same time.
fn threads_meet_at_one_row(trial: &mut Trial) -> Result<(), Failure> {
    use lockscope::parking_lot::{self, slotless};
    let profiler = trial.profile(Recording::Everything)?;
    let shared = Arc::new(Shared {
        mutex: lockscope::sync::Mutex::named("ident-mutex", ()),
        rwlock: lockscope::sync::RwLock::named("ident-rwlock", ()),
        parking: parking_lot::Mutex::named("ident-parking", ()),
        slotless: slotless::Mutex::new(()),
        readers: slotless::RwLock::new(()),
    });
    let used = Arc::clone(&shared);
    in_threads(4, move |thread| {
        for round in 0..40 {
            drop(used.mutex.lock());
            drop(used.rwlock.read());
            drop(used.parking.lock());
            drop(used.slotless.lock());
            drop(used.readers.read());
            if round % 4 == thread {
                drop(used.rwlock.write());
                drop(used.readers.write());
                drop(used.mutex.try_lock());
            }
        }
    })?;
    let report = profiler.stop()?;
    drop(shared);
    one_real_row(&report, Some("ident-mutex"), "mutex")?;
    one_real_row(&report, Some("ident-rwlock"), "rwlock")?;
    one_real_row(&report, Some("ident-parking"), "mutex")?;
    one_real_row(&report, None, "mutex")?;
    one_real_row(&report, None, "rwlock")
}

/// Whether the lock of this name, or the only one of this kind that has none, is
/// one row.
fn one_real_row(report: &ReportFile, name: Option<&str>, kind: &str) -> Result<(), Failure> {
    let is_of = |lock: &&lockscope_host::report::model::Lock| {
        lock.name.as_deref() == name && lock.kind == kind
    };
    let rows: Vec<(u64, u64)> =
        report.locks.iter().filter(is_of).map(|lock| (lock.id, lock.locks)).collect();
    if matches!(rows[..], [(1.., 1)]) {
        return Ok(());
    }
    let name = name.map_or_else(|| "without slot".to_owned(), |name| format!("named '{name}'"));
    let expected = format!("one row with an id for the {kind} {name}, used by four threads");
    Err(Failure::new(expected, format!("rows of id and number of locks: {rows:?}")))
}

/// How many locks there are of each sort.
const MANY: usize = 60;

/// Uses each lock once.
fn use_all(simulation: &mut Simulation<'_>, locks: &[usize]) {
    let probe = simulation.probe();
    for lock in locks {
        let operation = Operation { thread: 0, lock: *lock, mode: Mode::EXCLUSIVE, site: 1 };
        let held = probe.acquire(operation);
        probe.pass(10);
        probe.release(&held);
    }
}

/// The ids in the report: an error if one stands there twice.
fn ids(report: &Report) -> Result<BTreeSet<u64>, Failure> {
    let mut ids = BTreeSet::new();
    for row in report.locks.iter().filter(|row| row.id != 0) {
        if !ids.insert(row.id) {
            let same = report.locks.iter().filter(|other| other.id == row.id);
            return Err(Failure::new("an id for each lock", words(same)));
        }
    }
    Ok(ids)
}

/// The ids of `report` that were not there `before`: as many as there are new
/// locks.
fn new_ids(
    report: &Report,
    before: &BTreeSet<u64>,
    locks: usize,
    when: &str,
) -> Result<BTreeSet<u64>, Failure> {
    let new: BTreeSet<u64> = ids(report)?.difference(before).copied().collect();
    if new.len() == locks {
        return Ok(new);
    }
    let expected = format!("{locks} ids that no lock had before, {when}");
    Err(Failure::new(expected, format!("{} of them", new.len())))
}

pub(super) fn ids_are_never_shared(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let mut simulation = Simulation::start(&subject, trial.seed(), &Script::default())?;
    let probe = simulation.probe();
    let mut locks = Vec::new();
    for (number, make) in LOCKS.iter().cycle().take(LOCKS.len() * MANY).enumerate() {
        // All of one sort at one line, each at its own address.
        let lock = probe.make(*make, 1 + number % 4);
        probe.place(lock, 0x1_0000 + number);
        locks.push(lock);
    }
    use_all(&mut simulation, &locks);
    let report = simulation.so_far()?.report;
    let mut seen = new_ids(&report, &BTreeSet::new(), locks.len(), "when all are new")?;
    let dropped = &locks[..locks.len() / 2];
    dropped.iter().for_each(|lock| simulation.probe().replace(*lock));
    use_all(&mut simulation, &locks);
    let report = simulation.so_far()?.report;
    seen.extend(new_ids(&report, &seen, dropped.len(), "when half of all were made again")?);

    simulation.restart(!trial.seed())?;
    let slotless: Vec<usize> = locks.iter().copied().filter(|lock| lock % 4 > 1).collect();
    for lock in &slotless {
        simulation.probe().replace(*lock);
    }
    use_all(&mut simulation, &slotless);
    new_ids(&simulation.stop()?.report, &seen, slotless.len(), "in the next session")?;
    real_ids_are_never_shared(trial)
}

/// Real locks of one line: neighbours in memory.
fn real_ids_are_never_shared(trial: &mut Trial) -> Result<(), Failure> {
    use lockscope::parking_lot::slotless;
    let profiler = trial.profile(Recording::Everything)?;
    let locks: Vec<_> = (0..MANY).map(|_| lockscope::sync::Mutex::new(())).collect();
    let without_slot: Vec<_> = (0..MANY).map(|_| slotless::Mutex::new(())).collect();
    for (lock, without_slot) in locks.iter().zip(&without_slot) {
        drop(lock.lock());
        drop(without_slot.lock());
    }
    let report = profiler.stop()?;
    let ids: BTreeSet<u64> = report.locks.iter().map(|lock| lock.id).collect();
    Failure::unless_equal("rows of locks of two lines", &(2 * MANY), &report.locks.len())?;
    Failure::unless_equal("different ids of them", &(2 * MANY), &ids.len())
}

pub(super) fn the_host_gives_ids(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    let locks = LOCKS.map(|make| (script.lock(make), make));
    let rounds: [Vec<Step>; 4] = core::array::from_fn(|round| {
        locks.iter().flat_map(|(lock, make)| uses(*lock, *make, round % 3)).collect()
    });
    script.extend(rounds.concat());
    let next_lock_id = session(trial.seed()).next_lock_id;
    let before = next_lock_id();
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    let mut known = BTreeMap::new();
    for steps in &rounds {
        simulation.run(steps)?;
        let report = simulation.so_far()?.report;
        let given = before + 1..next_lock_id();
        for (lock, make) in locks {
            let row = only(&report, lock, "after everything that can be done with it")?;
            let own = simulation.probe().id(lock.0);
            let is_right = if make.has_slot { row.id == own } else { given.contains(&row.id) };
            if !is_right {
                let expected = if make.has_slot {
                    format!("lock {} by its own id, {own:#x}", lock.created())
                } else {
                    format!("lock {} by one of the ids that were given, {given:x?}", row.created)
                };
                return Err(Failure::new(expected, format!("id {:#x}", row.id)));
            }
            let first = *known.entry(lock.0).or_insert(row.id);
            let what = format!("the id of lock {}, after it was used again", lock.created());
            Failure::unless_equal(&what, &first, &row.id)?;
        }
    }
    simulation.stop()?;
    Ok(())
}
