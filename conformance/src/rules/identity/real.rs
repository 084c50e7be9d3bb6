//! Locks of a real program.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use lockscope::parking_lot::{self, slotless};
use lockscope::sync::{self, Mutex, RwLock};
use lockscope_core::LockKind;
use lockscope_host::report::model::{Lock, ReportFile};

use super::rows::{acquisitions, made_at, words};
use crate::keys::Recording;
use crate::lock::Make;
use crate::script::{Script, Step, Use};
use crate::simulation::Simulation;
use crate::trial::Trial;
use crate::verdict::Failure;

/// How long a thread may take for what takes no time: after that it waits for
/// something that does not come.
const PATIENCE: Duration = Duration::from_secs(3);

/// Has so many threads do the same, each with its number, at the same time.
pub(in crate::rules) fn in_threads(
    threads: usize,
    work: impl Fn(usize) + Send + Sync + 'static,
) -> Result<(), Failure> {
    let (work, (done, is_done)) = (Arc::new(work), channel());
    let begin = Arc::new(std::sync::Barrier::new(threads));
    for number in 0..threads {
        let (work, done, begin) = (Arc::clone(&work), done.clone(), Arc::clone(&begin));
        std::thread::spawn(move || {
            begin.wait();
            work(number);
            let _ = done.send(());
        });
    }
    for _ in 0..threads {
        if is_done.recv_timeout(PATIENCE).is_err() {
            return Err(Failure::blocked_by("EXCL-03", "a thread did not come back from a lock"));
        }
    }
    Ok(())
}

/// Looks first whether a thread comes back from locks that are taken again and
/// again: this one has to.
pub(in crate::rules) fn only_if_locks_come_back(trial: &mut Trial) -> Result<(), Failure> {
    let profiler = trial.profile(Recording::Everything)?;
    in_threads(1, |_| {
        let locks = (Mutex::new(1), parking_lot::Mutex::new(1), RwLock::new(1));
        for _ in 0..3 {
            drop((locks.0.lock(), locks.1.lock(), locks.2.write()));
            drop((locks.0.lock(), 0));
            drop(locks.1.lock());
            if let Ok(guard) = locks.0.lock() {
                drop(sync::Condvar::new().wait_timeout(guard, Duration::ZERO));
            }
            let mut guard = locks.1.lock();
            parking_lot::Condvar::new().wait_for(&mut guard, Duration::ZERO);
        }
    })?;
    profiler.stop()?;
    Ok(())
}

/// As long as no line of a program is; the last bytes are more than one each.
const LONG: &str = concat!(
    "ident: a name that is longer than anybody would think a name can be, with blanks, ",
    "\"quotes\" and\ta tab in it, and with Schloß, κλειδί, замо́к, 錠 🔒 at its end"
);

/// A lock, what its row is to say, and how often it is used.
struct Known {
    kind: &'static str,
    name: Option<&'static str>,
    /// The line that makes it.
    line: u32,
}

static STATIC: Mutex<u8> = Mutex::named("ident-static", 0);
const STATIC_LINE: u32 = line!() - 1;

pub(super) fn rows_say_what_a_lock_is(trial: &mut Trial) -> Result<(), Failure> {
    only_if_locks_come_back(trial)?;
    kinds_are_handed_on(trial)?;
    let profiler = trial.profile(Recording::Everything)?;
    let (mutex, line) = (Mutex::named("ident-alive", ()), line!());
    let (nameless, nameless_line) = (RwLock::new(()), line!());
    let (long, long_line) = (parking_lot::RwLock::named(LONG, ()), line!());
    let (once, once_line) = (sync::Once::named("ident-once"), line!());
    let (condvar, condvar_line) = (sync::Condvar::named("ident-condvar"), line!());
    let (reentrant, reentrant_line) = (parking_lot::ReentrantMutex::named("ident-re", ()), line!());
    // Twice the same line, whose locks are dropped.
    let names = ["ident-dropped-left", "ident-dropped-right", "ident-dropped-left"];
    let mut dropped_line = 0;
    for name in names {
        let (lock, line) = (parking_lot::Mutex::named(name, ()), line!());
        drop(lock.lock());
        dropped_line = line;
    }
    drop((mutex.lock(), nameless.read(), long.write(), reentrant.lock(), STATIC.lock()));
    once.call_once(|| ());
    if let Ok(guard) = mutex.lock() {
        drop(condvar.wait_timeout(guard, Duration::ZERO));
    }
    let report = profiler.stop()?;
    let known = [
        Known { kind: "mutex", name: Some("ident-alive"), line },
        Known { kind: "rwlock", name: None, line: nameless_line },
        Known { kind: "rwlock", name: Some(LONG), line: long_line },
        Known { kind: "once", name: Some("ident-once"), line: once_line },
        Known { kind: "condvar", name: Some("ident-condvar"), line: condvar_line },
        Known { kind: "reentrant", name: Some("ident-re"), line: reentrant_line },
        Known { kind: "mutex", name: Some("ident-static"), line: STATIC_LINE },
        Known { kind: "mutex", name: Some(names[0]), line: dropped_line },
        Known { kind: "mutex", name: Some(names[1]), line: dropped_line },
    ];
    for lock in &known {
        lock.stands_in(&report)?;
    }
    let by_name = |name: &str| -> u64 {
        let of_it = |lock: &&Lock| lock.name.as_deref() == Some(name);
        report.locks.iter().filter(of_it).map(|lock| lock.locks).sum()
    };
    let dropped = (by_name(names[0]), by_name(names[1]));
    Failure::unless_equal("dropped locks of two names of one line", &(2, 1), &dropped)
}

impl Known {
    /// Whether there is a row, and every row of its line and name says the same.
    fn stands_in(&self, report: &ReportFile) -> Result<(), Failure> {
        let Self { kind, name, line } = self;
        let said = |lock: &Lock| {
            let place = lock.created.as_ref();
            let place = place.map(|place| (place.file.clone(), place.line));
            (lock.kind.clone(), lock.name.clone(), place)
        };
        let expected =
            ((*kind).to_owned(), name.map(str::to_owned), Some((file!().to_owned(), *line)));
        let all: Vec<_> = report.locks.iter().map(said).collect();
        if all.contains(&expected) {
            return Ok(());
        }
        let near = |one: &&(String, Option<String>, Option<(String, u32)>)| {
            one.2 == expected.2 || one.1 == expected.1 && one.1.is_some()
        };
        let near: Vec<_> = all.iter().filter(near).collect();
        Err(Failure::new(format!("a row of {expected:?}"), format!("{near:?}")))
    }
}

/// As they are, alive and dropped; also those that nobody knows yet.
fn kinds_are_handed_on(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let kinds = (0..12).chain([77, 0x1_0000, u32::MAX]).map(LockKind);
    let mut script = Script::default();
    let makes = kinds.flat_map(|kind| [true, false].map(|has_slot| Make { kind, has_slot }));
    let locks: Vec<_> = makes.map(|make| (script.lock(make), make.kind)).collect();
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    for (when, last) in [("alive", false), ("dropped", true)] {
        for (lock, _) in &locks {
            simulation.run(&[Step::Take(Use::of(*lock))])?;
            if last {
                simulation.run(&[Step::Replace(*lock)])?;
            }
        }
        let report = simulation.so_far()?.report;
        for (lock, kind) in &locks {
            let rows = made_at(&report, lock.created());
            let all: f64 = rows.iter().map(|row| acquisitions(row)).sum();
            if all == 0.0 || rows.iter().any(|row| row.kind != kind.0) {
                let expected = format!("rows of kind {} for the lock, {when}", kind.0);
                let kinds: Vec<u32> = rows.iter().map(|row| row.kind).collect();
                return Err(Failure::new(expected, format!("kinds {kinds:?}: {}", words(rows))));
            }
        }
    }
    simulation.stop()?;
    Ok(())
}

/// Something of the program's, a lock, and something more.
#[repr(C)]
struct Between<L> {
    before: [u64; 4],
    lock: L,
    after: [u64; 4],
}

const BRICKS: [u64; 4] = [0x5afe_c0de_5afe_c0de; 4];

/// A lock by what is in it.
trait Holding {
    /// Uses it in each way that it has; what its value is.
    fn value(&self) -> Vec<u8>;
}

impl<const N: usize> Holding for Mutex<[u8; N]> {
    fn value(&self) -> Vec<u8> {
        drop(self.try_lock());
        self.lock().map(|value| value.to_vec()).unwrap_or_default()
    }
}

impl<const N: usize> Holding for RwLock<[u8; N]> {
    fn value(&self) -> Vec<u8> {
        drop(self.write());
        self.read().map(|value| value.to_vec()).unwrap_or_default()
    }
}

impl<const N: usize> Holding for parking_lot::Mutex<[u8; N]> {
    fn value(&self) -> Vec<u8> {
        drop(self.try_lock());
        self.lock().to_vec()
    }
}

impl<const N: usize> Holding for parking_lot::RwLock<[u8; N]> {
    fn value(&self) -> Vec<u8> {
        drop(self.write());
        self.read().to_vec()
    }
}

impl<const N: usize> Holding for slotless::Mutex<[u8; N]> {
    fn value(&self) -> Vec<u8> {
        drop(self.try_lock());
        self.lock().to_vec()
    }
}

impl<const N: usize> Holding for slotless::RwLock<[u8; N]> {
    fn value(&self) -> Vec<u8> {
        drop(self.write());
        self.read().to_vec()
    }
}

/// A lock of the program's, and how it was before it was profiled.
trait Unchanged {
    fn is_unchanged(&self, when: &str) -> Result<(), Failure>;
}

struct Was<L> {
    name: &'static str,
    lock: Arc<Between<L>>,
    address: usize,
    layout: (usize, usize),
    value: Vec<u8>,
    equal: L,
    key: HashMap<usize, &'static str>,
}

impl<L: Holding> Was<L> {
    fn boxed(name: &'static str, make: impl Fn() -> L) -> Box<dyn Unchanged>
    where
        L: 'static,
    {
        let lock = Arc::new(Between { before: BRICKS, lock: make(), after: BRICKS });
        let address = core::ptr::from_ref(&lock.lock).addr();
        Box::new(Self {
            name,
            address,
            layout: (size_of_val(&lock.lock), align_of_val(&lock.lock)),
            value: lock.lock.value(),
            equal: make(),
            key: HashMap::from([(address, name)]),
            lock,
        })
    }
}

impl<L: Holding> Unchanged for Was<L> {
    fn is_unchanged(&self, when: &str) -> Result<(), Failure> {
        let lock = &self.lock.lock;
        let what = |what: &str| format!("{what} of a {} {when}", self.name);
        for _ in 0..20 {
            Failure::unless_equal(&what("the value"), &self.value, &lock.value())?;
        }
        Failure::unless_equal(&what("the value's equal"), &lock.value(), &self.equal.value())?;
        let address = core::ptr::from_ref(lock).addr();
        Failure::unless_equal(&what("the address"), &self.address, &address)?;
        Failure::unless_equal(
            &what("what has the key"),
            &Some(&self.name),
            &self.key.get(&address),
        )?;
        let layout = (size_of_val(lock), align_of_val(lock));
        Failure::unless_equal(&what("size and alignment"), &self.layout, &layout)?;
        let around = (self.lock.before, self.lock.after);
        Failure::unless_equal(&what("the surroundings"), &(BRICKS, BRICKS), &around)
    }
}

fn of_size<const N: usize>() -> [Box<dyn Unchanged>; 6] {
    let value = || core::array::from_fn::<u8, N, _>(|place| place as u8 ^ 0xa5);
    [
        Was::boxed("sync::Mutex", || Mutex::new(value())),
        Was::boxed("sync::RwLock", || RwLock::new(value())),
        Was::boxed("parking_lot::Mutex", || parking_lot::Mutex::new(value())),
        Was::boxed("parking_lot::RwLock", || parking_lot::RwLock::new(value())),
        Was::boxed("parking_lot::slotless::Mutex", || slotless::Mutex::new(value())),
        Was::boxed("parking_lot::slotless::RwLock", || slotless::RwLock::new(value())),
    ]
}

pub(super) fn locks_are_unchanged(trial: &mut Trial) -> Result<(), Failure> {
    only_if_locks_come_back(trial)?;
    // Values begin right behind the lock word: the smallest are in its last word.
    let sizes = [of_size::<1>(), of_size::<3>(), of_size::<7>(), of_size::<24>()];
    let locks: Vec<Box<dyn Unchanged>> = sizes.into_iter().flatten().collect();
    let all = |when: &str| locks.iter().try_for_each(|lock| lock.is_unchanged(when));
    all("before it is profiled")?;
    for session in 1..=2 {
        let profiler = trial.profile(Recording::Everything)?;
        all(&format!("while session {session} runs"))?;
        profiler.snapshot()?;
        all(&format!("after a look at session {session}"))?;
        profiler.stop()?;
        all(&format!("after session {session}"))?;
    }
    equal_keys(trial)
}

/// Locks as values of a map, in the order of their keys, and compared by theirs.
fn equal_keys(trial: &mut Trial) -> Result<(), Failure> {
    let locks: Vec<Arc<Mutex<u32>>> = (0..8).map(|number| Arc::new(Mutex::new(number))).collect();
    let by_address: BTreeMap<usize, u32> =
        locks.iter().map(|lock| Arc::as_ptr(lock).addr()).zip(0..).collect();
    let profiler = trial.profile(Recording::Everything)?;
    let found = |lock: &Arc<Mutex<u32>>| {
        let value = lock.lock().map(|value| *value).ok();
        (value, by_address.get(&Arc::as_ptr(lock).addr()).copied())
    };
    let found: Vec<_> = locks.iter().map(found).collect();
    profiler.stop()?;
    let expected: Vec<_> = (0..8).map(|number| (Some(number), Some(number))).collect();
    Failure::unless_equal("locks, found by their addresses", &expected, &found)?;
    let same = locks.iter().all(|lock| Arc::ptr_eq(lock, &Arc::clone(lock)));
    Failure::unless_equal("a lock is itself, and no other", &true, &same)
}
