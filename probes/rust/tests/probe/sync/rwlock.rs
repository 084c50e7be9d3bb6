//! `RwLock`: each mode, and the change from one to the other.

use std::sync::{Arc, TryLockError};

use lockscope::sync::{RwLock, RwLockWriteGuard};
use lockscope_core::gate::state;
use lockscope_core::{LockKind, Mode};

use crate::backend::{
    Backend, EXCLUSIVE, FAILED, RELEASED, SHARED, Seen, contend, summary, until_waiting,
};

const ROUTES_LINE: u32 = line!() + 1;
static ROUTES: RwLock<u8> = RwLock::new(0);

fn modes_and_lines(seen: &[Seen]) -> Vec<(Mode, u32)> {
    assert!(seen.iter().all(|seen| seen.kind == RELEASED && !seen.contended), "{seen:#?}");
    assert!(seen.iter().all(|seen| seen.file() == file!()), "{seen:#?}");
    seen.iter().map(|seen| (seen.mode, seen.line())).collect()
}

#[test]
fn every_mode_is_seen_where_it_stands() {
    let backend = Backend::open(1);
    let (rwlock, made) = (RwLock::named("routes", 0), line!());
    let mut lines = Vec::new();
    drop(at!(lines, rwlock.read()));
    drop(at!(lines, rwlock.try_read()));
    drop(at!(lines, rwlock.write()));
    drop(at!(lines, rwlock.try_write()));
    let seen = backend.seen();
    let modes = [SHARED, SHARED, EXCLUSIVE, EXCLUSIVE];
    assert_eq!(modes_and_lines(&seen), modes.into_iter().zip(lines).collect::<Vec<_>>());
    for seen in seen {
        assert_eq!(seen.name, Some("routes"));
        assert_eq!(seen.created, in_this_file!(made));
        assert_eq!(seen.lock_kind, LockKind::RWLOCK);
        assert!(seen.counted, "the answer arms what led here");
    }
}

#[test]
fn every_constructor_knows_its_line() {
    let backend = Backend::open(1);
    drop(ROUTES.read());
    assert_eq!(backend.one().created, in_this_file!(ROUTES_LINE));
    for (rwlock, line) in [(RwLock::from(1), line!()), (RwLock::default(), line!())] {
        drop(rwlock.write());
        assert_eq!(backend.one().created, in_this_file!(line));
    }
}

#[test]
fn readers_hold_side_by_side() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    let mut lines = Vec::new();
    let first = at!(lines, rwlock.read());
    let second = at!(lines, rwlock.read());
    drop(first);
    drop(second);
    let modes = [SHARED, SHARED];
    let expected: Vec<_> = modes.into_iter().zip(lines).collect();
    assert_eq!(modes_and_lines(&backend.seen()), expected);
}

#[test]
fn downgrading_splits_the_hold_by_mode() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    let mut lines = Vec::new();
    let write = at!(lines, rwlock.write()).unwrap();
    let read = at!(lines, RwLockWriteGuard::downgrade(write));
    assert_eq!(backend.one().line(), lines[0]);
    // Other readers may join.
    assert_eq!(*at!(lines, rwlock.try_read()).unwrap() + *read, 0);
    drop(read);
    let seen = modes_and_lines(&backend.seen());
    assert_eq!(seen, [(SHARED, lines[2]), (SHARED, lines[1])]);
    assert!(rwlock.try_write().is_ok());
}

#[test]
fn a_downgrade_lets_waiting_readers_in() {
    for state in [state::CLOSED, state::WATCH, state::OPEN] {
        let backend = Backend::closed();
        if state != state::CLOSED {
            backend.start(state, 1);
        }
        let rwlock = RwLock::new(0);
        let mut write = rwlock.write().unwrap();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| *rwlock.read().unwrap());
            *write = 1;
            let read = RwLockWriteGuard::downgrade(write);
            assert_eq!(reader.join().unwrap(), 1, "while this thread reads, too");
            drop(read);
        });
    }
}

#[test]
fn readers_and_writers_wait_for_each_other() {
    for state in [state::OPEN, state::WATCH] {
        let backend = Backend::closed();
        let rwlock = RwLock::new(0);
        backend.start(state, 1);
        let mut lines = Vec::new();
        contend(at!(lines, rwlock.write()), || drop(at!(lines, rwlock.read())));
        contend(at!(lines, rwlock.read()), || drop(at!(lines, rwlock.write())));
        let seen = backend.seen();
        let waits: Vec<_> = seen.iter().filter(|seen| seen.contended).cloned().collect();
        assert_eq!(
            summary(&waits),
            [(RELEASED, SHARED, true, lines[1]), (RELEASED, EXCLUSIVE, true, lines[3])]
        );
        if state == state::OPEN {
            assert_eq!(seen.len(), 4);
            assert_eq!(waits[0].holder, in_this_file!(lines[0]));
            assert_eq!(waits[1].holder, in_this_file!(lines[2]));
        }
    }
}

#[test]
fn a_reader_does_not_pass_a_waiting_writer() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    let read = rwlock.read().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| *rwlock.write().unwrap() += 1);
        // The writer spins before it makes itself known.
        while rwlock.try_read().is_ok() {
            std::thread::yield_now();
        }
        scope.spawn(|| drop(rwlock.read()));
        until_waiting(2);
        drop(read);
    });
    let mut waits: Vec<_> =
        backend.seen().iter().filter(|seen| seen.contended).map(|seen| seen.mode).collect();
    waits.sort();
    assert_eq!(waits, [EXCLUSIVE, SHARED]);
}

#[test]
fn what_fails_is_told_by_the_mode_that_was_asked_for() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    let mut lines = Vec::new();
    let write = rwlock.write().unwrap();
    let refused = at!(lines, rwlock.try_read()).map(drop);
    assert!(matches!(refused, Err(TryLockError::WouldBlock)));
    let refused = at!(lines, rwlock.try_write()).map(drop);
    assert!(matches!(refused, Err(TryLockError::WouldBlock)));
    assert_eq!(
        summary(&backend.seen()),
        [(FAILED, SHARED, false, lines[0]), (FAILED, EXCLUSIVE, false, lines[1])]
    );
    drop(write);
}

#[test]
fn readers_are_counted_by_thread() {
    let backend = Backend::open(7);
    let rwlock = RwLock::new(());
    for _ in 0..70 {
        drop(rwlock.read());
    }
    let seen = backend.seen();
    assert_eq!(seen.len(), 10);
    assert!(seen.iter().all(|seen| seen.weight == 7 && !seen.counted && seen.id != 0));
}

#[test]
fn a_forgotten_guard_is_no_event() {
    let backend = Backend::open(1);
    let (read, written) = (RwLock::new(0), RwLock::new(0));
    core::mem::forget(read.read());
    core::mem::forget(written.write());
    assert!(read.try_write().is_err() && written.try_read().is_err());
    assert!(backend.seen().iter().all(|seen| seen.kind == FAILED));
}

#[test]
fn unsized_data_is_locked_as_sized() {
    let backend = Backend::open(1);
    let text: Arc<RwLock<dyn ToString>> = Arc::new(RwLock::new(7));
    let numbers: Box<RwLock<[u8]>> = Box::new(RwLock::new([1, 2]));
    assert_eq!(text.read().unwrap().to_string(), "7");
    let mut write = numbers.write().unwrap();
    write.reverse();
    assert_eq!(*RwLockWriteGuard::downgrade(write), [2, 1]);
    assert_eq!(backend.seen().len(), 3);
}

#[test]
fn data_is_reached_without_locking() {
    let backend = Backend::open(1);
    let mut rwlock = RwLock::new(1);
    *rwlock.get_mut().unwrap() += 1;
    assert_eq!(rwlock.into_inner().unwrap(), 2);
    assert_eq!(backend.seen().len(), 0);
}

#[test]
fn debug_output_is_std_s_and_no_event() {
    let backend = Backend::open(1);
    let (ours, theirs) = (RwLock::new(1), std::sync::RwLock::new(1));
    let guards = (ours.read().unwrap(), theirs.read().unwrap());
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(format!("{:?}, {}", guards.0, guards.0), format!("{:?}, {}", guards.1, guards.1));
    drop(guards);
    let guards = (ours.write().unwrap(), theirs.write().unwrap());
    assert_eq!(format!("{ours:#?}"), format!("{theirs:#?}"));
    assert_eq!(format!("{:?}, {}", guards.0, guards.0), format!("{:?}, {}", guards.1, guards.1));
    drop(guards);
    assert_eq!(backend.seen().len(), 2);
}
