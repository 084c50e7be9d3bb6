//! What the table promises beyond what all backends do.

use std::sync::RwLock;

use lockscope_conformance::inside::model;
use lockscope_conformance::inside::probe::{
    Lock, acquisitions, event, lock_once, lost, sites, snapshot, started, tell, wait_once,
};
use lockscope_core::backend::Backend;
use lockscope_core::sync::Ordering;
use lockscope_core::{Event, EventKind, Mode};
use lockscope_sidetable::Sidetable;

#[test]
fn a_lock_is_left_as_it_is() {
    let sidetable: Sidetable = started(&[("period", "1")]);
    let lock = Lock::new(1, 9);
    for mode in [Mode::EXCLUSIVE, Mode::SHARED, Mode::UPGRADABLE] {
        lock.meet(&sidetable, 1);
        tell(&sidetable, event(&lock, 1, mode));
        let failed = EventKind::FAILED;
        tell(&sidetable, Event { kind: failed, ..event(&lock, 1, mode) });
        wait_once(&sidetable, &lock, 1, 2, 3);
    }
    assert_eq!(lock.slot.as_ref().unwrap().state().load(Ordering::Relaxed), 0);
}

#[test]
fn a_lock_that_is_met_takes_no_place_before_it_is_sampled() {
    let sidetable: Sidetable = started(&[("period", "1"), ("max_locks", "1")]);
    let locks: Vec<Lock> = (1..=50).map(|id| Lock::new(id, 9)).collect();
    locks.iter().for_each(|lock| lock.meet(&sidetable, 1));
    assert!(snapshot(&sidetable).locks.is_empty());
    lock_once(&sidetable, &locks[7], 1, 10);
    let report = snapshot(&sidetable);
    assert_eq!((report.locks[0].id, lost(&report)), (8, 0));
}

/// Here the rest is nearly all of them.
#[test]
fn threads_beyond_the_limit_are_recorded_all_the_same() {
    model::agrees_with_these_settings::<Sidetable>(&[("period", "64"), ("max_threads", "1")]);
}

#[test]
fn threads_beyond_the_limit_lose_nothing_beside_each_other() {
    const ROUNDS: u64 = 20_000;
    let sidetable: Sidetable = started(&[("period", "1"), ("max_threads", "2")]);
    let lock = RwLock::new(Lock::new(1, 9));
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    if round % 4 == 0 {
                        lock_once(&sidetable, &lock.write().unwrap(), 1, 10);
                        continue;
                    }
                    let lock = lock.read().unwrap();
                    lock.meet(&sidetable, 1);
                    tell(&sidetable, Event { end: 10, ..event(&lock, 1, Mode::SHARED) });
                    wait_once(&sidetable, &lock, 2, 1, 10);
                }
            });
        }
    });
    let report = snapshot(&sidetable);
    let (writes, reads) = (5.0 * ROUNDS as f64 / 4.0, 5.0 * ROUNDS as f64 * 0.75);
    let mut found: Vec<_> = sites(&report)
        .map(|site| (site.site, site.mode, site.acquisitions.value, site.hold.total_ns.value))
        .collect();
    found.sort_unstable_by(|one, other| one.partial_cmp(other).unwrap());
    let writer = (1, Mode::EXCLUSIVE.0, writes, 10.0 * writes);
    let reader = (1, Mode::SHARED.0, reads, 10.0 * reads);
    assert_eq!(found, [writer, reader, (2, Mode::EXCLUSIVE.0, reads, 0.0)]);
}

/// More locks than there are lines, whose ways take each other's: nothing is
/// lost, and nothing is written to another's numbers. Half of them have no slot,
/// and are dropped and made again at the same place.
#[test]
fn ways_that_take_each_others_lines_lead_to_the_right_lock() {
    const LOCKS: usize = 20_000;
    const ROUNDS: usize = 4;
    let sidetable: Sidetable = started(&[("period", "1")]);
    let lock = |number: usize| match number % 2 {
        0 => Lock::new(1 + number as u64, 9),
        _ => Lock::slotless(number * 64),
    };
    let mut locks: Vec<Lock> = (0..LOCKS).map(lock).collect();
    for round in 1..=ROUNDS {
        for (number, lock) in locks.iter().enumerate() {
            for _ in 0..1 + number % 3 {
                lock_once(&sidetable, lock, 1, 10);
            }
        }
        if round == 2 {
            for (number, old) in locks.iter_mut().enumerate().filter(|(number, _)| number % 2 == 1)
            {
                sidetable.dropped(&old.as_ref());
                *old = lock(number);
            }
        }
    }
    let report = snapshot(&sidetable);
    let of = |lock: &lockscope_core::report::LockReport| -> f64 {
        lock.sites.iter().map(|site| site.acquisitions.value).sum()
    };
    for lock in report.locks.iter().filter(|lock| lock.id != 0 && lock.id <= LOCKS as u64) {
        let number = lock.id as usize - 1;
        assert_eq!(of(lock), (ROUNDS * (1 + number % 3)) as f64, "{lock:?}");
    }
    let folded = report.locks.iter().find(|lock| lock.id == 0).unwrap();
    assert_eq!((folded.locks, report.locks.len()), (LOCKS as u64 / 2, LOCKS + 1));
    let slotless = report.locks.iter().filter(|lock| lock.id > LOCKS as u64).map(of);
    assert_eq!(slotless.sum::<f64>(), of(folded), "two rounds before, and two after");
    let expected: usize = (0..LOCKS).map(|number| ROUNDS * (1 + number % 3)).sum();
    assert_eq!((acquisitions(&report), lost(&report)), (expected as f64, 0));
}
