//! Locks that are watched, and locks that are not.

mod scene;

use std::collections::BTreeMap;

use lockscope::parking_lot::{self, Mutex};
use lockscope::sync;
use lockscope_core::event::LockKind;
use lockscope_host::config::{Config, Overrides, Sources};
use lockscope_host::filter::{Filter, KnownLock, Origin};
use lockscope_host::report::model::{Lock as Reported, ReportFile};

use crate::allocations;
use crate::child::program;
use crate::locks::{Lock, Mode};
use crate::support::{
    acquisitions, files, folder, introduce_probe, plugin, report, run_minimal, stderr, turn,
};
use scene::{Scene, contend, keep_waiting, session};

/// Acquisitions by the lock's name, or by its kind if it has none.
fn counted(report: &ReportFile) -> BTreeMap<String, f64> {
    let label = |lock: &Reported| lock.name.clone().unwrap_or_else(|| lock.kind.clone());
    let locks = report.locks.iter().filter(|lock| lock.acquisitions() > 0.0);
    locks.map(|lock| (label(lock), lock.acquisitions())).collect()
}

/// What is in the report of a session with these filters in which a lock of
/// every kind was used in every way; all of it must be right.
fn watched(period: u32, filters: &str) -> Vec<&'static str> {
    let scene = Scene::new();
    let profiler = session(period, filters);
    let done = scene.play();
    let report = profiler.stop().unwrap();
    assert!(report.losses.is_empty() && report.pending.is_empty(), "{report:?}");
    let is_there = |lock: &Reported, done: &scene::Done| {
        lock.name.as_deref().unwrap_or_default() == done.name && lock.kind == done.kind
    };
    let mut found = Vec::new();
    for done in &done {
        let Some(lock) = report.locks.iter().find(|lock| is_there(lock, done)) else { continue };
        done.check(lock, period);
        found.push(done.label);
    }
    assert_eq!(report.locks.len(), found.len(), "{report:?}");
    found
}

const ALL: [&str; 9] = [
    "std queue",
    "queue",
    "fair queue",
    "std table",
    "table",
    "bare queue",
    "bare table",
    "flag",
    "told",
];

fn all_but(missing: &[&str]) -> Vec<&'static str> {
    ALL.into_iter().filter(|label| !missing.contains(label)).collect()
}

#[test]
fn without_filters_all_locks_are_watched() {
    let _turn = turn();
    assert_eq!(watched(1, ""), ALL);
}

#[test]
fn an_excluded_lock_is_not_in_the_report_and_all_others_are() {
    let _turn = turn();
    for period in [1, 1_000_000] {
        let excluding = |pattern: &str| watched(period, &format!("exclude = [\"{pattern}\"]"));
        assert_eq!(excluding("name:queue"), all_but(&["queue"]));
        assert_eq!(excluding("name:std *"), all_but(&["std queue", "std table"]));
        assert_eq!(excluding("name:*table"), all_but(&["std table", "table"]));
        assert_eq!(excluding("kind:condvar"), all_but(&["told"]));
        assert_eq!(
            excluding("kind:rwlock"),
            all_but(&["std table", "table", "bare table"]),
            "with a slot or without"
        );
    }
}

#[test]
fn an_included_lock_is_in_the_report_and_no_other_is() {
    let _turn = turn();
    for period in [1, 1_000_000] {
        let including = |patterns: &str| watched(period, &format!("include = [{patterns}]"));
        assert_eq!(including("\"name:queue\""), ["queue"]);
        assert_eq!(including("\"name:told\", \"name:table\""), ["table", "told"]);
        assert_eq!(including("\"name:*\""), all_but(&["bare queue", "bare table"]));
        assert_eq!(including("\"kind:rwlock\""), ["std table", "table", "bare table"]);
        assert_eq!(including("\"site:host/filters/scene.rs\""), ["flag", "told"]);
        assert_eq!(
            including("\"module:host::tests::host::locks\""),
            ["std queue", "queue", "fair queue", "std table", "table"]
        );
        assert_eq!(including("\"name:nobody\""), [""; 0]);
    }
}

#[test]
fn what_is_excluded_is_not_included() {
    let _turn = turn();
    let filters = "include = [\"name:*queue\", \"kind:rwlock\"]\nexclude = [\"name:std*\"]";
    assert_eq!(watched(1, filters), ["queue", "fair queue", "table", "bare table"]);
}

/// Nobody can see that somebody waits for a lock that is not watched.
fn wait_unseen<L: Lock>(name: &'static str, filters: &str) {
    let (lock, other) = (L::named(name), Mutex::named("other", ()));
    let profiler = session(1, filters);
    lock.hold(Mode::Write, || ());
    contend(&lock, Mode::Write, L::SHARED, || {
        assert_eq!(profiler.snapshot().unwrap().pending, []);
    });
    contend(&other, Mode::Write, Mode::Write, || {
        let pending = profiler.snapshot().unwrap().pending;
        assert_eq!(pending.iter().filter(|other| other.waiting).count(), 1, "{pending:?}");
    });
    let report = profiler.stop().unwrap();
    let [other] = &report.locks[..] else { panic!("{report:?}") };
    let [blame] = &other.blame[..] else { panic!("{other:?}") };
    assert_eq!((other.label().as_str(), blame.contentions.value), ("other", 1.0));
    let places = [blame.holder.as_ref(), blame.waiter.as_ref()];
    assert!(places.iter().all(|place| place.unwrap().file.ends_with("filters/scene.rs")));
}

#[test]
fn a_wait_for_an_excluded_lock_is_not_seen() {
    let _turn = turn();
    introduce_probe();
    wait_unseen::<sync::Mutex<()>>("mine", "exclude = [\"name:mine\"]");
    wait_unseen::<sync::RwLock<()>>("mine", "exclude = [\"name:mine\"]");
    wait_unseen::<parking_lot::Mutex<()>>("mine", "exclude = [\"name:mine\"]");
    wait_unseen::<parking_lot::RwLock<()>>("mine", "exclude = [\"name:mine\"]");
    wait_unseen::<parking_lot::slotless::Mutex<()>>("", "include = [\"name:other\"]");
    wait_unseen::<parking_lot::slotless::RwLock<()>>("", "exclude = [\"kind:rwlock\"]");
}

/// The session meets the lock when it is given back by somebody who had to wait
/// for it.
#[test]
fn a_lock_that_was_held_when_the_session_began() {
    let _turn = turn();
    introduce_probe();
    let (mine, other) = (Mutex::named("mine", ()), Mutex::named("other", ()));
    let held = (mine.lock(), other.lock());
    let profiler = session(1, "exclude = [\"name:mine\"]");
    std::thread::scope(|scope| {
        keep_waiting(scope, &mine, Mode::Write);
        keep_waiting(scope, &other, Mode::Write);
        drop(held);
    });
    let counted = counted(&profiler.stop().unwrap());
    assert_eq!(counted, BTreeMap::from([("other".to_owned(), 1.0)]));
}

#[test]
fn each_session_decides_anew() {
    let _turn = turn();
    let (a, b) = (Mutex::named("a", ()), Mutex::named("b", ()));
    for (filters, expected) in [
        ("exclude = [\"name:a\"]", &["b"][..]),
        ("exclude = [\"name:b\"]", &["a"]),
        ("", &["a", "b"]),
        ("include = [\"name:b\"]", &["b"]),
    ] {
        let profiler = session(1, filters);
        (0..3).for_each(|_| drop((a.lock(), b.lock())));
        let report = profiler.stop().unwrap();
        let expected = expected.iter().map(|name| ((*name).to_owned(), 3.0)).collect();
        assert_eq!(counted(&report), expected, "{filters}");
        assert_eq!(report.session.filters.is_empty(), filters.is_empty());
    }
}

#[test]
fn a_switch_keeps_the_filter() {
    let _turn = turn();
    let (a, b) = (Mutex::named("a", ()), Mutex::named("b", ()));
    let profiler = session(1, "exclude = [\"name:a\"]");
    let lock = || (0..3).for_each(|_| drop((a.lock(), b.lock())));
    lock();
    let first = profiler.switch("minimal", &[]).unwrap();
    lock();
    let second = profiler.stop().unwrap();
    for report in [first, second] {
        assert_eq!(counted(&report), BTreeMap::from([("b".to_owned(), 3.0)]));
        assert_eq!(report.session.filters.exclude, ["name:a"]);
        assert_eq!(
            report.notes,
            ["Filters held, and 1 lock was left out: exclude name:a."],
            "{}",
            report.session.backend
        );
    }
}

#[test]
fn an_excluded_lock_takes_no_place() {
    let _turn = turn();
    let profiler = session(1, "exclude = [\"name:many\"]\n[wrapper]\nmax_locks = 10\n");
    let many: Vec<_> = (0..100).map(|_| Mutex::named("many", ())).collect();
    let few: Vec<_> = (0..10).map(|_| Mutex::named("few", ())).collect();
    many.iter().chain(&few).for_each(|lock| drop(lock.lock()));
    let report = profiler.stop().unwrap();
    assert_eq!(acquisitions(&report, Some("few")), 10.0);
    assert_eq!((report.locks.len(), report.losses.len()), (10, 0), "{report:?}");
    let note = "Filters held, and 100 locks were left out: exclude name:many.";
    assert!(report.notes.iter().any(|told| told == note), "{:?}", report.notes);
}

fn filter(include: &str, exclude: &str) -> Filter {
    let variables = [("LOCKSCOPE_INCLUDE", include), ("LOCKSCOPE_EXCLUDE", exclude)];
    let variables = variables.map(|(name, value)| (name.into(), value.into())).into();
    let sources = Sources { variables, folder: None };
    let config = Config::resolve(&sources, &Overrides::default()).unwrap();
    Filter::new(&config.include, &config.exclude).unwrap()
}

#[test]
fn a_filter_never_allocates() {
    let filter = filter(
        "name:*a*b*c*,site:**/src/[a-z]*/*.rs:4?:*,module:*::[!x]*::end,kind:m*",
        "name:[é-ü]?*,site:/*/x/*,site:src/*,module:none,kind:semaphore",
    );
    let deep = "/registry/src/index-0f/rayon-core-1.12.1/src/".to_owned() + &"a/".repeat(2_000);
    let files = ["demo/src/index.rs", "src/main.rs", "build.rs", "", &deep];
    for kind in [LockKind::MUTEX, LockKind::CONDVAR, LockKind(77)] {
        for name in [None, Some("aabbcc"), Some("übung"), Some("")] {
            for file in files {
                for origin in [None, Some(Origin { file, line: 42, column: 7 })] {
                    let lock = KnownLock { kind, name, origin };
                    let asked = allocations::in_which(|| {
                        std::hint::black_box(filter.admits(&lock));
                    });
                    assert_eq!(asked, 0, "{lock:?}");
                }
            }
        }
    }
}

#[test]
fn meeting_a_lock_allocates_nothing() {
    let _turn = turn();
    introduce_probe();
    let profiler = session(
        1,
        "include = [\"module:host\", \"site:*.rs:*:*\", \"name:*a*\"]\nexclude = [\"name:b*\"]",
    );
    let locks = [Mutex::named("a", ()), Mutex::named("b", ()), Mutex::new(())];
    // The thread's own state is made at its first operation.
    drop(Mutex::new(()).lock());
    let asked = allocations::in_which(|| {
        for lock in &locks {
            (0..3).for_each(|_| drop(lock.lock()));
        }
    });
    let report = profiler.stop().unwrap();
    assert_eq!((asked, acquisitions(&report, None)), (0, 7.0));
}

#[test]
fn a_program_is_filtered_by_flags() {
    let dir = folder();
    let run = |flags: &[&str]| {
        let output = run_minimal(dir.path(), flags, "lock 10,threads 5").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let report = report(&dir.path().join("lockscope.json"));
        (acquisitions(&report, None), report, stderr(&output))
    };
    let (all, report, _) = run(&["--include", "site:child.rs", "--exclude", "name:queue"]);
    assert_eq!(all, 30.0);
    assert_eq!(report.session.filters.include, ["site:child.rs"]);
    assert_eq!(report.session.filters.exclude, ["name:queue"]);
    let idle =
        "No lock matched the pattern 'name:queue' of 'exclude' (the variable LOCKSCOPE_EXCLUDE).";
    assert!(report.notes.iter().any(|note| note == idle), "{:?}", report.notes);
    let (none, report, said) = run(&["--exclude", "kind:once", "--exclude", "name:counter"]);
    assert_eq!((none, report.locks.len()), (0.0, 0));
    let note = "Filters held, and 1 lock was left out: exclude kind:once, name:counter.";
    assert_eq!(report.notes[0], note);
    // Whoever looks at an empty table is told why.
    assert!(said.split_whitespace().collect::<Vec<_>>().join(" ").contains(note), "{said}");
}

#[test]
fn a_program_is_filtered_by_variables() {
    let dir = folder();
    let mut command = program("lock 10");
    command.env("LOCKSCOPE_HOST", plugin("host")).env("LOCKSCOPE_BACKEND", plugin("minimal"));
    command.env("LOCKSCOPE_INCLUDE", "name:nobody,kind:condvar");
    let output = command.current_dir(dir.path()).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let [name] = &files(dir.path())[..] else { panic!("{:?}", files(dir.path())) };
    let report = report(&dir.path().join(name));
    assert!(report.locks.is_empty(), "{report:?}");
    assert_eq!(report.notes.len(), 3, "{:?}", report.notes);
}
