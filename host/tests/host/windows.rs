//! A backend that sleeps, and what wakes it.

use std::time::{Duration, Instant};

use lockscope::parking_lot::Mutex;
use lockscope_core::gate::state;
use lockscope_core::sync::{AtomicBool, Ordering};
use lockscope_host::report::model::ReportFile;
use lockscope_host::{Builder, Profiler};

use crate::support::{
    PATIENCE, acquisitions, folder, introduce_probe, kill, plugins, report_that, turn,
};

static LOCK: Mutex<u64> = Mutex::named("windows", 0);

fn lazy() -> Builder {
    introduce_probe();
    // Whatever else this process waits for is to wake nothing.
    Profiler::builder()
        .backend("lazy")
        .plugin_path(plugins())
        .period(1)
        .set("wake_on_wait_percent", "0")
        .control(false)
}

fn lock(times: u32) {
    (0..times).for_each(|_| *LOCK.lock() += 1);
}

fn gate() -> u32 {
    lockscope::probe().gate.state()
}

/// Waits until the gates stand like this.
fn await_gate(state: u32) {
    let deadline = Instant::now() + PATIENCE;
    while gate() != state {
        assert!(Instant::now() < deadline, "the gates do not move");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Lets the window end that is open.
fn await_sleep(profiler: &Profiler) {
    profiler.set("window_ms", "1").unwrap();
    profiler.wake("to end soon").unwrap();
    await_gate(state::CLOSED);
    profiler.set("window_ms", "86400000").unwrap();
}

fn causes(report: &ReportFile) -> Vec<&str> {
    report.windows.iter().map(|window| &*window.cause).collect()
}

#[test]
fn the_program_wakes_it_and_it_falls_asleep_by_itself() {
    let _turn = turn();
    let profiler = lazy().set("window_ms", "86400000").start().unwrap();
    assert_eq!(gate(), state::CLOSED);
    lock(100);
    for times in [5, 7] {
        profiler.wake("the test").unwrap();
        assert_eq!(gate(), state::OPEN, "at once");
        lock(times);
        await_sleep(&profiler);
        lock(100);
    }
    let asleep = profiler.snapshot().unwrap();
    assert_eq!(acquisitions(&asleep, Some("windows")), 12.0);
    profiler.wake("once more").unwrap();
    lock(3);
    let report = profiler.stop().unwrap();
    assert_eq!(acquisitions(&report, Some("windows")), 15.0);
    let prolonged = "the test, prolonged by to end soon";
    assert_eq!(causes(&report), [prolonged, prolonged, "once more"]);
    let samples: u64 = report.windows.iter().map(|window| window.samples).sum();
    assert_eq!(samples, report.session.samples);
}

#[test]
fn contention_wakes_it() {
    let _turn = turn();
    let profiler = lazy()
        .set("wake_on_contentions", "20")
        .set("watch_window_ms", "100")
        .set("watch_percent", "100")
        .set("window_ms", "86400000")
        .start()
        .unwrap();
    assert_eq!(gate(), state::WATCH);
    lock(100);
    assert_eq!(profiler.snapshot().unwrap().session.samples, 0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let held = LOCK.lock();
                    std::thread::sleep(Duration::from_micros(100));
                    drop(held);
                }
            });
        }
        await_gate(state::OPEN);
        done.store(true, Ordering::Relaxed);
    });
    let report = profiler.stop().unwrap();
    assert!(causes(&report)[0].ends_with(" contentions a second"), "{:?}", causes(&report));
}

#[test]
fn a_signal_wakes_it() {
    let _turn = turn();
    let profiler = lazy().wake_signal("SIGUSR2").set("window_ms", "86400000").start().unwrap();
    assert_eq!(gate(), state::CLOSED);
    kill(std::process::id().cast_signed(), libc::SIGUSR2);
    await_gate(state::OPEN);
    lock(4);
    let report = profiler.stop().unwrap();
    assert_eq!(causes(&report), ["the signal SIGUSR2"]);
    assert_eq!(acquisitions(&report, Some("windows")), 4.0);
}

/// What has been written says what the windows before have seen.
#[test]
fn a_report_that_is_written_while_it_sleeps_has_all_windows() {
    let _turn = turn();
    let dir = folder();
    let path = dir.path().join("report.json");
    let profiler = lazy()
        .output(&path)
        .flush_interval(Duration::from_millis(10))
        .set("wake_at_start", "1")
        .set("window_ms", "86400000")
        .start()
        .unwrap();
    lock(9);
    await_sleep(&profiler);
    let written = report_that(&path, |report| {
        report.notes.iter().any(|note| note == "The backend is asleep.")
    });
    assert_eq!(acquisitions(&written, Some("windows")), 9.0);
    assert_eq!(causes(&written), ["the session's start, prolonged by to end soon"]);
    drop(profiler.stop().unwrap());
}
