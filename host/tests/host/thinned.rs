//! Where threads fight for a lock all the time, not every wait is recorded, and the
//! report stays true.

use std::thread;

use lockscope::sync;
use lockscope_host::report::model::Total;

use crate::support::{backend, turn};

const PERIOD: u32 = 100;
const THREADS: u32 = 4;
const TIMES: u32 = 100_000;

/// All that is known of the truth is how often the lock was taken, which waits are a
/// part of: one seed in five hundred million is off by more than six errors.
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
    thread::scope(|scope| {
        (0..THREADS).for_each(|_| drop(scope.spawn(|| (0..TIMES).for_each(take))));
    });
    let report = profiler.stop().unwrap();
    let note = report.notes.iter().find(|note| note.contains("contentions_per_sec"));
    assert!(note.is_some_and(|note| note.contains("only one in up to")), "{:?}", report.notes);
    let hot = report.locks.iter().find(|lock| lock.name.as_deref() == Some("hot")).unwrap();
    let sum = |of: fn(&_) -> Total| hot.sites.iter().map(of).sum::<Total>();
    let (acquisitions, contentions) = (sum(|site| site.acquisitions), sum(|site| site.contentions));
    let truth = f64::from(THREADS * TIMES);
    let off = (acquisitions.value - truth).abs();
    assert!(off <= 6.0 * acquisitions.standard_error, "{acquisitions:?} of {truth}");
    assert!(contentions.value > 0.0 && contentions.standard_error > 0.0, "{contentions:?}");
}

#[test]
fn wrapper_draws_waits_beyond_a_budget() {
    waits_are_drawn_beyond_a_budget("wrapper");
}

#[test]
fn sidetable_draws_waits_beyond_a_budget() {
    waits_are_drawn_beyond_a_budget("sidetable");
}
