//! How a program ends, and what is left of its report.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;

use crate::support::{
    Started, acquisitions, folder, kill, report, report_that, run_minimal, stderr,
};

const NOT_ALL: &str = "lockscope: the program ended without running its exit handlers; what came after the last writing of the report is not in it.\n";

#[test]
fn its_status_is_passed_on() {
    let dir = folder();
    for status in [0, 1, 42, 255] {
        let tasks = format!("lock 1,exit {status}");
        let output = run_minimal(dir.path(), &[], &tasks).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{}", stderr(&output));
    }
}

#[test]
fn its_death_by_a_signal_is_passed_on() {
    let dir = folder();
    for signal in [libc::SIGTERM, libc::SIGKILL, libc::SIGUSR1] {
        let tasks = format!("lock 1,kill {signal}");
        let output = run_minimal(dir.path(), &[], &tasks).output().unwrap();
        assert_eq!(output.status.signal(), Some(signal), "{}", stderr(&output));
    }
}

#[test]
fn a_program_that_is_killed_loses_what_came_after_the_last_writing() {
    let dir = folder();
    let path = dir.path().join("lockscope.json");
    let flags = ["--flush-interval", "5ms"];
    let mut started = Started::new(&mut run_minimal(dir.path(), &flags, "lock 100,ready,go"));
    let program = started.said("ready").parse().unwrap();
    report_that(&path, |report| acquisitions(report, None) == 100.0);
    kill(program, libc::SIGKILL);
    let output = started.end();
    assert_eq!(output.status.signal(), Some(libc::SIGKILL));
    let report = report(&path);
    assert!(!report.session.complete);
    assert_eq!(acquisitions(&report, None), 100.0);
    assert!(stderr(&output).contains(NOT_ALL), "{}", stderr(&output));
}

#[test]
fn a_program_that_skips_its_exit_handlers() {
    let dir = folder();
    let path = dir.path().join("lockscope.json");
    let flags = ["--flush-interval", "5ms"];
    let mut started = Started::new(&mut run_minimal(dir.path(), &flags, "lock 100,go,_exit 9"));
    report_that(&path, |report| acquisitions(report, None) == 100.0);
    started.child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = started.end();
    assert_eq!(output.status.code(), Some(9));
    assert!(!report(&path).session.complete);
    assert!(stderr(&output).contains(NOT_ALL), "{}", stderr(&output));
}

#[test]
fn a_program_that_is_killed_before_anything_is_written() {
    let dir = folder();
    let output = run_minimal(dir.path(), &[], "kill 9").output().unwrap();
    assert_eq!(output.status.signal(), Some(libc::SIGKILL));
    let said = stderr(&output);
    let cause = " was killed by signal 9 before its report was written for the first time, or it used no lock that lockscope watches. To have the report sooner, give a shorter --flush-interval. ";
    assert!(said.contains(cause), "{said}");
}

#[test]
fn nobody_reads_stderr() {
    let dir = folder();
    let mut command = run_minimal(dir.path(), &["--set", "fail=event-panic"], "lock 10,exit 5");
    let mut started = Started::new(&mut command);
    drop(started.child.stderr.take());
    assert_eq!(started.child.wait().unwrap().code(), Some(5));
    assert!(report(&dir.path().join("lockscope.json")).session.complete);
}
