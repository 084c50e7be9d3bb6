//! Signals to `lockscope run` and to the terminal that it runs in.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command};

use crate::support::{
    Started, acquisitions, folder, report, report_that, run_minimal, stderr, stdout,
};

const CONTROL_C: &[u8] = b"\x03";

#[test]
fn a_signal_to_lockscope_reaches_the_program() {
    let dir = folder();
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2] {
        let tasks = format!("lock 3,catch {signal},ready,await,lock 4,exit 7");
        let mut started = Started::new(&mut run_minimal(dir.path(), &[], &tasks));
        started.said("ready");
        started.kill(signal);
        let output = started.end();
        assert_eq!(stdout(&output), format!("caught {signal}\n"));
        assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
        let report = report(&dir.path().join("lockscope.json"));
        assert!(report.session.complete);
        assert_eq!(acquisitions(&report, None), 7.0);
    }
}

#[test]
fn a_signal_that_the_program_does_not_catch_ends_both() {
    let dir = folder();
    let mut started = Started::new(&mut run_minimal(dir.path(), &[], "lock 3,ready,go"));
    started.said("ready");
    started.kill(libc::SIGTERM);
    assert_eq!(started.end().status.signal(), Some(libc::SIGTERM));
}

/// A process that has a terminal of its own, and our end of that.
pub(crate) struct InTerminal {
    pub(crate) child: Child,
    terminal: BufReader<File>,
}

impl InTerminal {
    /// The command is dropped at the end: it keeps their end of the terminal open.
    pub(crate) fn new(mut command: Command) -> Self {
        let (ours, theirs) = pair();
        for set in [Command::stdin, Command::stdout, Command::stderr] {
            set(&mut command, theirs.try_clone().unwrap());
        }
        // SAFETY: between fork and exec both calls are safe; the terminal is
        // the process's stdin.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                // What is waited for may never come.
                libc::alarm(60);
                match libc::ioctl(0, libc::TIOCSCTTY, 0) {
                    0 => Ok(()),
                    _ => Err(std::io::Error::last_os_error()),
                }
            });
        }
        Self { child: command.spawn().unwrap(), terminal: BufReader::new(File::from(ours)) }
    }

    /// Reads until the text has come.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(text) {
            let read = self.terminal.read_until(*text.as_bytes().last().unwrap(), &mut seen);
            assert!(read.unwrap() > 0, "{text} does not come");
        }
    }

    pub(crate) fn press(&mut self, keys: &[u8]) {
        self.terminal.get_mut().write_all(keys).unwrap();
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let terminal = self.terminal.get_ref().as_raw_fd();
        // SAFETY: the size is valid for the call.
        assert_eq!(unsafe { libc::ioctl(terminal, libc::TIOCSWINSZ, &raw const size) }, 0);
    }

    /// Everything that is printed until the end; the terminal fails at it.
    pub(crate) fn rest(&mut self) -> String {
        let mut text = Vec::new();
        while let Ok(1..) = self.terminal.read_until(b'\n', &mut text) {}
        String::from_utf8(text).unwrap()
    }
}

/// Both ends of a terminal.
fn pair() -> (OwnedFd, OwnedFd) {
    let (mut ours, mut theirs) = (-1, -1);
    let (name, settings) = (core::ptr::null_mut(), core::ptr::null_mut());
    let size = core::ptr::null_mut();
    // SAFETY: both numbers are valid for writes, the rest is not asked for;
    // the files are nobody's but ours.
    unsafe {
        assert_eq!(libc::openpty(&raw mut ours, &raw mut theirs, name, settings, size), 0);
        libc::fcntl(ours, libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(theirs, libc::F_SETFD, libc::FD_CLOEXEC);
        (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs))
    }
}

#[test]
fn control_c_is_the_programs_to_answer() {
    let dir = folder();
    // The program waits for a key after the signal: a second one would end it.
    let tasks = "lock 3,catch 2,ready,await,go,lock 4,exit 7";
    let mut run = InTerminal::new(run_minimal(dir.path(), &[], tasks));
    run.wait_for("ready");
    run.press(CONTROL_C);
    run.wait_for("caught 2");
    run.press(b"\n");
    let said = run.rest();
    assert_eq!(run.child.wait().unwrap().code(), Some(7), "{said}");
    assert!(said.contains("lockscope: wrote "), "{said}");
    let report = report(&dir.path().join("lockscope.json"));
    assert!(report.session.complete);
    assert_eq!(acquisitions(&report, None), 7.0);
}

#[test]
fn control_c_does_not_lose_what_was_written() {
    let dir = folder();
    let path = dir.path().join("lockscope.json");
    let flags = ["--flush-interval", "5ms"];
    let mut run = InTerminal::new(run_minimal(dir.path(), &flags, "lock 3,ready,go"));
    run.wait_for("ready");
    report_that(&path, |report| acquisitions(report, None) == 3.0);
    run.press(CONTROL_C);
    let said = run.rest();
    assert_eq!(run.child.wait().unwrap().signal(), Some(libc::SIGINT), "{said}");
    assert!(said.contains("counter") && said.contains("lockscope: wrote "), "{said}");
}

#[test]
fn a_narrow_terminal_is_not_overrun() {
    let dir = folder();
    let mut command = run_minimal(dir.path(), &[], "lock 3,ready,go");
    command.env("NO_COLOR", "1");
    let mut run = InTerminal::new(command);
    run.wait_for("ready");
    run.resize(40, 24);
    run.press(b"\n");
    let said = run.rest();
    assert!(said.contains("counter"), "{said}");
    let table = said.lines().take_while(|line| !line.starts_with("lockscope: "));
    for line in table {
        assert!(line.trim_end().chars().count() <= 40, "{line}");
    }
}
