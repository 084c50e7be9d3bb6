//! `Once`: who runs holds, who waits is contended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::time::Duration;

use lockscope::sync::Once;
use lockscope_core::LockKind;
use lockscope_core::gate::state;

use crate::backend::{Backend, EXCLUSIVE, FAILED, IDLE, RELEASED, SHARED, summary, until_waiting};

const DEFINED_LINE: u32 = line!() + 1;
static DEFINED: Once = Once::named("set-up");

/// Has `once` fail, while `meanwhile` may do what it likes.
fn fail(once: &Once, meanwhile: impl FnOnce()) {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        once.call_once_force(|_| {
            meanwhile();
            panic!("this initialisation fails on purpose");
        });
    }));
    assert!(panicked.is_err());
}

#[test]
fn the_run_is_a_hold_and_nothing_after_it_is_seen() {
    let backend = Backend::open(1);
    let (once, made) = (Once::new(), line!());
    let mut line = 0;
    for round in 0..3 {
        line = line!() + 1;
        once.call_once(|| assert_eq!(round, 0));
    }
    once.call_once_force(|_| unreachable!());
    once.wait();
    once.wait_force();
    let seen = backend.one();
    assert_eq!(summary(core::slice::from_ref(&seen)), [(RELEASED, EXCLUSIVE, false, line)]);
    assert_eq!((&seen.created, seen.lock_kind), (&in_this_file!(made), LockKind::ONCE));
    assert!(seen.counted && once.is_completed());
    assert_eq!(format!("{once:?}"), format!("{:?}", std::sync::Once::new()));
}

#[test]
fn a_static_has_its_name_and_its_line() {
    let backend = Backend::open(1);
    let line = line!() + 1;
    DEFINED.call_once_force(|state| assert!(!state.is_poisoned()));
    let seen = backend.one();
    assert_eq!((seen.name, seen.line()), (Some("set-up"), line));
    assert_eq!(seen.created, in_this_file!(DEFINED_LINE));
}

#[test]
fn who_comes_meanwhile_waits_for_the_run() {
    for state in [state::OPEN, state::WATCH] {
        let backend = Backend::closed();
        backend.start(state, 1);
        let once = Once::new();
        let (mut runs, mut waits) = (0, 0);
        std::thread::scope(|scope| {
            runs = line!() + 1;
            once.call_once(|| {
                scope.spawn(|| {
                    waits = line!() + 1;
                    once.call_once(|| unreachable!());
                });
                // The runner's own attempt is withdrawn by now.
                until_waiting(1);
            });
        });
        let seen = backend.seen();
        let waited = (RELEASED, SHARED, true, waits);
        if state == state::OPEN {
            assert_eq!(summary(&seen), [(RELEASED, EXCLUSIVE, false, runs), waited]);
            assert_eq!(seen[1].holder, in_this_file!(runs));
        } else {
            assert_eq!(summary(&seen), [waited]);
        }
    }
}

#[test]
fn a_panic_ends_the_run_and_fails_those_who_wait() {
    let backend = Backend::open(1);
    let once = Once::new();
    std::thread::scope(|scope| {
        fail(&once, || {
            scope.spawn(|| {
                let failed = catch_unwind(AssertUnwindSafe(|| once.call_once(|| {})));
                assert!(failed.is_err());
            });
            until_waiting(1);
        });
    });
    let seen: Vec<_> = summary(&backend.seen()).into_iter().map(|s| (s.0, s.1)).collect();
    assert_eq!(seen, [(RELEASED, EXCLUSIVE), (FAILED, SHARED)]);
    until_waiting(0);
    once.call_once_force(|state| assert!(state.is_poisoned()));
    let seen = backend.one();
    assert_eq!((seen.kind, seen.mode, seen.contended), (RELEASED, EXCLUSIVE, false));
}

#[test]
fn who_waited_for_a_run_that_failed_runs_in_its_place() {
    let backend = Backend::open(1);
    let once = Once::new();
    std::thread::scope(|scope| {
        fail(&once, || {
            scope.spawn(|| once.call_once_force(|state| assert!(state.is_poisoned())));
            until_waiting(1);
        });
    });
    let seen: Vec<_> = summary(&backend.seen()).into_iter().map(|s| (s.0, s.1, s.2)).collect();
    assert_eq!(seen, [(RELEASED, EXCLUSIVE, false); 2]);
    until_waiting(0);
}

#[test]
fn a_once_whose_run_failed_refuses() {
    let backend = Backend::open(1);
    let once = Once::new();
    fail(&once, || {});
    backend.one();
    assert!(catch_unwind(AssertUnwindSafe(|| once.call_once(|| {}))).is_err());
    assert_eq!(backend.one().kind, FAILED);
    assert!(catch_unwind(AssertUnwindSafe(|| once.wait())).is_err());
    assert_eq!(backend.seen().len(), 0);
    assert!(!once.is_completed());
}

#[test]
fn waiting_to_be_told_is_idleness() {
    let backend = Backend::open(1);
    for wait in [Once::wait, Once::wait_force] {
        // Who comes late does not wait, and nobody can tell that somebody
        // waits: again, with more patience, until it was seen.
        let idle = (0..1_000).find_map(|patience| {
            let once = Once::new();
            std::thread::scope(|scope| {
                once.call_once(|| {
                    let (sender, receiver) = channel();
                    let once = &once;
                    scope.spawn(move || {
                        sender.send(()).unwrap();
                        wait(once);
                    });
                    receiver.recv().unwrap();
                    std::thread::sleep(Duration::from_millis(patience));
                });
            });
            let seen = backend.seen();
            assert_eq!((seen[0].kind, seen[0].mode), (RELEASED, EXCLUSIVE));
            seen.get(1).cloned()
        });
        let idle = idle.expect("an idle wait is seen in the end");
        assert_eq!((idle.kind, idle.mode, idle.contended), (IDLE, SHARED, false));
    }
}

#[test]
fn a_closed_gate_tells_nothing() {
    let backend = Backend::closed();
    let once = Once::new();
    fail(&once, || {});
    once.call_once_force(|_| {});
    once.wait();
    assert_eq!(backend.seen().len(), 0);
}
