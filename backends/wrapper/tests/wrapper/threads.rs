//! Several threads at once: nothing is lost, nothing is counted twice.

use std::sync::{Mutex, RwLock};

use lockscope_core::backend::Backend;
use lockscope_core::{Event, EventKind, Mode};

use crate::harness::{Lock, acquisitions, event, lock_once, lost, sites, started, tell};

const THREADS: usize = 3;
const ROUNDS: u64 = 2_000;

fn together(act: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        let act = &act;
        for thread in 0..THREADS {
            scope.spawn(move || act(thread));
        }
    });
}

#[test]
fn owners_one_after_the_other() {
    let wrapper = started(&[("period", "1")]);
    let lock = Mutex::new(Lock::new(1, 9));
    together(|thread| {
        for _ in 0..ROUNDS {
            lock_once(&wrapper, &lock.lock().unwrap(), 1 + thread % 2, 10);
        }
    });
    let report = wrapper.snapshot().unwrap();
    assert_eq!(report.samples, THREADS as u64 * ROUNDS);
    let hold: f64 = sites(&report).map(|site| site.hold.total_ns.value).sum();
    assert_eq!(hold, 10.0 * report.samples as f64);
}

#[test]
fn readers_beside_each_other_and_failed_tries_beside_writers() {
    let wrapper = started(&[("period", "1")]);
    let lock = RwLock::new(Lock::new(1, 9));
    together(|thread| {
        for round in 0..ROUNDS {
            if thread == 0 && round % 4 == 0 {
                lock_once(&wrapper, &lock.write().unwrap(), 1, 10);
                continue;
            }
            let lock = lock.read().unwrap();
            lock.meet(&wrapper, 1);
            tell(&wrapper, event(&lock, 1, Mode::SHARED));
            let failed = EventKind::FAILED;
            tell(&wrapper, Event { kind: failed, ..event(&lock, 1, Mode::EXCLUSIVE) });
        }
    });
    let report = wrapper.snapshot().unwrap();
    let (all, writes) = (THREADS as u64 * ROUNDS, ROUNDS / 4);
    assert_eq!(report.samples, all);
    let failures: f64 = sites(&report).map(|site| site.failures.value).sum();
    assert_eq!(failures, (all - writes) as f64);
}

/// Whatever a snapshot shows happened: locks that are dropped meanwhile are
/// neither missing nor there twice.
#[test]
fn a_snapshot_beside_locks_that_come_and_go() {
    let wrapper = started(&[("period", "1"), ("max_locks", "50")]);
    let done = Mutex::new(0_usize);
    std::thread::scope(|scope| {
        for thread in 0..2_u64 {
            let (wrapper, done) = (&wrapper, &done);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let lock = Lock::new(1 + thread * ROUNDS + round, 9);
                    lock_once(wrapper, &lock, 1, 10);
                    wrapper.dropped(&lock.as_ref());
                }
                *done.lock().unwrap() += 1;
            });
        }
        let mut before = 0.0;
        while *done.lock().unwrap() < 2 {
            let seen = acquisitions(&wrapper.snapshot().unwrap());
            assert!((before..=2.0 * ROUNDS as f64).contains(&seen), "{before} then {seen}");
            before = seen;
        }
    });
    let report = wrapper.snapshot().unwrap();
    assert_eq!((acquisitions(&report), lost(&report)), (2.0 * ROUNDS as f64, 0));
}
