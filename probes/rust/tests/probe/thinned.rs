//! What becomes of waits where only some are recorded.

use std::time::Duration;

use lockscope_core::gate::state;

use crate::backend::{Backend, FAILED, RELEASED, contend, until_waiting};

/// Next to none is drawn: one in so many.
const HARDLY: u32 = u32::MAX;

/// The host looks at its session, and wants one in `period` waits recorded.
fn look(period: u32) {
    lockscope::probe().gate.set_contended_period(period);
}

/// A session that records nothing but waits, one in `period`.
fn watching(period: u32) -> Backend {
    let backend = Backend::closed();
    backend.start(state::WATCH, 1);
    look(period);
    backend
}

#[test]
fn who_waits_is_seen_while_it_lasts_and_not_told_unless_it_was_drawn() {
    let backend = watching(HARDLY);
    let mutex = lockscope::sync::Mutex::new(());
    // `contend` returns only if the wait is in sight.
    contend(mutex.lock(), || drop(mutex.lock()));
    let mutex = lockscope::parking_lot::RwLock::new(());
    contend(mutex.write(), || drop(mutex.read()));
    assert!(backend.seen().is_empty());
}

#[test]
fn a_wait_during_which_the_host_looks_is_told_and_stands_for_itself() {
    for period in [2, HARDLY] {
        let backend = watching(period);
        let mutex = lockscope::parking_lot::Mutex::new(());
        let held = mutex.lock();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(mutex.lock()));
            until_waiting(1);
            look(period);
            drop(held);
        });
        let seen = backend.one();
        assert_eq!((seen.kind, seen.contended, seen.weight), (RELEASED, true, 1));
        assert!(seen.times[0] < seen.times[1] && seen.times[1] <= seen.times[2]);
    }
}

#[test]
fn a_wait_in_vain_is_told_and_stands_for_itself() {
    let backend = watching(HARDLY);
    let mutex = lockscope::parking_lot::Mutex::new(());
    let held = mutex.lock();
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(mutex.try_lock_for(Duration::from_millis(1)).is_none()));
    });
    drop(held);
    let seen = backend.one();
    assert_eq!((seen.kind, seen.contended, seen.weight), (FAILED, true, 1));
}

/// The sum of weights is within five standard errors of the number: each wait that
/// is not certain adds period − 1 to the variance.
#[test]
fn all_together_stand_for_as_many_as_there_were() {
    const NUMBER: u32 = 1_200;
    const PERIOD: u32 = 4;
    let backend = watching(PERIOD);
    let mutex = lockscope::sync::Mutex::new(());
    for round in 0..NUMBER {
        let held = mutex.lock();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(mutex.lock()));
            until_waiting(1);
            if round % 3 == 0 {
                look(PERIOD);
            }
            drop(held);
        });
    }
    let weights: Vec<u32> = backend.seen().iter().map(|seen| seen.weight).collect();
    let (sum, number) = (f64::from(weights.iter().sum::<u32>()), f64::from(NUMBER));
    let error = (number * 2.0 / 3.0 * f64::from(PERIOD - 1)).sqrt();
    assert!((sum - number).abs() < 5.0 * error, "{sum} instead of {number}, give or take {error}");
    assert!(weights.iter().filter(|weight| **weight == 1).count() >= 400);
    assert!(weights.contains(&PERIOD));
}
