//! Woken by contention.

use std::time::Duration;

use lockscope::sync::Mutex;
use lockscope_core::gate::state;
use lockscope_core::sync::{AtomicBool, Ordering};

use super::host::{Host, acquisitions};

/// Two threads fight for a lock until `act` has returned.
fn fight(lock: &Mutex<u64>, act: impl FnOnce()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let held = lock.lock().unwrap();
                    std::thread::sleep(Duration::from_micros(50));
                    drop(held);
                }
            });
        }
        act();
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn contention_wakes_it_and_is_not_recorded_before() {
    let lock = Mutex::new(0);
    let mut host = Host::new(&[("wake_on_contentions", "20"), ("watch_window_ms", "100")]);
    assert_eq!(host.pace.gate, state::WATCH);
    for _ in 0..10_000 {
        *lock.lock().unwrap() += 1;
    }
    fight(&lock, || {
        host.ask_until(|pace| pace.gate == state::OPEN);
    });
    let report = host.report();
    assert_eq!(report.windows.len(), 1);
    let cause = &*report.windows[0].cause;
    let rate: u64 = cause.strip_suffix(" contentions a second").unwrap().parse().unwrap();
    assert!(rate >= 20, "{cause}");
    let recorded = acquisitions(&report.locks);
    // What waited while it watched may be told as it wakes up.
    assert!(recorded < 1_000.0, "{recorded}");
    *lock.lock().unwrap() += 1;
    assert_eq!(acquisitions(&host.stop().locks), recorded + 1.0);
}

#[test]
fn time_waited_wakes_it() {
    let lock = Mutex::new(0);
    let mut host = Host::new(&[("wake_on_wait_percent", "10"), ("watch_window_ms", "100")]);
    fight(&lock, || host.ask_until(|pace| pace.gate == state::OPEN));
    let cause = host.stop().windows[0].cause.to_string();
    assert!(
        cause.starts_with("waits worth ") && cause.ends_with(" % of a thread's time"),
        "{cause}"
    );
}

#[test]
fn while_it_cools_down_contention_is_not_looked_at() {
    let lock = Mutex::new(0);
    let mut host = Host::new(&[("wake_on_contentions", "1"), ("watch_window_ms", "10")]);
    host.wake("a command");
    host.sleep();
    assert_eq!(host.pace.gate, state::CLOSED);
    fight(&lock, || {
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(1));
            host.ask();
            assert_eq!(host.pace.gate, state::CLOSED);
        }
    });
    assert_eq!(host.stop().windows.len(), 1);
}
