//! Poisoning: as in std, and a guard out of an error is a guard.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::TryLockError;
use std::time::Duration;

use lockscope::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use lockscope_core::gate::state;

use crate::backend::{Backend, EXCLUSIVE, IDLE, RELEASED, SHARED, summary};

/// Panics with what `hold` returns in its hands.
fn panic_with<G>(hold: impl FnOnce() -> G) {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _held = hold();
        panic!("this hold fails on purpose");
    }));
    assert!(panicked.is_err());
}

#[test]
fn a_panic_ends_the_hold_and_poisons_the_mutex() {
    let backend = Backend::open(1);
    let mut mutex = Mutex::named("broken", 1);
    let mut lines = Vec::new();
    panic_with(|| at!(lines, mutex.lock()).unwrap());
    assert!(mutex.is_poisoned());
    *at!(lines, mutex.lock()).unwrap_err().into_inner() += 1;
    match at!(lines, mutex.try_lock()) {
        Err(TryLockError::Poisoned(poisoned)) => assert_eq!(**poisoned.get_ref(), 2),
        other => panic!("{other:?}"),
    }
    let seen = backend.seen();
    let expected: Vec<_> =
        lines.into_iter().map(|line| (RELEASED, EXCLUSIVE, false, line)).collect();
    assert_eq!(summary(&seen), expected);
    assert!(seen.iter().all(|seen| seen.name == Some("broken")));
    assert_eq!(*mutex.get_mut().unwrap_err().into_inner(), 2);
    mutex.clear_poison();
    assert_eq!(*mutex.lock().unwrap(), 2);
    panic_with(|| mutex.lock().unwrap());
    assert_eq!(mutex.into_inner().unwrap_err().into_inner(), 2);
}

#[test]
fn an_error_that_is_dropped_ends_its_hold() {
    let backend = Backend::open(1);
    let mutex = Mutex::new(());
    panic_with(|| mutex.lock().unwrap());
    backend.one();
    drop(mutex.lock());
    backend.one();
    drop(mutex.try_lock());
    backend.one();
    assert!(!matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)), "it is free");
}

#[test]
fn writers_poison_and_readers_do_not() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(1);
    panic_with(|| rwlock.read().unwrap());
    assert!(!rwlock.is_poisoned());
    panic_with(|| RwLockWriteGuard::downgrade(rwlock.write().unwrap()));
    assert!(!rwlock.is_poisoned(), "downgraded, it is a reader's");
    panic_with(|| rwlock.write().unwrap());
    assert!(rwlock.is_poisoned());
    backend.seen();
    let mut lines = Vec::new();
    drop(at!(lines, rwlock.read()).unwrap_err());
    drop(at!(lines, rwlock.try_read()).unwrap_err());
    let write = at!(lines, rwlock.write()).unwrap_err().into_inner();
    drop(at!(lines, RwLockWriteGuard::downgrade(write)));
    drop(at!(lines, rwlock.try_write()).unwrap_err());
    let modes = [SHARED, SHARED, EXCLUSIVE, SHARED, EXCLUSIVE];
    let expected: Vec<_> =
        modes.into_iter().zip(lines).map(|(mode, line)| (RELEASED, mode, false, line)).collect();
    assert_eq!(summary(&backend.seen()), expected);
    rwlock.clear_poison();
    assert!(rwlock.write().is_ok());
}

#[test]
fn debug_output_of_what_is_poisoned_is_std_s() {
    let backend = Backend::closed();
    let (mutex, std_mutex) = (Mutex::new(1), std::sync::Mutex::new(1));
    let (rwlock, std_rwlock) = (RwLock::new(1), std::sync::RwLock::new(1));
    panic_with(|| (mutex.lock(), std_mutex.lock(), rwlock.write(), std_rwlock.write()));
    assert_eq!(format!("{mutex:?}"), format!("{std_mutex:?}"));
    assert_eq!(format!("{rwlock:?}"), format!("{std_rwlock:?}"));
    assert_eq!(format!("{:?}", mutex.lock()), format!("{:?}", std_mutex.lock()));
    assert_eq!(format!("{:?}", mutex.try_lock()), format!("{:?}", std_mutex.try_lock()));
    drop(backend);
}

/// Locks while its thread unwinds.
struct LockAtTheEnd<'a>(&'a Mutex<u8>);

impl Drop for LockAtTheEnd<'_> {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn a_hold_within_the_unwinding_does_not_poison() {
    let backend = Backend::open(1);
    let mutex = Mutex::new(0);
    panic_with(|| LockAtTheEnd(&mutex));
    assert_eq!(*mutex.lock().unwrap(), 1);
    assert_eq!(backend.seen().len(), 2);
}

#[test]
fn a_condition_wait_tells_of_poison_with_a_guard() {
    for state in [state::OPEN, state::CLOSED] {
        let backend = Backend::closed();
        if state != state::CLOSED {
            backend.start(state, 1);
        }
        let (mutex, condvar) = (Mutex::new(0), Condvar::new());
        panic_with(|| mutex.lock());
        backend.seen();
        let lock = || mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = Duration::from_millis(1);
        let timed = condvar.wait_timeout(lock(), moment).unwrap_err().into_inner();
        drop(timed.0);
        let timed = condvar.wait_timeout_while(lock(), moment, |_| true).unwrap_err();
        assert_eq!(*timed.into_inner().0, 0);
        let in_time = condvar.wait_timeout_while(lock(), moment, |_| false).unwrap();
        assert!(!in_time.1.timed_out(), "as std's, which looks at the poison after a wait only");
        drop(in_time);
        drop::<MutexGuard<'_, u8>>(condvar.wait_while(lock(), |_| false).unwrap());
        let kinds: Vec<_> = backend.seen().into_iter().map(|seen| seen.kind).collect();
        if state == state::OPEN {
            let wait = [RELEASED, IDLE, RELEASED];
            assert_eq!(kinds, [&wait[..], &wait, &[RELEASED, RELEASED]].concat());
        } else {
            assert_eq!(kinds, []);
        }
        assert!(mutex.try_lock().is_err_and(|e| matches!(e, TryLockError::Poisoned(_))));
    }
}
