//! Checks with real locks and threads.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use lockscope::{parking_lot, sync};
use lockscope_core::sync::{AtomicBool, AtomicU64, Ordering};
use lockscope_host::report::model::{Lock, ReportFile};
use lockscope_host::{Builder, HostError};

use super::simulated::{a_session_that_nobody_asked_for_is_forgotten, counts_at_all};
use crate::keys::Recording;
use crate::trial::Trial;
use crate::verdict::Failure;

type Mutex = sync::Mutex<()>;

/// How often a lock is taken, where it is.
const TIMES: u32 = 3;

/// How often the locks of that name were acquired, as the report has it.
fn acquisitions(report: &ReportFile, name: &str) -> f64 {
    let of_name = |lock: &&Lock| lock.name.as_deref() == Some(name);
    report.locks.iter().filter(of_name).map(Lock::acquisitions).sum()
}

/// Takes each lock so many times.
fn take<const LOCKS: usize>(locks: [&Mutex; LOCKS], times: u32) {
    for _ in 0..times {
        for lock in locks {
            drop(lock.lock());
        }
    }
}

/// Has another thread try to get the lock, in vain.
fn is_refused(lock: &Mutex) {
    thread::scope(|scope| {
        scope.spawn(|| drop(lock.try_lock()));
    });
}

pub(super) fn a_session_begins_empty_and_ends_at_its_stop(
    trial: &mut Trial,
) -> Result<(), Failure> {
    counts(trial)?;
    a_session_that_nobody_asked_for_is_forgotten(trial)?;
    let lock = Mutex::named("session", ());
    let mut told = Vec::new();
    for others in [2, 5, 7] {
        take([&lock], others);
        let profiler = trial.profile(Recording::Everything)?;
        take([&lock], TIMES);
        let report = profiler.stop()?;
        take([&lock], others);
        told.push(acquisitions(&report, "session"));
    }
    let what = "acquisitions in each session of a lock that is taken as often in each, and more before and after";
    Failure::unless_equal(what, &vec![told[0]; told.len()], &told)
}

/// Two locks of which the same happened within a session, but for one
/// acquisition that only `usual` has: of it the session saw both ends.
fn alike_but_for_the_hold(report: &ReportFile, usual: f64) -> Result<(), Failure> {
    let held = acquisitions(report, "held");
    let what = "acquisitions of the lock that was held, as of one that was not";
    Failure::unless_equal(what, &usual, &held)
}

pub(super) fn acquired_before_the_start(trial: &mut Trial) -> Result<(), Failure> {
    counts(trial)?;
    let (held, usual) = (Mutex::named("held", ()), Mutex::named("usual", ()));
    let profiler = trial.profile(Recording::Everything)?;
    take([&held, &usual], 1);
    profiler.stop()?;

    let guard = held.lock();
    let profiler = trial.profile(Recording::Everything)?;
    is_refused(&held);
    drop(guard);
    let guard = usual.lock();
    is_refused(&usual);
    drop(guard);
    let early = profiler.snapshot()?;
    take([&held, &usual], TIMES);
    let report = profiler.stop()?;
    // What one that the session has seen from end to end counts here.
    let one = acquisitions(&early, "usual");
    alike_but_for_the_hold(&report, acquisitions(&report, "usual") - one)
}

pub(super) fn held_across_a_restart(trial: &mut Trial) -> Result<(), Failure> {
    counts(trial)?;
    let (held, usual) = (Mutex::named("held", ()), Mutex::named("usual", ()));
    let profiler = trial.profile(Recording::Everything)?;
    let guard = held.lock();
    let first = profiler.stop()?;
    in_none(&first)?;
    let profiler = trial.profile(Recording::Everything)?;
    drop(guard);
    take([&held, &usual], TIMES);
    let report = profiler.stop()?;
    alike_but_for_the_hold(&report, acquisitions(&report, "usual"))
}

pub(super) fn held_across_a_change_of_backend(trial: &mut Trial) -> Result<(), Failure> {
    counts(trial)?;
    let (held, usual) = (Mutex::named("held", ()), Mutex::named("usual", ()));
    let path = trial.path().to_string_lossy().into_owned();
    let settings = trial.given(Recording::Everything, &[])?;
    let profiler = trial.profile(Recording::Everything)?;
    let mut guard = held.lock();
    in_none(&profiler.switch(&path, &settings)?)?;
    // There and back again: with one instance the next session is another's, with
    // the other the first one's.
    for _ in 0..2 {
        drop(guard);
        take([&held, &usual], TIMES);
        guard = held.lock();
        let report = profiler.switch(&path, &settings)?;
        alike_but_for_the_hold(&report, acquisitions(&report, "usual"))?;
    }
    drop(guard);
    profiler.stop()?;
    Ok(())
}

fn in_none(report: &ReportFile) -> Result<(), Failure> {
    match acquisitions(report, "held") {
        0.0 => Ok(()),
        told => {
            let why = format!("a hold that has not ended counts as {told} acquisitions");
            Err(Failure::blocked_by("EVENT-02", why))
        }
    }
}

/// A stop that takes longer waits for something.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn a_stop_does_not_wait_for_a_holder(trial: &mut Trial) -> Result<(), Failure> {
    let (mutex, rwlock) = (Mutex::named("held", ()), parking_lot::RwLock::new(()));
    let profiler = trial.profile(Recording::Everything)?;
    let held = (mutex.lock(), rwlock.read());
    let (done, is_done) = channel();
    thread::spawn(move || done.send(profiler.stop().map(drop)));
    let stopped = is_done.recv_timeout(PATIENCE);
    drop(held);
    match stopped {
        Ok(stopped) => Ok(stopped?),
        Err(_) => Err(Failure::new(
            "a stop that returns while locks are held",
            format!("it has not returned after {} s", PATIENCE.as_secs()),
        )),
    }
}

/// A lock, and how often it was taken.
///
/// Sequentially consistent, all of it: whoever reads one counter and then starts
/// or stops a session knows on which side an operation was.
struct Counted {
    name: &'static str,
    lock: Mutex,
    begun: AtomicU64,
    done: AtomicU64,
}

/// How many operations have begun, and how many of them are over.
#[derive(Clone, Copy)]
struct Count {
    begun: u64,
    done: u64,
}

impl Counted {
    fn new(name: &'static str) -> Self {
        let (begun, done) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { name, lock: Mutex::named(name, ()), begun, done }
    }

    fn take(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        drop(self.lock.lock());
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    fn now(&self) -> Count {
        // In this order: what is begun now cannot be missed below.
        let done = self.done.load(Ordering::SeqCst);
        Count { begun: self.begun.load(Ordering::SeqCst), done }
    }
}

/// What threads do while sessions come and go: each has a lock of its own, and
/// there is one that all want.
struct Scene {
    locks: [Counted; 4],
    ends: AtomicBool,
}

const NAMES: [&str; 4] = ["first", "second", "third", "wanted"];
/// Those who start and stop.
const STARTERS: usize = 2;
/// So many sessions each, and for how long.
const SESSIONS: usize = 5;
const LENGTH: Duration = Duration::from_millis(8);
/// What a loaded machine may need for all of it.
const AT_MOST: Duration = Duration::from_secs(8);

pub(super) fn starts_and_stops_raced(trial: &mut Trial) -> Result<(), Failure> {
    counts(trial)?;
    let builder = trial.session(Recording::Everything)?;
    let scene = Arc::new(Scene { locks: NAMES.map(Counted::new), ends: AtomicBool::new(false) });
    for number in 0..NAMES.len() - 1 {
        let scene = Arc::clone(&scene);
        thread::spawn(move || scene.keep_taking(number));
    }
    let (done, is_done) = channel();
    for _ in 0..STARTERS {
        let (scene, builder, done) = (Arc::clone(&scene), builder.clone(), done.clone());
        thread::spawn(move || done.send(scene.sessions(&builder)));
    }
    let deadline = Instant::now() + AT_MOST;
    let mut ended = Ok(());
    for _ in 0..STARTERS {
        let left = deadline.saturating_duration_since(Instant::now());
        let one = is_done.recv_timeout(left).unwrap_or_else(|_| {
            let observed = format!("they are not through after {} s", AT_MOST.as_secs());
            Err(Failure::new("starts and stops that come to their end", observed))
        });
        ended = ended.and(one);
    }
    // Relaxed: the threads need not see anything else.
    scene.ends.store(true, Ordering::Relaxed);
    ended
}

impl Scene {
    fn keep_taking(&self, own: usize) {
        // Relaxed: see where it is stored.
        while !self.ends.load(Ordering::Relaxed) {
            for _ in 0..8 {
                self.locks[own].take();
            }
            self.locks[NAMES.len() - 1].take();
        }
    }

    /// Starts a session as often as it can be, and looks at what it has seen.
    fn sessions(&self, builder: &Builder) -> Result<(), Failure> {
        let mut sessions = 0;
        while sessions < SESSIONS {
            let before = self.now();
            let profiler = match builder.clone().start() {
                Ok(profiler) => profiler,
                // The other one's.
                Err(HostError::SessionRunning { .. }) => {
                    thread::sleep(LENGTH / 16);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let started = self.now();
            thread::sleep(LENGTH);
            let stopping = self.now();
            let report = profiler.stop()?;
            let after = self.now();
            for number in 0..NAMES.len() {
                // Begun and done within the session, at least; begun before its
                // end and not done before its start, at most.
                let fewest = stopping[number].done.saturating_sub(started[number].begun);
                let most = after[number].begun - before[number].done;
                self.within(number, &report, fewest..=most)?;
            }
            sessions += 1;
        }
        Ok(())
    }

    fn within(
        &self,
        number: usize,
        report: &ReportFile,
        possible: core::ops::RangeInclusive<u64>,
    ) -> Result<(), Failure> {
        let name = self.locks[number].name;
        let told = acquisitions(report, name);
        let (fewest, most) = (*possible.start() as f64, *possible.end() as f64);
        if (fewest..=most).contains(&told) {
            return Ok(());
        }
        let expected =
            format!("from {fewest} to {most} acquisitions of the lock '{name}' in a session");
        Err(Failure::new(expected, format!("{told}")))
    }

    fn now(&self) -> [Count; NAMES.len()] {
        core::array::from_fn(|number| self.locks[number].now())
    }
}

/// That this backend counts what happens in a session that nobody disturbs: if it
/// does not, that is the matter of another rule.
fn counts(trial: &mut Trial) -> Result<(), Failure> {
    counts_at_all(trial)?;
    counts_real_locks(trial)
}

/// That what one thread does alone is counted.
fn counts_real_locks(trial: &mut Trial) -> Result<(), Failure> {
    let lock = Mutex::named("alone", ());
    let profiler = trial.profile(Recording::Everything)?;
    take([&lock], 50);
    match acquisitions(&profiler.stop()?, "alone") {
        50.0 => Ok(()),
        told => Err(Failure::blocked_by("EVENT-01", format!("50 acquisitions count as {told}"))),
    }
}
