//! Programs that find their host by the environment alone.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::child::{add_to, program};
use crate::support::{acquisitions, files, folder, plugin, report, stderr, stdout};

/// Tells the command's process where its host and backend are.
fn hosted(command: &mut Command, dir: &Path) -> Output {
    command.env("LOCKSCOPE_HOST", plugin("host")).env("LOCKSCOPE_BACKEND", plugin("minimal"));
    command.env("LOCKSCOPE_CONTROL", "false").current_dir(dir).output().unwrap()
}

#[test]
fn a_host_that_is_named_by_hand() {
    let dir = folder();
    let output = hosted(&mut program("lock 10"), dir.path());
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let [name] = &files(dir.path())[..] else { panic!("{:?}", files(dir.path())) };
    let report = report(&dir.path().join(name));
    assert_eq!(*name, format!("lockscope-{}.json", report.session.pid));
    assert_eq!(acquisitions(&report, None), 10.0);
}

#[test]
fn what_it_cannot_use_is_said_by_the_program() {
    let dir = folder();
    let output = hosted(program("lock 10,exit 7").env("LOCKSCOPE_PERIOD", "0"), dir.path());
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(
        stderr(&output),
        "lockscope: the backend 'minimal' cannot be initialised: the key 'period' must be a number from 1, and is '0'; correct it [period = 0: the variable LOCKSCOPE_PERIOD]; the program runs unprofiled\n"
    );
    assert!(files(dir.path()).is_empty());
}

#[test]
fn what_it_cannot_use_ends_the_program_if_it_is_strict() {
    let dir = folder();
    let mut command = program("print,lock 10,print,exit 7");
    command.env("LOCKSCOPE_PERIOD", "0").env("LOCKSCOPE_STRICT", "1");
    let output = hosted(&mut command, dir.path());
    assert_eq!(output.status.code(), Some(125));
    // Up to its first lock it was a program like any other.
    assert_eq!(stdout(&output).matches("stdout of the program").count(), 1);
    let end = "; the program does not run, because of LOCKSCOPE_STRICT\n";
    assert!(stderr(&output).ends_with(end), "{}", stderr(&output));
}

#[test]
fn strictness_counts_even_if_the_configuration_is_what_is_wrong() {
    let dir = folder();
    let status = |strict: &str| {
        let mut command = program("lock 10,exit 7");
        command.env("LOCKSCOPE_ENABLED", "maybe").env("LOCKSCOPE_STRICT", strict);
        hosted(&mut command, dir.path()).status.code()
    };
    assert_eq!(status("yes"), Some(125));
    assert_eq!(status("no"), Some(7));
    std::fs::write(dir.path().join("lockscope.toml"), "strict = true\ncolour = 1\n").unwrap();
    let output = hosted(&mut program("lock 10,exit 7"), dir.path());
    assert_eq!(output.status.code(), Some(125), "{}", stderr(&output));
}

#[test]
fn not_enabled() {
    let dir = folder();
    let output = hosted(program("lock 10").env("LOCKSCOPE_ENABLED", "false"), dir.path());
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert!(files(dir.path()).is_empty());
}

#[test]
fn not_enabled_whatever_else_is_wrong() {
    let dir = folder();
    let mut command = program("lock 10");
    command.env("LOCKSCOPE_ENABLED", "false").env("LOCKSCOPE_STRICT", "true");
    command.env("LOCKSCOPE_WAKE_SIGNAL", "KILL").env("LOCKSCOPE_CONFIG", "none.toml");
    let output = hosted(&mut command, dir.path());
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert!(files(dir.path()).is_empty());
}

#[test]
fn a_path_that_is_not_text() {
    let dir = folder();
    let name = OsString::from_vec(b"\xff.json".to_vec());
    let output = hosted(program("lock 10").env("LOCKSCOPE_OUTPUT", name), dir.path());
    assert_eq!(
        stderr(&output),
        "lockscope: the value '\u{fffd}.json' of 'output' (the variable LOCKSCOPE_OUTPUT) cannot be used: expected text in UTF-8. Correct it there; the program runs unprofiled\n"
    );
    assert!(files(dir.path()).is_empty());
}

#[test]
fn a_host_that_is_none() {
    let dir = folder();
    let garbage = dir.path().join("garbage.so");
    std::fs::write(&garbage, "not a library\n").unwrap();
    for named in [&garbage, &dir.path().join("none.so")] {
        let output = program("lock 10,exit 7").env("LOCKSCOPE_HOST", named).output().unwrap();
        assert_eq!(output.status.code(), Some(7));
        let said = stderr(&output);
        let start = format!(
            "lockscope: the host named by LOCKSCOPE_HOST, {}, cannot be opened: ",
            named.display()
        );
        let end = "; the program runs unprofiled. Start it with `lockscope run`, which names the right one.\n";
        assert!(said.starts_with(&start) && said.ends_with(end), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// A user who owns nothing.
const NOBODY: u32 = 65_534;

/// A copy of `file` in `folder` that everybody may read and run.
fn copy(file: &Path, folder: &Path) -> PathBuf {
    let copy = folder.join(file.file_name().unwrap());
    std::fs::copy(file, &copy).unwrap();
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o755)).unwrap();
    copy
}

/// Whether files of this folder may give rights to who starts them.
fn gives_rights(folder: &Path) -> bool {
    let path = std::ffi::CString::new(folder.to_str().unwrap()).unwrap();
    // SAFETY: plain memory, for which all zeros is a value; both are valid for
    // the call.
    unsafe {
        let mut of: libc::statvfs = core::mem::zeroed();
        libc::statvfs(path.as_ptr(), &raw mut of) == 0 && of.f_flag & libc::ST_NOSUID == 0
    }
}

#[test]
fn a_set_user_id_program_opens_nothing() {
    let dir = folder();
    // SAFETY: the call takes nothing and cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        println!("skipped: only root can make a program that runs as root");
        return;
    }
    if !gives_rights(dir.path()) {
        println!("skipped: {} is mounted nosuid", dir.path().display());
        return;
    }
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let program = copy(&std::env::current_exe().unwrap(), dir.path());
    let (host, backend) = (copy(&plugin("host"), dir.path()), copy(&plugin("minimal"), dir.path()));
    let reports = || {
        let mut command = Command::new(&program);
        add_to(&mut command, "lock 10");
        command.env("LOCKSCOPE_HOST", &host).env("LOCKSCOPE_BACKEND", &backend);
        let output = command.current_dir(dir.path()).uid(NOBODY).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stderr(&output), "");
        files(dir.path()).iter().filter(|name| name.ends_with(".json")).count()
    };
    // As it is, it opens its host.
    assert_eq!(reports(), 1);
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o4755)).unwrap();
    assert_eq!(reports(), 1, "a privileged program has written a report");
}
