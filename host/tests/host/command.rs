//! The command itself: what it lists, and how it takes what is wrong.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{folder, lockscope, plugin, plugins, stderr, stdout, without};

fn run(dir: &Path, arguments: &[&str]) -> Output {
    lockscope(dir).args(arguments).output().unwrap()
}

fn backends(dir: &Path, plugin_path: &Path) -> String {
    let mut command = lockscope(dir);
    let output = command.args(["backends", "--plugin-path"]).arg(plugin_path).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    stdout(&output)
}

#[test]
fn backends_are_listed_with_where_they_were_found() {
    let dir = folder();
    std::fs::copy(plugin("minimal"), dir.path().join("liblockscope_minimal.so")).unwrap();
    std::fs::write(dir.path().join("liblockscope_broken.so"), "").unwrap();
    let folder = dir.path().canonicalize().unwrap();
    let listed = without(&backends(dir.path(), dir.path()), &[(&folder, "DIR")]);
    let (found, searched) = listed.split_once("Searched, first to last:\n").unwrap();
    assert_eq!(
        found,
        "cannot be loaded: DIR/liblockscope_broken.so\n  the plugin DIR/liblockscope_broken.so is an empty file; build or copy it again\n\
         minimal 0.1.0: counts the acquisitions of each lock\n  DIR/liblockscope_minimal.so (the flag --plugin-path)\n"
    );
    let steps: Vec<&str> = searched.lines().collect();
    assert_eq!(steps[0], "  DIR (the flag --plugin-path)");
    assert!(steps[1].ends_with(" (beside the executable)"), "{searched}");
    assert!(steps[2].ends_with(" (the installed library folder)"), "{searched}");
    assert_eq!(steps.len(), 3);
}

#[test]
fn a_backend_of_a_later_folder_is_shadowed() {
    let (dir, first) = (folder(), folder());
    let (first, second) = (first.path().canonicalize().unwrap(), plugins());
    std::fs::copy(plugin("minimal"), first.join("liblockscope_minimal.so")).unwrap();
    let mut command = lockscope(dir.path());
    command.args(["backends", "--plugin-path"]).arg(&first).arg("--plugin-path").arg(&second);
    let listed = stdout(&command.output().unwrap());
    let shadow = format!("  shadowed by {}\n", first.join("liblockscope_minimal.so").display());
    let expected = format!(
        "  {} (the flag --plugin-path)\n{shadow}",
        second.join("liblockscope_minimal.so").display()
    );
    assert!(listed.contains(&expected), "{listed}");
    assert_eq!(listed.matches("shadowed by").count(), 1, "{listed}");
}

#[test]
fn no_backend_is_there() {
    const NOTHING: &str = "No backend was found. Install one in a folder below, or name its own with --plugin-path.\nSearched, first to last:\n";
    let dir = folder();
    let listed = backends(dir.path(), &dir.path().join("none"));
    assert!(listed.starts_with(NOTHING), "{listed}");
    assert!(listed.contains("none (the flag --plugin-path, does not exist)\n"), "{listed}");
}

#[test]
fn a_plugin_is_inspected() {
    let dir = folder();
    let path = plugin("minimal");
    let output = run(dir.path(), &["backends", "inspect", path.to_str().unwrap()]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert_eq!(
        without(&stdout(&output), &[(&plugins(), "DIR")]),
        "minimal 0.1.0: counts the acquisitions of each lock\n  \
           file         DIR/liblockscope_minimal.so\n  \
           ABI version  1.0.0\n  \
           data plane   version 1, 72 bytes of hook table, 64 of session, 128 of event, 64 of lock, 56 of slot, 128 of pad\n  \
           period = 1\n    \
             One operation in this many is sampled; 1 or more.\n  \
           fail = no\n    \
             What to fail in: init-panic, start-error, event-panic, or no.\n"
    );
}

#[test]
fn a_plugin_is_inspected_by_its_name() {
    let dir = folder();
    let by_path = run(dir.path(), &["backends", "inspect", plugin("minimal").to_str().unwrap()]);
    let plugins = plugins();
    let folder = ["--plugin-path", plugins.to_str().unwrap()];
    let by_name = run(dir.path(), &[&["backends", "inspect", "minimal"][..], &folder].concat());
    assert_eq!((by_name.status.code(), stdout(&by_name)), (Some(0), stdout(&by_path)));
    let unknown = run(dir.path(), &[&["backends", "inspect", "minimla"][..], &folder].concat());
    assert_eq!(unknown.status.code(), Some(1));
    let start = "lockscope: no backend named 'minimla' was found (the argument of inspect); did you mean 'minimal'? Searched: ";
    assert!(stderr(&unknown).starts_with(start), "{}", stderr(&unknown));
}

#[test]
fn stdout_that_cannot_be_written() {
    let dir = folder();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = quiet(lockscope(dir.path()).arg("backends").stdout(full).stderr(Stdio::piped()));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "lockscope: stdout cannot be written: No space left on device (os error 28); check where the output of the command goes\n"
    );
}

#[test]
fn a_plugin_that_cannot_be_inspected() {
    let dir = folder();
    let output = run(dir.path(), &["backends", "inspect", "none.so"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
    assert_eq!(
        without(&stderr(&output), &[(&dir.path().canonicalize().unwrap(), "DIR")]),
        "lockscope: the plugin DIR/none.so does not exist; check the path, or run `lockscope backends` to see what is there\n"
    );
}

#[test]
fn wrong_flags() {
    let dir = folder();
    for (arguments, expected) in [
        (&["run", "--peroid", "7", "--", "true"][..], "'--period'"),
        (&["run", "--set", "period", "--", "true"], "expected KEY=VALUE, as in max_locks=20000"),
        (&["run", "--set", "=7", "--", "true"], "expected KEY=VALUE, as in max_locks=20000"),
        (&["run"], "<PROGRAM>"),
        (&["repot", "file"], "'report'"),
        (&[], "Usage: lockscope <COMMAND>"),
    ] {
        let output = run(dir.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn flags_after_the_program_are_the_programs() {
    let dir = folder();
    let output = run(dir.path(), &["run", "--backend", "none", "echo", "--period", "7", "--help"]);
    assert_eq!(stdout(&output), "--period 7 --help\n");
}

#[test]
fn a_flag_with_a_bad_value_is_named() {
    let dir = folder();
    let said = |flags: &[&str]| {
        let output =
            run(dir.path(), &[&["run", "--strict"], flags, &["--", "echo", "started"]].concat());
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(125), ""));
        stderr(&output)
    };
    assert_eq!(
        said(&["--exclude", "kind:once", "--exclude", "nmae:queue"]),
        "lockscope: the value 'nmae:queue' of 'exclude' (the flag --exclude) cannot be used: expected name:GLOB, site:GLOB, module:GLOB or kind:GLOB; did you mean 'name:queue'? Correct it there; the program was not started, because of --strict\n"
    );
    assert_eq!(
        said(&["--wake-signal", "KILL"]),
        "lockscope: the value 'KILL' of 'wake_signal' (the flag --wake-signal) cannot be used: expected a signal that a program can spare: one of USR1, USR2, HUP, ALRM, VTALRM, PROF, URG, WINCH, IO, PWR and RTMIN+1 to RTMIN+15; or none. Correct it there; the program was not started, because of --strict\n"
    );
}

#[test]
fn every_command_explains_itself() {
    let dir = folder();
    for command in [&["--help"][..], &["run", "--help"], &["backends", "inspect", "--help"]] {
        let output = run(dir.path(), command);
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
        assert!(stdout(&output).contains("Usage: lockscope"), "{}", stdout(&output));
    }
}

#[test]
fn nobody_reads_stdout() {
    let dir = folder();
    let path = plugin("minimal");
    for arguments in
        [&["backends"][..], &["backends", "inspect", path.to_str().unwrap()], &["--help"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = quiet(lockscope(dir.path()).args(arguments).stdout(writer));
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    }
}

#[test]
fn nobody_reads_stderr() {
    let dir = folder();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = lockscope(dir.path());
    command.args(["run", "--backend", "none", "--", "sh", "-c", "exit 3"]).stderr(writer);
    assert_eq!(quiet(&mut command).status.code(), Some(3));
}

fn quiet(command: &mut Command) -> Output {
    command.stdin(Stdio::null());
    command.spawn().unwrap().wait_with_output().unwrap()
}
