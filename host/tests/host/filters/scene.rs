//! A scene: one lock of every family, each used in every way.

use std::sync::mpsc::channel;
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use lockscope::parking_lot::{self, slotless};
use lockscope::sync;
use lockscope_host::Profiler;
use lockscope_host::report::model::{self, Lock as Reported};

use crate::locks::{Lock, Mode};
use crate::support::{PATIENCE, backend, folder};

/// How long somebody waits for nothing.
const MOMENT: Duration = Duration::from_millis(2);

/// A session of the wrapper, with these filters in its configuration file.
pub(super) fn session(period: u32, filters: &str) -> Profiler {
    let dir = folder();
    let file = dir.path().join("filters.toml");
    std::fs::write(&file, filters).unwrap();
    backend("wrapper", period).config(file).start().unwrap()
}

/// Holds the lock while another thread waits for it, which has it once; calls
/// `meanwhile` when it does.
pub(super) fn contend<L: Lock>(lock: &L, held: Mode, wanted: Mode, meanwhile: impl FnOnce()) {
    thread::scope(|scope| {
        lock.hold(held, || {
            keep_waiting(scope, lock, wanted);
            meanwhile();
        });
    });
}

/// Lets a thread wait for the lock, which somebody holds, and have it once.
pub(super) fn keep_waiting<'scope, L: Lock>(
    scope: &'scope Scope<'scope, '_>,
    lock: &'scope L,
    wanted: Mode,
) {
    let (sender, receiver) = channel();
    scope.spawn(move || {
        sender.send(thread_id()).unwrap();
        lock.hold(wanted, || ());
    });
    until_asleep(receiver.recv().unwrap());
}

fn thread_id() -> libc::pid_t {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::gettid() }
}

/// Returns once the thread of this process sleeps.
fn until_asleep(thread: libc::pid_t) {
    let deadline = Instant::now() + PATIENCE;
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap();
        // The name, which may hold anything, stands in brackets before it.
        stat.rsplit_once(") ").unwrap().1.chars().next()
    };
    while state() != Some('S') {
        assert!(Instant::now() < deadline, "the thread does not wait");
        thread::yield_now();
    }
}

/// What was done with a lock.
pub(super) struct Done {
    /// What the lock is called here.
    pub(super) label: &'static str,
    /// Its name in a report; empty if it has none.
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    acquisitions: u32,
    contentions: u32,
    failures: u32,
    idles: u32,
}

impl Done {
    /// The report of the lock says so; at period 1, of its acquisitions as well.
    pub(super) fn check(&self, lock: &Reported, period: u32) {
        let sum = |of: fn(&model::Site) -> f64| lock.sites.iter().map(of).sum::<f64>();
        let label = self.label;
        assert_eq!(sum(|site| site.contentions.value), f64::from(self.contentions), "{label}");
        assert_eq!(sum(|site| site.failures.value), f64::from(self.failures), "{label}");
        assert_eq!(sum(|site| site.idles.value), f64::from(self.idles), "{label}");
        if period == 1 {
            assert_eq!(lock.acquisitions(), f64::from(self.acquisitions), "{label}");
        }
    }
}

/// The locks; those without a slot have no names but here.
pub(super) struct Scene {
    std_queue: sync::Mutex<()>,
    queue: parking_lot::Mutex<()>,
    fair_queue: parking_lot::FairMutex<()>,
    std_table: sync::RwLock<()>,
    table: parking_lot::RwLock<()>,
    bare_queue: slotless::Mutex<()>,
    bare_table: slotless::RwLock<()>,
    flag: parking_lot::Mutex<()>,
    told: parking_lot::Condvar,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self {
            std_queue: Lock::named("std queue"),
            queue: Lock::named("queue"),
            fair_queue: Lock::named("fair queue"),
            std_table: Lock::named("std table"),
            table: Lock::named("table"),
            bare_queue: Lock::named(""),
            bare_table: Lock::named(""),
            flag: parking_lot::Mutex::named("flag", ()),
            told: parking_lot::Condvar::named("told"),
        }
    }

    /// Uses all locks, each as often as no other.
    pub(super) fn play(&self) -> Vec<Done> {
        let mut done = vec![
            exercise(&self.std_queue, "std queue", 1),
            exercise(&self.queue, "queue", 2),
            exercise(&self.fair_queue, "fair queue", 3),
            exercise(&self.std_table, "std table", 4),
            exercise(&self.table, "table", 5),
            exercise(&self.bare_queue, "bare queue", 6),
            exercise(&self.bare_table, "bare table", 7),
            exercise(&self.flag, "flag", 8),
        ];
        let idles = self.wait_in_vain(3);
        if let Some(flag) = done.last_mut() {
            // At first, and after each of the waits.
            flag.acquisitions += 1 + idles;
        }
        done.push(Done {
            label: "told",
            name: "told",
            kind: "condvar",
            acquisitions: 0,
            contentions: 0,
            failures: 0,
            idles,
        });
        done
    }

    /// Waits so many times for what nobody tells.
    fn wait_in_vain(&self, times: u32) -> u32 {
        let mut flag = self.flag.lock();
        for _ in 0..times {
            assert!(self.told.wait_for(&mut flag, MOMENT).timed_out());
        }
        times
    }
}

/// Everything that can be done with a lock: more often, the greater `factor` is.
fn exercise<L: Lock>(lock: &L, label: &'static str, factor: u32) -> Done {
    (0..10 * factor).for_each(|_| lock.hold(Mode::Write, || ()));
    (0..5 * factor).for_each(|_| lock.hold(L::SHARED, || ()));
    lock.hold(Mode::Write, || {
        let refused = || (0..factor).for_each(|_| assert!(!lock.attempt(L::SHARED)));
        thread::scope(|scope| drop(scope.spawn(refused)));
    });
    contend(lock, Mode::Write, L::SHARED, || ());
    contend(lock, L::SHARED, Mode::Write, || ());
    let name = if L::HAS_SLOT { label } else { "" };
    let acquisitions = 10 * factor + 5 * factor + 1 + 2 * 2;
    Done { label, name, kind: L::KIND, acquisitions, contentions: 2, failures: factor, idles: 0 }
}
