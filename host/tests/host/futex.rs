//! Rust programs that nobody rebuilds: which of their locks were waited for, and what is
//! no waiting for a lock.

use std::path::{Path, PathBuf};
use std::process::Command;

use lockscope_host::report::model::{Lock, ReportFile, Site};

use crate::pthread::{built, run, succeeded};
use crate::support::{Started, folder, plugins, report, report_that, stderr, stdout};

/// How often each lock of the program is waited for.
const ROUNDS: f64 = 20.0;
const WATCHED: [&str; 4] = ["--period", "1", "--probe", "futex"];

/// Builds the program as its user would, into `folder`; nothing if there is no compiler
/// here, which is said.
fn program(folder: &Path, flags: &[&str]) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/futex/app.rs");
    let to = folder.join("app");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(&compiler);
    command.args(["--edition", "2024", "-O"]).args(flags).arg(source).arg("-o").arg(&to);
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

/// The locks of this kind that are called so.
fn named<'a>(report: &'a ReportFile, kind: &str, name: &str) -> Vec<&'a Lock> {
    let is_it = |lock: &&Lock| lock.kind == kind && lock.label().starts_with(name);
    report.locks.iter().filter(is_it).collect()
}

/// The site of the lock that stands in a function, in this mode.
fn site<'a>(lock: &'a Lock, function: &str, mode: &str) -> &'a Site {
    let is_it = |site: &&Site| {
        let place = site.place.as_ref();
        site.mode == mode && place.is_some_and(|place| place.file.contains(function))
    };
    let found = lock.sites.iter().find(is_it);
    found.unwrap_or_else(|| panic!("no {mode} in {function}: {:#?}", lock.sites))
}

fn sum(report: &ReportFile, of: fn(&Site) -> f64) -> f64 {
    report.locks.iter().flat_map(|lock| &lock.sites).map(of).sum()
}

#[test]
fn waits_for_locks_are_contention_and_waits_for_work_are_not() {
    let dir = folder();
    let Some(program) = program(dir.path(), &[]) else { return };
    let output = run(dir.path(), &WATCHED, &program).output().unwrap();
    succeeded(&output);
    let bare = Command::new(&program).output().unwrap();
    assert_eq!(stdout(&output), stdout(&bare));
    assert!(stderr(&output).contains(" runs with the waits for its Rust locks watched; "));
    let report = report(&dir.path().join("lockscope.json"));
    assert_eq!(report.session.probes, ["futex"]);
    assert!(report.losses.is_empty(), "{:?}", report.losses);
    assert!(report.notes.iter().any(|note| note.contains("others are not counted")));

    let [counter] = named(&report, "mutex", "app::COUNTER (app)")[..] else {
        panic!("{report:#?}")
    };
    let added = site(counter, "adds_to_the_counter", "write");
    let held = [added.contentions.value, added.acquisitions.value, added.samples as f64];
    assert_eq!(held, [ROUNDS; 3]);
    // Whoever looks for the waiting thread is not there at once.
    assert!(added.wait_ns.total.value > ROUNDS * 10_000.0, "{added:?}");
    assert!(added.hold_ns.total.value > 0.0, "{added:?}");
    // Whoever kept it has not waited for it, and is to blame.
    assert_eq!(counter.sites.len(), 1);
    let holder = counter.blame[0].holder.as_ref().unwrap();
    assert!(holder.file.contains("keeps_the_counter"), "{:#?}", counter.blame);

    let [table] = named(&report, "rwlock", "app::TABLE (app)")[..] else { panic!("{report:#?}") };
    for (function, mode) in [("reads_the_table", "read"), ("writes_the_table", "write")] {
        let site = site(table, function, mode);
        assert_eq!(site.contentions.value, ROUNDS, "{site:?}");
        assert_eq!(site.hold_ns.total.value, 0.0, "none is known");
    }
    let [once] = named(&report, "once", "app::READY (app)")[..] else { panic!("{report:#?}") };
    assert_eq!(once.sites[0].contentions.value, 1.0);

    let [condvar] = named(&report, "condvar", "app::CALLED (app)")[..] else {
        panic!("{report:#?}")
    };
    assert_eq!(condvar.sites[0].idles.value, 1.0);
    let idle = named(&report, "futex", "");
    assert!(idle.iter().any(|lock| lock.label().contains("is_parked")), "{idle:#?}");
    let contended = |lock: &Lock| lock.sites.iter().any(|site| site.contentions.value > 0.0);
    assert!(!idle.iter().chain(&[condvar]).any(|lock| contended(lock)), "{idle:#?}");
}

#[test]
fn the_kernel_has_seen_no_wait_that_is_not_reported() {
    let dir = folder();
    let Some(program) = program(dir.path(), &[]) else { return };
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/futex/counter.c");
    let flags = ["-fPIC", "-shared", "-ldl"];
    let Some(counter) = built(dir.path(), from.to_str().unwrap(), "libcounter.so", &flags) else {
        return;
    };
    let file = dir.path().join("waits");
    let mut command = run(dir.path(), &WATCHED, &program);
    succeeded(&command.env("LD_PRELOAD", counter).env("COUNTER_FILE", &file).output().unwrap());
    let counted: f64 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    let report = report(&dir.path().join("lockscope.json"));
    let seen = sum(&report, |site| site.contentions.value + site.idles.value);
    assert!(counted > 3.0 * ROUNDS, "{counted}");
    assert_eq!(seen, counted);
}

#[test]
fn every_call_answers_as_the_kernel_does() {
    let dir = folder();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/futex/statuses.c");
    let Some(program) = built(dir.path(), from.to_str().unwrap(), "statuses", &[]) else { return };
    let bare = Command::new(&program).output().unwrap();
    succeeded(&bare);
    let expected = stdout(&bare);
    assert!(expected.lines().count() == 3 * 18, "{expected}");
    let library = plugins().join("liblockscope_futex.so");
    let closed = Command::new(&program).env("LD_PRELOAD", library).output().unwrap();
    succeeded(&closed);
    assert_eq!(stdout(&closed), expected);
    for flags in [&["--stacks"][..], &["--period", "1"]] {
        let flags = [&WATCHED[2..], flags].concat();
        let open = run(dir.path(), &flags, &program).output().unwrap();
        succeeded(&open);
        assert_eq!(stdout(&open), expected);
        let report = report(&dir.path().join("lockscope.json"));
        assert!(sum(&report, |site| site.idles.value) >= 4.0, "{report:#?}");
        assert!(report.losses.is_empty() && report.pending.is_empty(), "{report:#?}");
    }
}

#[test]
fn a_wait_that_goes_on_is_one() {
    let dir = folder();
    let Some(program) = program(dir.path(), &[]) else { return };
    let mut command = run(dir.path(), &WATCHED, &program);
    succeeded(&command.arg("faster").output().unwrap());
    let report = report(&dir.path().join("lockscope.json"));
    let [counter] = named(&report, "mutex", "app::COUNTER (app)")[..] else {
        panic!("{report:#?}")
    };
    let added = site(counter, "adds_to_the_counter", "write");
    assert_eq!([added.contentions.value, added.acquisitions.value], [1.0, 1.0], "{added:?}");
    let whole: f64 = added.wait_ns.histogram.iter().map(|(_, _, weight)| weight).sum();
    assert_eq!(whole, 1.0);
}

#[test]
fn a_wait_in_progress_is_shown() {
    let dir = folder();
    let Some(program) = program(dir.path(), &[]) else { return };
    let flags = [&WATCHED[..], &["--flush-interval", "100ms"]].concat();
    let started = Started::new(run(dir.path(), &flags, &program).arg("stuck"));
    let waits = |report: &ReportFile| report.pending.iter().any(|pending| pending.waiting);
    let report = report_that(&dir.path().join("lockscope.json"), waits);
    started.kill(libc::SIGTERM);
    started.end();
    let [pending] = &report.pending[..] else { panic!("{:#?}", report.pending) };
    let place = pending.place.as_ref().unwrap();
    assert!(place.file.contains("adds_to_the_counter"), "{pending:#?}");
}

/// The program is one of C, with a lock of pthread's: what waits is a library that it
/// needs. Both are found without being asked for.
#[test]
fn locks_of_parking_lot_are_told_by_the_line_that_waits() {
    let dir = folder();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/host/futex/library.c");
    let plugins = plugins();
    assert!(plugins.join("libparks.so").is_file(), "cargo has not built libparks.so");
    let [search, find] = ["-L", "-Wl,-rpath,"].map(|flag| format!("{flag}{}", plugins.display()));
    let flags = [&*search, &find, "-Wl,--no-as-needed", "-lparks"];
    let Some(program) = built(dir.path(), from.to_str().unwrap(), "user", &flags) else { return };
    let output = run(dir.path(), &["--period", "1"], &program).output().unwrap();
    succeeded(&output);
    assert_eq!(stdout(&output), "10\n");
    let report = report(&dir.path().join("lockscope.json"));
    for (kind, mode, line) in
        [("mutex", "write", "*STORE.lock() += 1;"), ("rwlock", "read", "black_box(*INDEX.read());")]
    {
        let source = include_str!("../plugins/parks/src/lib.rs");
        let at = |place: &lockscope_host::report::model::Place| {
            assert!(place.file.ends_with("parks/src/lib.rs"), "{place:?}");
            source.lines().nth(place.line as usize - 1).unwrap().trim()
        };
        let is_it = |lock: &&Lock| {
            let created = lock.created.as_ref().filter(|place| place.line > 0);
            lock.kind == kind && created.is_some_and(|place| at(place) == line)
        };
        let found = report.locks.iter().find(is_it);
        let lock = found.unwrap_or_else(|| panic!("no {line}: {:#?}", report.locks));
        let [site] = &lock.sites[..] else { panic!("{lock:#?}") };
        assert_eq!(site.mode, mode);
        assert_eq!((site.contentions.value, site.hold_ns.total.value), (10.0, 0.0));
        let holder = at(lock.blame[0].holder.as_ref().unwrap());
        assert!(holder.starts_with("drop("), "{holder}");
    }
    let own = named(&report, "mutex", "own (user)");
    assert!(
        own.len() == 1 && own[0].probe == "pthread" && own[0].acquisitions() == 10.0,
        "{own:?}"
    );
    let idle: Vec<_> = report.locks.iter().filter(|lock| lock.kind == "condvar").collect();
    assert!(!idle.is_empty() && idle.iter().all(|lock| lock.sites[0].contentions.value == 0.0));
}

#[test]
fn with_debug_information_a_wait_has_the_line_that_locks() {
    let dir = folder();
    let Some(program) = program(dir.path(), &["-g"]) else { return };
    let flags = ["--period", "1", "--probe", "futex", "--stacks"];
    succeeded(&run(dir.path(), &flags, &program).output().unwrap());
    let report = report(&dir.path().join("lockscope.json"));
    let source = include_str!("futex/app.rs");
    let [counter] = named(&report, "mutex", "app::COUNTER (app)")[..] else {
        panic!("{report:#?}")
    };
    let waiter = site(counter, "futex/app.rs", "write").place.as_ref().unwrap();
    let line = source.lines().nth(waiter.line as usize - 1).unwrap().trim();
    assert_eq!(line, "*COUNTER.lock().unwrap() += 1;");
    let first = |place| report.stack(place).next().map(|frame| frame.function.clone()).unwrap();
    assert_eq!(first(waiter), "app::adds_to_the_counter");
    let holder = counter.blame[0].holder.as_ref().unwrap();
    assert!(holder.file.ends_with("futex/app.rs"), "{holder:?}");
    assert_eq!(first(holder), "app::keeps_the_counter");
}

#[test]
fn without_symbols_a_wait_is_one_of_which_no_more_is_known() {
    let dir = folder();
    let Some(program) = program(dir.path(), &["-C", "strip=symbols"]) else { return };
    let output = run(dir.path(), &["--period", "1"], &program).output().unwrap();
    succeeded(&output);
    assert!(stderr(&output).contains("the waits for its Rust locks"), "{}", stderr(&output));
    let report = report(&dir.path().join("lockscope.json"));
    assert!(!report.locks.is_empty());
    assert!(report.locks.iter().all(|lock| lock.kind == "futex"), "{report:#?}");
    assert_eq!(sum(&report, |site| site.contentions.value), 0.0);
    assert!(sum(&report, |site| site.idles.value) > 3.0 * ROUNDS);
}

#[test]
fn a_program_that_takes_its_locks_from_us_is_not_recorded_twice() {
    let dir = folder();
    let own = std::env::current_exe().unwrap();
    let mut asked = run(dir.path(), &["--probe", "futex"], &own);
    let output = asked.arg("--list").output().unwrap();
    succeeded(&output);
    assert!(stderr(&output).contains("or they would be recorded twice"), "{}", stderr(&output));
    // Preloaded by hand, where nobody has looked at the program before.
    let mut by_hand = run(dir.path(), &["--probe", "rust"], &own);
    let library = plugins().join("liblockscope_futex.so");
    assert!(library.is_file(), "cargo has not built {}", library.display());
    let output = by_hand.env("LD_PRELOAD", library).arg("--list").output().unwrap();
    succeeded(&output);
    assert!(stderr(&output).contains("they would be recorded twice"), "{}", stderr(&output));
}
