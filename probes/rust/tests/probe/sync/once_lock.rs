//! `OnceLock`: whoever makes the value holds.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::time::Duration;

use lockscope::sync::OnceLock;
use lockscope_core::LockKind;
use lockscope_core::gate::state;

use crate::backend::{Backend, EXCLUSIVE, IDLE, RELEASED, SHARED, summary, until_waiting};

const DEFINED_LINE: u32 = line!() + 1;
static DEFINED: OnceLock<u8> = OnceLock::named("greeting");

#[test]
fn making_the_value_is_a_hold_and_nothing_after_it_is_seen() {
    let backend = Backend::open(1);
    let (cell, line) = (&DEFINED, line!() + 1);
    assert_eq!(*cell.get_or_init(|| 1), 1);
    assert_eq!(*cell.get_or_init(|| unreachable!()), 1);
    assert_eq!((cell.set(2), cell.get(), *cell.wait()), (Err(2), Some(&1), 1));
    let seen = backend.one();
    assert_eq!(summary(core::slice::from_ref(&seen)), [(RELEASED, EXCLUSIVE, false, line)]);
    assert_eq!((seen.name, seen.lock_kind), (Some("greeting"), LockKind::ONCE));
    assert_eq!(seen.created, in_this_file!(DEFINED_LINE));
}

#[test]
fn setting_the_value_is_a_hold_too() {
    let backend = Backend::open(1);
    let (cell, made) = (OnceLock::new(), line!());
    let (set, line) = (cell.set("first"), line!());
    assert!(set.is_ok());
    assert_eq!(cell.set("second"), Err("second"));
    let seen = backend.one();
    assert_eq!((seen.line(), &seen.created), (line, &in_this_file!(made)));
    assert_eq!(cell.into_inner(), Some("first"));
}

#[test]
fn an_owner_needs_no_lock() {
    let backend = Backend::open(1);
    let mut cell = OnceLock::from(1);
    *cell.get_mut().unwrap() += 1;
    assert_eq!((cell.take(), cell.take(), cell.get()), (Some(2), None, None));
    assert_eq!(OnceLock::<u8>::default().into_inner(), None);
    assert_eq!(backend.seen().len(), 0);
    // Emptied, it is filled under the name it has.
    assert_eq!(*cell.get_or_init(|| 3), 3);
    backend.one();
}

#[test]
fn a_clone_is_a_cell_of_its_own() {
    let backend = Backend::open(1);
    let original = OnceLock::<u8>::named("original");
    let (copy, made) = (original.clone(), line!());
    assert!(original.set(1).is_ok() && copy.set(1).is_ok());
    assert_eq!(original, copy);
    let seen = backend.seen();
    assert_eq!((seen[0].name, seen[1].name), (Some("original"), None));
    assert_eq!(seen[1].created, in_this_file!(made));
    assert_ne!(seen[0].id, seen[1].id);
    assert_eq!(copy.clone().get(), Some(&1));
}

#[test]
fn who_comes_meanwhile_waits_for_the_value() {
    for state in [state::OPEN, state::WATCH] {
        let backend = Backend::closed();
        backend.start(state, 1);
        let cell = OnceLock::new();
        let (mut runs, mut waits) = (0, Vec::new());
        std::thread::scope(|scope| {
            runs = line!() + 1;
            cell.get_or_init(|| {
                scope.spawn(|| {
                    assert_eq!(*at!(waits, cell.get_or_init(|| unreachable!())), 1);
                });
                until_waiting(1);
                1
            });
        });
        let waited = (RELEASED, SHARED, true, waits[0]);
        let ran = (RELEASED, EXCLUSIVE, false, runs);
        let expected = if state == state::OPEN { vec![ran, waited] } else { vec![waited] };
        assert_eq!(summary(&backend.seen()), expected);
    }
}

#[test]
fn setting_waits_for_whoever_makes_the_value() {
    let backend = Backend::open(1);
    let cell = OnceLock::new();
    std::thread::scope(|scope| {
        cell.get_or_init(|| {
            scope.spawn(|| assert_eq!(cell.set(2), Err(2)));
            until_waiting(1);
            1
        });
    });
    let seen = backend.seen();
    assert_eq!((seen[1].mode, seen[1].contended), (SHARED, true));
}

#[test]
fn a_panic_ends_the_hold_and_leaves_the_cell_empty() {
    let backend = Backend::open(1);
    let cell = OnceLock::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        cell.get_or_init(|| panic!("this initialisation fails on purpose"));
    }));
    assert!(panicked.is_err() && cell.get().is_none());
    assert_eq!(backend.one().mode, EXCLUSIVE);
    assert_eq!(*cell.get_or_init(|| 2), 2);
    backend.one();
}

#[test]
fn waiting_for_the_value_is_idleness() {
    let backend = Backend::open(1);
    // As in `once`: with more patience, until it was seen.
    let idle = (0..1_000).find_map(|patience| {
        let cell = OnceLock::named("awaited");
        let line = std::thread::scope(|scope| {
            let (sender, receiver) = channel();
            let cell = &cell;
            let waiter = scope.spawn(move || {
                sender.send(()).unwrap();
                let (value, line) = (cell.wait(), line!());
                assert_eq!(*value, 1);
                line
            });
            receiver.recv().unwrap();
            std::thread::sleep(Duration::from_millis(patience));
            cell.set(1).unwrap();
            waiter.join().unwrap()
        });
        let seen = backend.seen();
        seen.iter().any(|seen| seen.kind == IDLE).then_some((seen, line))
    });
    let (seen, line) = idle.expect("an idle wait is seen in the end");
    assert_eq!(seen.iter().filter(|seen| seen.kind == RELEASED).count(), 1);
    let idle = seen.iter().find(|seen| seen.kind == IDLE).unwrap();
    assert_eq!((idle.line(), idle.name), (line, Some("awaited")));
}

#[test]
fn debug_output_is_std_s() {
    let backend = Backend::closed();
    let (ours, theirs) = (OnceLock::new(), std::sync::OnceLock::new());
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!((ours.set(1), theirs.set(1)), (Ok(()), Ok(())));
    assert_eq!(format!("{ours:#?}"), format!("{theirs:#?}"));
    drop(backend);
}
