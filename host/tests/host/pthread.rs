//! Programs of C, which nobody rebuilds: what they are told, and what is seen.

mod faults;
mod lives;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lockscope_host::report::model::{Lock, ReportFile};

use crate::support::{files, folder, lockscope, plugins, report, stderr, stdout, unfinished};

/// Builds `source`, of the folder beside this file, into `folder`; nothing if there
/// is no compiler here, which is said.
pub(crate) fn built(folder: &Path, source: &str, name: &str, flags: &[&str]) -> Option<PathBuf> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/pthread").join(source);
    let to = folder.join(name);
    let (variable, compiler, standard) = match source.ends_with(".cpp") {
        true => ("CXX", "c++", "-std=gnu++17"),
        false => ("CC", "cc", "-std=gnu11"),
    };
    let compiler = std::env::var_os(variable).unwrap_or_else(|| compiler.into());
    let mut command = Command::new(&compiler);
    command.args([standard, "-O2", "-pthread"]).args(flags).arg(&from).arg("-o").arg(&to);
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", stderr(&output));
            Some(to)
        }
        Err(error) => {
            eprintln!("skipped: {} cannot be started: {error}", compiler.display());
            None
        }
    }
}

fn library() -> PathBuf {
    let path = plugins().join("liblockscope_pthread.so");
    assert!(path.is_file(), "cargo has not built {}", path.display());
    path
}

/// `lockscope run` of the program, in `folder`.
pub(crate) fn run(folder: &Path, flags: &[&str], program: &Path) -> Command {
    let mut command = lockscope(folder);
    command.args(["run", "--backend", "sidetable", "--plugin-path"]).arg(plugins());
    command.args(flags).arg("--").arg(program);
    command
}

pub(crate) fn succeeded(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(output), stderr(output));
}

/// The lock that a static of this name is.
fn named<'a>(report: &'a ReportFile, symbol: &str) -> &'a Lock {
    let is_it = |lock: &&Lock| {
        let created = lock.created.as_ref();
        created.is_some_and(|place| place.file.starts_with(&format!("{symbol} (")))
    };
    let found = report.locks.iter().find(is_it);
    found.unwrap_or_else(|| panic!("no lock {symbol} in {:#?}", report.locks))
}

/// What was recorded of a lock: acquisitions, contentions, failures, idle waits.
fn counts(report: &ReportFile, symbol: &str) -> [f64; 4] {
    let sites = &named(report, symbol).sites;
    let sum = |of: fn(&lockscope_host::report::model::Site) -> f64| sites.iter().map(of).sum();
    [
        sum(|site| site.acquisitions.value),
        sum(|site| site.contentions.value),
        sum(|site| site.failures.value),
        sum(|site| site.idles.value),
    ]
}

#[test]
fn every_call_answers_as_glibc_does() {
    let dir = folder();
    let Some(program) = built(dir.path(), "statuses.c", "statuses", &[]) else { return };
    let bare = Command::new(&program).output().unwrap();
    succeeded(&bare);
    let expected = stdout(&bare);
    assert!(expected.lines().count() > 200, "{expected}");
    for status in [
        libc::EPERM,
        libc::EBUSY,
        libc::EINVAL,
        libc::EDEADLK,
        libc::ETIMEDOUT,
        libc::EOWNERDEAD,
        libc::ENOTRECOVERABLE,
    ] {
        assert!(expected.contains(&format!(" = {status}, errno")), "no {status}:\n{expected}");
    }
    for errno in [libc::EAGAIN, libc::EINTR, libc::ETIMEDOUT, libc::EINVAL] {
        assert!(expected.contains(&format!(" = -1, errno {errno}\n")), "no {errno}:\n{expected}");
    }
    let closed = Command::new(&program).env("LD_PRELOAD", library()).output().unwrap();
    succeeded(&closed);
    assert_eq!(stdout(&closed), expected);
    for period in ["1", "3"] {
        let open = run(dir.path(), &["--period", period], &program).output().unwrap();
        succeeded(&open);
        assert_eq!(stdout(&open), expected);
        let report = report(&dir.path().join("lockscope.json"));
        assert!(report.locks.len() > 4, "{report:?}");
        // Those of threads that die while they hold a robust mutex.
        let lost: u64 = report.losses.iter().map(|loss| loss.count).sum();
        assert_eq!(lost, unfinished(&report), "{:?}", report.losses);
        assert!(period != "1" || lost == 6, "{:?}", report.losses);
    }
}

#[test]
fn every_operation_is_counted() {
    let dir = folder();
    let Some(program) = built(dir.path(), "counts.c", "counts", &["-g"]) else { return };
    let output = run(dir.path(), &["--period", "1"], &program).output().unwrap();
    succeeded(&output);
    let report = report(&dir.path().join("lockscope.json"));
    let [acquisitions, _, 0.0, 0.0] = counts(&report, "counter") else { panic!("{report:?}") };
    assert_eq!(acquisitions, 4000.0);
    assert_eq!(counts(&report, "contended"), [2.0, 1.0, 0.0, 0.0]);
    assert_eq!(counts(&report, "nested"), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(counts(&report, "table"), [4.0, 0.0, 0.0, 0.0]);
    assert_eq!(counts(&report, "spin"), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(counts(&report, "tickets"), [2.0, 0.0, 1.0, 0.0]);
    assert_eq!(counts(&report, "ready")[3], 1.0);
    assert_eq!(counts(&report, "meeting")[3], 2.0);
    // Once in each thread, and once more after the wait.
    assert_eq!(counts(&report, "waited")[0], 3.0);
    assert_eq!(counts(&report, "forked"), [1.0, 0.0, 0.0, 0.0]);
    let kinds = ["contended", "nested", "table", "spin", "tickets", "ready", "meeting"];
    let kinds = kinds.map(|symbol| named(&report, symbol).kind.as_str());
    let expected = ["mutex", "reentrant", "rwlock", "spin", "semaphore", "condvar", "barrier"];
    assert_eq!(kinds, expected);
}

#[test]
fn a_wait_is_charged_to_the_line_that_held_the_lock() {
    let dir = folder();
    let Some(program) = built(dir.path(), "counts.c", "counts", &["-g"]) else { return };
    // So rarely that the hold itself is not sampled.
    let output = run(dir.path(), &["--period", "1000000"], &program).output().unwrap();
    succeeded(&output);
    let report = report(&dir.path().join("lockscope.json"));
    let lock = named(&report, "contended");
    let [blame] = &lock.blame[..] else { panic!("{lock:?}") };
    let source = include_str!("pthread/counts.c");
    let line = |place: &lockscope_host::report::model::Place| {
        assert!(place.file.ends_with("pthread/counts.c"), "{place:?}");
        source.lines().nth(place.line as usize - 1).unwrap().trim()
    };
    assert_eq!(line(blame.holder.as_ref().unwrap()), "pthread_mutex_lock(&contended);");
    let holder = blame.holder.as_ref().unwrap().line;
    let waiter = blame.waiter.as_ref().unwrap().line;
    assert_eq!(line(blame.waiter.as_ref().unwrap()), "pthread_mutex_lock(&contended);");
    assert!(waiter < holder, "{waiter} {holder}");
    assert!(blame.wait_ns.value > 40e6, "{blame:?}");
    // The lock that was waited for most is the first.
    let first = &report.locks[0];
    assert_eq!(first.label(), "contended (counts)");
    assert!(stderr(&output).contains("contended (counts)"), "{}", stderr(&output));
}

#[test]
fn a_lock_guards_line_is_that_of_the_program() {
    let dir = folder();
    let Some(program) = built(dir.path(), "guard.cpp", "guard", &["-g"]) else { return };
    succeeded(&run(dir.path(), &["--period", "1"], &program).output().unwrap());
    let report = report(&dir.path().join("lockscope.json"));
    assert_eq!(counts(&report, "store::locks"), [10.0, 0.0, 0.0, 0.0]);
    let [site] = &named(&report, "store::locks").sites[..] else { panic!("one site") };
    let file = &site.place.as_ref().unwrap().file;
    assert!(file.ends_with("pthread/guard.cpp"), "{file}");
}

#[test]
fn without_debug_information_a_place_is_a_symbol() {
    let dir = folder();
    let Some(program) = built(dir.path(), "counts.c", "counts", &["-g0"]) else { return };
    succeeded(&run(dir.path(), &["--period", "1"], &program).output().unwrap());
    let report = report(&dir.path().join("lockscope.json"));
    let [site] = &named(&report, "counter").sites[..] else { panic!("one site") };
    let label = site.place.as_ref().unwrap().label();
    assert!(label.starts_with("count+0x") && label.ends_with(" (counts)"), "{label}");
}

#[test]
fn a_deadlock_is_seen_though_nothing_is_sampled() {
    let dir = folder();
    let Some(program) = built(dir.path(), "deadlock.c", "deadlock", &["-g"]) else { return };
    let output = run(dir.path(), &["--period", "1000000"], &program).output().unwrap();
    succeeded(&output);
    let said = stderr(&output);
    assert!(said.contains("wait for each other"), "{said}");
    let report = report(&dir.path().join("lockscope.json"));
    let waits: Vec<_> = report.pending.iter().filter(|pending| pending.waiting).collect();
    let [one, other] = &waits[..] else { panic!("{:?}", report.pending) };
    assert_eq!(one.holder_thread, Some(other.thread));
    assert_eq!(other.holder_thread, Some(one.thread));
}

#[test]
fn an_allocator_that_locks() {
    let dir = folder();
    let flags = ["-shared", "-fPIC", "-fno-builtin"];
    let Some(allocator) = built(dir.path(), "allocator.c", "liballocator.so", &flags) else {
        return;
    };
    let program = built(dir.path(), "counts.c", "counts", &[]).unwrap();
    let mut command = run(dir.path(), &["--period", "1"], &program);
    // The command itself runs with it as well.
    let output = command.env("LD_PRELOAD", &allocator).output().unwrap();
    succeeded(&output);
    let report = report(&dir.path().join("lockscope.json"));
    assert_eq!(counts(&report, "counter")[0], 4000.0);
    let shown: Vec<String> = report.locks.iter().map(Lock::label).collect();
    assert!(!shown.iter().any(|label| label.contains("allocator")), "{shown:?}");
}

#[test]
fn an_allocator_in_the_program_is_left_alone() {
    let dir = folder();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/pthread/allocator.c");
    let flags = ["-rdynamic", "-fno-builtin", source.to_str().unwrap()];
    let Some(program) = built(dir.path(), "counts.c", "counts", &flags) else { return };
    let output = run(dir.path(), &[], &program).output().unwrap();
    succeeded(&output);
    let said = stderr(&output);
    assert!(said.contains("brings an allocator of its own"), "{said}");
    assert!(files(dir.path()).iter().all(|name| !name.ends_with(".json")));
}

#[test]
fn a_program_that_takes_the_address_of_malloc_has_none_of_its_own() {
    let dir = folder();
    let flags = ["-no-pie", "-fno-pic"];
    let Some(program) = built(dir.path(), "taken.c", "taken", &flags) else { return };
    succeeded(&run(dir.path(), &["--period", "1"], &program).output().unwrap());
    let report = report(&dir.path().join("lockscope.json"));
    assert_eq!(counts(&report, "counter")[0], 10.0);
}

#[test]
fn what_is_told_of_a_program() {
    let dir = folder();
    let Some(program) = built(dir.path(), "deadlock.c", "program", &[]) else { return };
    let said = |flags: &[&str], program: &Path| {
        let output = run(dir.path(), flags, program).output().unwrap();
        succeeded(&output);
        stderr(&output).lines().next().unwrap_or_default().to_owned()
    };
    let watched = said(&[], &program);
    assert!(watched.contains("pthread and C11 locks watched"), "{watched}");
    assert!(said(&["--probe", "rust"], &program).contains("used no lock that lockscope watches"));
    assert_eq!(said(&["--probe", "none"], &program), "");
    let alone = Path::new("/bin/true");
    assert!(said(&[], alone).contains("used no lock that lockscope watches"));
    assert!(said(&["--probe", "pthread"], alone).contains("pthread and C11 locks watched"));
    if let Some(fixed) = built(dir.path(), "deadlock.c", "static", &["-static"]) {
        let fixed = said(&[], &fixed);
        assert!(fixed.contains("is statically linked") && fixed.ends_with("runs unprofiled"));
    }
}

#[test]
fn what_the_user_preloads_stays_and_children_are_left_alone() {
    let dir = folder();
    let Some(theirs) = built(dir.path(), "deadlock.c", "libtheirs.so", &["-shared", "-fPIC"])
    else {
        return;
    };
    let preloaded = |flags: &[&str]| {
        let mut command = lockscope(dir.path());
        command.args(["run", "--backend", "sidetable", "--plugin-path"]).arg(plugins());
        command.args(flags).args(["--", "env"]).env("LD_PRELOAD", &theirs);
        let output = command.output().unwrap();
        succeeded(&output);
        let said = stdout(&output);
        said.lines().find_map(|line| line.strip_prefix("LD_PRELOAD=").map(str::to_owned))
    };
    let theirs = theirs.to_str().unwrap().to_owned();
    assert_eq!(preloaded(&["--probe", "rust"]), Some(theirs.clone()));
    // `env` itself was loaded with both.
    assert_eq!(preloaded(&["--probe", "pthread"]), Some(theirs));
}

#[test]
fn processes_that_it_starts_if_they_are_asked_for() {
    let dir = folder();
    let Some(program) = built(dir.path(), "counts.c", "counts", &[]) else { return };
    let count = |flags: &[&str]| {
        let mut command = lockscope(dir.path());
        command.args(["run", "--backend", "sidetable", "--period", "1", "--plugin-path"]);
        command.arg(plugins()).args(flags).args(["--probe", "pthread", "--", "/bin/sh", "-c"]);
        // Not instead of the shell.
        succeeded(&command.arg(format!("{}; exit $?", program.display())).output().unwrap());
        let reports = files(dir.path()).into_iter().filter(|name| name.ends_with(".json"));
        let reports = reports.map(|name| report(&dir.path().join(name)));
        reports.filter(|report| report.session.command[0].ends_with("counts")).count()
    };
    assert_eq!(count(&[]), 0);
    assert_eq!(count(&["--all-children"]), 1);
}
