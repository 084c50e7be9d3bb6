//! What programs do, and what is done to them: none of it ends otherwise because they
//! are watched, and what is known of them stays right.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use lockscope_host::report::model::ReportFile;

use super::{built, counts, library, run, succeeded};
use crate::support::{Started, folder, report, report_that, stderr, stdout, unfinished};

struct Faults {
    dir: tempfile::TempDir,
    program: PathBuf,
}

impl Faults {
    /// None if there is no compiler here.
    fn new() -> Option<Self> {
        let dir = folder();
        let program = built(dir.path(), "faults.c", "faults", &["-g"])?;
        Some(Self { dir, program })
    }

    fn run(&self, flags: &[&str], args: &[&str]) -> Output {
        run(self.dir.path(), flags, &self.program).args(args).output().unwrap()
    }

    fn report(&self) -> ReportFile {
        report(&self.dir.path().join("lockscope.json"))
    }

    /// Runs it to its end with every operation recorded.
    fn recorded(&self, args: &[&str]) -> (Output, ReportFile) {
        let output = self.run(&["--period", "1"], args);
        succeeded(&output);
        (output, self.report())
    }
}

fn all_acquisitions(report: &ReportFile) -> f64 {
    report.locks.iter().flat_map(|lock| &lock.sites).map(|site| site.acquisitions.value).sum()
}

#[test]
fn threads_that_end_while_they_hold_a_lock() {
    let Some(faults) = Faults::new() else { return };
    let (_, report) = faults.recorded(&["exits holding"]);
    assert_eq!(counts(&report, "counter"), [1000.0, 0.0, 0.0, 0.0]);
    assert_eq!(report.pending.len(), 0, "{:?}", report.pending);
    assert_eq!(unfinished(&report), 100);
}

#[test]
fn a_wait_that_is_cancelled_is_over() {
    let Some(faults) = Faults::new() else { return };
    let (_, report) = faults.recorded(&["cancelled"]);
    assert!(report.pending.is_empty(), "{:?}", report.pending);
    // More of them than a thread has records, and none is lost for want of one.
    assert!(report.losses.is_empty(), "{:?}", report.losses);
    assert_eq!(counts(&report, "counter")[0], 1000.0);
}

#[test]
fn forks_with_locks_held() {
    let Some(faults) = Faults::new() else { return };
    let (_, report) = faults.recorded(&["forks"]);
    assert_eq!(counts(&report, "counter")[0], 5.0);
    assert_eq!(counts(&report, "other")[0], 5.0);
}

#[test]
fn a_handler_that_locks() {
    let Some(faults) = Faults::new() else { return };
    for period in ["1", "3"] {
        let output = faults.run(&["--period", period], &["handler"]);
        succeeded(&output);
        let said = stdout(&output);
        let said: Vec<f64> = said.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let report = faults.report();
        let [counted, ..] = counts(&report, "counter");
        if period == "1" {
            // What comes while a handler's own operation is being recorded is plain,
            // and so is a handler's that interrupts a record.
            assert!(counted <= said[0] && counted > said[0] * 0.99, "{counted} of {said:?}");
            assert!(counts(&report, "other")[0] <= said[1], "{said:?}");
        } else {
            let relative = counted / said[0];
            assert!((0.8..1.2).contains(&relative), "{counted} of {said:?}");
        }
    }
}

#[test]
fn what_is_left_of_a_program_that_ends_at_once() {
    for (how, status, signal) in [
        ("_exit", Some(3), None),
        ("kill", None, Some(libc::SIGKILL)),
        ("abort", None, Some(libc::SIGABRT)),
    ] {
        let Some(faults) = Faults::new() else { return };
        let flags = ["--period", "1", "--flush-interval", "5ms"];
        let mut command = run(faults.dir.path(), &flags, &faults.program);
        let mut started = Started::new(command.args(["ends", how]));
        started.said("ready");
        report_that(&faults.dir.path().join("lockscope.json"), |report| {
            all_acquisitions(report) == 1000.0
        });
        started.child.stdin.take().unwrap().write_all(b"\n").unwrap();
        let output = started.end();
        assert_eq!((output.status.code(), output.status.signal()), (status, signal), "{how}");
        let report = faults.report();
        assert!(!report.session.complete, "{how}");
        assert_eq!(counts(&report, "counter")[0], 1000.0, "{how}");
        assert!(stderr(&output).contains("without running its exit handlers"), "{how}");
    }
}

#[test]
fn ten_thousand_threads_one_after_another() {
    let Some(faults) = Faults::new() else { return };
    let (_, report) = faults.recorded(&["threads"]);
    let counted = counts(&report, "counter")[0];
    let lost: u64 = report.losses.iter().map(|loss| loss.count).sum();
    assert_eq!(counted, 10_000.0, "{lost} lost");
    // One in 100 of threads that lock once each: the countdown goes from each to the
    // next, and does not begin with every thread.
    succeeded(&faults.run(&["--period", "100"], &["threads"]));
    let estimate = counts(&faults.report(), "counter")[0];
    assert!((6_000.0..14_000.0).contains(&estimate), "{estimate}");
}

#[test]
fn a_million_locks() {
    let Some(faults) = Faults::new() else { return };
    let (_, report) = faults.recorded(&["destroyed mutexes"]);
    assert_eq!(all_acquisitions(&report), 1e6, "{:?}", report.losses);
    // Where they are not destroyed there may be no room for all that are met: what has
    // none is said.
    let limit = ["--period", "10", "--set", "max_locks=1000"];
    succeeded(&faults.run(&limit, &["mutexes"]));
    let report = faults.report();
    let lost: u64 = report.losses.iter().map(|loss| loss.count).sum();
    let all = all_acquisitions(&report);
    assert!(lost > 900_000 && all >= 10_000.0, "{all} and {lost}");
    assert!((0.97e6..1.03e6).contains(&(all + lost as f64)), "{all} and {lost}");
}

#[test]
fn a_lock_that_two_processes_share() {
    let Some(faults) = Faults::new() else { return };
    let (_, report) = faults.recorded(&["shared"]);
    // The child is not watched.
    assert_eq!(all_acquisitions(&report), 20_001.0);
}

#[test]
fn a_library_that_comes_and_goes() {
    let Some(faults) = Faults::new() else { return };
    let flags = ["-shared", "-fPIC", "-g"];
    let folder: &Path = faults.dir.path();
    let library = built(folder, "library.c", "libgone.so", &flags).unwrap();
    let (_, report) = faults.recorded(&["loads", library.to_str().unwrap()]);
    assert!(counts(&report, "counter")[0] > 0.0);
    assert!(all_acquisitions(&report) >= 1000.0 + counts(&report, "counter")[0]);
}

#[test]
fn a_program_that_has_a_lock_function_of_its_own() {
    let dir = folder();
    let Some(program) = built(dir.path(), "interposer.c", "interposer", &["-g", "-rdynamic"])
    else {
        return;
    };
    succeeded(&run(dir.path(), &["--period", "1"], &program).output().unwrap());
    let report = report(&dir.path().join("lockscope.json"));
    assert_eq!(counts(&report, "counter")[0], 100.0);
}

#[test]
fn an_allocator_of_many_threads() {
    let known = ["libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2"];
    let found = known.map(|name| Path::new("/usr/lib/x86_64-linux-gnu").join(name));
    let found: Vec<&PathBuf> = found.iter().filter(|path| path.is_file()).collect();
    if found.is_empty() {
        eprintln!("skipped: none of {known:?} is installed; apt-get install libjemalloc2");
    }
    for allocator in found {
        let Some(faults) = Faults::new() else { return };
        let mut command = run(faults.dir.path(), &["--period", "1"], &faults.program);
        // The command itself runs with it as well.
        let output = command.arg("threads").env("LD_PRELOAD", allocator).output().unwrap();
        succeeded(&output);
        assert_eq!(counts(&faults.report(), "counter")[0], 10_000.0, "{}", allocator.display());
    }
}

#[test]
fn what_happens_to_programs_happens_with_a_closed_gate_as_well() {
    let Some(faults) = Faults::new() else { return };
    for what in ["exits holding", "cancelled", "forks", "threads", "shared", "handler"] {
        let mut bare = std::process::Command::new(&faults.program);
        let output = bare.arg(what).env("LD_PRELOAD", library()).output().unwrap();
        succeeded(&output);
    }
}
