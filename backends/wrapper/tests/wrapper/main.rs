//! The backend through its trait: sessions, events that are made up, and what
//! it says of them.

use lockscope_conformance::inside::probe::{Lock, lock_once, started};
use lockscope_core::backend::Backend;
use lockscope_core::sync::Ordering;
use lockscope_wrapper::Wrapper;

lockscope_conformance::suite!(lockscope_wrapper::Wrapper, settings, limits, period);

#[test]
fn its_keys_are_described_with_their_defaults() {
    let description = Wrapper::describe();
    let defaults: Vec<_> =
        description.keys.iter().map(|key| (key.name.as_str(), key.default.as_str())).collect();
    assert_eq!(
        defaults,
        [
            ("period", "100"),
            ("contentions_per_sec", "100000"),
            ("max_locks", "100000"),
            ("max_sites", "64")
        ]
    );
}

#[test]
fn a_locks_slot_leads_to_its_record_from_its_first_sample_on() {
    let wrapper: Wrapper = started(&[("period", "1"), ("max_locks", "1")]);
    let locks = [1, 2].map(|id| Lock::new(id, 9));
    let words = || {
        locks.each_ref().map(|lock| {
            let slot = lock.slot.as_ref().expect("it has one");
            slot.state().load(Ordering::Relaxed)
        })
    };
    locks.iter().for_each(|lock| lock.meet(&wrapper, 1));
    assert_eq!(words(), [0, 0]);
    for lock in &locks {
        lock_once(&wrapper, lock, 1, 10);
    }
    let [record, refused] = words();
    assert!(record != 0 && refused != 0 && record != refused);
    for lock in &locks {
        lock_once(&wrapper, lock, 2, 10);
    }
    assert_eq!(words(), [record, refused]);
}
