//! Stacks: that they lead where the program went, that numbers are the same with
//! them, and that nothing is asked of the program to have them.

use std::path::Path;
use std::thread;
use std::time::Duration;

use lockscope::sync::Mutex;
use lockscope_host::report::model::{Lock, ReportFile, Site};
use lockscope_host::report::{folded, pprof};

use crate::allocations;
use crate::pthread::{built, run, succeeded};
use crate::report::go::{go, viewed};
use crate::support::{
    self, backend, folder, for_each_backend, introduce_probe, stderr, stdout, turn,
};

/// The function names of a site's stack, from the one that locks.
fn functions<'a>(report: &'a ReportFile, site: &'a Site) -> Vec<&'a str> {
    let place = site.place.as_ref().unwrap();
    report.stack(place).map(|frame| frame.function.as_str()).collect()
}

fn lock<'a>(report: &'a ReportFile, name: &str) -> &'a Lock {
    report.locks.iter().find(|lock| lock.label().starts_with(name)).unwrap()
}

/// The sites of a lock whose stacks lead through a function.
fn through<'a>(report: &'a ReportFile, lock: &'a Lock, function: &str) -> Vec<&'a Site> {
    let is_there =
        |site: &&Site| functions(report, site).iter().any(|name| name.ends_with(function));
    lock.sites.iter().filter(is_there).collect()
}

fn acquisitions(sites: &[&Site]) -> f64 {
    sites.iter().map(|site| site.acquisitions.value).sum()
}

#[inline(never)]
fn count(counter: &Mutex<u64>) -> u64 {
    let mut counter = counter.lock().unwrap();
    *counter += 1;
    *counter
}

#[inline(never)]
fn by_day(counter: &Mutex<u64>) -> u64 {
    std::hint::black_box(count(counter)) + 1
}

#[inline(never)]
fn by_night(counter: &Mutex<u64>) -> u64 {
    std::hint::black_box(count(counter)) + 2
}

fn two_ways_to_one_line_are_two_stacks(name: &str) {
    let _turn = turn();
    introduce_probe();
    let counter = Mutex::named("stacked", 0);
    let profiler = backend(name, 1).stacks(64).start().unwrap();
    (0..30).for_each(|_| {
        by_day(&counter);
    });
    (0..20).for_each(|_| {
        by_night(&counter);
    });
    let report = profiler.stop().unwrap();
    assert_eq!(report.session.stacks, Some(64));
    let stacked = lock(&report, "stacked");
    let [day, night] = ["by_day", "by_night"].map(|way| through(&report, stacked, way));
    assert_eq!([acquisitions(&day), acquisitions(&night)], [30.0, 20.0], "{stacked:#?}");
    for site in day.iter().chain(&night) {
        let place = site.place.as_ref().unwrap();
        assert!(place.file.ends_with("tests/host/stacks.rs"), "{place:?}");
        let frames: Vec<_> = report.stack(place).collect();
        assert!(frames[0].function.ends_with("stacks::count"), "{frames:#?}");
        assert_eq!(frames[0].line, place.line, "{frames:#?}");
        assert!(frames[1].function.contains("by_"), "{frames:#?}");
        assert!(frames.iter().all(|frame| frame.address != 0), "all lead to a beginning");
    }
    // To whoever does not ask for stacks, they are one line.
    let labels: Vec<_> =
        stacked.sites.iter().map(|site| site.place.as_ref().unwrap().label()).collect();
    assert!(labels.iter().all(|label| *label == labels[0]), "{labels:?}");
}

fn a_wait_has_the_stack_of_who_waits(name: &str) {
    let _turn = turn();
    introduce_probe();
    let counter = Mutex::named("waited for", 0);
    let profiler = backend(name, 1_000_000).stacks(64).start().unwrap();
    let pending = thread::scope(|scope| {
        let held = counter.lock().unwrap();
        let waiter = scope.spawn(|| by_night(&counter));
        let is_waiting = |report: &ReportFile| report.pending.iter().any(|at| at.waiting);
        let mut report = profiler.snapshot().unwrap();
        while !is_waiting(&report) {
            thread::sleep(Duration::from_millis(1));
            report = profiler.snapshot().unwrap();
        }
        drop(held);
        waiter.join().unwrap();
        report
    });
    let waiting = pending.pending.iter().find(|at| at.waiting).unwrap().place.as_ref().unwrap();
    let names: Vec<_> = pending.stack(waiting).map(|frame| &*frame.function).collect();
    assert!(names.iter().any(|name| name.ends_with("by_night")), "{names:?}");
    let report = profiler.stop().unwrap();
    let waits = through(&report, lock(&report, "waited for"), "by_night");
    assert_eq!(waits.iter().map(|site| site.contentions.value).sum::<f64>(), 1.0);
    let text = folded::render(&report);
    let line = text.lines().find(|line| line.contains("waited%20for")).unwrap();
    let [night, counts, wait] =
        ["by_night;", "stacks::count;", "wait at "].map(|part| line.find(part).unwrap());
    assert!(night < counts && counts < wait, "{line}");
}

fn they_come_and_go_in_a_running_session(name: &str) {
    let _turn = turn();
    introduce_probe();
    let counter = Mutex::named("now and then", 0);
    let profiler = backend(name, 1).start().unwrap();
    (0..30).for_each(|_| {
        by_day(&counter);
    });
    profiler.set("stacks", "64").unwrap();
    (0..20).for_each(|_| {
        by_day(&counter);
    });
    profiler.set("stacks", "0").unwrap();
    (0..10).for_each(|_| {
        by_day(&counter);
    });
    let refused = profiler.set("stacks", "many").unwrap_err().to_string();
    assert!(refused.contains("a number of frames from 0 to 128"), "{refused}");
    let report = profiler.stop().unwrap();
    let sites = &lock(&report, "now and then").sites;
    let (with, without): (Vec<&Site>, Vec<&Site>) =
        sites.iter().partition(|site| !site.place.as_ref().unwrap().stack.is_empty());
    assert_eq!([acquisitions(&with), acquisitions(&without)], [20.0, 40.0], "{sites:#?}");
}

for_each_backend!(
    two_ways_to_one_line_are_two_stacks,
    a_wait_has_the_stack_of_who_waits,
    they_come_and_go_in_a_running_session,
);

#[test]
fn nothing_is_asked_of_the_allocator() {
    let _turn = turn();
    introduce_probe();
    let counter = Mutex::named("frugal", 0);
    // Its numbers are made when a lock is met first.
    let profiler = backend("wrapper", 1).stacks(32).start().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            by_day(&counter);
            let asked = allocations::in_which(|| {
                (0..100).for_each(|_| {
                    by_day(&counter);
                })
            });
            assert_eq!(asked, 0);
        });
    });
    profiler.stop().unwrap();
}

#[test]
fn what_has_no_room_is_recorded_without_and_said() {
    let _turn = turn();
    introduce_probe();
    let counter = Mutex::named("crowded", 0);
    let config = folder();
    let path = config.path().join("few.toml");
    // Others in this process may have left some.
    std::fs::write(&path, "max_stacks = 1\n").unwrap();
    let profiler = backend("wrapper", 1).stacks(16).config(&path).start().unwrap();
    (0..10).for_each(|_| {
        by_day(&counter);
    });
    (0..10).for_each(|_| {
        by_night(&counter);
    });
    let report = profiler.stop().unwrap();
    let sites: Vec<&Site> = lock(&report, "crowded").sites.iter().collect();
    assert_eq!(acquisitions(&sites), 20.0);
    let [loss] = &report.losses[..] else { panic!("{:?}", report.losses) };
    assert!(loss.what.contains("max_stacks") && loss.count >= 10, "{loss:?}");
}

#[test]
fn stacks_of_all_kinds_in_a_program_that_nobody_rebuilds() {
    let dir = folder();
    let Some(program) = built(dir.path(), "stacks.c", "stacks", &["-g", "-ldl"]) else { return };
    let library = built(dir.path(), "callback.c", "libgoes.so", &["-shared", "-fPIC"]).unwrap();
    let output =
        run(dir.path(), &["--period", "1", "--stacks=40"], &program).arg(&library).output();
    let output = output.unwrap();
    succeeded(&output);
    let times: f64 = stdout(&output).trim().parse().unwrap();
    let report = support::report(&dir.path().join("lockscope.json"));
    let here = lock(&report, "here (");
    let sites: Vec<&Site> = here.sites.iter().collect();
    // What a thread does while its own values are torn down is not recorded.
    assert_eq!(acquisitions(&sites), times - 6.0, "{report:#?}");
    assert!(report.losses.is_empty(), "{:?}", report.losses);
    for site in &sites {
        assert_eq!(functions(&report, site)[0], "lock_it", "{site:#?}");
    }
    let counted = |function: &str| acquisitions(&through(&report, here, function));
    assert_eq!([counted("one_way"), counted("other_way")], [300.0, 300.0]);
    assert_eq!(counted("handler"), 2.0);
    assert_eq!(counted("coroutine"), 5.0);
    let deep = through(&report, here, "down");
    let [deep] = &deep[..] else { panic!("{deep:#?}") };
    let names = functions(&report, deep);
    assert_eq!((names.len(), names[40]), (41, "(deeper)"), "{names:?}");
    if cfg!(target_arch = "x86_64") {
        assert_eq!(counted("nameless"), 4.0);
    }
    // What was loaded a moment ago may not be known yet: then the stack ends there.
    assert!(counted("in_library") >= 10.0, "{here:#?}");
    assert_eq!(counted("call"), counted("in_library"));
    let refused = &lock(&report, "asked (").sites;
    let failures: f64 = refused.iter().map(|site| site.failures.value).sum();
    assert_eq!(failures, 3.0, "{refused:#?}");
}

/// The table and what it is made of: with stacks, no row is there twice.
#[test]
fn a_table_has_one_row_for_a_lock() {
    let dir = folder();
    let Some(program) = built(dir.path(), "stacks.c", "stacks", &["-g", "-ldl"]) else { return };
    let output = run(dir.path(), &["--period", "1", "--stacks"], &program).output().unwrap();
    succeeded(&output);
    let table = stderr(&output);
    let rows = table.lines().filter(|line| line.starts_with("here (stacks)"));
    assert_eq!(rows.count(), 1, "{table}");
    let report = support::report(&dir.path().join("lockscope.json"));
    assert_eq!(report.session.stacks, Some(64));
    assert_eq!(pprof::write(dir.path(), &report).unwrap().len(), 3);
    let Some(go) = go() else { return };
    let flags = ["-sample_index=acquisitions", "-nodefraction=0", "-traces", "hold.pb.gz"];
    let traces = viewed(&go, dir.path(), &flags);
    let ways = ["one_way", "other_way"].map(|way| format!("lock_it\n{:13}{way}\n", ""));
    for way in ways {
        assert!(traces.contains(&way), "{traces}");
    }
}

#[test]
fn a_number_that_cannot_be() {
    let dir = folder();
    let said = |flags: &[&str]| {
        let output = run(dir.path(), flags, Path::new("/bin/true")).output().unwrap();
        assert_eq!(output.status.code(), Some(125));
        stderr(&output)
    };
    assert_eq!(
        said(&["--strict", "--stacks=200"]),
        "lockscope: the value '200' of 'stacks' (the flag --stacks) cannot be used: expected a number of frames from 0 to 128, where 0 keeps no stacks. Correct it there; the program was not started, because of --strict\n"
    );
}
