//! `Mutex`: what is seen of its operations.

use std::sync::{Arc, TryLockError};

use lockscope::sync::Mutex;
use lockscope_core::LockKind;
use lockscope_core::gate::state;

use crate::backend::{Backend, EXCLUSIVE, FAILED, RELEASED, contend, summary};

const TABLE_LINE: u32 = line!() + 1;
static TABLE: Mutex<u64> = Mutex::new(0);
static NAMED: Mutex<u64> = Mutex::named("queue", 0);
const ROWS_LINE: u32 = line!() + 1;
static ROWS: [Mutex<u8>; 2] = [const { Mutex::new(0) }; 2];

#[test]
fn every_acquisition_is_seen_where_it_stands() {
    let backend = Backend::open(1);
    let mut lines = Vec::new();
    let (mutex, made) = (Arc::new(Mutex::named("table", 0)), line!());
    at!(lines, *mutex.lock().unwrap() += 1);
    at!(lines, *mutex.try_lock().unwrap() += 1);
    at!(lines, *Mutex::lock(&mutex).unwrap() += 1);
    at!(lines, drop(mutex.lock()));
    let seen = backend.seen();
    let expected: Vec<_> =
        lines.into_iter().map(|line| (RELEASED, EXCLUSIVE, false, line)).collect();
    assert_eq!(summary(&seen), expected);
    for seen in &seen {
        assert_eq!(seen.file(), file!());
        assert_eq!(seen.name, Some("table"));
        assert_eq!(seen.created, in_this_file!(made));
        assert_eq!(seen.lock_kind, LockKind::MUTEX);
        assert!(seen.counted && seen.weight == 1 && seen.id != 0);
        let place = Arc::as_ptr(&mutex).addr();
        assert!((place..place + size_of_val(&*mutex)).contains(&seen.address));
        assert!(seen.times[0] == seen.times[1] && seen.times[1] <= seen.times[2]);
    }
    assert_eq!(Arc::into_inner(mutex).unwrap().into_inner().unwrap(), 3);
}

#[test]
fn a_static_knows_the_line_of_its_definition() {
    let backend = Backend::open(1);
    *TABLE.lock().unwrap() += 1;
    *NAMED.lock().unwrap() += 1;
    for row in &ROWS {
        *row.lock().unwrap() += 1;
    }
    let seen = backend.seen();
    assert_eq!(seen[0].created, in_this_file!(TABLE_LINE));
    assert_eq!((seen[0].name, seen[1].name), (None, Some("queue")));
    assert!(seen[2..].iter().all(|seen| seen.created == in_this_file!(ROWS_LINE)));
    let mut ids: Vec<_> = seen.iter().map(|seen| seen.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4, "one id per lock");
}

#[test]
fn other_constructors_know_their_line_too() {
    let backend = Backend::open(1);
    let made = [(Mutex::from(1), line!()), (Mutex::default(), line!())];
    for (mutex, line) in made {
        drop(mutex.lock());
        assert_eq!(backend.one().created, in_this_file!(line));
    }
}

#[test]
fn one_in_seven_is_one_in_seven() {
    let backend = Backend::open(7);
    let mutex = Mutex::new(());
    for round in 0..70 {
        drop(if round % 2 == 0 { mutex.lock().unwrap() } else { mutex.try_lock().unwrap() });
    }
    let seen = backend.seen();
    assert_eq!(seen.len(), 10);
    assert!(seen.iter().all(|seen| seen.weight == 7 && seen.counted));
}

#[test]
fn a_try_that_fails_is_told() {
    let backend = Backend::open(1);
    let mutex = Mutex::new(0);
    let (guard, held) = (mutex.lock().unwrap(), line!());
    let (refused, line) = (mutex.try_lock().map(drop), line!());
    assert!(matches!(refused, Err(TryLockError::WouldBlock)));
    drop(guard);
    let seen = backend.seen();
    assert_eq!(
        summary(&seen),
        [(FAILED, EXCLUSIVE, false, line), (RELEASED, EXCLUSIVE, false, held)]
    );
    assert_eq!(seen[0].times[1], seen[0].times[2]);
}

#[test]
fn a_wait_names_who_held_the_lock() {
    for state in [state::OPEN, state::WATCH] {
        let backend = Backend::closed();
        let mutex = Mutex::new(0);
        backend.start(state, 1);
        // A watched lock is met by its first contention, which names nobody.
        contend(mutex.lock().unwrap(), || drop(mutex.lock()));
        backend.seen();
        let (guard, holder) = (mutex.lock().unwrap(), line!());
        let mut waiter = 0;
        contend(guard, || {
            waiter = line!() + 1;
            drop(mutex.lock());
        });
        let waited = backend.seen().pop().unwrap();
        assert_eq!(summary(core::slice::from_ref(&waited)), [(RELEASED, EXCLUSIVE, true, waiter)]);
        assert_eq!((waited.weight, waited.counted), (1, false));
        assert!(waited.times.is_sorted());
        if state == state::OPEN {
            assert_eq!(waited.holder, in_this_file!(holder));
        }
    }
}

#[test]
fn watching_sees_contention_alone() {
    let backend = Backend::closed();
    backend.start(state::WATCH, 1);
    let mutex = Mutex::new(0);
    for _ in 0..100 {
        *mutex.lock().unwrap() += 1;
        *mutex.try_lock().unwrap() += 1;
    }
    assert_eq!(backend.seen().len(), 0);
}

#[test]
fn a_forgotten_guard_is_no_event_and_keeps_its_lock() {
    let backend = Backend::open(1);
    let mutex = Mutex::new(5);
    core::mem::forget(mutex.lock());
    assert!(mutex.try_lock().is_err());
    assert_eq!(backend.one().kind, FAILED);
    assert_eq!(mutex.into_inner().unwrap(), 5);
    // Its record is in nobody's way.
    let other = Mutex::new(0);
    drop(other.lock());
    assert_eq!(backend.one().kind, RELEASED);
}

#[test]
fn a_guard_moves_with_its_hold() {
    let backend = Backend::open(1);
    let mutex = Mutex::new(0);
    let (guard, line) = (mutex.lock().unwrap(), line!());
    let mut kept = [Some(Box::new(guard))];
    assert_eq!(backend.seen().len(), 0);
    drop(kept[0].take());
    assert_eq!(backend.one().line(), line);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn unsized_data_is_locked_as_sized() {
    let backend = Backend::open(1);
    let numbers: &Mutex<[u8]> = &Mutex::new([1, 2, 3]);
    numbers.lock().unwrap().reverse();
    let boxed: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2, 3]));
    let (text, made): (Arc<Mutex<dyn ToString>>, _) = (Arc::new(Mutex::named("text", 7)), line!());
    assert_eq!(boxed.try_lock().unwrap().len(), 3);
    assert_eq!(text.lock().unwrap().to_string(), "7");
    assert_eq!(*numbers.try_lock().unwrap(), [3, 2, 1]);
    let seen = backend.seen();
    assert_eq!(seen.len(), 4);
    assert_eq!((seen[2].name, &seen[2].created), (Some("text"), &in_this_file!(made)));
}

#[test]
fn data_is_reached_without_locking() {
    let backend = Backend::open(1);
    let mut mutex = Mutex::new(1);
    *mutex.get_mut().unwrap() += 1;
    assert!(!mutex.is_poisoned());
    mutex.clear_poison();
    assert_eq!(mutex.into_inner().unwrap(), 2);
    assert_eq!(backend.seen().len(), 0);
}

#[test]
fn debug_output_is_std_s_and_no_event() {
    let backend = Backend::open(1);
    let (ours, theirs) = (Mutex::new(1), std::sync::Mutex::new(1));
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    let guards = (ours.lock().unwrap(), theirs.lock().unwrap());
    assert_eq!(format!("{ours:#?}"), format!("{theirs:#?}"));
    assert_eq!(format!("{:?}, {}", guards.0, guards.0), format!("{:?}, {}", guards.1, guards.1));
    assert_eq!(backend.seen().len(), 0);
    drop(guards);
    backend.one();
}
