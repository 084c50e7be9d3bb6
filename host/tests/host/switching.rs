//! Backends take turns in one process, while its threads go on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use lockscope::parking_lot::{self, slotless};
use lockscope::sync;
use lockscope_host::report::model::{Lock as Reported, ReportFile};

use crate::locks::{Lock, Mode};
use crate::support::{
    PATIENCE, awake, backend, for_each_backend, introduce_probe, turn, unfinished,
};

/// A lock that all threads use throughout, and how often.
struct Counted<L> {
    lock: L,
    begun: AtomicU64,
    done: AtomicU64,
}

impl<L> Counted<L> {
    fn new(lock: L) -> Self {
        Self { lock, begun: AtomicU64::new(0), done: AtomicU64::new(0) }
    }

    /// Performs an operation on the lock and counts it on either side.
    ///
    /// Sequentially consistent, all of it: whoever reads one counter and then
    /// starts or stops a session knows on which side the operation was.
    fn count(&self, operate: impl FnOnce(&L)) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        operate(&self.lock);
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    fn now(&self) -> Count {
        // In this order: what is begun now cannot be missed below.
        let done = self.done.load(Ordering::SeqCst);
        Count { begun: self.begun.load(Ordering::SeqCst), done }
    }
}

/// How many operations have begun, and how many of them are over.
#[derive(Clone, Copy, Debug)]
struct Count {
    begun: u64,
    done: u64,
}

/// What the threads lock. The last has locks made and dropped all the time.
struct Locks {
    std: Counted<sync::Mutex<()>>,
    shared: Counted<parking_lot::RwLock<()>>,
    bare: Counted<slotless::Mutex<()>>,
    short: Counted<()>,
}

const KINDS: usize = 4;

impl Locks {
    fn new() -> Self {
        Self {
            std: Counted::new(Lock::named("switched std")),
            shared: Counted::new(Lock::named("switched rwlock")),
            bare: Counted::new(Lock::named("")),
            short: Counted::new(()),
        }
    }

    /// One operation on each; `number` says how.
    fn operate(&self, number: u64) {
        let mode = if number.is_multiple_of(8) { Mode::Write } else { Mode::Read };
        self.std.count(|lock| lock.hold(Mode::Write, || ()));
        self.shared.count(|lock| lock.hold(mode, || ()));
        self.bare.count(|lock| lock.hold(Mode::Write, || ()));
        self.short
            .count(|()| parking_lot::Mutex::named("short-lived", ()).hold(Mode::Write, || ()));
    }

    fn now(&self) -> [Count; KINDS] {
        [self.std.now(), self.shared.now(), self.bare.now(), self.short.now()]
    }

    /// Returns once the threads have done something more, so many times each.
    fn await_more(&self, times: u64) {
        let deadline = Instant::now() + PATIENCE;
        let goal = self.short.now().done + times;
        while self.short.now().done < goal {
            assert!(Instant::now() < deadline, "the threads stand still: {:?}", self.now());
            thread::yield_now();
        }
    }
}

/// Acquisitions of each, as the report has them.
fn acquisitions(report: &ReportFile) -> [f64; KINDS] {
    let of = |name: Option<&str>| {
        let is_it = |lock: &&Reported| lock.name.as_deref() == name;
        report.locks.iter().filter(is_it).map(Reported::acquisitions).sum::<f64>()
    };
    [of(Some("switched std")), of(Some("switched rwlock")), of(None), of(Some("short-lived"))]
}

/// How many operations of each a session is to see, and how many are to pass
/// between two of them.
const TIMES: u64 = 500;

/// How far an estimate may be off: see [`a_report_holds_what_its_session_saw`].
fn margin(period: u32, operations: f64) -> f64 {
    let most = f64::from(period - 1);
    let exponent = 21.0;
    exponent * most + (2.0 * exponent * most * operations + (exponent * most).powi(2)).sqrt()
}

/// One session of the backend, among threads that never pause.
fn session(locks: &Locks, name: &str, period: u32) {
    let before = locks.now();
    let profiler = backend(name, period).start().unwrap();
    let started = locks.now();
    locks.await_more(TIMES);
    let stopping = locks.now();
    let report = profiler.stop().unwrap();
    let after = locks.now();

    assert_eq!(
        (report.session.backend.as_str(), &report.session.periods[..]),
        (name, &[period][..])
    );
    for (number, told) in acquisitions(&report).into_iter().enumerate() {
        // Begun and done within the session, at least; begun before its end and
        // not done before its start, at most.
        let fewest = stopping[number].done.saturating_sub(started[number].begun) as f64;
        let most = (after[number].begun - before[number].done) as f64;
        let margin = margin(period, most);
        let possible = fewest - margin..=most + margin;
        assert!(possible.contains(&told), "{name}, {number}: {told} is not in {possible:?}");
    }
}

/// Runs `sessions` while four threads lock without a pause.
fn among_threads(sessions: impl FnOnce(&Locks)) {
    introduce_probe();
    let locks = Locks::new();
    let go_on = AtomicBool::new(true);
    /// Lets the threads end, also if a session has failed.
    struct End<'a>(&'a AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(false, Ordering::Relaxed);
        }
    }
    thread::scope(|scope| {
        let _end = End(&go_on);
        for _ in 0..4 {
            scope.spawn(|| {
                (0..).take_while(|_| go_on.load(Ordering::Relaxed)).for_each(|n| locks.operate(n));
            });
        }
        sessions(&locks);
    });
}

/// Three sessions, thirty times. What happens between two of them is in
/// neither: it is as much as happens in one.
///
/// At period 1 the numbers are exact. At period 4 they are estimates: a sum
/// over n operations, each of which adds at most 3 to its error and 3 to its
/// variance. By the inequality of [`crate::estimates`] the error is beyond
/// [`margin`] with a probability of at most 2·e⁻²¹, for one of 120 sums with
/// less than 2·10⁻⁷.
fn a_report_holds_what_its_session_saw(name: &str) {
    let _turn = turn();
    among_threads(|locks| {
        for _ in 0..30 {
            for (name, period) in [(name, 1), ("minimal", 1), (name, 4)] {
                session(locks, name, period);
                locks.await_more(TIMES);
            }
        }
    });
}

/// Guards that outlive the session in which they were had.
fn a_guard_that_is_held_across_sessions_is_in_none(name: &str) {
    let _turn = turn();
    let std = sync::Mutex::named("held", ());
    let rwlock = parking_lot::RwLock::named("held", ());
    let bare = slotless::Mutex::new(());
    for (first, second) in [(name, "minimal"), ("minimal", name), (name, name)] {
        let before = std.lock();
        let profiler = backend(first, 1).start().unwrap();
        let held = (rwlock.write(), bare.lock());
        drop(before);
        let before = std.lock();
        assert_eq!(profiler.stop().unwrap().locks, [], "{first}");
        let profiler = backend(second, 1).start().unwrap();
        drop((before, held));
        assert_eq!(profiler.stop().unwrap().locks, [], "{second} after {first}");
    }
}

fn a_lock_that_is_gone_is_in_the_report_of_its_session_alone(name: &str) {
    let _turn = turn();
    let make = || parking_lot::Mutex::named("goes", ());
    let (goes_within, goes_between, goes_later, stays) = (make(), make(), make(), make());
    let profiler = backend(name, 1).start().unwrap();
    for lock in [&goes_within, &goes_between, &goes_later] {
        drop(lock.lock());
    }
    drop(goes_within);
    let report = profiler.stop().unwrap();
    drop(goes_between);
    let mut locks: Vec<_> = report.locks.iter().map(|lock| (lock.id != 0, lock.locks)).collect();
    locks.sort_unstable();
    assert_eq!(locks, [(false, 1), (true, 1), (true, 1)]);

    let profiler = backend(name, 1).start().unwrap();
    drop(stays.lock());
    drop(goes_later);
    let report = profiler.stop().unwrap();
    assert_eq!(report.locks.iter().map(Reported::acquisitions).collect::<Vec<_>>(), [1.0]);
}

/// One session follows another without a moment between: each operation is
/// recorded by one of them, or was under way when its session ended, which says
/// so.
fn no_operation_falls_between_two_sessions(name: &str) {
    const SWITCHES: usize = 12;
    let _turn = turn();
    introduce_probe();
    let locks = Locks::new();
    let profiler = backend(name, 1).start().unwrap();
    let stop = AtomicBool::new(false);
    let mut reports: Vec<ReportFile> = thread::scope(|scope| {
        for first in 0..4 {
            let (locks, stop) = (&locks, &stop);
            scope.spawn(move || {
                let go_on = |_: &u64| !stop.load(Ordering::Relaxed);
                (first..).take_while(go_on).for_each(|number| locks.operate(number));
            });
        }
        let switched = (0..SWITCHES).map(|number| {
            locks.await_more(50);
            let next = ["minimal", name][number % 2];
            let settings = [("period", "1")].iter().chain(awake(next));
            let settings = settings.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            profiler.switch(next, &settings.collect::<Vec<_>>()).unwrap()
        });
        let reports = switched.collect();
        stop.store(true, Ordering::Relaxed);
        reports
    });
    reports.push(profiler.stop().unwrap());
    let done: u64 = locks.now().iter().map(|count| count.done).sum();
    let told: f64 = reports.iter().flat_map(acquisitions).sum();
    let cut_short: u64 = reports.iter().map(unfinished).sum();
    assert_eq!(told as u64 + cut_short, done, "{cut_short} were cut short");
    // What a thread holds, or is about to.
    assert!(cut_short <= 4 * 2 * SWITCHES as u64, "{cut_short}");
}

for_each_backend!(
    a_report_holds_what_its_session_saw,
    a_guard_that_is_held_across_sessions_is_in_none,
    a_lock_that_is_gone_is_in_the_report_of_its_session_alone,
    no_operation_falls_between_two_sessions,
);
