//! What the host asks it while a session runs: how to go on, and what it has
//! cost.

use core::ffi::c_void;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lockscope_adaptive::Adaptive;
use lockscope_conformance::inside::probe::{
    Lock, event, initialised, lock_once, session, snapshot, started, wait_once,
};
use lockscope_core::backend::{Backend, ErrorKind, Pace};
use lockscope_core::gate::state;
use lockscope_core::{Countdown, Event, EventKind, Mode, Session};

/// Reasons that a session was abandoned for.
type Reasons = Mutex<Vec<String>>;

/// A session that writes down for what reason it is abandoned.
fn heard(reasons: &Reasons) -> Session {
    extern "C" fn abandon(context: *const c_void, reason: *const u8, len: usize) {
        // SAFETY: the test's reasons live longer than its session.
        let reasons = unsafe { &*context.cast::<Reasons>() };
        // SAFETY: the backend gives its reason for the length of the call.
        let reason = unsafe { core::slice::from_raw_parts(reason, len) };
        let reason = String::from_utf8_lossy(reason).into_owned();
        reasons.lock().unwrap_or_else(PoisonError::into_inner).push(reason);
    }
    Session { abandon, context: core::ptr::from_ref(reasons).cast(), ..session(1) }
}

/// Does `once` again and again, and asks the backend when it wants to be asked,
/// until it answers as wanted.
fn busy(backend: &Adaptive, mut once: impl FnMut(), wanted: impl Fn(&Pace) -> bool) -> Pace {
    let began = Instant::now();
    let (mut asked, mut pace) = (began, backend.pace());
    while !wanted(&pace) {
        assert!(began.elapsed() < Duration::from_secs(30), "{pace:?}");
        once();
        if asked.elapsed() >= Duration::from_nanos(pace.ask_after_ns) {
            asked = Instant::now();
            pace = backend.pace();
        }
    }
    pace
}

/// Ends after so long.
fn passed(time: Duration) -> impl Fn(&Pace) -> bool {
    let until = Instant::now() + time;
    move |_| Instant::now() >= until
}

fn is_closed(pace: &Pace) -> bool {
    pace.gate == state::CLOSED
}

fn notes(backend: &Adaptive) -> String {
    snapshot(backend).notes.join("\n")
}

#[test]
fn it_wants_to_be_asked_soon_and_then_ten_times_a_second() {
    let backend: Adaptive = started(&[]);
    let asked: Vec<u64> = (0..6).map(|_| backend.pace().ask_after_ns / 1_000_000).collect();
    assert_eq!(asked, [10, 20, 40, 80, 100, 100]);
}

#[test]
fn nothing_but_recording_is_far_beyond_the_budget_and_is_held_back() {
    let backend: Adaptive = started(&[("period", "1")]);
    let lock = Lock::new(1, 9);
    let record = || {
        lock_once(&backend, &lock, 1, 10);
        wait_once(&backend, &lock, 1, 2, 30);
    };
    let pace = busy(&backend, record, |pace| pace.contended_period >= 8);
    assert_eq!(pace.gate, state::OPEN);
    assert!(lock_once(&backend, &lock, 1, 10).own_weight() >= 8);
    let notes = notes(&backend);
    for part in [
        "Profiling took about ",
        "To keep to 1 % of the processor time (budget_percent), all sampling periods were multiplied by up to ",
        "To keep to 1 % of the processor time (budget_percent), only one in up to ",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
}

#[test]
fn without_a_budget_every_operation_can_be_recorded() {
    let backend: Adaptive =
        started(&[("period", "1"), ("max_period", "1"), ("budget_percent", "0")]);
    let lock = Lock::new(1, 9);
    let record = || assert_eq!(lock_once(&backend, &lock, 1, 10), Countdown::EVERY);
    let pace = busy(&backend, record, passed(Duration::from_millis(100)));
    assert_eq!((pace.gate, pace.contended_period), (state::OPEN, 1));
    let report = snapshot(&backend);
    assert_eq!((report.periods.as_slice(), report.notes.len()), ([1].as_slice(), 1));
}

#[test]
fn a_budget_holds_from_when_it_is_set() {
    let backend: Adaptive = started(&[("period", "1"), ("budget_percent", "0")]);
    let lock = Lock::new(1, 9);
    let record = || {
        lock_once(&backend, &lock, 1, 10);
        wait_once(&backend, &lock, 1, 2, 30);
    };
    let pace = busy(&backend, record, passed(Duration::from_millis(50)));
    assert_eq!(pace.contended_period, 1);
    backend.configure("samples_per_sec", "100").unwrap();
    busy(&backend, record, |pace| pace.contended_period > 1);
    assert!(notes(&backend).contains("To keep to 100 samples in a second (samples_per_sec), "));
    backend.configure("samples_per_sec", "0").unwrap();
    busy(&backend, record, |pace| pace.contended_period == 1);
    let notes = notes(&backend);
    assert!(notes.contains("To keep to the budget that held before, "), "{notes}");
    assert!(notes.contains("and each at the end"), "{notes}");
}

#[test]
fn too_many_operations_end_the_session_once_and_say_why() {
    let reasons = Reasons::default();
    let backend: Adaptive = initialised(&[("auto_disable_ops_per_sec", "1000")]);
    backend.start(&heard(&reasons)).unwrap();
    let lock = Lock::new(1, 9);
    lock.meet(&backend, 1);
    let stands_for = Event { weight: 16, counted: 1, ..event(&lock, 1, Mode::EXCLUSIVE) };
    let record = || {
        backend.event(&Event { lock: lock.as_ref(), ..stands_for });
    };
    let pace = busy(&backend, record, is_closed);
    assert_eq!(pace, Pace { gate: state::CLOSED, contended_period: 1, ask_after_ns: u64::MAX });
    assert_eq!(backend.pace(), pace);
    let reasons = reasons.lock().unwrap();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].contains("more than the 1000 of auto_disable_ops_per_sec"), "{reasons:?}");
    backend.stop().unwrap();
    backend.start(&session(2)).unwrap();
    assert_eq!(backend.pace().gate, state::OPEN, "the next session is another");
}

#[test]
fn tries_that_fail_without_end_cannot_be_served() {
    let reasons = Reasons::default();
    let backend: Adaptive = initialised(&[]);
    backend.start(&heard(&reasons)).unwrap();
    let lock = Lock::new(1, 9);
    let failed = Event { kind: EventKind::FAILED, ..event(&lock, 3, Mode::EXCLUSIVE) };
    let fail = || {
        backend.event(&failed);
    };
    busy(&backend, fail, is_closed);
    let reasons = reasons.lock().unwrap();
    assert!(reasons[0].contains("tries that fail"), "{reasons:?}");
}

#[test]
fn what_it_has_cost_stays_after_the_end_as_it_was() {
    let backend: Adaptive = started(&[("period", "1")]);
    let lock = Lock::new(1, 9);
    let record = || {
        lock_once(&backend, &lock, 1, 10);
    };
    busy(&backend, record, passed(Duration::from_millis(50)));
    backend.stop().unwrap();
    let told = notes(&backend);
    assert!(
        told.contains(
            " % of the processor time that the process used, as measured by the backend: "
        )
    );
    assert!(
        told.contains(" samples at ") && told.contains(" operations that passed the gate at "),
        "{told}"
    );
    let until = Instant::now() + Duration::from_millis(20);
    while Instant::now() < until {}
    assert_eq!(notes(&backend), told);
    assert_eq!(backend.pace(), Pace::STEADY, "nothing runs that could be paced");
}

#[test]
fn what_can_be_changed_while_a_session_runs() {
    let backend: Adaptive = started(&[]);
    let lock = Lock::new(1, 9);
    let first = || backend.meet(Some(&lock.as_ref())).own_weight();
    backend.configure("period", "50").unwrap();
    assert_eq!(first(), 32);
    backend.configure("max_period", "5").unwrap();
    assert_eq!(first(), 4);
    for key in ["budget_percent", "samples_per_sec", "auto_disable_ops_per_sec"] {
        backend.configure(key, "2.5").unwrap();
        let error = backend.configure(key, "-1").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Setting);
        let said = format!("the key '{key}' must be a number from 0 (no limit) to ");
        assert!(error.message.starts_with(&said), "{error}");
    }
    for key in ["max_locks", "max_sites"] {
        let held = backend.configure(key, "5").unwrap_err().message;
        assert!(held.contains("holds for the life of a backend"), "{held}");
    }
    assert_eq!(
        backend.configure("perod", "5").unwrap_err().message,
        "there is no key 'perod'; the keys are period, max_period, budget_percent, samples_per_sec, auto_disable_ops_per_sec, max_locks, max_sites"
    );
}

#[test]
fn its_keys_are_described_with_their_defaults() {
    let description = Adaptive::describe();
    let defaults: Vec<_> =
        description.keys.iter().map(|key| (key.name.as_str(), key.default.as_str())).collect();
    let expected = [
        ("period", "16"),
        ("max_period", "4096"),
        ("budget_percent", "1"),
        ("samples_per_sec", "0"),
        ("auto_disable_ops_per_sec", "budget"),
        ("max_locks", "100000"),
        ("max_sites", "64"),
    ];
    assert_eq!(defaults, expected);
}
