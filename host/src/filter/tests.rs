use core::panic::Location;

use lockscope_core::CallSite;

use super::*;
use crate::config::Place;

fn filter(include: &[&str], exclude: &[&str]) -> Option<Filter> {
    let patterns = |texts: &[&str], flag| {
        let placed = |text: &&str| Placed {
            value: LockPattern::parse(text).unwrap(),
            place: Place::Flag(flag),
        };
        texts.iter().map(placed).collect::<Vec<_>>()
    };
    let (include, exclude) = (patterns(include, "--include"), patterns(exclude, "--exclude"));
    Filter::new(&include, &exclude)
}

fn named(name: &'static str) -> KnownLock<'static> {
    KnownLock { kind: LockKind::MUTEX, name: Some(name), origin: None }
}

#[test]
fn no_pattern_is_no_filter() {
    assert!(filter(&[], &[]).is_none());
}

#[test]
fn a_lock_is_to_match_one_to_include_and_none_to_exclude() {
    let names = ["a", "b", "ab", "c"];
    let passing = |include: &[&str], exclude: &[&str]| -> Vec<&str> {
        let filter = filter(include, exclude).unwrap();
        names.into_iter().filter(|name| filter.admits(&named(name))).collect()
    };
    assert_eq!(passing(&["name:a*"], &[]), ["a", "ab"]);
    assert_eq!(passing(&["name:a", "name:c"], &[]), ["a", "c"]);
    assert_eq!(passing(&[], &["name:a*"]), ["b", "c"]);
    assert_eq!(passing(&[], &["name:a", "name:c"]), ["b", "ab"]);
    assert_eq!(passing(&["name:a*"], &["name:*b"]), ["a"]);
    assert_eq!(passing(&["kind:condvar"], &[]), [""; 0]);
}

#[test]
fn what_the_filter_did_is_told() {
    let filter = filter(&["name:a", "name:wrong"], &["kind:once", "name:[ab]"]).unwrap();
    assert!(!filter.admits(&named("a")));
    assert_eq!(
        filter.notes(),
        [
            "Filters held, and 0 locks were left out: include name:a, name:wrong; exclude kind:once, name:[ab].",
            "No lock matched the pattern 'name:wrong' of 'include' (the flag --include).",
            "No lock matched the pattern 'kind:once' of 'exclude' (the flag --exclude).",
        ]
    );
    assert_eq!(filter.shown().include, ["name:a", "name:wrong"]);
    assert_eq!(filter.shown().exclude, ["kind:once", "name:[ab]"]);
}

/// A lock as a probe describes it, that was made here.
#[track_caller]
fn described(name: &'static str) -> LockRef {
    LockRef {
        slot: core::ptr::null(),
        address: 0,
        id: 0,
        created: CallSite::of(Location::caller()),
        name: name.as_ptr(),
        state: 0,
        name_len: name.len() as u32,
        kind: LockKind::RWLOCK,
        probe: 0,
        reserved: 0,
    }
}

#[test]
fn a_lock_is_taken_as_its_probe_describes_it() {
    let probe = Probe::rust("test");
    let lock = described("words");
    // SAFETY: names and places are constants of this program.
    let admits = |include: &str, lock: &LockRef, probe: Option<&Probe>| unsafe {
        filter(&[include], &[]).unwrap().admits_described(lock, probe)
    };
    for include in ["name:words", "kind:rwlock", "site:src/filter/tests.rs", "module:host::filter"]
    {
        assert!(admits(include, &lock, Some(&probe)), "{include}");
    }
    assert!(!admits("site:src/filter/tests.rs:1", &lock, Some(&probe)));
    // Nobody knows the place.
    assert!(!admits("site:*", &lock, None));
    assert!(!admits("site:*", &LockRef { created: CallSite::UNKNOWN, ..lock }, Some(&probe)));
    assert!(!admits("name:*", &LockRef { name: core::ptr::null(), ..lock }, Some(&probe)));
}

#[test]
fn locks_that_are_met_are_counted() {
    let filter = filter(&[], &["name:a"]).unwrap();
    let slot = lockscope_core::slot::Slot::new(None);
    for (name, slot) in [
        ("a", &raw const slot),
        ("a", &raw const slot),
        ("b", &raw const slot),
        ("a", core::ptr::null()),
    ] {
        // SAFETY: as above.
        let admitted =
            unsafe { filter.admits_described(&LockRef { slot, ..described(name) }, None) };
        assert_eq!(admitted, name != "a");
    }
    assert_eq!(filter.notes(), ["Filters held, and 2 locks were left out: exclude name:a."]);
}

#[test]
fn locks_that_are_met_again_count_once() {
    let tally = Tally::default();
    let most_after = |part, locks| {
        (0..locks).for_each(|_| tally.add(part));
        tally.most()
    };
    assert_eq!(tally.most(), 0);
    assert_eq!(most_after(7, 3), 3);
    assert_eq!(most_after(9, 2), 3);
    assert_eq!(most_after(9, 3), 5);
    assert_eq!(most_after(10, 1), 5);
}
