//! A report says what has happened: scripts that know what they did, and what
//! is said of them.

mod flags;
mod ledger;
mod script;

use lockscope::parking_lot::{self, slotless};
use lockscope::sync;
use lockscope_host::Profiler;
use lockscope_host::report::model::{Lock as Reported, ReportFile};

use flags::{Std, Told, tell_another};
use ledger::Ledger;
use script::Script;

use crate::locks::{Lock, Mode};
use crate::support::{backend, for_each_backend, turn};

/// What a script did with the lock of this name and kind; a lock without slot
/// has no name in a report.
struct Entry {
    name: Option<&'static str>,
    kind: &'static str,
    ledger: Ledger,
}

impl Entry {
    fn of<'r>(&self, report: &'r ReportFile) -> &'r Reported {
        let is_it = |lock: &&Reported| lock.name.as_deref() == self.name && lock.kind == self.kind;
        let found: Vec<_> = report.locks.iter().filter(is_it).collect();
        let [lock] = found[..] else { panic!("{:?} {}: {found:?}", self.name, self.kind) };
        lock
    }
}

/// Everything that can be done with a lock, `factor` times as often as the
/// least: so that no two locks look alike.
fn exercise<L: Lock>(name: &'static str, factor: u32, profiler: &Profiler) -> Entry {
    // Never dropped, and so in a row of its own.
    let lock = Box::leak(Box::new(L::named(name)));
    let mut script = Script::new(lock, profiler);
    script.take(Mode::Write, 10 * factor);
    script.take(L::SHARED, 5 * factor);
    script.attempt(Mode::Write);
    script.attempt(L::SHARED);
    script.refuse(Mode::Write, L::SHARED, 3 * factor);
    script.refuse(L::SHARED, Mode::Write, factor);
    for _ in 0..factor {
        script.contend(Mode::Write, L::SHARED);
        script.contend(L::SHARED, Mode::Write);
    }
    script.contend(Mode::Write, Mode::Write);
    Entry { name: L::HAS_SLOT.then_some(name), kind: L::KIND, ledger: script.ledger }
}

/// A session in which all locks are exercised.
fn exercised(name: &str, period: u32) -> (Vec<Entry>, ReportFile) {
    let profiler = backend(name, period).start().unwrap();
    let done = vec![
        exercise::<sync::Mutex<()>>("std mutex", 1, &profiler),
        exercise::<sync::RwLock<()>>("std rwlock", 2, &profiler),
        exercise::<parking_lot::Mutex<()>>("mutex", 3, &profiler),
        exercise::<parking_lot::FairMutex<()>>("fair mutex", 4, &profiler),
        exercise::<parking_lot::RwLock<()>>("rwlock", 5, &profiler),
        exercise::<slotless::Mutex<()>>("", 6, &profiler),
        exercise::<slotless::RwLock<()>>("", 7, &profiler),
    ];
    (done, profiler.stop().unwrap())
}

fn at_period_1_every_number_is_exact(name: &str) {
    let _turn = turn();
    let (done, report) = exercised(name, 1);
    for entry in &done {
        entry.ledger.check_exact(entry.of(&report));
    }
    assert_eq!(report.locks.len(), done.len());
    assert!(report.losses.is_empty() && report.pending.is_empty(), "{report:?}");
}

fn at_any_period_all_but_acquisitions_and_holds_is_exact(name: &str) {
    let _turn = turn();
    let (done, report) = exercised(name, 100);
    for entry in &done {
        entry.ledger.check_certain(entry.of(&report));
    }
    assert!(report.losses.is_empty() && report.pending.is_empty(), "{report:?}");
}

/// What was done with a mutex and its condition variable.
fn entries(told: Told, names: [Option<&'static str>; 2]) -> [Entry; 2] {
    let [mutex, condvar] = names;
    [
        Entry { name: mutex, kind: "mutex", ledger: told.mutex },
        Entry { name: condvar, kind: "condvar", ledger: told.condvar },
    ]
}

fn a_thread_that_waits_to_be_told_is_idle_and_not_kept_waiting(name: &str) {
    let _turn = turn();
    let std = Std::named("std flag", "std told");
    let pair = (parking_lot::Mutex::named("flag", false), parking_lot::Condvar::named("told"));
    let bare = (slotless::Mutex::new(false), slotless::Condvar::new());
    let profiler = backend(name, 1).start().unwrap();
    let done = [
        entries(tell_another(&std), [Some("std flag"), Some("std told")]),
        entries(tell_another(&pair), [Some("flag"), Some("told")]),
        entries(tell_another(&bare), [None, None]),
    ];
    let report = profiler.stop().unwrap();
    for entry in done.as_flattened() {
        entry.ledger.check_exact(entry.of(&report));
    }
    assert_eq!(report.locks.len(), done.as_flattened().len());
}

for_each_backend!(
    at_period_1_every_number_is_exact,
    at_any_period_all_but_acquisitions_and_holds_is_exact,
    a_thread_that_waits_to_be_told_is_idle_and_not_kept_waiting,
);
