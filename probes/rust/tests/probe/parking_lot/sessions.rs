//! Locks across the begin and the end of sessions.

use lockscope::parking_lot::{Condvar, Mutex, Once, RwLock, slotless};
use lockscope_core::gate::state;

use crate::backend::Backend;

#[test]
fn a_closed_gate_tells_nothing() {
    let backend = Backend::closed();
    backend.start(state::OPEN, 1);
    backend.stop();
    let mutex = Mutex::new(0);
    *mutex.lock() += 1;
    let guard = mutex.lock();
    assert!(mutex.try_lock().is_none());
    drop(guard);
    drop(RwLock::new(0).write());
    Once::new().call_once(|| {});
    drop(mutex);
    assert_eq!((backend.seen().len(), backend.dropped().len()), (0, 0));
}

#[test]
fn a_hold_that_began_before_the_session_is_no_event() {
    let backend = Backend::closed();
    let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
    let guards = (mutex.lock(), rwlock.read());
    backend.start(state::OPEN, 1);
    drop(guards);
    assert_eq!(backend.seen().len(), 0);
    drop((mutex.lock(), rwlock.read()));
    assert_eq!(backend.seen().len(), 2);
}

#[test]
fn a_hold_across_a_stop_and_a_start_is_no_event() {
    let backend = Backend::open(1);
    let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
    let guards = (mutex.lock(), rwlock.upgradable_read());
    backend.stop();
    backend.start(state::OPEN, 1);
    drop(guards);
    assert_eq!(backend.seen().len(), 0);
    drop((mutex.lock(), rwlock.upgradable_read()));
    assert_eq!(backend.seen().len(), 2);
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
    drop(met.lock());
    let met_id = backend.one().id;
    drop(taken.write());
    let taken_id = backend.one().id;
    drop((met, unmet));
    assert_eq!(backend.dropped().iter().map(|gone| gone.0).collect::<Vec<_>>(), [met_id]);
    assert_eq!(taken.into_inner(), 0);
    assert_eq!(backend.dropped().iter().map(|gone| gone.0).collect::<Vec<_>>(), [taken_id]);
    let old = Mutex::new(0);
    drop(old.lock());
    backend.stop();
    backend.start(state::OPEN, 1);
    drop(old);
    assert_eq!(backend.dropped(), []);
}

#[test]
fn the_end_of_a_lock_without_slot_is_told_by_its_address() {
    let backend = Backend::open(1);
    let mutex = Box::new(slotless::Mutex::new(0));
    drop(mutex.lock());
    let address = backend.one().address;
    drop(mutex);
    assert_eq!(backend.dropped(), [(0, address)]);
}

#[test]
fn what_was_never_used_goes_silently() {
    let backend = Backend::open(1);
    drop((Mutex::new(0), RwLock::new(0), Condvar::new(), Once::new()));
    assert_eq!(backend.dropped(), []);
}
