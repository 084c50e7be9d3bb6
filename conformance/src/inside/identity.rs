//! Which lock is which: by its id if it has a slot, by its address if not.

use lockscope_core::backend::Backend;
use lockscope_core::report::Report;
use lockscope_core::{LockKind, Mode};

use super::probe::{GIVEN, Lock, acquisitions, event, lock_once, recording, snapshot, tell};

/// Id, number of locks, and acquisitions of each line, sorted.
fn lines(report: &Report) -> Vec<(u64, u64, f64)> {
    let line = |lock: &lockscope_core::report::LockReport| {
        let own = lock.sites.iter().map(|site| site.acquisitions.value).sum();
        (lock.id, lock.locks, own)
    };
    let mut lines: Vec<_> = report.locks.iter().map(line).collect();
    lines.sort_unstable_by(|one, other| one.partial_cmp(other).expect("no NaN"));
    lines
}

/// A reused address is a new lock, as often as it happens.
pub fn a_dropped_lock_and_another_at_its_address_are_two<B: Backend>() {
    let backend: B = recording(&[]);
    let mut ids = Vec::new();
    for round in 1..=4 {
        let lock = Lock::slotless(64);
        for _ in 0..round {
            lock_once(&backend, &lock, 1, 10);
        }
        let report = snapshot(&backend);
        // Ids are given in ascending order; locks that are folded have none.
        let [.., (id, 1, own)] = lines(&report)[..] else { panic!("{:?}", lines(&report)) };
        assert!(id >= GIVEN, "the host gives ids to locks without slot, and not {id}");
        assert_eq!(own, f64::from(round), "what the last lock did is the last lock's");
        assert!(!ids.contains(&id), "an id is used again");
        ids.push(id);
        if round < 4 {
            backend.dropped(&lock.as_ref());
        }
    }
    assert_eq!(acquisitions(&snapshot(&backend)), 10.0, "what those before did is there");
}

/// What came to the place of a lock that has moved away, if it is of another
/// kind.
pub fn locks_of_two_kinds_at_one_address_are_two<B: Backend>() {
    let backend: B = recording(&[]);
    let locks =
        [LockKind::MUTEX, LockKind::CONDVAR].map(|kind| Lock { kind, ..Lock::slotless(64) });
    for lock in locks.iter().chain(&locks) {
        lock_once(&backend, lock, 1, 10);
    }
    let report = snapshot(&backend);
    let mut kinds: Vec<u32> = report.locks.iter().map(|lock| lock.kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [LockKind::MUTEX.0, LockKind::CONDVAR.0]);
    assert!(lines(&report).iter().all(|(.., own)| *own == 2.0), "{report:?}");
}

/// Its address was its name.
pub fn a_lock_without_slot_that_moves_becomes_another<B: Backend>() {
    let backend: B = recording(&[]);
    let mut lock = Lock::slotless(64);
    lock_once(&backend, &lock, 1, 10);
    lock.address = 128;
    lock_once(&backend, &lock, 1, 10);
    assert_eq!(snapshot(&backend).locks.len(), 2);
}

/// Its id is its name.
pub fn a_lock_with_slot_that_moves_stays_the_same<B: Backend>() {
    let backend: B = recording(&[]);
    let mut lock = Lock::new(1, 9);
    lock_once(&backend, &lock, 1, 10);
    lock.address += 64;
    lock_once(&backend, &lock, 1, 10);
    // And another at the address that it has left.
    let other = Lock::new(2, 9);
    tell(&backend, event(&Lock { address: 64, ..other }, 1, Mode::SHARED));
    let report = snapshot(&backend);
    assert_eq!(lines(&report), [(1, 1, 2.0), (2, 1, 1.0)]);
    assert_eq!(acquisitions(&report), 3.0);
}
