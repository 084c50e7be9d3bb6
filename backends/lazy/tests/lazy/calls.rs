//! What it is asked and told by a host.

use lockscope_conformance::inside::probe::{
    Lock, acquisitions, initialised, lock_once, session, settings, snapshot, started,
};
use lockscope_core::backend::{Backend, ErrorKind, Pace};
use lockscope_core::gate::state;
use lockscope_core::sync::{AtomicBool, Ordering};
use lockscope_lazy::Lazy;

use crate::pace::{ask, sleep, wake, wakes};

fn refused(key: &str, value: &str) -> String {
    let error = Lazy::default().init(&settings(&[(key, value)])).expect_err("it cannot be used");
    assert_eq!(error.kind, ErrorKind::Setting);
    error.message.into()
}

#[test]
fn its_keys_are_described_with_their_defaults() {
    let description = Lazy::describe();
    let defaults: Vec<_> =
        description.keys.iter().map(|key| (key.name.as_str(), key.default.as_str())).collect();
    let expected = [
        ("window_ms", "10000"),
        ("cool_down_ms", "60000"),
        ("wake_on_contentions", "0"),
        ("wake_on_wait_percent", "50"),
        ("watch_window_ms", "200"),
        ("watch_percent", "10"),
        ("wake_at_start", "0"),
        ("period", "10"),
        ("contentions_per_sec", "100000"),
        ("max_locks", "100000"),
        ("max_sites", "64"),
    ];
    assert_eq!(defaults, expected);
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_those_that_can() {
    assert_eq!(
        refused("window_ms", "0"),
        "the key 'window_ms' must be a whole number from 1 to 86400000, and is '0'; correct it"
    );
    assert_eq!(
        refused("watch_window_ms", "9"),
        "the key 'watch_window_ms' must be a whole number from 10 to 3600000, and is '9'; correct it"
    );
    assert_eq!(
        refused("wake_on_contentions", "often"),
        "the key 'wake_on_contentions' must be a whole number from 0 to 1000000000, and is 'often'; correct it"
    );
    assert_eq!(
        refused("wake_at_start", "yes"),
        "the key 'wake_at_start' must be a whole number from 0 to 1, and is 'yes'; correct it"
    );
}

#[test]
fn without_a_trigger_it_is_closed_and_asks_for_nothing() {
    let lazy: Lazy = initialised(&[("wake_on_wait_percent", "0")]);
    lazy.start(&session(1)).unwrap();
    let closed = Pace { gate: state::CLOSED, ..Pace::STEADY };
    assert_eq!(lazy.pace(), closed);
    lazy.configure("wake_on_contentions", "5").unwrap();
    assert_eq!(lazy.pace().gate, state::WATCH);
    lazy.configure("wake_on_contentions", "0").unwrap();
    assert_eq!(lazy.pace(), closed);
    let held = lazy.configure("wake_at_start", "1").unwrap_err().message;
    assert!(held.contains("holds for the life of a backend"), "{held}");
}

#[test]
fn who_wakes_it_when_no_session_runs_is_told_so() {
    let lazy: Lazy = initialised(&[("wake_on_wait_percent", "0")]);
    let refused = |lazy: &Lazy| {
        let error = lazy.wake("a command").unwrap_err();
        assert_eq!(error.kind, ErrorKind::State);
        assert_eq!(error.message, "no session is running; start one before it is woken");
    };
    refused(&lazy);
    lazy.start(&session(1)).unwrap();
    wake(&lazy, "a command");
    lazy.stop().unwrap();
    refused(&lazy);
    assert_eq!(wakes(&snapshot(&lazy)), 1);
    lazy.start(&session(2)).unwrap();
    assert_eq!((ask(&lazy), wakes(&snapshot(&lazy))), (state::CLOSED, 0));
}

#[test]
fn a_first_window_needs_nobody_to_wake_it() {
    let lazy: Lazy = initialised(&[("wake_at_start", "1"), ("period", "1")]);
    lazy.start(&session(1)).unwrap();
    assert_eq!(lazy.pace().gate, state::OPEN);
    lock_once(&lazy, &Lock::new(1, 9), 1, 10);
    let report = snapshot(&lazy);
    let window = &report.windows[0];
    assert_eq!((&*window.cause, window.samples), ("the session's start", 1));
}

#[test]
fn what_is_told_late_belongs_to_the_window_that_settles() {
    let lazy: Lazy = started(&[("period", "1"), ("window_ms", "1"), ("wake_on_wait_percent", "0")]);
    let lock = Lock::new(1, 9);
    std::thread::sleep(std::time::Duration::from_millis(2));
    let pace = lazy.pace();
    assert_eq!((pace.gate, pace.ask_after_ns), (state::CLOSED, 0));
    lock_once(&lazy, &lock, 1, 10);
    assert_eq!((lazy.pace().gate, lazy.pace().ask_after_ns), (state::CLOSED, u64::MAX));
    lock_once(&lazy, &lock, 1, 10);
    let report = snapshot(&lazy);
    assert_eq!((acquisitions(&report), report.windows[0].samples), (1.0, 1));
}

/// Whoever wakes it, whenever, is named in a window.
#[test]
fn racing_wakes() {
    const THREADS: usize = 3;
    const WAKES: usize = 300;
    let lazy: Lazy = initialised(&[("wake_on_wait_percent", "0")]);
    lazy.start(&session(1)).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let wakers: Vec<_> = (0..THREADS)
            .map(|_| scope.spawn(|| (0..WAKES).for_each(|_| lazy.wake("somebody").unwrap())))
            .collect();
        let sleeper = scope.spawn(|| {
            let mut own = 0;
            while !done.load(Ordering::Relaxed) {
                sleep(&lazy);
                own += 1;
            }
            own
        });
        wakers.into_iter().for_each(|waker| waker.join().unwrap());
        done.store(true, Ordering::Relaxed);
        let own: usize = sleeper.join().unwrap();
        ask(&lazy);
        let report = snapshot(&lazy);
        assert!(report.windows.len() <= 1_000, "all are listed");
        assert_eq!(wakes(&report), THREADS * WAKES + own);
    });
}
