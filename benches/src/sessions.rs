//! What a session takes as such: to wake, to start and to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::locks::{Counter, OurStd};
use crate::record::{Cell, Row, Table};
use crate::rows::shown;
use crate::suite::SESSIONS;
use crate::watching::{Backend, Watching};

/// How long it takes from waking a backend to a snapshot with its first sample.
///
/// # Panics
///
/// If a session cannot be started, woken or stopped.
#[must_use]
pub fn waking(backends: &[Backend]) -> Table {
    let title = "From waking a backend that sleeps to a snapshot that shows its first sample";
    let mut table = Table::new("waking", title, &["median", "most"]);
    eprintln!("{title}");
    for watching in backends.iter().filter_map(Backend::to_be_woken) {
        let mut times = times_to_wake(&watching);
        times.sort_unstable();
        let ns = |time: Duration| Some(Cell::Ns(time.as_nanos() as u64));
        let cells = vec![ns(times[times.len() / 2]), ns(times[times.len() - 1])];
        table.rows.push(shown(Row { title: watching.title, cells }));
    }
    table
}

fn times_to_wake(watching: &Watching) -> Vec<Duration> {
    let lock = OurStd::new(0);
    let goes_on = AtomicBool::new(true);
    let session = watching.start();
    let times = std::thread::scope(|scope| {
        scope.spawn(|| {
            while goes_on.load(Ordering::Relaxed) {
                lock.run(1);
            }
        });
        let times = (0..15).map(|_| {
            let samples = || session.snapshot().expect("a snapshot").session.samples;
            let before = samples();
            let began = Instant::now();
            session.wake("the bench").expect("it sleeps");
            while samples() == before {}
            let time = began.elapsed();
            std::thread::sleep(Duration::from_millis(60));
            time
        });
        let times = times.collect();
        goes_on.store(false, Ordering::Relaxed);
        times
    });
    lock.take();
    session.stop().expect("the session stops");
    times
}

const MILLION: usize = 1_000_000;

/// How long it takes to start a session and to stop it, with one lock and with a
/// million, each of which is locked once in it: the median of so many.
///
/// # Panics
///
/// If a session cannot be started or stopped, or does not report what it should.
#[must_use]
pub fn start_and_stop(backends: &[Backend], sessions: usize) -> Table {
    let columns = ["start, one lock", "stop, one lock", "start, a million", "stop, a million"];
    let title = "Start and stop with a million locks alive, each locked once between";
    let mut table = Table::new(SESSIONS, title, &columns);
    eprintln!("{title}");
    let locks: Vec<_> = (0..MILLION).map(lockscope::parking_lot::Mutex::new).collect();
    for backend in backends {
        for watching in backend.memory() {
            let times = [1, MILLION].map(|n| session_times(&watching, &locks[..n], sessions));
            let cells = times.as_flattened().iter().map(|ns| Some(Cell::Ns(*ns))).collect();
            table.rows.push(shown(Row { title: watching.title, cells }));
        }
    }
    for (number, lock) in locks.into_iter().enumerate() {
        assert_eq!(lock.into_inner(), number, "a lock has lost what it guards");
    }
    table
}

/// The medians of a few starts and stops, in nanoseconds.
fn session_times<T>(
    watching: &Watching,
    locks: &[lockscope::parking_lot::Mutex<T>],
    sessions: usize,
) -> [u64; 2] {
    let (mut starts, mut stops) = (Vec::new(), Vec::new());
    for _ in 0..sessions {
        let began = Instant::now();
        let session = watching.start();
        starts.push(began.elapsed());
        locks.iter().for_each(|lock| drop(lock.lock()));
        let began = Instant::now();
        let report = session.stop().expect("the session stops");
        stops.push(began.elapsed());
        if watching.sees_all() {
            let sites = report.locks.iter().flat_map(|lock| &lock.sites);
            let seen: f64 = sites.map(|site| site.acquisitions.value).sum();
            assert_eq!(seen, locks.len() as f64, "{watching:?}: acquisitions that were seen");
        }
    }
    [starts, stops].map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_nanos() as u64
    })
}
