//! The backend through its trait: sessions, events that are made up, and what
//! it says of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod table;

use lockscope_core::backend::Backend;
use lockscope_sidetable::Sidetable;

lockscope_conformance::suite!(lockscope_sidetable::Sidetable, settings, limits, period);

#[test]
fn its_keys_are_described_with_their_defaults() {
    let description = Sidetable::describe();
    let defaults: Vec<_> =
        description.keys.iter().map(|key| (key.name.as_str(), key.default.as_str())).collect();
    assert_eq!(
        defaults,
        [
            ("period", "100"),
            ("contentions_per_sec", "100000"),
            ("max_locks", "100000"),
            ("max_sites", "64"),
            ("max_threads", "64")
        ]
    );
}
