//! Waits and holds of real locks that take as long as was set up.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lockscope::{parking_lot, sync};
use lockscope_host::report::model::{ReportFile, Site, Times, Total};

use crate::keys::Recording;
use crate::rules::exclusion::{PATIENCE, Sleeper};
use crate::trial::Trial;
use crate::verdict::Failure;

/// How long something is made to take, at least.
const LONG: Duration = Duration::from_millis(8);
/// Another clock than ours may be so much faster or slower.
const CLOCKS_DIFFER: f64 = 0.01;

/// Between what bounds a time lies, for certain.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    /// How many times it is the sum of.
    count: u32,
    least: Duration,
    most: Duration,
}

impl Bounds {
    /// Whether the times of that lock in `report` are one of these. If there are
    /// not as many as there should be, it is another family's matter.
    fn hold_for(
        self,
        report: &ReportFile,
        lock: &str,
        what: &str,
        told: impl Fn(&Site) -> (Total, &Times),
    ) -> Result<(), Failure> {
        let locks = report.locks.iter().filter(|one| one.name.as_deref() == Some(lock));
        let sites = || locks.clone().flat_map(|lock| &lock.sites).map(&told);
        let count: f64 = sites().map(|(count, _)| count.value).sum();
        let total: f64 = sites().map(|(_, times)| times.total.value).sum();
        if count != f64::from(self.count) {
            let why = format!("{count} times of the lock '{lock}' instead of {}", self.count);
            return Err(Failure::blocked_by("EVENT-01", why));
        }
        let Self { least, most, .. } = self;
        let is_least = total >= ns(least) * (1.0 - CLOCKS_DIFFER);
        let is_most = total <= ns(most) * (1.0 + CLOCKS_DIFFER);
        if is_least && is_most {
            return Ok(());
        }
        Err(Failure::new(
            format!("{what} of the lock '{lock}' between {least:?} and {most:?}"),
            format!("{:?}", Duration::from_nanos(total as u64)),
        ))
    }
}

fn ns(duration: Duration) -> f64 {
    duration.as_nanos() as f64
}

/// A lock that is held by one thread, and waited for by another.
trait Contended: Send + Sync + 'static {
    fn hold(&self, act: &mut dyn FnMut());
    fn get(&self, act: &mut dyn FnMut());
}

/// To be read by who waits.
struct Read<L>(L);
/// To be written.
struct Alone<L>(L);

macro_rules! contended {
    ($($lock:ty: $hold:ident, $get:ident;)*) => {
        $(impl Contended for $lock {
            fn hold(&self, act: &mut dyn FnMut()) {
                let _guard = self.0.$hold();
                act();
            }

            fn get(&self, act: &mut dyn FnMut()) {
                let _guard = self.0.$get();
                act();
            }
        })*
    };
}

contended! {
    Alone<sync::Mutex<()>>: lock, lock;
    Alone<sync::RwLock<()>>: read, write;
    Read<sync::RwLock<()>>: write, read;
    Alone<parking_lot::Mutex<()>>: lock, lock;
    Read<parking_lot::RwLock<()>>: write, read;
}

const MUTEX: &str = "a sync::Mutex";
const WRITTEN: &str = "a sync::RwLock that is written";
const READ: &str = "a sync::RwLock that is read";
const BARE: &str = "a parking_lot::Mutex";
const BARE_READ: &str = "a parking_lot::RwLock that is read";

pub(super) fn waits(trial: &mut Trial) -> Result<(), Failure> {
    let locks: [(&str, Arc<dyn Contended>); 5] = [
        (MUTEX, Arc::new(Alone(sync::Mutex::named(MUTEX, ())))),
        (WRITTEN, Arc::new(Alone(sync::RwLock::named(WRITTEN, ())))),
        (READ, Arc::new(Read(sync::RwLock::named(READ, ())))),
        (BARE, Arc::new(Alone(parking_lot::Mutex::named(BARE, ())))),
        (BARE_READ, Arc::new(Read(parking_lot::RwLock::named(BARE_READ, ())))),
    ];
    let profiler = trial.profile(Recording::Everything)?;
    let mut bounds = Vec::new();
    for (name, lock) in &locks {
        bounds.push((*name, one_wait(lock)?));
    }
    let report = profiler.stop()?;
    bounds.iter().try_for_each(|(name, bounds)| {
        bounds.hold_for(&report, name, "the wait", |site| (site.contentions, &site.wait_ns))
    })
}

/// A thread waits for who holds the lock.
fn one_wait(lock: &Arc<dyn Contended>) -> Result<Bounds, Failure> {
    let sleeper = Sleeper::default();
    let (waits, waited) = channel();
    let (theirs, itself) = (Arc::clone(lock), sleeper.clone());
    let mut thread = Some(move || {
        let began = Instant::now();
        itself.lies_down();
        theirs.get(&mut || {
            // Nobody listens any more if it took too long.
            let _ = waits.send(began.elapsed());
            // What comes now is no wait.
            std::thread::sleep(LONG);
        });
        let _ = waits.send(began.elapsed());
    });
    let mut is_asleep = Ok(());
    let mut least = Duration::ZERO;
    lock.hold(&mut || {
        if let Some(thread) = thread.take() {
            std::thread::spawn(thread);
        }
        is_asleep = sleeper.until_asleep();
        // It waits by now, and for as long as we hold.
        let began = Instant::now();
        std::thread::sleep(LONG);
        least = began.elapsed();
    });
    is_asleep?;
    let never = |_| Failure::blocked_by("EXCL-03", "a thread that waits is not woken");
    let most = waited.recv_timeout(PATIENCE).map_err(never)?;
    // The session is to see its end.
    waited.recv_timeout(PATIENCE).map_err(never)?;
    Ok(Bounds { count: 1, least, most })
}

const ALONE: &str = "held alone";
const SHARED: &str = "held by two readers";
const SPLIT: &str = "held, waited with, and held again";
const IDLE: &str = "waited at";

pub(super) fn holds(trial: &mut Trial) -> Result<(), Failure> {
    let profiler = trial.profile(Recording::Everything)?;
    let mutex = sync::Mutex::named(ALONE, ());
    let alone = one_hold(&mut || mutex.lock());
    let shared = two_readers();
    let (split, idle) = split()?;
    let report = profiler.stop()?;
    let hold = |bounds: Bounds, name| {
        bounds.hold_for(&report, name, "the hold", |site| (site.acquisitions, &site.hold_ns))
    };
    hold(alone, ALONE)?;
    hold(shared, SHARED)?;
    hold(split, SPLIT)?;
    idle.hold_for(&report, IDLE, "the idle time", |site| (site.idles, &site.idle_ns))
}

/// Has what `take` gives for a while.
fn one_hold<G>(take: &mut dyn FnMut() -> G) -> Bounds {
    let asked = Instant::now();
    let guard = take();
    let had = Instant::now();
    std::thread::sleep(LONG);
    let least = had.elapsed();
    drop(guard);
    Bounds { count: 1, least, most: asked.elapsed() }
}

/// Two holds at the same time count twice.
fn two_readers() -> Bounds {
    let lock = sync::RwLock::named(SHARED, ());
    let asked = Instant::now();
    let first = lock.read();
    let had = Instant::now();
    let second = one_hold(&mut || lock.read());
    let least = had.elapsed();
    drop(first);
    Bounds { count: 2, least: least + second.least, most: asked.elapsed() + second.most }
}

/// Holds a mutex, waits at a condition variable, and holds it again.
fn split() -> Result<(Bounds, Bounds), Failure> {
    const NOBODY_CALLS: Duration = Duration::from_millis(20);
    let (mutex, call) = (sync::Mutex::named(SPLIT, ()), sync::Condvar::named(IDLE));
    let poisoned = || Failure::blocked_by("EXCL-06", "a mutex is poisoned");
    let asked = Instant::now();
    let guard = mutex.lock().map_err(|_| poisoned())?;
    let had = Instant::now();
    std::thread::sleep(LONG);
    let first = had.elapsed();
    let waits = Instant::now();
    let waited = call.wait_timeout_while(guard, NOBODY_CALLS, |()| true);
    let (guard, _) = waited.map_err(|_| poisoned())?;
    let idle = waits.elapsed();
    let again = Instant::now();
    std::thread::sleep(LONG);
    let second = again.elapsed();
    drop(guard);
    let most = asked.elapsed().saturating_sub(NOBODY_CALLS);
    let split = Bounds { count: 2, least: first + second, most };
    Ok((split, Bounds { count: 1, least: NOBODY_CALLS, most: idle }))
}
