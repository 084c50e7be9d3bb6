//! Configuration, and sessions one after the other.

use lockscope_core::backend::{Backend, ErrorKind, Setting};
use lockscope_core::{Countdown, Event, EventKind, Mode};
use lockscope_wrapper::Wrapper;

use crate::harness::{
    Lock, acquisitions, event, initialised, lock_once, session, sites, started, tell,
};

fn refused(key: &str, value: &str) -> String {
    let settings = [Setting { key: key.into(), value: value.into() }];
    let error = Wrapper::default().init(&settings).expect_err("it cannot be used");
    assert_eq!(error.kind, ErrorKind::Setting);
    error.message.into_string()
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_those_that_can() {
    assert_eq!(
        refused("period", "0"),
        "the key 'period' must be a whole number from 1 to 1000000, and is '0'; correct it"
    );
    assert_eq!(
        refused("max_locks", "many"),
        "the key 'max_locks' must be a whole number from 1 to 10000000, and is 'many'; correct it"
    );
    assert_eq!(
        refused("max_sites", "-1"),
        "the key 'max_sites' must be a whole number from 1 to 10000, and is '-1'; correct it"
    );
}

#[test]
fn defaults_are_described_as_they_hold() {
    let description = Wrapper::describe();
    let defaults: Vec<_> =
        description.keys.iter().map(|key| (key.name.as_str(), key.default.as_str())).collect();
    assert_eq!(defaults, [("period", "100"), ("max_locks", "100000"), ("max_sites", "64")]);
    let wrapper = started(&[]);
    assert_eq!(wrapper.meet(None).weight, 100);
    assert_eq!(wrapper.snapshot().unwrap().periods.as_slice(), [100]);
}

#[test]
fn the_period_can_be_changed_while_a_session_runs_and_nothing_else_can() {
    let wrapper = started(&[("period", "1")]);
    let lock = Lock::new(1, 9);
    assert_eq!(lock_once(&wrapper, &lock, 1, 10), Countdown::EVERY);
    wrapper.configure("period", "50").unwrap();
    assert_eq!(lock_once(&wrapper, &lock, 1, 10).weight, 50);
    assert_eq!(wrapper.snapshot().unwrap().periods.as_slice(), [1, 50]);
    assert!(wrapper.configure("period", "0").is_err());
    let held = wrapper.configure("max_locks", "5").unwrap_err().message;
    assert!(held.contains("holds for the life of a backend"), "{held}");
    let unknown = wrapper.configure("perod", "5").unwrap_err().message;
    assert_eq!(unknown, "there is no key 'perod'; the keys are period, max_locks, max_sites");
}

#[test]
fn calls_at_the_wrong_time_are_errors_and_change_nothing() {
    let wrapper = initialised(&[("period", "1")]);
    assert_eq!(wrapper.snapshot().unwrap_err().kind, ErrorKind::State);
    assert_eq!(wrapper.stop().unwrap_err().kind, ErrorKind::State);
    wrapper.start(&session(1)).unwrap();
    let lock = Lock::new(1, 9);
    lock_once(&wrapper, &lock, 1, 10);
    assert_eq!(wrapper.start(&session(2)).unwrap_err().kind, ErrorKind::State);
    assert_eq!(acquisitions(&wrapper.snapshot().unwrap()), 1.0);
    wrapper.stop().unwrap();
    assert_eq!(wrapper.stop().unwrap_err().kind, ErrorKind::State);
    assert_eq!(acquisitions(&wrapper.snapshot().unwrap()), 1.0, "kept until the next start");
}

#[test]
fn a_session_begins_empty_for_locks_that_are_there_already() {
    let wrapper = started(&[("period", "1")]);
    let lock = Lock::new(1, 9);
    lock_once(&wrapper, &lock, 1, 10);
    wrapper.stop().unwrap();
    wrapper.start(&session(2)).unwrap();
    assert!(wrapper.snapshot().unwrap().locks.is_empty());
    lock.meet(&wrapper, 2);
    tell(&wrapper, event(&lock, 2, Mode::EXCLUSIVE));
    let report = wrapper.snapshot().unwrap();
    assert_eq!(sites(&report).map(|site| site.site).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_failed_try_of_a_lock_that_the_session_has_not_met_leaves_its_slot_alone() {
    let wrapper = started(&[("period", "1")]);
    let lock = Lock::new(1, 9);
    let failed = Event { kind: EventKind::FAILED, ..event(&lock, 3, Mode::EXCLUSIVE) };
    assert_eq!(tell(&wrapper, failed), Countdown::UNCHANGED);
    let slot = lock.slot.as_ref().unwrap();
    assert!(!slot.is_current(1 << 32));
    lock_once(&wrapper, &lock, 3, 10);
    tell(&wrapper, failed);
    let report = wrapper.snapshot().unwrap();
    let found: Vec<_> =
        sites(&report).map(|site| (site.failures.value, site.acquisitions.value)).collect();
    assert_eq!(found, [(2.0, 1.0)]);
}
