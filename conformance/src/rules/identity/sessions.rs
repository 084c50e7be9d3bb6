//! Locks that outlive others, and sessions.

use std::collections::BTreeMap;

use lockscope_core::Mode;
use lockscope_core::report::Report;

use super::real::only_if_locks_come_back;
use super::rows::{LOCKS, acquisitions, made_at, only, only_if_it_counts, words};
use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::script::{Hold, LockId, Script, Step, Use};
use crate::simulation::{Played, Simulation};
use crate::trial::Trial;
use crate::verdict::Failure;

/// So many locks come and go between two looks.
const COME_AND_GO: u32 = 600;

pub(super) fn never_dropped_stays(trial: &mut Trial) -> Result<(), Failure> {
    only_if_it_counts(trial)?;
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    let resting = LOCKS.map(|make| script.lock(make));
    let passing = LOCKS.map(|make| script.lock(make));
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    for (lock, times) in resting.into_iter().zip(1..) {
        simulation.run(&[Step::Repeat(times, vec![Step::Take(Use::of(lock))])])?;
    }
    let mut known = BTreeMap::new();
    for look in 0..3 {
        let steps = passing.map(|lock| [Step::Take(Use::of(lock)), Step::Replace(lock)]).concat();
        let times = COME_AND_GO / passing.len() as u32;
        simulation.run(&[Step::Repeat(times, steps), Step::Rest(1 << 40)])?;
        let report = simulation.so_far()?.report;
        rest(
            &report,
            &resting,
            &mut known,
            &format!("{} others were dropped", times * 4 * (look + 1)),
        )?;
    }
    let report = simulation.stop()?.report;
    rest(&report, &resting, &mut known, "the session has ended")?;
    real_locks_leak(trial)
}

/// Whether the locks are there as before, and have seen one acquisition, two, …
fn rest(
    report: &Report,
    locks: &[LockId],
    known: &mut BTreeMap<usize, u64>,
    when: &str,
) -> Result<(), Failure> {
    for (lock, times) in locks.iter().zip(1..) {
        let row = only(report, *lock, &format!("that rests, after {when}"))?;
        let id = *known.entry(lock.0).or_insert(row.id);
        let what = format!("id and acquisitions of lock {}, that rests, after {when}", row.created);
        Failure::unless_equal(&what, &(id, f64::from(times)), &(row.id, acquisitions(&row)))?;
    }
    Ok(())
}

/// Real ones, which nobody can reach any more.
fn real_locks_leak(trial: &mut Trial) -> Result<(), Failure> {
    use lockscope::parking_lot::slotless;
    use lockscope::sync::{Mutex, RwLock};
    const NAMES: [&str; 3] = ["ident-leaked", "ident-forgotten", "ident-forgotten-inside"];
    only_if_locks_come_back(trial)?;
    let profiler = trial.profile(Recording::Everything)?;
    {
        let leaked: &'static Mutex<()> = Box::leak(Box::new(Mutex::named(NAMES[0], ())));
        let forgotten = RwLock::named(NAMES[1], ());
        let inside = vec![Mutex::named(NAMES[2], ())];
        let slotless: &'static slotless::Mutex<()> = Box::leak(Box::new(slotless::Mutex::new(())));
        drop((leaked.lock(), forgotten.read(), inside[0].lock(), slotless.lock()));
        core::mem::forget(forgotten);
        core::mem::forget(inside);
    }
    for _ in 0..COME_AND_GO {
        let (lock, slotless) = (Mutex::new(()), slotless::RwLock::new(()));
        drop((lock.lock(), slotless.write()));
    }
    let reports =
        [("while the session runs", profiler.snapshot()?), ("at its end", profiler.stop()?)];
    for (when, report) in &reports {
        let names = NAMES.map(Some).into_iter().chain([None]);
        for name in names {
            let is_it = |lock: &&lockscope_host::report::model::Lock| {
                lock.name.as_deref() == name
                    && (name.is_some() || lock.created.is_none() && lock.kind == "mutex")
            };
            let of_it = report.locks.iter().filter(is_it);
            let rows: Vec<_> = of_it.map(|lock| (lock.locks, lock.acquisitions())).collect();
            let name = name.unwrap_or("one without slot");
            let what = format!("number of locks and acquisitions of {name} {when}");
            Failure::unless_equal(&what, &vec![(1, 1.0)], &rows)?;
        }
    }
    Ok(())
}

/// Of both sorts; the last is not touched in the second session.
const MAKES: [Make; 5] =
    [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS, Make::SLOTLESS_RWLOCK, Make::MUTEX];

pub(super) fn older_slots_are_empty(trial: &mut Trial) -> Result<(), Failure> {
    only_if_it_counts(trial)?;
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    let locks = MAKES.map(|make| script.lock(make));
    let before: Vec<Step> = locks.iter().flat_map(|lock| first_session(*lock)).collect();
    script.extend(before.iter().cloned().chain(second_session(locks[0])));
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    let (touched, untouched) = locks.split_at(4);
    for number in 0..3 {
        simulation.run(&before)?;
        simulation.restart(trial.seed() ^ number)?;
        let begun = simulation.so_far()?;
        compare::exact(&begun).map_err(|failure| failure.after(["a session has just begun"]))?;
        for lock in touched {
            simulation.run(&second_session(*lock))?;
            let so_far = simulation.so_far()?;
            begins_anew(&so_far, *lock, simulation.probe().id(lock.0))?;
        }
        let played = simulation.restart(!trial.seed() ^ number)?;
        compare::exact(&played)?;
        for lock in untouched {
            let rows = made_at(&played.report, lock.created());
            if !rows.is_empty() {
                let expected = "no row of a lock that was used in an older session alone";
                return Err(Failure::new(expected, words(rows)));
            }
        }
    }
    simulation.stop()?;
    Ok(())
}

fn first_session(lock: LockId) -> [Step; 3] {
    let wait = Hold::Exactly(400);
    let by = Use { site: 11, hold: Hold::Exactly(90), ..Use::of(lock) };
    [Step::Take(by), Step::Wait(Use { thread: 1, site: 12, ..by }, wait), Step::Take(by)]
}

/// The first to come waits: whoever holds the lock has taken it before.
fn second_session(lock: LockId) -> [Step; 3] {
    let by = Use { thread: 2, site: 21, hold: Hold::Exactly(7), ..Use::of(lock) };
    [Step::Refuse(by), Step::Wait(by, Hold::Exactly(300)), Step::Take(by)]
}

fn begins_anew(played: &Played, lock: LockId, id: u64) -> Result<(), Failure> {
    let history = [
        "one session: sites 11 and 12 take the lock; the next session begins".to_owned(),
        "site 21 tries in vain, waits for whoever has taken it before, and takes it".to_owned(),
    ];
    let row = only(&played.report, lock, "in a new session")
        .map_err(|failure| failure.after(history.clone()))?;
    if id != 0 {
        Failure::unless_equal("the lock's own id", &id, &row.id)?;
    }
    let sites: Vec<(usize, u8)> = row.sites.iter().map(|site| (site.site, site.mode)).collect();
    let blame: Vec<(usize, usize, f64)> =
        row.blame.iter().map(|blame| (blame.holder, blame.waiter, blame.wait_ns.value)).collect();
    let expected = (vec![(21, Mode::EXCLUSIVE.0)], vec![(0, 21, 300.0)]);
    let what = "call sites, and who (0: not known) made whom wait how long";
    Failure::unless_equal(what, &expected, &(sites, blame))
        .map_err(|failure| failure.after(history.clone()))?;
    compare::each(played, |stated, truth| stated.value <= truth, "at most")
}
