//! What is kept from one window to the next, and of what is lost sight.

use lockscope_conformance::inside::probe::{
    Lock, acquisitions, event, lock_once, lost, snapshot, started, tell,
};
use lockscope_core::Mode;
use lockscope_core::backend::Backend;
use lockscope_core::report::Report;
use lockscope_lazy::Lazy;

use crate::pace::{sleep, wake};

/// An acquisition in the window with this generation.
fn used(lazy: &Lazy, lock: &Lock, generation: u32) {
    lock.meet(lazy, generation);
    tell(lazy, event(lock, 1, Mode::EXCLUSIVE));
}

/// Number of locks and acquisitions of each line, and whether it is one lock's,
/// sorted.
fn lines(report: &Report) -> Vec<(u64, f64, bool)> {
    let mut lines: Vec<_> = report
        .locks
        .iter()
        .map(|lock| {
            let own: f64 = lock.sites.iter().map(|site| site.acquisitions.value).sum();
            (lock.locks, own, lock.id != 0)
        })
        .collect();
    lines.sort_by(|one, other| one.partial_cmp(other).expect("no NaN"));
    lines
}

#[test]
fn a_lock_with_slot_is_the_same_in_every_window() {
    let lazy: Lazy = started(&[("period", "1")]);
    let lock = Lock::new(1, 9);
    for generation in 1..=5 {
        used(&lazy, &lock, generation);
        let slot = lock.slot.as_ref().unwrap();
        assert_ne!(slot.state_in(u64::from(generation) << 32), Some(0));
        sleep(&lazy);
        let next = u64::from(generation + 1) << 32;
        assert_eq!(slot.state_in(next), None, "the next window finds the slot empty");
        wake(&lazy, "a command");
    }
    let report = snapshot(&lazy);
    assert_eq!((lines(&report), report.locks[0].id), (vec![(1, 5.0, true)], 1));
}

/// Nobody is told who is there when it wakes up again.
#[test]
fn a_lock_without_slot_is_another_in_every_window() {
    let lazy: Lazy = started(&[("period", "1")]);
    let lock = Lock::slotless(64);
    for generation in 1..=3 {
        for _ in 0..generation {
            used(&lazy, &lock, generation);
        }
        sleep(&lazy);
        wake(&lazy, "a command");
    }
    let report = snapshot(&lazy);
    assert_eq!(lines(&report), [(1, 1.0, true), (1, 2.0, true), (1, 3.0, true)]);
    let mut ids: Vec<_> = report.locks.iter().map(|lock| lock.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

/// It is told of within a window, and then it is the one of the window.
#[test]
fn a_lock_without_slot_that_is_dropped_takes_none_of_an_earlier_window_along() {
    let lazy: Lazy = started(&[("period", "1")]);
    used(&lazy, &Lock::slotless(64), 1);
    sleep(&lazy);
    wake(&lazy, "a command");
    let lock = Lock::slotless(64);
    lazy.dropped(&lock.as_ref());
    assert_eq!(lines(&snapshot(&lazy)), [(1, 1.0, true)], "it was another");
    used(&lazy, &lock, 2);
    used(&lazy, &lock, 2);
    lazy.dropped(&lock.as_ref());
    assert_eq!(lines(&snapshot(&lazy)), [(1, 1.0, true), (1, 2.0, false)]);
}

#[test]
fn locks_that_are_gone_are_kept_apart_while_there_is_room() {
    let lazy: Lazy = started(&[("period", "1"), ("max_locks", "40")]);
    for id in 1..=10 {
        used(&lazy, &Lock::new(id, 9), 1);
    }
    sleep(&lazy);
    wake(&lazy, "a command");
    sleep(&lazy);
    let each = [(1, 1.0, true); 10];
    assert_eq!(lines(&snapshot(&lazy)), each);
    wake(&lazy, "a command");
    used(&lazy, &Lock::new(11, 9), 2);
    sleep(&lazy);
    assert_eq!(lines(&snapshot(&lazy)), [(1, 1.0, true), (10, 10.0, false)]);
}

/// For as long as anybody likes, and whatever lock it is.
#[test]
fn memory_has_its_bound_however_many_windows_there_are() {
    let lazy: Lazy = started(&[("period", "1"), ("max_locks", "100")]);
    let (keeper, mut made) = (Lock::new(1, 7), 1);
    for generation in 1..=60_u32 {
        used(&lazy, &keeper, generation);
        for _ in 0..15 {
            made += 1;
            let untold = Lock::new(made, 9);
            used(&lazy, &untold, generation);
            // Fifteen places, where another one is in each window.
            used(&lazy, &Lock::slotless(64 * (1 + made as usize % 15)), generation);
        }
        sleep(&lazy);
        let report = snapshot(&lazy);
        assert!(report.locks.len() <= 100 / 4 + 31, "{} in {generation}", report.locks.len());
        wake(&lazy, "a command");
    }
    let report = snapshot(&lazy);
    assert_eq!((acquisitions(&report), lost(&report)), (60.0 * 31.0, 0));
    assert_eq!(report.samples, 60 * 31);
    let kept = report.locks.iter().find(|lock| lock.id == 1).expect("it was in every window");
    assert_eq!((kept.created, kept.sites[0].acquisitions.value), (7, 60.0));
}

/// Others take their places in the next.
#[test]
fn locks_beyond_the_limit_of_one_window_are_its_loss() {
    let lazy: Lazy = started(&[("period", "1"), ("max_locks", "4")]);
    for generation in 1..=3 {
        let locks: Vec<Lock> =
            (1..=6).map(|id| Lock::new(10 * u64::from(generation) + id, 9)).collect();
        locks.iter().chain(&locks).for_each(|lock| used(&lazy, lock, generation));
        sleep(&lazy);
        wake(&lazy, "a command");
    }
    let report = snapshot(&lazy);
    assert_eq!(acquisitions(&report) as u64 + lost(&report), 36);
    assert!(report.locks.len() <= 5, "{:?}", lines(&report));
    let windows: Vec<_> = report.windows.iter().map(|window| window.samples).collect();
    assert!(windows[..3].iter().all(|samples| *samples >= 6), "{windows:?}");
}

#[test]
fn a_session_begins_without_the_windows_of_the_last() {
    let lazy: Lazy = started(&[("period", "1")]);
    lock_once(&lazy, &Lock::new(1, 9), 1, 10);
    sleep(&lazy);
    lazy.stop().unwrap();
    assert_eq!(snapshot(&lazy).windows.len(), 1);
    lazy.start(&lockscope_conformance::inside::probe::session(2)).unwrap();
    let report = snapshot(&lazy);
    assert!(report.windows.is_empty() && report.locks.is_empty());
    lock_once(&lazy, &Lock::new(2, 9), 1, 10);
    assert!(snapshot(&lazy).locks.is_empty(), "it sleeps");
}
