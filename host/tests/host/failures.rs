//! What cannot be profiled runs all the same, after one clear warning, unless
//! it was to be profiled strictly.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{
    acquisitions, files, folder, plugins, report, run, run_minimal, stderr, stdout, without,
};

const TASKS: &str = "print,lock 10,exit 7";

/// What is said if `lockscope run` with these flags, in this folder, cannot
/// profile: the same with and without `--strict`, but for the end.
fn warning(dir: &Path, flags: &[&str]) -> String {
    let before = files(dir);
    let run = |flags: &[&str]| match flags {
        ["--backend", ..] => run(dir, flags, TASKS).output().unwrap(),
        _ => run_minimal(dir, flags, TASKS).output().unwrap(),
    };
    let output = run(flags);
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert!(stdout(&output).contains("stdout of the program"));
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
    let warning = said.strip_suffix("; the program runs unprofiled\n").expect(&said);

    let mut strict = flags.to_vec();
    strict.push("--strict");
    let output = run(&strict);
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(stdout(&output), "");
    let end = "; the program was not started, because of --strict\n";
    assert_eq!(stderr(&output), format!("{warning}{end}"));

    assert_eq!(files(dir), before, "nothing is left behind");
    without(warning, &[(&dir.canonicalize().unwrap(), "DIR"), (&plugins(), "PLUGINS")])
}

#[test]
fn a_panic_in_init() {
    let dir = folder();
    let said = warning(dir.path(), &["--set", "fail=init-panic"]);
    let start = "lockscope: the backend 'minimal' cannot be initialised: the backend panicked: init was told to panic, at ";
    let end = "this is a defect of the backend, please report it to its author";
    assert!(said.starts_with(start) && said.ends_with(end), "{said}");
}

#[test]
fn an_error_from_start() {
    let dir = folder();
    assert_eq!(
        warning(dir.path(), &["--set", "fail=start-error"]),
        "lockscope: the backend 'minimal' cannot start: start was told to fail; tell it not to"
    );
}

#[test]
fn a_period_of_0() {
    let dir = folder();
    assert_eq!(
        warning(dir.path(), &["--period", "0"]),
        "lockscope: the backend 'minimal' cannot be initialised: the key 'period' must be a number from 1, and is '0'; correct it [period = 0: the flag --period]"
    );
    std::fs::write(dir.path().join("lockscope.toml"), "\n[minimal]\nperiod = 0\n").unwrap();
    assert_eq!(
        warning(dir.path(), &[]),
        "lockscope: the backend 'minimal' cannot be initialised: the key 'period' must be a number from 1, and is '0'; correct it [period = 0: lockscope.toml:3]"
    );
}

#[test]
fn an_unknown_key() {
    let dir = folder();
    assert_eq!(
        warning(dir.path(), &["--set", "peroid=7"]),
        "lockscope: unknown key 'peroid' (the flag --set); did you mean 'period'? Valid here: period, fail. Correct or remove it"
    );
}

#[test]
fn a_configuration_file_that_is_not_there() {
    let dir = folder();
    assert_eq!(
        warning(dir.path(), &["--config", "none.toml"]),
        "lockscope: the configuration file none.toml does not exist (the flag --config); create it, or name another one"
    );
}

#[test]
fn a_plugin_that_is_not_there() {
    let dir = folder();
    assert_eq!(
        warning(dir.path(), &["--backend", "./none.so"]),
        "lockscope: the plugin DIR/none.so does not exist; check the path, or run `lockscope backends` to see what is there"
    );
}

#[test]
fn an_output_in_a_folder_that_is_not_there() {
    let dir = folder();
    assert_eq!(
        warning(dir.path(), &["-o", "none/report.json"]),
        "lockscope: the report cannot be written to DIR/none/report.json (the flag --output): No such file or directory (os error 2); name a file in a folder that exists and can be written, with -o or LOCKSCOPE_OUTPUT"
    );
}

#[test]
fn an_output_in_a_file() {
    let dir = folder();
    std::fs::write(dir.path().join("file"), "").unwrap();
    assert_eq!(
        warning(dir.path(), &["-o", "file/report.json"]),
        "lockscope: the report cannot be written to DIR/file/report.json (the flag --output): Not a directory (os error 20); name a file in a folder that exists and can be written, with -o or LOCKSCOPE_OUTPUT"
    );
}

#[test]
fn an_output_that_is_a_folder() {
    let dir = folder();
    assert_eq!(
        warning(dir.path(), &["-o", "."]),
        "lockscope: the report cannot be written to DIR (the flag --output): is a directory; name a file in a folder that exists and can be written, with -o or LOCKSCOPE_OUTPUT"
    );
}

#[test]
fn an_output_in_a_folder_that_may_not_be_written() {
    let dir = folder();
    let locked = dir.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o555)).unwrap();
    if std::fs::write(locked.join("trial"), "").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    assert_eq!(
        warning(dir.path(), &["-o", "locked/report.json"]),
        "lockscope: the report cannot be written to DIR/locked/report.json (the flag --output): Permission denied (os error 13); name a file in a folder that exists and can be written, with -o or LOCKSCOPE_OUTPUT"
    );
}

/// The program is under way when the backend fails: it is neither unprofiled
/// nor can it be stopped.
#[test]
fn a_panic_in_an_event_ends_the_session_and_not_the_program() {
    const NOTE: &str = "The backend 'minimal' ended the session from within, and nothing was recorded after that: the backend panicked: event was told to panic, at ";
    for flags in [vec![], vec!["--strict"]] {
        let dir = folder();
        let flags = [&["--set", "fail=event-panic"], &flags[..]].concat();
        let output = run_minimal(dir.path(), &flags, TASKS).output().unwrap();
        assert_eq!(output.status.code(), Some(7));
        assert!(stdout(&output).contains("stdout of the program"));
        let said = stderr(&output);
        assert!(!said.contains("panicked at"), "a backend does not print: {said}");
        let report = report(&dir.path().join("lockscope.json"));
        assert!(report.notes.iter().any(|note| note.starts_with(NOTE)), "{:?}", report.notes);
        assert_eq!(acquisitions(&report, None), 0.0);
        assert_eq!(report.session.sample_cost_ns, None);
        // Once when it happens, and once as part of the report.
        assert_eq!(said.matches(&format!("lockscope: {NOTE}")).count(), 1, "{said}");
        assert_eq!(said.matches("ended the session from within").count(), 2, "{said}");
    }
}
