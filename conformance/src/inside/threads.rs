//! Several threads at once: nothing is lost, nothing is counted twice.

use std::sync::{Mutex, RwLock};

use lockscope_core::backend::Backend;
use lockscope_core::{Event, EventKind, Mode};

use super::probe::{
    Lock, acquisitions, event, lock_once, lost, recording, sites, snapshot, tell, wait_once,
};

const THREADS: usize = 3;
const ROUNDS: u64 = if cfg!(miri) { 20 } else { 2_000 };

fn together(act: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        let act = &act;
        for thread in 0..THREADS {
            scope.spawn(move || act(thread));
        }
    });
}

/// One lock, in turn.
pub fn owners_one_after_the_other<B: Backend>() {
    let backend: B = recording(&[]);
    let lock = Mutex::new(Lock::new(1, 9));
    together(|thread| {
        for _ in 0..ROUNDS {
            lock_once(&backend, &lock.lock().expect("no thread has failed"), 1 + thread % 2, 10);
        }
    });
    let report = snapshot(&backend);
    assert_eq!(report.samples, THREADS as u64 * ROUNDS);
    let hold: f64 = sites(&report).map(|site| site.hold.total_ns.value).sum();
    assert_eq!(hold, 10.0 * report.samples as f64);
}

/// One lock, at the same time.
pub fn readers_beside_each_other_and_failed_tries_beside_writers<B: Backend>() {
    let backend: B = recording(&[]);
    let lock = RwLock::new(Lock::new(1, 9));
    together(|thread| {
        for round in 0..ROUNDS {
            if thread == 0 && round % 4 == 0 {
                lock_once(&backend, &lock.write().expect("no thread has failed"), 1, 10);
                continue;
            }
            let lock = lock.read().expect("no thread has failed");
            lock.meet(&backend, 1);
            tell(&backend, event(&lock, 1, Mode::SHARED));
            let failed = EventKind::FAILED;
            tell(&backend, Event { kind: failed, ..event(&lock, 1, Mode::EXCLUSIVE) });
        }
    });
    let report = snapshot(&backend);
    let (all, writes) = (THREADS as u64 * ROUNDS, ROUNDS / 4);
    assert_eq!(report.samples, all);
    let failures: f64 = sites(&report).map(|site| site.failures.value).sum();
    assert_eq!(failures, (all - writes) as f64);
}

/// Waits are told beside each other: whoever has waited has given the lock back.
pub fn waits_at_the_same_time<B: Backend>() {
    let backend: B = recording(&[]);
    let lock = Lock::new(1, 9);
    lock_once(&backend, &lock, 1, 10);
    together(|thread| {
        for round in 0..ROUNDS {
            wait_once(&backend, &lock, 1 + thread % 2, 7, round);
        }
    });
    let report = snapshot(&backend);
    let all = THREADS as f64 * ROUNDS as f64;
    let waited = THREADS as f64 * (0..ROUNDS).sum::<u64>() as f64;
    let contentions: f64 = sites(&report).map(|site| site.contentions.value).sum();
    let wait: f64 = sites(&report).map(|site| site.wait.total_ns.value).sum();
    let blame = &report.locks[0].blame;
    let charged: f64 = blame.iter().map(|blame| blame.wait_ns.value).sum();
    assert_eq!((contentions, wait, charged), (all, waited, waited));
    assert!(sites(&report).all(|site| site.wait.max_ns == ROUNDS - 1), "{report:?}");
    assert_eq!(blame.len(), 2, "{blame:?}");
}

/// What is on its way may be missing, and nothing is ever there twice.
pub fn a_snapshot_beside_threads_that_use_one_lock<B: Backend>() {
    /// The newest of each thread, which a look may leave out.
    const LEFT_OUT: f64 = 15.0 * THREADS as f64;
    let backend: B = recording(&[]);
    let lock = Lock::new(1, 9);
    lock.meet(&backend, 1);
    let done = Mutex::new(0_usize);
    let all = THREADS as f64 * ROUNDS as f64;
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let (backend, lock, done) = (&backend, &lock, &done);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let read = event(lock, 1 + round as usize % 5, Mode::SHARED);
                    tell(backend, Event { end: round, ..read });
                }
                *done.lock().expect("no thread has failed") += 1;
            });
        }
        let mut before = 0.0;
        while *done.lock().expect("no thread has failed") < THREADS {
            let report = snapshot(&backend);
            let seen = acquisitions(&report);
            assert!((before - LEFT_OUT..=all).contains(&seen), "{before} then {seen}");
            assert!(sites(&report).count() <= 5, "a call site is there twice");
            before = seen.max(before);
        }
    });
    let report = snapshot(&backend);
    assert_eq!((acquisitions(&report), sites(&report).count()), (all, 5));
    let held: f64 = sites(&report).map(|site| site.hold.total_ns.value).sum();
    assert_eq!(held, THREADS as f64 * (0..ROUNDS).sum::<u64>() as f64);
}

/// Whatever a snapshot shows happened: locks that are dropped meanwhile are
/// neither missing nor there twice.
pub fn a_snapshot_beside_locks_that_come_and_go<B: Backend>() {
    let backend: B = recording(&[("max_locks", "50")]);
    let done = Mutex::new(0_usize);
    std::thread::scope(|scope| {
        for thread in 0..2_u64 {
            let (backend, done) = (&backend, &done);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let lock = Lock::new(1 + thread * ROUNDS + round, 9);
                    lock_once(backend, &lock, 1, 10);
                    backend.dropped(&lock.as_ref());
                }
                *done.lock().expect("no thread has failed") += 1;
            });
        }
        let mut before = 0.0;
        while *done.lock().expect("no thread has failed") < 2 {
            let seen = acquisitions(&snapshot(&backend));
            assert!((before..=2.0 * ROUNDS as f64).contains(&seen), "{before} then {seen}");
            before = seen;
        }
    });
    let report = snapshot(&backend);
    assert_eq!((acquisitions(&report), lost(&report)), (2.0 * ROUNDS as f64, 0));
}
