//! `Condvar`: a wait splits the hold, and is idleness.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lockscope::parking_lot::{Condvar, Mutex, slotless};
use lockscope_core::gate::state;
use lockscope_core::{LockKind, Mode};

use crate::backend::{Backend, EXCLUSIVE, IDLE, RELEASED, SHARED, Seen, summary, this_thread};

/// The events of one wait: hold, idleness, hold.
fn expected_of(lock: u32, wait: u32) -> [(lockscope_core::EventKind, Mode, bool, u32); 3] {
    [
        (RELEASED, EXCLUSIVE, false, lock),
        (IDLE, SHARED, false, wait),
        (RELEASED, EXCLUSIVE, false, wait),
    ]
}

fn places(seen: &[Seen]) -> bool {
    seen.iter().all(|seen| seen.file() == file!())
}

#[test]
fn a_wait_ends_the_hold_and_is_no_contention() {
    let backend = Backend::open(1);
    let mutex = Mutex::named("state", false);
    let (condvar, made) = (Condvar::named("changed"), line!());
    let (sender, receiver) = channel();
    let (lock, wait, waiter) = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let lock = line!() + 1;
            let mut ready = mutex.lock();
            sender.send(()).unwrap();
            let wait = line!() + 2;
            while !*ready {
                condvar.wait(&mut ready);
            }
            (lock, wait, this_thread())
        });
        receiver.recv().unwrap();
        // The other owns the mutex until it waits.
        *mutex.lock() = true;
        assert!(condvar.notify_one());
        waiter.join().unwrap()
    });
    let seen: Vec<_> = backend.seen().into_iter().filter(|seen| seen.thread == waiter).collect();
    assert!(places(&seen));
    assert_eq!(summary(&seen), expected_of(lock, wait));
    assert_eq!((seen[1].lock_kind, seen[1].name), (LockKind::CONDVAR, Some("changed")));
    assert_eq!(seen[1].created, Some((file!().to_owned(), made)));
    assert_eq!((seen[2].lock_kind, seen[2].name), (LockKind::MUTEX, Some("state")));
}

#[test]
fn every_wait_knows_its_line() {
    let backend = Backend::open(1);
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let moment = Duration::from_millis(1);
    let mut lines = Vec::new();
    let mut guard = at!(lines, mutex.lock());
    assert!(at!(lines, condvar.wait_for(&mut guard, moment)).timed_out());
    assert!(at!(lines, condvar.wait_until(&mut guard, Instant::now())).timed_out());
    assert!(at!(lines, condvar.wait_while_for(&mut guard, |_| true, moment)).timed_out());
    let now = Instant::now();
    assert!(at!(lines, condvar.wait_while_until(&mut guard, |_| true, now)).timed_out());
    drop(guard);
    let seen = backend.seen();
    assert!(places(&seen));
    let mut expected = vec![(RELEASED, EXCLUSIVE, false, lines[0])];
    for &line in &lines[1..] {
        expected.extend_from_slice(&expected_of(0, line)[1..]);
    }
    assert_eq!(summary(&seen), expected);
}

#[test]
fn a_condition_that_does_not_hold_waits_for_nothing() {
    let backend = Backend::open(1);
    let (mutex, condvar) = (Mutex::new(0), Condvar::default());
    let mut guard = mutex.lock();
    condvar.wait_while(&mut guard, |_| false);
    let far = Duration::MAX;
    assert!(!condvar.wait_while_for(&mut guard, |_| false, far).timed_out());
    assert!(!condvar.wait_while_until(&mut guard, |_| false, Instant::now()).timed_out());
    assert_eq!(backend.seen().len(), 0);
    drop(guard);
    backend.one();
}

#[test]
fn a_wait_with_a_condition_sees_the_change() {
    for state in [state::CLOSED, state::WATCH, state::OPEN] {
        let backend = Backend::closed();
        if state != state::CLOSED {
            backend.start(state, 1);
        }
        let (mutex, condvar) = (Mutex::new(0), Condvar::new());
        let (bare_mutex, bare_condvar) = (slotless::Mutex::new(0), slotless::Condvar::new());
        std::thread::scope(|scope| {
            scope.spawn(|| condvar.wait_while(&mut mutex.lock(), |value| *value < 3));
            scope.spawn(|| bare_condvar.wait_while(&mut bare_mutex.lock(), |value| *value < 3));
            for _ in 0..3 {
                *mutex.lock() += 1;
                condvar.notify_all();
                *bare_mutex.lock() += 1;
                bare_condvar.notify_all();
            }
        });
        assert_eq!((*mutex.lock(), *bare_mutex.lock()), (3, 3));
    }
}

#[test]
fn two_mutexes_panic_and_leave_both_sound() {
    let backend = Backend::open(1);
    let (first, second) = (Mutex::new(false), Mutex::new(0));
    let condvar = Condvar::new();
    std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        let (first, condvar) = (&first, &condvar);
        scope.spawn(move || {
            let mut done = first.lock();
            sender.send(()).unwrap();
            condvar.wait_while(&mut done, |done| !*done);
        });
        receiver.recv().unwrap();
        // The other has let go of it, so it waits.
        drop(first.lock());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut guard = second.lock();
            condvar.wait(&mut guard);
        }));
        assert!(panicked.is_err());
        assert!(!second.is_locked());
        *first.lock() = true;
        condvar.notify_one();
    });
    let of_second: Vec<_> = backend.seen().into_iter().map(|seen| seen.id).collect();
    drop(second.lock());
    let id = backend.one().id;
    assert_eq!(of_second.iter().filter(|&&other| other == id).count(), 1);
}

#[test]
fn a_watched_wait_is_idleness_alone() {
    let backend = Backend::closed();
    backend.start(state::WATCH, 1);
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    condvar.wait_for(&mut mutex.lock(), Duration::from_millis(1));
    assert_eq!(backend.one().kind, IDLE);
}
