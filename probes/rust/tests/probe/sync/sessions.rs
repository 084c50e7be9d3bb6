//! Locks across the begin and the end of sessions.

use std::sync::mpsc::channel;

use lockscope::sync::{
    Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, RwLockWriteGuard,
};
use lockscope_core::gate::state;

use crate::backend::{Backend, EXCLUSIVE, IDLE, RELEASED, SHARED, summary};

#[test]
fn a_closed_gate_tells_nothing() {
    let backend = Backend::open(1);
    backend.stop();
    let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
    let guard = mutex.lock();
    assert!(mutex.try_lock().is_err());
    drop(guard);
    drop(RwLockWriteGuard::downgrade(rwlock.write().unwrap()));
    Once::new().call_once(|| {});
    OnceLock::new().get_or_init(|| 1);
    assert_eq!(*LazyLock::new(|| 1), 1);
    Barrier::new(1).wait();
    drop(Condvar::new().wait_timeout(mutex.lock().unwrap(), std::time::Duration::ZERO));
    drop((mutex, rwlock));
    assert_eq!((backend.seen().len(), backend.dropped().len()), (0, 0));
}

#[test]
fn a_hold_that_began_before_the_session_is_no_event() {
    let backend = Backend::closed();
    let (mutex, rwlock, written) = (Mutex::new(0), RwLock::new(0), RwLock::new(0));
    let guards = (mutex.lock(), rwlock.read(), written.write());
    backend.start(state::OPEN, 1);
    drop(guards);
    assert_eq!(backend.seen().len(), 0);
    drop((mutex.lock(), rwlock.read(), written.write()));
    assert_eq!(backend.seen().len(), 3);
}

#[test]
fn a_hold_across_the_end_is_no_event() {
    let backend = Backend::open(1);
    let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
    let guards = (mutex.lock(), rwlock.write());
    backend.stop();
    drop(guards);
    assert!(mutex.try_lock().is_ok() && rwlock.try_write().is_ok());
    assert_eq!(backend.seen().len(), 0);
}

#[test]
fn a_hold_across_the_end_and_a_new_session_is_no_event() {
    let backend = Backend::open(1);
    let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
    let guards = (mutex.lock(), rwlock.read());
    backend.stop();
    backend.start(state::OPEN, 1);
    drop(guards);
    assert_eq!(backend.seen().len(), 0);
    drop((mutex.lock(), rwlock.read()));
    assert_eq!(backend.seen().len(), 2);
}

#[test]
fn a_hold_that_is_downgraded_in_another_session_begins_there() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    let write = rwlock.write().unwrap();
    backend.stop();
    backend.start(state::OPEN, 1);
    let (read, line) = (RwLockWriteGuard::downgrade(write), line!());
    drop(read);
    assert_eq!(summary(&backend.seen()), [(RELEASED, SHARED, false, line)]);
}

/// Records are named by 11 bits that change with every use of their place.
const NAMES: usize = (1 << 11) - 1;

#[test]
fn a_hold_of_an_old_session_is_not_taken_for_another_of_its_name() {
    let backend = Backend::open(1);
    let (old, new) = (Mutex::named("old", 0), Mutex::named("new", 0));
    // In a thread of its own, whose places are all free.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let held = old.lock();
            backend.stop();
            backend.start(state::OPEN, 1);
            for _ in 1..NAMES {
                drop(new.lock());
            }
            assert_eq!(backend.seen().len(), NAMES - 1);
            // Its record stands where the old one stood, under the same name.
            let other = new.lock();
            drop(held);
            assert_eq!(summary(&backend.seen()), []);
            drop(other);
            assert_eq!(backend.one().name, Some("new"));
        });
    });
}

/// What is seen in a session that begins while a thread waits idly.
fn across_a_session(backend: &Backend, wait_was_seen_to_begin: bool) -> Vec<crate::backend::Seen> {
    let (mutex, condvar) = (Mutex::new(false), Condvar::new());
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        let (mutex, condvar) = (&mutex, &condvar);
        scope.spawn(move || {
            let guard = mutex.lock().unwrap();
            sender.send(()).unwrap();
            drop(condvar.wait_while(guard, |ready| !*ready));
        });
        receiver.recv().unwrap();
        // The other owns the mutex until it waits.
        let mut guard = mutex.lock().unwrap();
        if wait_was_seen_to_begin {
            backend.stop();
        }
        backend.start(state::OPEN, 1);
        *guard = true;
        condvar.notify_all();
        // This hold began before the session.
        drop(guard);
    });
    backend.seen()
}

#[test]
fn an_idle_wait_across_sessions_is_no_event_and_the_hold_after_it_is() {
    let backend = Backend::open(1);
    for seen in [across_a_session(&backend, true), {
        backend.stop();
        across_a_session(&backend, false)
    }] {
        assert!(seen.iter().all(|seen| seen.kind != IDLE), "{seen:#?}");
        assert!(seen.iter().all(|seen| (seen.kind, seen.mode) == (RELEASED, EXCLUSIVE)));
        assert_eq!(seen.len(), 1);
    }
}

#[test]
fn a_lock_keeps_its_id_through_sessions_and_moves() {
    let backend = Backend::open(1);
    let mutex = Mutex::new(0);
    drop(mutex.lock());
    let id = backend.one().id;
    backend.stop();
    backend.start(state::OPEN, 1);
    let moved = Box::new(mutex);
    drop(moved.lock());
    assert_eq!(backend.one().id, id);
}

#[test]
fn a_session_hears_of_the_end_of_what_it_has_met() {
    let backend = Backend::open(1);
    let (met, unmet, taken) = (Mutex::new(0), Mutex::new(0), RwLock::new(0));
    let (cell, once, lazy) = (OnceLock::new(), Once::new(), LazyLock::new(|| 1));
    let barrier = Barrier::new(1);
    drop((met.lock(), taken.write()));
    let _ = cell.set(1);
    once.call_once(|| {});
    assert_eq!(*lazy, 1);
    barrier.wait();
    let ids: Vec<_> = backend.seen().iter().map(|seen| seen.id).collect();
    let gone = || backend.dropped().iter().map(|gone| gone.0).collect::<Vec<_>>();
    assert_eq!(taken.into_inner().unwrap(), 0);
    assert_eq!(gone(), ids[1..2]);
    drop((met, unmet));
    assert_eq!(gone(), ids[..1]);
    assert_eq!(cell.into_inner(), Some(1));
    drop((once, lazy, barrier));
    assert_eq!(gone(), ids[2..]);
}

#[test]
fn an_old_session_s_lock_goes_silently() {
    let backend = Backend::open(1);
    let old = Mutex::new(0);
    drop(old.lock());
    backend.stop();
    backend.start(state::OPEN, 1);
    drop((old, Mutex::new(0), RwLock::new(0), Condvar::new(), Once::new()));
    drop((OnceLock::from(1), LazyLock::new(|| 1), Barrier::new(1)));
    assert_eq!(backend.dropped(), []);
}
