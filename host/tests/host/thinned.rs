//! Where threads fight for a lock all the time, not every wait is recorded, and the
//! report stays true.

use std::thread;
use std::time::Instant;

use lockscope::sync;
use lockscope_host::report::model::{ReportFile, Site, Total};

use crate::support::{PATIENCE, backend, for_each_backend, turn};

const PERIOD: u32 = 100;
const THREADS: u32 = 4;
const TIMES: u32 = 50_000;

/// Threads take the lock until waits were drawn, which is a matter of how the machine
/// runs them. All that is known of the truth is how often they took it, which waits
/// are a part of: one seed in five hundred million is off by more than six errors.
fn waits_are_drawn_beyond_a_budget(name: &str) {
    let _turn = turn();
    let lock = sync::Mutex::named("hot", ());
    let profiler = backend(name, PERIOD).set("contentions_per_sec", "1").start().unwrap();
    let take = |time: u32| {
        let held = lock.lock();
        if time.is_multiple_of(8) {
            // Others run into it, on however few processors.
            thread::yield_now();
        }
        drop(held);
    };
    let began = Instant::now();
    let mut truth = 0.0;
    while contentions(&profiler.snapshot().unwrap()).standard_error == 0.0 {
        assert!(began.elapsed() < PATIENCE, "no wait was drawn in {truth} acquisitions");
        thread::scope(|scope| {
            (0..THREADS).for_each(|_| drop(scope.spawn(|| (0..TIMES).for_each(take))));
        });
        truth += f64::from(THREADS * TIMES);
    }
    let report = profiler.stop().unwrap();
    let note = report.notes.iter().find(|note| note.contains("contentions_per_sec"));
    assert!(note.is_some_and(|note| note.contains("only one in up to")), "{:?}", report.notes);
    let acquisitions = hot(&report, |site| site.acquisitions);
    let off = (acquisitions.value - truth).abs();
    assert!(off <= 6.0 * acquisitions.standard_error, "{acquisitions:?} of {truth}");
    let contentions = contentions(&report);
    assert!((0.0..truth).contains(&contentions.value), "{contentions:?} of {truth}");
}

fn contentions(report: &ReportFile) -> Total {
    hot(report, |site| site.contentions)
}

/// What all sites together say of the lock.
fn hot(report: &ReportFile, of: fn(&Site) -> Total) -> Total {
    let hot = report.locks.iter().find(|lock| lock.name.as_deref() == Some("hot"));
    hot.map(|lock| lock.sites.iter().map(of).sum()).unwrap_or_default()
}

for_each_backend!(waits_are_drawn_beyond_a_budget);
