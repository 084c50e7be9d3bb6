//! What a program under `lockscope run` is like, and what is seen of it.

use crate::child::program;
use crate::support::{
    acquisitions, files, folder, lockscope, plugins, report, run_minimal, stderr, stdout,
};

#[test]
fn every_acquisition_is_counted() {
    let dir = folder();
    let output =
        run_minimal(dir.path(), &["--period", "1"], "lock 1000,threads 250").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report = report(&dir.path().join("lockscope.json"));
    assert_eq!(acquisitions(&report, Some("counter")), 2000.0);
    assert_eq!(acquisitions(&report, None), 2000.0);
    assert_eq!(report.session.periods, [1]);
    assert!(report.session.complete);
    assert_eq!(report.session.generation, 1);
    let [lock] = report.locks.as_slice() else { panic!("{:?}", report.locks) };
    assert_eq!(lock.kind, "mutex");
    // Alone and in threads.
    assert_eq!(lock.sites.len(), 2);
    for site in &lock.sites {
        assert!(site.place.as_ref().unwrap().file.ends_with("tests/host/child.rs"));
    }
}

#[test]
fn the_cost_of_a_sample_is_measured() {
    let dir = folder();
    run_minimal(dir.path(), &[], "lock 1").output().unwrap();
    let cost = report(&dir.path().join("lockscope.json")).session.sample_cost_ns.unwrap();
    // A call, a lock and a hash table at least; less than a system call for
    // each of them at most.
    assert!((10.0..100_000.0).contains(&cost), "{cost}");
}

#[test]
fn the_table_goes_to_stderr_and_names_the_file() {
    let dir = folder();
    let output = run_minimal(dir.path(), &[], "lock 10").output().unwrap();
    let said = stderr(&output);
    assert!(said.contains("counter"), "{said}");
    let file = dir.path().canonicalize().unwrap().join("lockscope.json");
    assert!(said.ends_with(&format!("lockscope: wrote {}\n", file.display())), "{said}");
    assert_eq!(files(dir.path()), ["lockscope.json"]);
}

#[test]
fn the_programs_stdout_is_its_own() {
    let dir = folder();
    let alone = program("print,lock 10").output().unwrap();
    let output = run_minimal(dir.path(), &[], "print,lock 10").output().unwrap();
    assert!(stdout(&alone).contains("stdout of the program"));
    assert_eq!(stdout(&output), stdout(&alone));
}

#[test]
fn the_output_can_name_the_process() {
    let dir = folder();
    run_minimal(dir.path(), &["-o", "of-{pid}.json"], "lock 10").output().unwrap();
    let [name] = &files(dir.path())[..] else { panic!("{:?}", files(dir.path())) };
    let report = report(&dir.path().join(name));
    assert_eq!(*name, format!("of-{}.json", report.session.pid));
}

#[test]
fn a_program_that_goes_elsewhere_leaves_its_report_where_it_was_started() {
    let dir = folder();
    let flags = ["-o", "here.json"];
    let output = run_minimal(dir.path(), &flags, "chdir /,lock 10").output().unwrap();
    assert_eq!(acquisitions(&report(&dir.path().join("here.json")), None), 10.0);
    assert!(stderr(&output).contains("here.json"));
}

#[test]
fn a_program_that_never_locks() {
    let dir = folder();
    let output = run_minimal(dir.path(), &[], "print,exit 3").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = stderr(&output);
    let end = " used no lock that lockscope watches, so there is no report. Take its locks from the crate `lockscope` (`lockscope::sync` or `lockscope::parking_lot`), watch the pthread locks of its libraries with `--probe pthread`, the waits of Rust code with `--probe futex`, or look above for a warning.\n";
    assert!(said.starts_with("lockscope: ") && said.ends_with(end), "{said}");
    assert_eq!(said.lines().count(), 1);
    assert!(files(dir.path()).is_empty());
}

#[test]
fn a_report_of_an_earlier_run_is_not_shown_as_this_ones() {
    let dir = folder();
    run_minimal(dir.path(), &[], "lock 10").output().unwrap();
    let earlier = report(&dir.path().join("lockscope.json"));
    let output = run_minimal(dir.path(), &[], "print").output().unwrap();
    assert!(stderr(&output).contains("so there is no report"), "{}", stderr(&output));
    assert_eq!(report(&dir.path().join("lockscope.json")), earlier);
}

#[test]
fn flags_come_before_variables_and_those_before_the_file() {
    let dir = folder();
    std::fs::write(dir.path().join("lockscope.toml"), "period = 2\noutput = \"file.json\"\n")
        .unwrap();
    let period = |command: &mut std::process::Command| {
        command.output().unwrap();
        report(&dir.path().join("file.json")).session.settings[0].clone()
    };
    let of = |value: &str| ("period".to_owned(), value.to_owned());
    assert_eq!(period(&mut run_minimal(dir.path(), &[], "lock 10")), of("2"));
    let mut command = run_minimal(dir.path(), &[], "lock 10");
    assert_eq!(period(command.env("LOCKSCOPE_PERIOD", "3")), of("3"));
    let mut command = run_minimal(dir.path(), &["--period", "4"], "lock 10");
    assert_eq!(period(command.env("LOCKSCOPE_PERIOD", "3")), of("4"));
}

#[test]
fn what_holds_is_told_to_the_program_by_variables() {
    let dir = folder();
    std::fs::write(dir.path().join("lockscope.toml"), "exclude = [\"name:a, b\", \"kind:once\"]\n")
        .unwrap();
    let variables = |flags: &[&str], set: &[(&str, &str)]| {
        let mut command = lockscope(dir.path());
        command.args(["run", "--backend", "minimal", "--plugin-path"]).arg(plugins());
        // Not as the tests have it: as it is if nobody says anything.
        command.env_remove("LOCKSCOPE_CONTROL").envs(set.iter().copied());
        command.args(flags).args(["--", "env"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let said = stdout(&output);
        let ours = ["INCLUDE", "EXCLUDE", "CONTROL", "WAKE_SIGNAL"].map(|key| {
            let start = format!("LOCKSCOPE_{key}=");
            said.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
        });
        ours.map(|value| value.unwrap_or_else(|| "not there".to_owned()))
    };
    let excluded = "name:a[,] b,kind:once";
    assert_eq!(variables(&[], &[]), ["", excluded, "true", "not there"]);
    let set = [("LOCKSCOPE_WAKE_SIGNAL", "usr2"), ("LOCKSCOPE_EXCLUDE", "")];
    assert_eq!(variables(&[], &set), ["", "", "true", "SIGUSR2"]);
    let flags = ["--include", "name:a,b", "--include", "kind:m*", "--no-control"];
    assert_eq!(variables(&flags, &[]), ["name:a[,]b,kind:m*", excluded, "false", "not there"]);
}

#[test]
fn not_enabled() {
    let dir = folder();
    let mut command = run_minimal(dir.path(), &[], "lock 10,exit 4");
    let output = command.env("LOCKSCOPE_ENABLED", "false").output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(stderr(&output), "");
    assert!(files(dir.path()).is_empty());
}

#[test]
fn not_enabled_and_configured_wrongly() {
    let dir = folder();
    let flags = ["--strict", "--period", "0", "--exclude", "nonsense:"];
    let mut command = run_minimal(dir.path(), &flags, "lock 10,exit 4");
    let output = command.env("LOCKSCOPE_ENABLED", "false").output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(4), ""));
    assert!(files(dir.path()).is_empty());
}

#[test]
fn a_program_that_is_not_there() {
    let dir = folder();
    let mut command = lockscope(dir.path());
    let output = run_of(&mut command, "./nowhere");
    assert_eq!(output.status.code(), Some(127));
    assert_eq!(stderr(&output), "lockscope: the program ./nowhere was not found; check its path\n");
}

#[test]
fn a_program_that_cannot_be_executed() {
    let dir = folder();
    std::fs::write(dir.path().join("text"), "no program\n").unwrap();
    let output = run_of(&mut lockscope(dir.path()), "./text");
    assert_eq!(output.status.code(), Some(126));
    assert_eq!(
        stderr(&output),
        "lockscope: the program ./text cannot be executed: Permission denied (os error 13); check that it is a program and that you may run it\n"
    );
}

/// `lockscope run` of this program, with the plugin made for tests.
fn run_of(command: &mut std::process::Command, program: &str) -> std::process::Output {
    let plugins = crate::support::plugins();
    command.args(["run", "--backend", "minimal", "--plugin-path"]).arg(plugins);
    command.args(["--", program]).output().unwrap()
}
