//! Real locks, their guards, and what the report says of the lines that use them.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lockscope::parking_lot::{self, MappedMutexGuard, MutexGuard, RwLockReadGuard, slotless};
use lockscope::sync;
use lockscope_host::report::model::{ReportFile, Site};

use super::super::identity::{in_threads, only_if_locks_come_back};
use super::counts::LOCKS;
use crate::compare;
use crate::keys::Recording;
use crate::script::{Script, Step, Use};
use crate::trial::Trial;
use crate::verdict::Failure;

/// What the report says of one line of this file: nothing if it does not know it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct AtLine {
    acquisitions: f64,
    contentions: f64,
    failures: f64,
    idles: f64,
    wait_ns: f64,
    hold_ns: f64,
    idle_ns: f64,
}

impl AtLine {
    fn of(report: &ReportFile, line: u32) -> Self {
        let is_there = |site: &&Site| {
            site.place.as_ref().is_some_and(|place| place.line == line && place.file == file!())
        };
        let sites = report.locks.iter().flat_map(|lock| &lock.sites).filter(is_there);
        sites.fold(Self::default(), |sum, site| Self {
            acquisitions: sum.acquisitions + site.acquisitions.value,
            contentions: sum.contentions + site.contentions.value,
            failures: sum.failures + site.failures.value,
            idles: sum.idles + site.idles.value,
            wait_ns: sum.wait_ns + site.wait_ns.total.value,
            hold_ns: sum.hold_ns + site.hold_ns.total.value,
            idle_ns: sum.idle_ns + site.idle_ns.total.value,
        })
    }

    /// Whether nothing is said but so many acquisitions, which did not wait.
    fn is_acquired(self, times: u32, what: &str) -> Result<(), Failure> {
        let expected =
            Self { acquisitions: times.into(), hold_ns: self.hold_ns, ..Self::default() };
        Failure::unless_equal(&format!("what is said of {what}"), &expected, &self)
    }
}

/// In vain, at once and after a while, while somebody has the lock.
pub(super) fn tries_fail(trial: &mut Trial) -> Result<(), Failure> {
    only_if_locks_come_back(trial)?;
    let profiler = trial.profile(Recording::Everything)?;
    let mutex = Arc::new(sync::Mutex::new(()));
    let rwlock = Arc::new(parking_lot::RwLock::new(()));
    let parking = Arc::new(parking_lot::Mutex::new(()));
    let tries = (Arc::clone(&mutex), Arc::clone(&rwlock), Arc::clone(&parking));
    let guards = (mutex.lock(), rwlock.read(), parking.lock());
    let line = line!() + 4;
    in_threads(1, move |_| {
        let (mutex, rwlock, parking) = &tries;
        let moment = Duration::from_millis(1);
        drop((mutex.try_lock(), rwlock.try_write(), parking.try_lock()));
        drop((rwlock.try_write_for(moment), parking.try_lock_for(moment)));
        let (_read, _upgrade) = (rwlock.try_read(), rwlock.try_upgradable_read());
    })?;
    drop(guards);
    let report = profiler.stop()?;
    for (line, failures) in [(line, 3.0), (line + 1, 2.0)] {
        let expected = AtLine { failures, ..AtLine::default() };
        let what = format!("what is said of {failures} tries in vain");
        Failure::unless_equal(&what, &expected, &AtLine::of(&report, line))?;
    }
    AtLine::of(&report, line + 2).is_acquired(2, "two tries by readers beside a reader")
}

/// How long a condition wait takes, if nothing wakes it before.
const IDLE: Duration = Duration::from_millis(12);

pub(super) fn condition_waits(trial: &mut Trial) -> Result<(), Failure> {
    only_if_locks_come_back(trial)?;
    let profiler = trial.profile(Recording::Everything)?;
    let (mutex, condvar) = (sync::Mutex::new(()), sync::Condvar::new());
    let (parking, signal) = (parking_lot::Mutex::new(()), parking_lot::Condvar::new());
    let began = Instant::now();
    let (guard, line) = (mutex.lock(), line!());
    if let Ok(guard) = guard {
        drop(condvar.wait_timeout(guard, IDLE));
    }
    let took = began.elapsed();
    let began = Instant::now();
    let mut guard = parking.lock();
    signal.wait_for(&mut guard, IDLE);
    drop(guard);
    let took = [(line, line + 2, took), (line + 6, line + 7, began.elapsed())];
    let report = profiler.stop()?;
    for (locks, waits, took) in took {
        let (locked, waited) = (AtLine::of(&report, locks), AtLine::of(&report, waits));
        locked.is_acquired(1, "the lock before a condition wait")?;
        let counts = (waited.acquisitions, waited.contentions, waited.idles, waited.wait_ns);
        let what = "acquisitions, contentions, idle times and wait at a condition wait";
        Failure::unless_equal(what, &(1.0, 0.0, 1.0, 0.0), &counts)?;
        // Clocks are compared that are not set by each other.
        let most = took.as_nanos() as f64 * 1.05 + 1e6;
        let all = locked.hold_ns + waited.hold_ns + waited.idle_ns;
        if all > most {
            return Err(Failure::new(
                format!("holds and idle time that do not overlap: of {most} ns at most"),
                format!(
                    "holds of {} and {} ns, and idle for {} ns",
                    locked.hold_ns, waited.hold_ns, waited.idle_ns
                ),
            ));
        }
    }
    Ok(())
}

/// How many at a time: fewer than a thread can have recorded.
const DEPTH: usize = 12;

pub(super) fn locks_within_locks(trial: &mut Trial) -> Result<(), Failure> {
    const MOMENT: Duration = Duration::from_millis(1);
    only_if_locks_come_back(trial)?;
    let profiler = trial.profile(Recording::Everything)?;
    let list: Vec<sync::Mutex<()>> = (0..DEPTH).map(|_| sync::Mutex::new(())).collect();
    let others: Vec<slotless::Mutex<()>> = (0..DEPTH).map(|_| slotless::Mutex::new(())).collect();
    let mut nested = Vec::new();
    let nested_line = line!() + 2;
    for (lock, other) in list.iter().zip(&others) {
        nested.push((lock.lock(), other.lock()));
    }
    std::thread::sleep(MOMENT);
    drop(nested);
    let (mut had, first_line) = (list[0].lock(), line!());
    for next in &list[1..] {
        let next = next.lock();
        drop(core::mem::replace(&mut had, next));
    }
    drop(had);
    let report = profiler.stop()?;
    let nested = AtLine::of(&report, nested_line);
    nested.is_acquired(2 * DEPTH as u32, "locks one within the other")?;
    // Each of them for as long as the innermost; see above for the clocks.
    let least = (2 * DEPTH) as f64 * MOMENT.as_nanos() as f64 * 0.95;
    if nested.hold_ns < least {
        let expected = format!("{} holds of {MOMENT:?} each, or longer", 2 * DEPTH);
        return Err(Failure::new(expected, format!("{} ns in all", nested.hold_ns)));
    }
    AtLine::of(&report, first_line).is_acquired(1, "the first lock of a list")?;
    let next = AtLine::of(&report, first_line + 2);
    next.is_acquired(DEPTH as u32 - 1, "the next locks of a list, hand over hand")
}

pub(super) fn guards_go_anywhere(trial: &mut Trial) -> Result<(), Failure> {
    forgotten_in_a_simulation(trial)?;
    forgotten(trial)?;
    mapped(trial)?;
    sent(trial)
}

/// Whose end is never told; some locks have been used before.
fn forgotten_in_a_simulation(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    for number in 0..24 {
        let by = Use::of(script.lock(LOCKS[number % 4]));
        script.extend((0..number / 4 % 3).map(|_| Step::Take(by)));
        script.extend([Step::Keep(Use { site: 2, ..by }), Step::Rest(100)]);
    }
    compare::shortest(&subject, trial.seed(), &script, compare::exact)
}

fn forgotten(trial: &mut Trial) -> Result<(), Failure> {
    only_if_locks_come_back(trial)?;
    let profiler = trial.profile(Recording::Everything)?;
    let locks: Vec<(sync::Mutex<()>, parking_lot::RwLock<()>, slotless::Mutex<()>)> = (0..6)
        .map(|_| (sync::Mutex::new(()), parking_lot::RwLock::new(()), slotless::Mutex::new(())))
        .collect();
    let line = line!() + 2;
    for (mutex, rwlock, slotless) in &locks {
        core::mem::forget((mutex.lock(), rwlock.read(), slotless.lock()));
        drop(rwlock.read());
    }
    let so_far = profiler.snapshot()?;
    for (when, report) in [("while the session runs", so_far), ("at its end", profiler.stop()?)] {
        AtLine::of(&report, line).is_acquired(0, &format!("forgotten guards, {when}"))?;
        AtLine::of(&report, line + 1).is_acquired(6, "readers beside a forgotten one")?;
        let all: f64 = report.locks.iter().map(|lock| lock.acquisitions()).sum();
        Failure::unless_equal(&format!("acquisitions in all, {when}"), &6.0, &all)?;
    }
    // They are still locked, and of no session that comes.
    let profiler = trial.profile(Recording::Everything)?;
    let refused = locks
        .iter()
        .all(|(mutex, _, slotless)| mutex.try_lock().is_err() && slotless.try_lock().is_none());
    let report = profiler.stop()?;
    core::mem::forget(locks);
    Failure::unless_equal("whether forgotten guards lock", &true, &refused)?;
    AtLine::of(&report, line).is_acquired(0, "guards that were forgotten in another session")
}

fn mapped(trial: &mut Trial) -> Result<(), Failure> {
    let profiler = trial.profile(Recording::Everything)?;
    let mutex = parking_lot::Mutex::new((1, 2));
    let rwlock = parking_lot::RwLock::new((1, 2));
    let (guard, line) = (mutex.lock(), line!());
    let part = MutexGuard::map(guard, |pair| &mut pair.0);
    let part = MappedMutexGuard::map(part, |number| number);
    let guard = rwlock.read();
    let read = RwLockReadGuard::map(guard, |pair| &pair.1);
    let guard = rwlock.read();
    // Not mapped, after all.
    let whole = RwLockReadGuard::try_map(guard, |_| None::<&i32>);
    drop((part, read, whole));
    let report = profiler.stop()?;
    let acquired = |line, what: &str| AtLine::of(&report, line).is_acquired(1, what);
    acquired(line, "a guard that was mapped twice")?;
    acquired(line + 3, "a reader's guard that was mapped")?;
    acquired(line + 5, "a reader's guard that could not be mapped")?;
    for at in [line + 1, line + 2, line + 4, line + 7, line + 8] {
        AtLine::of(&report, at).is_acquired(0, "a line that maps a guard")?;
    }
    Ok(())
}

/// A guard that another thread drops.
struct Sent<G>(G);

// SAFETY: parking_lot lets any thread unlock: its feature `send_guard` makes such
// guards `Send`, and they are only not because of its deadlock detection, which is
// not built in here.
unsafe impl<G> Send for Sent<G> {}

/// How long a guard is kept before another thread drops it.
const KEPT: Duration = Duration::from_millis(4);

fn sent(trial: &mut Trial) -> Result<(), Failure> {
    let profiler = trial.profile(Recording::Everything)?;
    let mutex: &'static parking_lot::Mutex<()> = Box::leak(Box::new(parking_lot::Mutex::new(())));
    let rwlock: &'static parking_lot::RwLock<()> =
        Box::leak(Box::new(parking_lot::RwLock::new(())));
    let slotless: &'static slotless::Mutex<()> = Box::leak(Box::new(slotless::Mutex::new(())));
    let line = line!() + 1;
    let guards = Sent((mutex.lock(), rwlock.write(), slotless.lock()));
    std::thread::sleep(KEPT);
    let guards = std::sync::Mutex::new(Some(guards));
    let drops = move |_| drop(guards.lock().map(|mut guards| guards.take()));
    in_threads(1, drops)?;
    // And what comes after is as ever.
    drop((mutex.lock(), rwlock.read(), slotless.lock()));
    let report = profiler.stop()?;
    let told = AtLine::of(&report, line);
    told.is_acquired(3, "guards that another thread gave back")?;
    // Clocks are compared that are not set by each other.
    let least = 3.0 * KEPT.as_nanos() as f64 * 0.95;
    if told.hold_ns < least {
        let expected = format!("three holds of {KEPT:?} each, or longer");
        return Err(Failure::new(expected, format!("{} ns in all", told.hold_ns)));
    }
    AtLine::of(&report, line + 6).is_acquired(3, "the locks that were given back elsewhere")
}

/// How long to wait for a thread to wait.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn a_wait_is_charged_to_a_line(trial: &mut Trial) -> Result<(), Failure> {
    only_if_locks_come_back(trial)?;
    let profiler = trial.profile(Recording::Everything)?;
    let mutex = Arc::new(sync::Mutex::named("event-blame", ()));
    let (guard, holder) = (mutex.lock(), line!());
    let (theirs, (done, is_done)) = (Arc::clone(&mutex), channel());
    let waiter = line!() + 2;
    std::thread::spawn(move || {
        drop(theirs.lock());
        let _ = done.send(());
    });
    let began = Instant::now();
    while !profiler.snapshot()?.pending.iter().any(|pending| pending.waiting) {
        if began.elapsed() > PATIENCE {
            return Err(Failure::blocked_by("EXCL-01", "no thread waits for a lock that is had"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(guard);
    if is_done.recv_timeout(PATIENCE).is_err() {
        return Err(Failure::blocked_by("EXCL-03", "a thread did not come back from a lock"));
    }
    let report = profiler.stop()?;
    let lines = |lock: &lockscope_host::report::model::Lock| -> Vec<(u32, u32, f64, bool)> {
        let line = |place: &Option<lockscope_host::report::model::Place>| {
            place.as_ref().map_or(0, |place| place.line)
        };
        let of = lock.blame.iter();
        of.map(|blame| {
            let waited = blame.wait_ns.value > 0.0;
            (line(&blame.holder), line(&blame.waiter), blame.contentions.value, waited)
        })
        .collect()
    };
    let is_it =
        |lock: &&lockscope_host::report::model::Lock| lock.name.as_deref() == Some("event-blame");
    let charged: Vec<_> = report.locks.iter().filter(is_it).flat_map(lines).collect();
    let what = "holder's line, waiter's line, waits, and whether they took time";
    Failure::unless_equal(what, &vec![(holder, waiter, 1.0, true)], &charged)
}
