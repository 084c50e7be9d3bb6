//! Who is charged with the waits for a lock.

use std::collections::BTreeMap;

use super::model::{Lock, Place, PlaceIdentity};

/// Waits of one call site that are charged to one holder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Charge<'a> {
    /// Who held the lock; `None` if not known.
    pub(crate) holder: Option<&'a Place>,
    /// Who waited; `None` if not known.
    pub(crate) waiter: Option<&'a Place>,
    /// How many waits.
    pub(crate) contentions: f64,
    /// How long, in nanoseconds.
    pub(crate) wait_ns: f64,
}

/// Waits of one call site that nobody is charged with yet.
#[derive(Default)]
struct Open<'a> {
    waiter: Option<&'a Place>,
    contentions: f64,
    wait_ns: f64,
}

/// All waits for `lock`, each charged to somebody: what the report blames on
/// nobody is charged to an unknown holder, so that the charges add up to the
/// waits and no share is overstated.
pub(crate) fn charges(lock: &Lock) -> Vec<Charge<'_>> {
    let mut open: BTreeMap<Option<PlaceIdentity>, Open<'_>> = BTreeMap::new();
    for site in &lock.sites {
        let entry = open.entry(site.place.as_ref().map(Place::identity)).or_default();
        entry.waiter = site.place.as_ref();
        entry.contentions += site.contentions.value;
        entry.wait_ns += site.wait_ns.total.value;
    }
    let mut charges = Vec::new();
    for blame in &lock.blame {
        if let Some(entry) = open.get_mut(&blame.waiter.as_ref().map(Place::identity)) {
            entry.contentions -= blame.contentions.value;
            entry.wait_ns -= blame.wait_ns.value;
        }
        charges.push(Charge {
            holder: blame.holder.as_ref(),
            waiter: blame.waiter.as_ref(),
            contentions: blame.contentions.value,
            wait_ns: blame.wait_ns.value,
        });
    }
    for rest in open.into_values() {
        // Less than half a unit is what rounding leaves of equal sums.
        if rest.contentions >= 0.5 || rest.wait_ns >= 0.5 {
            charges.push(Charge {
                holder: None,
                waiter: rest.waiter,
                contentions: rest.contentions.max(0.0),
                wait_ns: rest.wait_ns.max(0.0),
            });
        }
    }
    charges
}
