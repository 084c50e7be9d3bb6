//! What a backend says is what the file says.

use lockscope_core::report::Loss as Lost;

use super::super::file;
use super::super::sample::{empty, exact, holding, place, waiting};
use super::*;

const MUTEX: u32 = 1;

fn estimate(value: f64, variance: f64) -> Estimate {
    Estimate { value, variance }
}

fn times(total: Estimate, max_ns: u64, histogram: &[(u64, u64, f64)]) -> core::Times {
    let bucket = |&(lower_ns, upper_ns, weight)| Bucket { lower_ns, upper_ns, weight };
    core::Times { total_ns: total, max_ns, histogram: histogram.iter().map(bucket).collect() }
}

fn site(site: usize, mode: u8) -> SiteReport {
    SiteReport { site, mode, samples: 1, ..SiteReport::default() }
}

fn lock(id: u64, sites: Vec<SiteReport>, blame: Vec<core::Blame>) -> LockReport {
    let (sites, blame) = (sites.into(), blame.into());
    LockReport { id, kind: MUTEX, locks: 1, sites, blame, ..LockReport::default() }
}

fn report(locks: Vec<LockReport>) -> Report {
    Report { locks: locks.into(), ..Report::default() }
}

/// Sites 101, 201, … are one source location: line 1 of `a.rs`. Site 9 is not
/// known to its probe.
fn converted(report: &Report) -> ReportFile {
    let resolve = |_: u32, site: usize| {
        assert_ne!(site, 0, "nobody is asked what is not known");
        let address = site as u64;
        (site != 9).then(|| Place { address, ..place("a.rs", (site % 100) as u32) })
    };
    convert(report, empty().session, Vec::new(), &resolve, &|probe| format!("probe {probe}"))
}

#[test]
fn a_total_gets_its_standard_error() {
    let mut seen = site(101, 1);
    seen.acquisitions = estimate(200.0, 9_900.0);
    seen.wait = times(estimate(7.0, 0.0), 7, &[(4, 8, 1.0)]);
    seen.idles = estimate(3.0, 4.0);
    let file = converted(&report(vec![lock(5, vec![seen], vec![])]));
    let site = &file.locks[0].sites[0];
    assert_eq!(site.acquisitions, Total { value: 200.0, standard_error: 9_900_f64.sqrt() });
    assert_eq!(site.idles, Total { value: 3.0, standard_error: 2.0 });
    assert_eq!(site.wait_ns.total, exact(7.0));
    assert_eq!((site.wait_ns.max, &site.wait_ns.histogram[..]), (7, &[(4, 8, 1.0)][..]));
    assert_eq!((site.mode.as_str(), site.samples), ("read", 1));
    assert_eq!((file.locks[0].kind.as_str(), file.locks[0].probe.as_str()), ("mutex", "probe 0"));
}

#[test]
fn one_location_at_two_addresses_is_one_site() {
    let mut parts = [site(101, 0), site(201, 0), site(301, 1)];
    for (part, ns) in parts.iter_mut().zip([4, 6, 100]) {
        part.acquisitions = estimate(10.0, 90.0);
        part.hold = times(estimate(ns as f64, 8.0), ns, &[(4, 8, 5.0), (ns + 8, ns + 9, 1.0)]);
    }
    let blame = |holder, waiter| core::Blame {
        holder,
        waiter,
        contentions: estimate(1.0, 0.0),
        wait_ns: estimate(50.0, 0.0),
    };
    let blames = vec![blame(101, 202), blame(201, 102), blame(0, 102), blame(101, 0)];
    let file = converted(&report(vec![lock(5, parts.to_vec(), blames)]));
    let [both, read] = &file.locks[0].sites[..] else { panic!("{:?}", file.locks[0].sites) };
    assert_eq!(both.acquisitions, Total { value: 20.0, standard_error: 180_f64.sqrt() });
    assert_eq!(both.hold_ns.total, Total { value: 10.0, standard_error: 4.0 });
    assert_eq!((both.samples, both.hold_ns.max), (2, 6));
    assert_eq!(both.hold_ns.histogram, [(4, 8, 10.0), (12, 13, 1.0), (14, 15, 1.0)]);
    assert_eq!((read.mode.as_str(), read.hold_ns.max), ("read", 100));
    let blame = &file.locks[0].blame;
    assert_eq!(blame.len(), 3);
    assert_eq!((blame[0].contentions, blame[0].wait_ns), (exact(2.0), exact(100.0)));
    let known = |blame: &Blame| (blame.holder.is_some(), blame.waiter.is_some());
    assert_eq!(blame[1..].iter().map(known).collect::<Vec<_>>(), [(false, true), (true, false)]);
}

#[test]
fn what_a_probe_does_not_know_is_an_address() {
    let file = converted(&report(vec![lock(5, vec![site(9, 0), site(0, 0)], vec![])]));
    let [none, address] = &file.locks[0].sites[..] else { panic!("{:?}", file.locks[0].sites) };
    assert_eq!(none.place, None);
    assert_eq!(address.place.as_ref().map(Place::label).as_deref(), Some("0x9"));
    assert_eq!((&file.locks[0].created, &file.locks[0].name), (&None, &None));
}

#[test]
fn the_order_depends_on_nothing_but_the_content() {
    let waited = |id, ns: f64, number| {
        let mut seen = site(101, 0);
        seen.wait = times(estimate(ns, 0.0), ns as u64, &[]);
        seen.acquisitions = estimate(number, 0.0);
        lock(id, vec![seen, site(102, 0)], vec![])
    };
    let mut named = waited(0, 1.0, 1.0);
    named.name = "b".into();
    let mut other = named.clone();
    other.name = "a".into();
    let mut locks =
        vec![waited(1, 1.0, 2.0), waited(2, 5.0, 1.0), waited(3, 1.0, 3.0), named, other];
    let forward = converted(&report(locks.clone()));
    let order: Vec<_> = forward.locks.iter().map(|lock| (lock.id, lock.name.as_deref())).collect();
    assert_eq!(order, [(2, None), (3, None), (1, None), (0, Some("a")), (0, Some("b"))]);
    locks.reverse();
    for lock in &mut locks {
        lock.sites = lock.sites.iter().rev().cloned().collect();
    }
    assert_eq!(converted(&report(locks)), forward);
}

#[test]
fn waits_in_progress_come_first_and_the_longest_of_them() {
    let at = || place("a.rs", 1);
    let pending = vec![holding(1, 5, at()), waiting(2, 5, at()), waiting(3, 5, at())];
    let none = |_: u32, _: usize| None;
    let file = convert(&report(vec![]), empty().session, pending, &none, &|_| String::new());
    assert_eq!(file.pending.iter().map(|one| one.thread).collect::<Vec<_>>(), [3, 2, 1]);
}

#[test]
fn what_is_no_number_is_said_and_does_not_spoil_the_file() {
    let mut seen = site(101, 0);
    seen.acquisitions = estimate(f64::NAN, 0.0);
    seen.contentions = estimate(1.0, -1.0);
    seen.wait = times(estimate(f64::INFINITY, 0.0), 1, &[(0, 1, f64::NAN)]);
    let found = converted(&report(vec![lock(5, vec![seen], vec![])]));
    assert_eq!(
        found.notes,
        ["the backend gave 3 totals that are not numbers; they are shown as 0"]
    );
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("r.json");
    file::write(&path, &found).unwrap();
    assert_eq!(file::read(&path).unwrap(), found);
    assert_eq!(found.locks[0].sites[0].contentions, exact(1.0));
}

#[test]
fn what_the_backend_says_of_the_session_is_taken_over() {
    let mut seen = report(vec![]);
    seen.samples = 7;
    seen.periods = vec![3, 4].into();
    seen.losses = vec![Lost { what: "of this".into(), count: 2 }].into();
    seen.notes = vec!["Know that.".into()].into();
    let file = converted(&seen);
    assert_eq!((file.session.samples, file.session.periods), (7, vec![3, 4]));
    assert_eq!(file.losses, [Loss { what: "of this".to_owned(), count: 2 }]);
    assert_eq!(file.notes, ["Know that."]);
}
