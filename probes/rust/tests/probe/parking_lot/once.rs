//! `Once`: who runs holds, who waits is contended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::time::Duration;

use lockscope::parking_lot::{Once, OnceState, slotless};
use lockscope_core::LockKind;
use lockscope_core::gate::state;

use crate::backend::{Backend, EXCLUSIVE, FAILED, IDLE, RELEASED, SHARED, summary, until_waiting};

static DEFINED: Once = Once::named("set-up");

#[test]
fn the_run_is_a_hold_and_nothing_after_it_is_seen() {
    let backend = Backend::open(1);
    let (once, made) = (Once::new(), line!());
    let mut line = 0;
    for round in 0..3 {
        once.call_once(|| assert_eq!(round, 0));
        line = line!() - 1;
    }
    once.call_once_force(|_| unreachable!());
    once.wait();
    once.wait_force();
    let seen = backend.one();
    assert_eq!(summary(core::slice::from_ref(&seen)), [(RELEASED, EXCLUSIVE, false, line)]);
    assert_eq!(seen.created, Some((file!().to_owned(), made)));
    assert_eq!(seen.lock_kind, LockKind::ONCE);
    assert!(once.is_completed());
    Once::new_completed().call_once(|| unreachable!());
    assert_eq!(backend.seen().len(), 0);
}

#[test]
fn a_static_has_its_name() {
    let backend = Backend::open(1);
    DEFINED.call_once_force(|state| assert_eq!(state, OnceState::New));
    assert_eq!(backend.one().name, Some("set-up"));
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
                until_waiting(1);
            });
        });
        let seen = backend.seen();
        let waited = (RELEASED, SHARED, true, waits);
        if state == state::OPEN {
            assert_eq!(summary(&seen), [(RELEASED, EXCLUSIVE, false, runs), waited]);
            assert_eq!(seen[1].holder, Some((file!().to_owned(), runs)));
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
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            once.call_once(|| {
                scope.spawn(|| {
                    let failed = catch_unwind(AssertUnwindSafe(|| once.call_once(|| {})));
                    assert!(failed.is_err());
                });
                until_waiting(1);
                panic!("this initialisation fails on purpose");
            });
        }));
        assert!(panicked.is_err());
    });
    let seen: Vec<_> = summary(&backend.seen()).into_iter().map(|s| (s.0, s.1)).collect();
    assert_eq!(seen, [(RELEASED, EXCLUSIVE), (FAILED, SHARED)]);
    once.call_once_force(|state| assert!(state.is_poisoned()));
    let seen = backend.one();
    assert_eq!((seen.kind, seen.mode, seen.contended), (RELEASED, EXCLUSIVE, false));
}

#[test]
fn who_waited_for_a_run_that_failed_and_then_runs_is_seen_as_both() {
    let backend = Backend::open(1);
    let once = slotless::Once::new();
    std::thread::scope(|scope| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            once.call_once(|| {
                scope.spawn(|| once.call_once_force(|state| assert!(state.is_poisoned())));
                until_waiting(1);
                panic!("this initialisation fails on purpose");
            });
        }));
        assert!(panicked.is_err());
    });
    let seen: Vec<_> = backend.seen().into_iter().map(|s| (s.kind, s.mode, s.contended)).collect();
    let run = (RELEASED, EXCLUSIVE, false);
    assert_eq!(seen, [run, (RELEASED, SHARED, true), run]);
}

#[test]
fn waiting_to_be_told_is_idleness() {
    let backend = Backend::open(1);
    // Who comes late does not wait, and nobody can tell that somebody waits:
    // again, with more patience, until it was seen.
    for patience in 0..1_000 {
        let once = Once::new();
        let line = std::thread::scope(|scope| {
            let mut waiter = None;
            once.call_once(|| {
                let (sender, receiver) = channel();
                let once = &once;
                waiter = Some(scope.spawn(move || {
                    sender.send(()).unwrap();
                    once.wait_force();
                    line!() - 1
                }));
                receiver.recv().unwrap();
                std::thread::sleep(Duration::from_millis(patience));
            });
            waiter.unwrap().join().unwrap()
        });
        let seen = summary(&backend.seen());
        assert_eq!(seen[0].0, RELEASED);
        if let Some(&idle) = seen.get(1) {
            assert_eq!(idle, (IDLE, SHARED, false, line));
            return;
        }
    }
    panic!("an idle wait was never seen");
}
