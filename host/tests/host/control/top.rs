//! The live table, in a terminal.

use std::os::unix::process::ExitStatusExt;

use crate::control::{Controlled, here};
use crate::signals::InTerminal;
use crate::support::{acquisitions, kill, report, stderr, stdout};

/// What takes the terminal back to what it showed before.
const LEFT: &str = "\u{1b}[?1049l";

/// The live table of the program, in a terminal.
fn top(program: &Controlled) -> InTerminal {
    let mut command = here(program.dir.path());
    command.args(["top", &program.pid.to_string()]).env("TERM", "xterm");
    let mut top = InTerminal::new(command);
    top.resize(100, 24);
    top.wait_for("counter");
    top
}

#[test]
fn the_table_is_shown_and_the_session_ended_by_a_key() {
    let program = Controlled::new("lock 5,ready,go,lock 2");
    let mut top = top(&program);
    top.press(b"/nothing\rr");
    top.press(b"s");
    // Of a line that changes, blanks are not drawn again.
    top.wait_for("ended,");
    top.press(b"q");
    let rest = top.rest();
    assert_eq!(top.child.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains(LEFT), "{rest:?}");
    let (dir, _) = program.go();
    assert_eq!(acquisitions(&report(&dir.path().join("lockscope.json")), None), 5.0);
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let program = Controlled::new("lock 5,ready,go");
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        let mut top = top(&program);
        kill(top.child.id().try_into().unwrap(), signal);
        let rest = top.rest();
        assert_eq!(top.child.wait().unwrap().signal(), Some(signal), "{rest}");
        assert!(rest.contains(LEFT), "{rest:?}");
    }
}

#[test]
fn a_process_that_ends_is_still_shown() {
    let program = Controlled::new("lock 5,ready,go");
    let mut top = top(&program);
    drop(program.go());
    top.wait_for("there is no process");
    // The key for control and c, of which the terminal makes no signal now.
    top.press(b"\x03");
    let rest = top.rest();
    assert_eq!(top.child.wait().unwrap().code(), Some(0), "{rest}");
}

#[test]
fn without_a_terminal_there_is_no_live_table() {
    let program = Controlled::new("lock 5,ready,go");
    let output = here(program.dir.path()).args(["top", &program.pid.to_string()]).output().unwrap();
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    assert_eq!(
        program.plain(&stderr(&output)),
        "lockscope: the live table needs a terminal; print it once with `lockscope ctl PID snapshot`, or run `lockscope top PID` in a terminal\n"
    );
}
