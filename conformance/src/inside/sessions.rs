//! Sessions, one after the other.

use lockscope_core::backend::{Backend, ErrorKind};
use lockscope_core::{Event, EventKind, Mode};

use super::probe::{
    Lock, acquisitions, begin, event, initialised, lock_once, recording, session, sites, tell,
};

fn kind<T: core::fmt::Debug>(
    outcome: Result<T, lockscope_core::backend::BackendError>,
) -> ErrorKind {
    outcome.expect_err("it is the wrong time for it").kind
}

/// Whatever was recorded stays.
pub fn calls_at_the_wrong_time_are_errors_and_change_nothing<B: Backend>() {
    let backend: B = initialised(&[]);
    assert_eq!(kind(backend.snapshot()), ErrorKind::State);
    assert_eq!(kind(backend.stop()), ErrorKind::State);
    begin(&backend, 1);
    let lock = Lock::new(1, 9);
    lock_once(&backend, &lock, 1, 10);
    let recorded = || acquisitions(&backend.snapshot().expect("a session was started"));
    assert_eq!(kind(backend.start(&session(2))), ErrorKind::State);
    assert_eq!(recorded(), 1.0);
    backend.stop().expect("a session runs");
    assert_eq!(kind(backend.stop()), ErrorKind::State);
    assert_eq!(recorded(), 1.0, "kept until the next start");
}

/// And goes on with them.
pub fn a_session_begins_empty_for_locks_that_are_there_already<B: Backend>() {
    let backend: B = recording(&[]);
    let lock = Lock::new(1, 9);
    lock_once(&backend, &lock, 1, 10);
    backend.stop().expect("a session runs");
    begin(&backend, 2);
    let report = || backend.snapshot().expect("a session runs");
    assert!(report().locks.is_empty());
    lock.meet(&backend, 2);
    tell(&backend, event(&lock, 2, Mode::EXCLUSIVE));
    assert_eq!(sites(&report()).map(|site| site.site).collect::<Vec<_>>(), [2]);
}

/// An owner meets it.
pub fn a_failed_try_of_a_lock_that_the_session_has_not_met_leaves_its_slot_alone<B: Backend>() {
    let backend: B = recording(&[]);
    let lock = Lock::new(1, 9);
    let failed = Event { kind: EventKind::FAILED, ..event(&lock, 3, Mode::EXCLUSIVE) };
    tell(&backend, failed);
    let slot = lock.slot.as_ref().expect("it has one");
    assert!(!slot.is_current(1 << 32));
    lock_once(&backend, &lock, 3, 10);
    tell(&backend, failed);
    let report = backend.snapshot().expect("a session runs");
    let found: Vec<_> =
        sites(&report).map(|site| (site.failures.value, site.acquisitions.value)).collect();
    assert_eq!(found, [(2.0, 1.0)]);
}
