//! Configuration, and sessions one after the other.

use lockscope_core::backend::{Backend, ErrorKind};
use lockscope_core::{Countdown, Event, EventKind, Mode};

use crate::probe::{
    Lock, acquisitions, begin, event, initialised, lock_once, session, settings, sites, started,
    tell,
};

fn refused<B: Backend>(key: &str, value: &str) -> String {
    let error = B::default().init(&settings(&[(key, value)])).expect_err("it cannot be used");
    assert_eq!(error.kind, ErrorKind::Setting);
    error.message.into_string()
}

/// In words that say what to do.
pub fn a_value_that_cannot_be_used_is_named_with_those_that_can<B: Backend>() {
    assert_eq!(
        refused::<B>("period", "0"),
        "the key 'period' must be a whole number from 1 to 1000000, and is '0'; correct it"
    );
    assert_eq!(
        refused::<B>("max_locks", "many"),
        "the key 'max_locks' must be a whole number from 1 to 10000000, and is 'many'; correct it"
    );
    assert_eq!(
        refused::<B>("max_sites", "-1"),
        "the key 'max_sites' must be a whole number from 1 to 10000, and is '-1'; correct it"
    );
}

/// What the backend says of itself holds if nobody says otherwise.
pub fn the_default_period_is_in_force<B: Backend>() {
    let description = B::describe();
    let period = description.keys.iter().find(|key| key.name == "period").expect("it has one");
    let period: u32 = period.default.parse().expect("a number");
    let backend: B = started(&[]);
    assert_eq!(backend.meet(None).weight, period);
    assert_eq!(backend.snapshot().unwrap().periods.as_slice(), [period]);
}

/// Whatever was recorded stays.
pub fn calls_at_the_wrong_time_are_errors_and_change_nothing<B: Backend>() {
    let backend: B = initialised(&[("period", "1")]);
    assert_eq!(backend.snapshot().unwrap_err().kind, ErrorKind::State);
    assert_eq!(backend.stop().unwrap_err().kind, ErrorKind::State);
    begin(&backend, 1);
    let lock = Lock::new(1, 9);
    lock_once(&backend, &lock, 1, 10);
    assert_eq!(backend.start(&session(2)).unwrap_err().kind, ErrorKind::State);
    assert_eq!(acquisitions(&backend.snapshot().unwrap()), 1.0);
    backend.stop().unwrap();
    assert_eq!(backend.stop().unwrap_err().kind, ErrorKind::State);
    assert_eq!(acquisitions(&backend.snapshot().unwrap()), 1.0, "kept until the next start");
}

/// And goes on with them.
pub fn a_session_begins_empty_for_locks_that_are_there_already<B: Backend>() {
    let backend: B = started(&[("period", "1")]);
    let lock = Lock::new(1, 9);
    lock_once(&backend, &lock, 1, 10);
    backend.stop().unwrap();
    begin(&backend, 2);
    assert!(backend.snapshot().unwrap().locks.is_empty());
    lock.meet(&backend, 2);
    tell(&backend, event(&lock, 2, Mode::EXCLUSIVE));
    let report = backend.snapshot().unwrap();
    assert_eq!(sites(&report).map(|site| site.site).collect::<Vec<_>>(), [2]);
}

/// An owner meets it.
pub fn a_failed_try_of_a_lock_that_the_session_has_not_met_leaves_its_slot_alone<B: Backend>() {
    let backend: B = started(&[("period", "1")]);
    let lock = Lock::new(1, 9);
    let failed = Event { kind: EventKind::FAILED, ..event(&lock, 3, Mode::EXCLUSIVE) };
    assert_eq!(tell(&backend, failed), Countdown::UNCHANGED);
    let slot = lock.slot.as_ref().unwrap();
    assert!(!slot.is_current(1 << 32));
    lock_once(&backend, &lock, 3, 10);
    tell(&backend, failed);
    let report = backend.snapshot().unwrap();
    let found: Vec<_> =
        sites(&report).map(|site| (site.failures.value, site.acquisitions.value)).collect();
    assert_eq!(found, [(2.0, 1.0)]);
}
