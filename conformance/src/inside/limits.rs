//! What is not recorded is counted.

use lockscope_core::backend::Backend;

use super::probe::{Lock, acquisitions, lock_once, lost, snapshot, started, wait_once};

/// Each operation of a lock without place.
pub fn locks_beyond_the_limit_are_counted_as_lost<B: Backend>() {
    let backend: B = started(&[("period", "1"), ("max_locks", "3")]);
    let locks: Vec<Lock> = (1..=5).map(|id| Lock::new(id, 9)).collect();
    for lock in locks.iter().chain(&locks) {
        lock_once(&backend, lock, 1, 10);
    }
    let report = snapshot(&backend);
    assert_eq!((report.locks.len(), acquisitions(&report), lost(&report)), (3, 6.0, 4));
    assert_eq!(report.losses[0].what, "operations of locks beyond 3 (max_locks)");
}

/// As often as locks come and go.
pub fn a_dropped_lock_makes_room_for_a_new_one<B: Backend>() {
    let backend: B = started(&[("period", "1"), ("max_locks", "2")]);
    for id in 1..=20 {
        let lock = Lock::new(id, 9);
        lock_once(&backend, &lock, 1, 10);
        backend.dropped(&lock.as_ref());
    }
    let report = snapshot(&backend);
    assert_eq!((report.locks.len(), lost(&report)), (1, 0));
    assert_eq!((report.locks[0].id, report.locks[0].locks), (0, 20));
    assert_eq!(acquisitions(&report), 20.0);
}

/// So that dropped locks are bounded as well.
pub fn origins_beyond_the_limit_are_one<B: Backend>() {
    let backend: B = started(&[("period", "1"), ("max_locks", "2")]);
    let keeper = Lock::new(1_000, 9);
    lock_once(&backend, &keeper, 1, 10);
    for id in 1..=20 {
        let lock = Lock::new(id, id as usize);
        lock_once(&backend, &lock, 1, 10);
        backend.dropped(&lock.as_ref());
    }
    let report = snapshot(&backend);
    assert_eq!(acquisitions(&report) as u64 + lost(&report), 21);
    assert!(report.locks.len() <= 3, "{:?}", report.locks);
}

/// And the report says how many operations.
pub fn call_sites_beyond_the_limit_are_recorded_together<B: Backend>() {
    let backend: B = started(&[("period", "1"), ("max_sites", "4")]);
    let lock = Lock::new(1, 9);
    for site in 1..=10 {
        lock_once(&backend, &lock, site, 10);
    }
    let report = snapshot(&backend);
    let sites = &report.locks[0].sites;
    assert_eq!((sites.len(), acquisitions(&report)), (5, 10.0));
    let unknown = sites.iter().find(|site| site.site == 0).expect("the rest");
    assert_eq!(unknown.acquisitions.value, 6.0);
    assert_eq!(report.losses[0].count, 6);
    assert_eq!(report.losses[0].what, "call sites of operations, beyond 4 of one lock (max_sites)");
}

/// By twice as many encounters as call sites.
pub fn who_waited_for_whom_is_bounded_as_well<B: Backend>() {
    let backend: B = started(&[("period", "1"), ("max_sites", "2")]);
    let lock = Lock::new(1, 9);
    for holder in 1..=50 {
        wait_once(&backend, &lock, 1, holder, 3);
    }
    let report = snapshot(&backend);
    let blame = &report.locks[0].blame;
    assert_eq!(blame.len(), 5, "twice as many as call sites, and the rest");
    assert_eq!(blame.iter().map(|blame| blame.wait_ns.value).sum::<f64>(), 150.0);
}
