//! Sessions that a program with the host linked in starts and stops itself.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lockscope::parking_lot::Mutex;
use lockscope_host::{Builder, HostError, Profiler};

use crate::support::{acquisitions, backend, files, folder, plugin, report, report_that, turn};

static LOCK: Mutex<u64> = Mutex::named("sessions", 0);

fn minimal() -> Builder {
    backend("minimal", 1)
}

fn lock(times: u32) {
    (0..times).for_each(|_| *LOCK.lock() += 1);
}

#[test]
fn what_happens_in_a_session_is_in_its_report() {
    let _turn = turn();
    lock(5);
    let profiler = minimal().start().unwrap();
    lock(10);
    assert_eq!(acquisitions(&profiler.snapshot().unwrap(), Some("sessions")), 10.0);
    lock(10);
    let report = profiler.stop().unwrap();
    lock(5);
    assert_eq!(acquisitions(&report, Some("sessions")), 20.0);
    assert!(report.session.complete);
    assert!(report.session.sample_cost_ns.is_some_and(|ns| ns > 0.0));
    assert_eq!(report.session.pid, std::process::id());
}

#[test]
fn sessions_follow_each_other_and_begin_empty() {
    let _turn = turn();
    let mut last = 0;
    for times in 1..=3 {
        let profiler = minimal().start().unwrap();
        lock(times);
        let report = profiler.stop().unwrap();
        assert_eq!(acquisitions(&report, Some("sessions")), f64::from(times));
        assert!(last == 0 || report.session.generation == last + 1);
        last = report.session.generation;
    }
}

#[test]
fn other_settings_and_another_file_of_the_same_backend() {
    let _turn = turn();
    let dir = folder();
    let copy = dir.path().join("liblockscope_copy.so");
    std::fs::copy(plugin("minimal"), &copy).unwrap();
    let builders = [
        minimal(),
        Profiler::builder()
            .backend(plugin("minimal").to_str().unwrap())
            .set("period", "1")
            .control(false),
        Profiler::builder().backend(copy.to_str().unwrap()).control(false),
    ];
    for builder in builders {
        let profiler = builder.start().unwrap();
        lock(7);
        assert_eq!(acquisitions(&profiler.stop().unwrap(), Some("sessions")), 7.0);
    }
}

#[test]
fn there_is_one_session_at_a_time() {
    let _turn = turn();
    let profiler = minimal().start().unwrap();
    let error = minimal().start().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a session of the backend 'minimal' is running in this process, and there can be one at a time; stop it first"
    );
    lock(3);
    // The one that runs has not noticed.
    assert_eq!(acquisitions(&profiler.stop().unwrap(), Some("sessions")), 3.0);
}

#[test]
fn dropping_the_profiler_ends_the_session() {
    let _turn = turn();
    let dir = folder();
    let path = dir.path().join("report.json");
    let profiler = minimal().output(&path).start().unwrap();
    lock(4);
    drop(profiler);
    lock(4);
    let report = report(&path);
    assert!(report.session.complete);
    assert_eq!(acquisitions(&report, Some("sessions")), 4.0);
    minimal().start().unwrap().stop().unwrap();
}

#[test]
fn the_report_is_written_while_the_session_runs_and_at_its_end() {
    let _turn = turn();
    let dir = folder();
    let path = dir.path().join("of-{pid}.json");
    let interval = Duration::from_millis(5);
    let profiler = minimal().output(&path).flush_interval(interval).start().unwrap();
    lock(4);
    let name = format!("of-{}.json", std::process::id());
    let path = dir.path().join(&name);
    let early = report_that(&path, |report| acquisitions(report, Some("sessions")) == 4.0);
    assert!(!early.session.complete);
    lock(4);
    let last = profiler.stop().unwrap();
    assert_eq!(acquisitions(&last, Some("sessions")), 8.0);
    assert_eq!(report(&path), last);
    assert_eq!(files(dir.path()), [name]);
}

#[test]
fn without_an_output_nothing_is_written() {
    let _turn = turn();
    let before = files(Path::new("."));
    let profiler = minimal().start().unwrap();
    lock(1);
    profiler.stop().unwrap();
    assert_eq!(files(Path::new(".")), before);
}

#[test]
fn an_output_that_cannot_be_written_leaves_no_session() {
    let _turn = turn();
    let dir = folder();
    let error = minimal().output(dir.path().join("none/report.json")).start().unwrap_err();
    assert_eq!(
        error.to_string().replace(dir.path().to_str().unwrap(), "DIR"),
        "the report cannot be written to DIR/none/report.json (the builder's output()): No such file or directory (os error 2); name a file in a folder that exists and can be written, with -o or LOCKSCOPE_OUTPUT"
    );
    minimal().start().unwrap().stop().unwrap();
}

#[test]
fn errors_name_the_builders_call() {
    let _turn = turn();
    let error = minimal().period(0).start().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the backend 'minimal' cannot be initialised: the key 'period' must be a number from 1, and is '0'; correct it [period = 0: the builder's period()]"
    );
    let error = minimal().set("peroid", "1").start().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown key 'peroid' (the builder's set()); did you mean 'period'? Valid here: period, fail. Correct or remove it"
    );
    let error = minimal().config("none.toml").start().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration file none.toml does not exist (the builder's config()); create it, or name another one"
    );
    let error = minimal().set("fail", "start-error").start().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the backend 'minimal' cannot start: start was told to fail; tell it not to"
    );
    minimal().start().unwrap().stop().unwrap();
}

#[test]
fn a_configuration_file_is_read_if_it_is_named() {
    let _turn = turn();
    let dir = folder();
    let file = dir.path().join("my.toml");
    std::fs::write(&file, "backend = \"nobody\"\noutput = \"report.json\"\n").unwrap();
    let profiler = minimal().config(&file).start().unwrap();
    lock(2);
    profiler.stop().unwrap();
    assert_eq!(acquisitions(&report(&dir.path().join("report.json")), Some("sessions")), 2.0);
}

#[test]
fn threads_run_throughout() {
    let _turn = turn();
    static RUN: AtomicBool = AtomicBool::new(true);
    let workers: Vec<_> = (0..2)
        .map(|_| {
            std::thread::spawn(|| {
                while RUN.load(Ordering::Relaxed) {
                    lock(1);
                }
            })
        })
        .collect();
    for _ in 0..20 {
        let profiler = minimal().start().unwrap();
        let seen = |report| acquisitions(&report, Some("sessions")) > 0.0;
        while !seen(profiler.snapshot().unwrap()) {
            std::thread::yield_now();
        }
        assert!(seen(profiler.stop().unwrap()));
    }
    RUN.store(false, Ordering::Relaxed);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

#[test]
fn a_session_that_a_backend_gives_up_says_so() {
    let _turn = turn();
    let profiler = minimal().set("fail", "event-panic").start().unwrap();
    lock(3);
    let report = profiler.stop().unwrap();
    let told = |note: &String| note.contains("event was told to panic");
    assert_eq!(report.notes.iter().filter(|note| told(note)).count(), 1, "{:?}", report.notes);
    assert_eq!(report.session.sample_cost_ns, None);
}

/// What the child of a fork finds wrong; 0 for nothing.
fn in_fork(profiler: Profiler) -> i32 {
    if !matches!(profiler.snapshot(), Err(HostError::Forked { .. })) {
        return 1;
    }
    lock(50);
    // Dropped in the fork: not its own to end.
    drop(profiler);
    own_session_in_fork()
}

fn own_session_in_fork() -> i32 {
    let Ok(own) = minimal().start() else { return 2 };
    lock(6);
    let Ok(report) = own.stop() else { return 3 };
    let as_it_was = acquisitions(&report, Some("sessions")) == 6.0;
    i32::from(!as_it_was) * 4
}

/// The status with which a fork of this process ends that does `act`.
fn forked(act: impl FnOnce() -> i32) -> i32 {
    const LONGEST_S: u32 = 30;
    // SAFETY: the child uses what is made to be used there, and ends at once;
    // should it hang, the alarm ends it.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        // SAFETY: the calls take integers only. The handlers of the test
        // runner are not for its forks.
        unsafe {
            libc::alarm(LONGEST_S);
            libc::_exit(act());
        }
    }
    let mut status = 0;
    // SAFETY: the status is valid for writes.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    status
}

#[test]
fn a_fork_has_sessions_of_its_own() {
    let _turn = turn();
    let dir = folder();
    let path = dir.path().join("report.json");
    let mut profiler = Some(minimal().output(&path).start().unwrap());
    lock(5);
    assert_eq!(forked(|| profiler.take().map_or(9, in_fork)), 0);
    let profiler = profiler.unwrap();
    lock(5);
    assert_eq!(acquisitions(&profiler.stop().unwrap(), Some("sessions")), 10.0);
    assert_eq!(acquisitions(&report(&path), Some("sessions")), 10.0);
}

/// Another thread may hold the engine, or be inside a hook, when a process
/// forks: neither ever ends in the child.
#[test]
fn a_fork_does_not_wait_for_threads_that_are_not_there() {
    let _turn = turn();
    let profiler = minimal().start().unwrap();
    let go_on = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while go_on.load(Ordering::Relaxed) {
                profiler.snapshot().unwrap();
            }
        });
        scope.spawn(|| {
            static OTHER: Mutex<()> = Mutex::named("other", ());
            while go_on.load(Ordering::Relaxed) {
                drop(OTHER.lock());
            }
        });
        let wrong = (0..50).map(|_| forked(own_session_in_fork)).find(|status| *status != 0);
        go_on.store(false, Ordering::Relaxed);
        assert_eq!(wrong, None);
    });
    profiler.stop().unwrap();
}
