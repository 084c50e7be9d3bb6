//! Contention between windows: counted, and not recorded.

use lockscope_conformance::inside::probe::{
    Lock, acquisitions, event, initialised, lock_once, session, snapshot, tell,
};
use lockscope_core::backend::Backend;
use lockscope_core::gate::state;
use lockscope_core::{Countdown, Event, EventKind, Mode};
use lockscope_lazy::Lazy;

use crate::pace::{ask, sleep, wake};

/// Watches over an hour, so that it does not matter how long a test takes.
const HOUR: (&str, &str) = ("watch_window_ms", "3600000");

fn watching(trigger: (&str, &str)) -> Lazy {
    let lazy: Lazy = initialised(&[
        trigger,
        HOUR,
        ("watch_percent", "100"),
        ("period", "1"),
        ("cool_down_ms", "0"),
    ]);
    lazy.start(&session(1)).unwrap();
    assert_eq!(ask(&lazy), state::WATCH);
    lazy
}

/// An acquisition that waited.
fn waited(lock: &Lock, wait_ns: u64) -> Event {
    Event { contended: 1, acquired: wait_ns, end: wait_ns, ..event(lock, 1, Mode::EXCLUSIVE) }
}

#[test]
fn a_rate_of_contentions_wakes_it() {
    let lazy = watching(("wake_on_contentions", "1"));
    let lock = Lock::new(1, 9);
    for _ in 0..3_599 {
        assert_eq!(tell(&lazy, waited(&lock, 5)), Countdown::UNCHANGED);
    }
    assert_eq!(ask(&lazy), state::WATCH);
    tell(&lazy, waited(&lock, 5));
    assert_eq!(ask(&lazy), state::OPEN);
    let report = snapshot(&lazy);
    assert_eq!(report.windows[0].cause, "1 contentions a second");
    assert_eq!((report.locks.len(), report.samples), (0, 0));
}

#[test]
fn time_waited_wakes_it() {
    let lazy = watching(("wake_on_wait_percent", "50"));
    let lock = Lock::slotless(64);
    let minute = 60_000_000_000;
    // Twenty-nine minutes, in one hour.
    for _ in 0..29 {
        tell(&lazy, waited(&lock, minute));
    }
    assert_eq!(ask(&lazy), state::WATCH);
    tell(&lazy, waited(&lock, minute));
    assert_eq!(ask(&lazy), state::OPEN);
    assert_eq!(snapshot(&lazy).windows[0].cause, "waits worth 50 % of a thread's time");
}

/// Weighted, whether it got the lock or not; idle times and tries at once are no
/// contention.
#[test]
fn what_had_to_wait_counts_and_nothing_else() {
    let lazy = watching(("wake_on_contentions", "1"));
    let lock = Lock::new(1, 9);
    let not_waited = event(&lock, 1, Mode::EXCLUSIVE);
    for _ in 0..100 {
        tell(&lazy, Event { weight: 1_000, ..not_waited });
        tell(&lazy, Event { kind: EventKind::FAILED, weight: 1_000, ..not_waited });
        tell(&lazy, Event { kind: EventKind::IDLE, weight: 1_000, end: 1 << 40, ..not_waited });
    }
    assert_eq!(ask(&lazy), state::WATCH);
    tell(&lazy, Event { weight: 1_800, ..waited(&lock, 5) });
    assert_eq!(ask(&lazy), state::WATCH);
    tell(&lazy, Event { kind: EventKind::FAILED, weight: 1_800, ..waited(&lock, 5) });
    assert_eq!(ask(&lazy), state::OPEN);
}

#[test]
fn a_lock_that_waited_while_it_watched_is_met_anew_in_a_window() {
    let lazy = watching(("wake_on_contentions", "1"));
    let lock = Lock::new(1, 9);
    lock.meet(&lazy, 1);
    assert_eq!(tell(&lazy, waited(&lock, 5)), Countdown::UNCHANGED);
    let slot = lock.slot.as_ref().unwrap();
    assert_eq!(slot.state_in(1 << 32), Some(0), "nothing is left there");
    wake(&lazy, "a command");
    lock.meet(&lazy, 2);
    assert_eq!(
        tell(&lazy, Event { counted: 1, ..event(&lock, 1, Mode::EXCLUSIVE) }),
        Countdown::EVERY
    );
    assert_ne!(slot.state_in(2 << 32), Some(0));
    assert_eq!(acquisitions(&snapshot(&lazy)), 1.0);
}

#[test]
fn a_lock_that_is_dropped_while_it_watches_joins_those_of_its_origin() {
    let lazy = watching(("wake_on_contentions", "1"));
    wake(&lazy, "a command");
    let lock = Lock::new(1, 9);
    lock_once(&lazy, &lock, 1, 10);
    sleep(&lazy);
    assert_eq!(ask(&lazy), state::WATCH);
    lock.meet(&lazy, 2);
    tell(&lazy, waited(&lock, 5));
    lazy.dropped(&lock.as_ref());
    let report = snapshot(&lazy);
    assert_eq!((report.locks.len(), report.locks[0].id, report.locks[0].locks), (1, 0, 1));
    assert_eq!(acquisitions(&report), 1.0);
}

#[test]
fn threads_that_wait_at_one_time_are_all_counted() {
    let lazy = watching(("wake_on_contentions", "1"));
    let tell_many = |number: u32| {
        let lazy = &lazy;
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(move || {
                    let lock = Lock::slotless(64);
                    for _ in 0..number {
                        tell(lazy, waited(&lock, 5));
                    }
                });
            }
        });
    };
    tell_many(1_199);
    assert_eq!(ask(&lazy), state::WATCH);
    tell_many(1);
    assert_eq!(ask(&lazy), state::OPEN);
}
