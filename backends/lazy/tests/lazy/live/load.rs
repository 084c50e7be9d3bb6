//! Threads that never stop, and windows that come and go: nothing is counted
//! twice, nothing leads to what is gone, and memory has its bound.

use lockscope::sync::{Mutex, RwLock};
use lockscope_core::sync::{AtomicBool, AtomicU64, Ordering};

use super::host::{Host, acquisitions, samples};

const WINDOWS: usize = 60;

#[test]
fn windows_under_load() {
    let (mutex, rwlock) = (Mutex::new(0_u64), RwLock::new(0_u64));
    let (done, operations) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut host = Host::new(&[
        ("wake_on_contentions", "1"),
        ("cool_down_ms", "0"),
        ("watch_window_ms", "10"),
        ("max_locks", "40"),
    ]);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (mutex, rwlock, done, operations) = (&mutex, &rwlock, &done, &operations);
            scope.spawn(move || {
                let mut kept = Vec::new();
                for round in 0_u64.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    *mutex.lock().unwrap() += 1;
                    let seen = *rwlock.read().unwrap();
                    *rwlock.write().unwrap() += seen;
                    let own = Box::new(Mutex::new(round));
                    *own.lock().unwrap() += 1;
                    operations.fetch_add(4, Ordering::Relaxed);
                    // Some are dropped at once, some much later.
                    if round % 16 == thread {
                        kept.push(own);
                    }
                    if kept.len() > 8 {
                        kept.remove(round as usize % 8);
                    }
                }
            });
        }
        for _ in 0..WINDOWS {
            host.wake("a command");
            host.sleep();
            let report = host.report();
            assert_eq!(report.samples, samples(&report).iter().sum::<u64>());
            assert!(report.locks.len() <= 41, "{}", report.locks.len());
        }
        done.store(true, Ordering::Relaxed);
    });
    let all = operations.load(Ordering::Relaxed) as f64;
    let report = host.stop();
    assert_eq!(acquisitions(&report.locks), report.samples as f64);
    let lost: u64 = report.losses.iter().map(|loss| loss.count).sum();
    let seen = report.samples + lost;
    assert!(report.samples > 0 && seen as f64 <= all, "{seen} of {all}");
    assert!(report.windows.len() >= WINDOWS);
}
