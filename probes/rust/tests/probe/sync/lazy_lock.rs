//! `LazyLock`: the first use holds.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lockscope::sync::LazyLock;
use lockscope_core::LockKind;
use lockscope_core::gate::state;

use crate::backend::{Backend, EXCLUSIVE, RELEASED, SHARED, summary, until_waiting};

const SQUARES_LINE: u32 = line!() + 1;
static SQUARES: LazyLock<Vec<u32>> = LazyLock::new(|| (0..10).map(|n| n * n).collect());
static NAMED: LazyLock<u8> = LazyLock::named("seven", || 7);

#[test]
fn the_first_use_is_a_hold_and_nothing_after_it_is_seen() {
    let backend = Backend::open(1);
    let mut lines = Vec::new();
    assert_eq!(LazyLock::get(&NAMED), None);
    assert_eq!(at!(lines, SQUARES[3]), 9);
    assert_eq!(*at!(lines, LazyLock::force(&NAMED)), 7);
    assert_eq!((SQUARES[4], *NAMED, LazyLock::get(&NAMED)), (16, 7, Some(&7)));
    let seen = backend.seen();
    let expected: Vec<_> =
        lines.into_iter().map(|line| (RELEASED, EXCLUSIVE, false, line)).collect();
    assert_eq!(summary(&seen), expected);
    assert_eq!(seen[0].created, in_this_file!(SQUARES_LINE));
    assert_eq!((seen[0].name, seen[1].name), (None, Some("seven")));
    assert!(seen.iter().all(|seen| seen.file() == file!() && seen.lock_kind == LockKind::ONCE));
}

#[test]
fn an_initialiser_may_own_what_it_needs() {
    let backend = Backend::open(1);
    let text = String::from("own");
    let lazy = LazyLock::new(move || text + "ed");
    assert_eq!(*lazy, "owned");
    backend.one();
    drop(LazyLock::new(|| unreachable!() as u8));
    assert_eq!((*LazyLock::<u8>::default(), backend.one().mode), (0, EXCLUSIVE));
}

#[test]
fn an_owner_needs_no_lock() {
    let backend = Backend::open(1);
    let mut lazy = LazyLock::new(|| 1);
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
    *LazyLock::force_mut(&mut lazy) += 1;
    *lazy += 1;
    *LazyLock::get_mut(&mut lazy).unwrap() += 1;
    assert_eq!(*lazy, 4);
    assert_eq!(backend.seen().len(), 0);
}

#[test]
fn who_comes_meanwhile_waits_for_the_value() {
    for state in [state::OPEN, state::WATCH] {
        let backend = Backend::closed();
        backend.start(state, 1);
        let (began, begun) = std::sync::mpsc::channel();
        let lazy = LazyLock::new(move || {
            began.send(()).unwrap();
            until_waiting(1);
            1
        });
        let (mut runs, mut waits) = (0, Vec::new());
        std::thread::scope(|scope| {
            let lazy = &lazy;
            let runner = scope.spawn(move || (assert_eq!(**lazy, 1), line!()).1);
            begun.recv().unwrap();
            assert_eq!(*at!(waits, LazyLock::force(lazy)), 1);
            runs = runner.join().unwrap();
        });
        let waited = (RELEASED, SHARED, true, waits[0]);
        let mut seen = summary(&backend.seen());
        seen.sort_by_key(|event| event.2);
        let ran = (RELEASED, EXCLUSIVE, false, runs);
        let expected = if state == state::OPEN { vec![ran, waited] } else { vec![waited] };
        assert_eq!(seen, expected);
    }
}

/// The text of the panic of `operation`.
fn panic_of<R>(operation: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(operation()))).unwrap_err();
    panic.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned())
}

#[test]
fn a_panic_ends_the_hold_and_poisons_for_good() {
    let backend = Backend::open(1);
    let mut ours = LazyLock::<u8>::new(|| panic!("this initialisation fails on purpose"));
    let mut theirs =
        std::sync::LazyLock::<u8>::new(|| panic!("this initialisation fails on purpose"));
    for _ in 0..2 {
        let text = panic_of(|| *ours);
        assert_eq!(text, panic_of(|| *theirs));
        assert!(!text.is_empty());
    }
    let seen = backend.seen();
    assert!(seen.iter().all(|seen| (seen.kind, seen.mode) == (RELEASED, EXCLUSIVE)));
    until_waiting(0);
    assert_eq!(LazyLock::get(&ours), None);
    assert_eq!(LazyLock::get_mut(&mut ours), None);
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    let text = panic_of(|| *LazyLock::force_mut(&mut ours));
    assert_eq!(text, panic_of(|| *std::sync::LazyLock::force_mut(&mut theirs)));
}

#[test]
fn an_owner_s_panic_poisons_as_well() {
    let backend = Backend::closed();
    let mut lazy = LazyLock::<u8>::new(|| panic!("this initialisation fails on purpose"));
    panic_of(|| *LazyLock::force_mut(&mut lazy));
    assert!(panic_of(|| *lazy).contains("poisoned"));
    drop(backend);
}

#[test]
fn debug_output_is_std_s() {
    let backend = Backend::closed();
    let (ours, theirs) = (LazyLock::new(|| 1), std::sync::LazyLock::new(|| 1));
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(*ours, *theirs);
    assert_eq!(format!("{ours:#?}"), format!("{theirs:#?}"));
    drop(backend);
}
