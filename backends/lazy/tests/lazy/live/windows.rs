//! Locks that are made, used and dropped before, in, and between windows.

use lockscope::sync::{Mutex, RwLock};
use lockscope_core::gate::state;
use lockscope_core::report::Report;

use super::host::{Host, acquisitions, samples};

fn used(lock: &Mutex<u64>, times: u64) {
    for _ in 0..times {
        *lock.lock().unwrap() += 1;
    }
}

/// Acquisitions of each lock, by how many there were.
fn by_lock(report: &Report) -> Vec<f64> {
    let mut all: Vec<_> = report.locks.iter().map(|lock| acquisitions([lock])).collect();
    all.sort_by(f64::total_cmp);
    all
}

#[test]
fn a_lock_of_any_age_is_seen_in_windows_alone() {
    let before = Mutex::new(0);
    let mut host = Host::new(&[]);
    assert_eq!((host.pace.gate, host.pace.ask_after_ns), (state::CLOSED, u64::MAX));
    used(&before, 100);
    host.wake("a command");
    let within = Mutex::new(0);
    used(&before, 5);
    used(&within, 3);
    host.sleep();
    used(&before, 100);
    used(&within, 100);
    let between = Mutex::new(0);
    used(&between, 100);
    host.wake("another");
    used(&before, 7);
    used(&between, 4);
    host.sleep();
    used(&between, 100);
    let report = host.stop();
    assert_eq!(by_lock(&report), [3.0, 4.0, 12.0], "one record each");
    assert!(report.locks.iter().all(|lock| lock.locks == 1 && lock.id != 0));
    assert_eq!(samples(&report), [8, 11]);
    assert_eq!(report.samples, 19);
    let causes: Vec<_> = report.windows.iter().map(|window| &*window.cause).collect();
    let prolonged = "prolonged by to end soon";
    assert_eq!(causes, [format!("a command, {prolonged}"), format!("another, {prolonged}")]);
    assert!(report.windows[0].after_ns + report.windows[0].length_ns <= report.windows[1].after_ns);
}

#[test]
fn a_lock_that_is_dropped_unseen_leaves_what_was_seen_of_it() {
    let mut host = Host::new(&[]);
    host.wake("a command");
    let made = || Box::new(Mutex::new(0));
    let (told, untold) = (made(), made());
    used(&told, 2);
    used(&untold, 3);
    drop(told);
    host.sleep();
    drop(untold);
    host.wake("a command");
    used(&made(), 4);
    let report = host.stop();
    let mut locks: Vec<_> =
        report.locks.iter().map(|lock| (lock.id != 0, lock.locks, acquisitions([lock]))).collect();
    locks.sort_by_key(|lock| lock.0);
    assert_eq!(locks, [(false, 2, 6.0), (true, 1, 3.0)]);
}

#[test]
fn a_guard_that_outlives_its_window_is_no_event_of_the_next() {
    let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
    let mut host = Host::new(&[]);
    host.wake("a command");
    let guards = (mutex.lock().unwrap(), rwlock.read().unwrap());
    host.sleep();
    host.wake("a command");
    drop(guards);
    drop(rwlock.read().unwrap());
    let report = host.stop();
    assert_eq!((by_lock(&report), samples(&report)), (vec![1.0], vec![0, 1]));
}

#[test]
fn asleep_it_still_says_what_it_saw() {
    let lock = Mutex::new(0);
    let mut host = Host::new(&[]);
    assert!(host.report().locks.is_empty());
    host.wake("a command");
    used(&lock, 2);
    assert_eq!((acquisitions(&host.report().locks), samples(&host.report())), (2.0, vec![2]));
    host.sleep();
    used(&lock, 50);
    let report = host.report();
    assert_eq!((acquisitions(&report.locks), samples(&report)), (2.0, vec![2]));
    assert_eq!(report.notes[0], "The backend is asleep.");
    let stopped = host.stop();
    assert_eq!(stopped.locks, report.locks);
}

#[test]
fn a_first_window_sees_the_sessions_begin() {
    let lock = Mutex::new(0);
    let mut host = Host::new(&[("wake_at_start", "1")]);
    used(&lock, 6);
    host.sleep();
    used(&lock, 6);
    let report = host.stop();
    assert_eq!(samples(&report), [6]);
}
