//! The table on a terminal.

use std::fs::File;
use std::io::Read;
use std::os::fd::FromRawFd;
use std::process::Stdio;

use super::{example_folder, report};

/// A terminal of so many columns: what reads from it, and what it is to a
/// program.
fn terminal(columns: u16) -> (File, File) {
    let (mut master, mut slave) = (-1, -1);
    let size = libc::winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: all pointers are valid for the call or null where that is allowed.
    let status = unsafe {
        let (name, modes) = (std::ptr::null_mut(), std::ptr::null());
        libc::openpty(&raw mut master, &raw mut slave, name, modes, &raw const size)
    };
    assert_eq!(status, 0);
    // SAFETY: both are open and belong to nobody else.
    unsafe { (File::from_raw_fd(master), File::from_raw_fd(slave)) }
}

/// What a terminal of 70 columns gets, with these variables and flags.
fn shown(variables: &[(&str, &str)], flags: &[&str]) -> String {
    let dir = example_folder();
    let (mut master, slave) = terminal(70);
    let mut command = report(dir.path(), flags);
    command.arg("r.json").env_remove("NO_COLOR").env("TERM", "xterm");
    command.envs(variables.iter().copied()).stdout(slave).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // Its end of the terminal is to be the last one.
    drop(command);
    let mut bytes = Vec::new();
    // A terminal that nobody has open any more is an error, and all was read.
    let _ = master.read_to_end(&mut bytes);
    assert!(child.wait().unwrap().success());
    String::from_utf8(bytes).unwrap()
}

#[test]
fn it_has_colours_and_fits() {
    let text = shown(&[], &[]);
    assert!(text.contains("\u{1b}[1m"), "{text}");
    // The legend is wrapped at 70 columns, and at no others.
    assert!(text.contains("while it was held\r\n"), "{text}");
}

#[test]
fn a_width_that_is_asked_for_comes_first() {
    assert!(!shown(&[], &["--width", "200"]).contains("while it was held\r\n"));
}

#[test]
fn no_colours_for_those_who_want_none() {
    for (variables, flags) in
        [(&[("NO_COLOR", "1")][..], &[][..]), (&[("TERM", "dumb")], &[]), (&[], &["--no-color"])]
    {
        let text = shown(variables, flags);
        assert!(text.contains("src/index.rs") && !text.contains('\u{1b}'), "{text}");
    }
    assert!(shown(&[("NO_COLOR", "")], &[]).contains('\u{1b}'));
}
