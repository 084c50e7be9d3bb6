//! How closely a lock is watched, as its slot shows it.

use lockscope_adaptive::Adaptive;
use lockscope_conformance::inside::probe::{
    Lock, event, initialised, lock_once, session, snapshot, started, tell, wait_once,
};
use lockscope_core::backend::Backend;
use lockscope_core::{Countdown, Event, Mode};

/// What is asked of the backend by an owner who had to wait, as a slot that asks
/// lets him.
fn wait_as_owner(backend: &Adaptive, lock: &Lock) -> Countdown {
    backend.event(&Event { contended: 1, ..event(lock, 1, Mode::EXCLUSIVE) })
}

fn is_asking(countdown: Countdown) -> bool {
    countdown.weight != countdown.own_weight()
}

#[test]
fn a_lock_that_is_met_is_sampled_at_the_configured_period_and_asks() {
    let backend: Adaptive = started(&[("period", "100")]);
    let lock = Lock::new(1, 9);
    let countdown = backend.meet(Some(&lock.as_ref()));
    assert_eq!((countdown.own_weight(), is_asking(countdown)), (64, true), "a power of two");
    assert_eq!(backend.meet(None).weight, 64, "threads have no slot that could ask");
    let every: Adaptive = started(&[("period", "1")]);
    assert_eq!(every.meet(Some(&lock.as_ref())), Countdown::EVERY);
}

#[test]
fn a_lock_is_watched_by_what_its_record_remembers() {
    let backend: Adaptive = started(&[("period", "1"), ("max_period", "4")]);
    let locks = [1, 2].map(|id| Lock::new(id, 9));
    let weight = |lock: &Lock| lock_once(&backend, lock, 1, 10).own_weight();
    let weights: Vec<u32> = (0..100).map(|_| weight(&locks[0])).collect();
    assert_eq!((weights[30], weights[31], weights[63], weights[99]), (1, 2, 4, 4));
    assert_eq!(weight(&locks[1]), 1, "each by itself");
    assert_eq!(wait_as_owner(&backend, &locks[0]), Countdown::EVERY);
    assert_eq!(weight(&locks[0]), 1);
    assert_eq!(snapshot(&backend).periods.as_slice(), [1, 2, 4]);
}

#[test]
fn a_wait_that_is_told_when_the_lock_was_given_back_is_heard_of_by_the_next_owner() {
    let backend: Adaptive = started(&[("period", "64")]);
    let lock = Lock::new(1, 9);
    assert_eq!(lock_once(&backend, &lock, 1, 10).own_weight(), 64);
    wait_once(&backend, &lock, 1, 2, 30);
    assert_eq!(lock_once(&backend, &lock, 1, 10), Countdown::EVERY);
}

#[test]
fn who_waits_for_a_lock_without_slot_brings_its_thread_back() {
    let backend: Adaptive = started(&[("period", "2"), ("max_period", "8")]);
    let lock = Lock::slotless(64);
    assert_eq!((0..200).map(|_| backend.meet(None).weight).last(), Some(8));
    let waited = Event { contended: 1, ..event(&lock, 1, Mode::EXCLUSIVE) };
    assert_eq!(tell(&backend, waited), Countdown::UNCHANGED);
    assert_eq!(backend.meet(None).weight, 2);
}

#[test]
fn a_lock_without_record_is_looked_at_rarely_and_its_operations_are_counted_as_lost() {
    let backend: Adaptive = started(&[("period", "2"), ("max_period", "256"), ("max_locks", "1")]);
    lock_once(&backend, &Lock::new(1, 9), 1, 10);
    let countdown = lock_once(&backend, &Lock::new(2, 9), 1, 10);
    assert_eq!((countdown.own_weight(), is_asking(countdown)), (256, false));
    assert_eq!(snapshot(&backend).losses[0].count, 1);
}

#[test]
fn a_new_session_knows_nothing_of_the_last() {
    let backend: Adaptive = initialised(&[("period", "4"), ("max_period", "64")]);
    let lock = Lock::new(1, 9);
    for generation in 1..=2 {
        backend.start(&session(generation)).unwrap();
        lock.meet(&backend, generation);
        let counted = Event { counted: 1, ..event(&lock, 1, Mode::EXCLUSIVE) };
        let weights: Vec<u32> = (0..64)
            .map(|_| backend.event(&Event { lock: lock.as_ref(), ..counted }).own_weight())
            .collect();
        assert_eq!((weights[0], weights[63]), (4, 16), "session {generation}");
        assert_eq!(snapshot(&backend).periods.as_slice(), [4, 8, 16]);
        backend.stop().unwrap();
        lock.outlive();
    }
}
