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

#[cfg(test)]
mod tests {
    use super::super::model::Site;
    use super::super::sample::{blame, exact, lock, place, populated, site};
    use super::*;

    #[test]
    fn what_nobody_is_blamed_for_is_charged_to_an_unknown_holder() {
        let mut lock = lock(1, "mutex");
        let mut waits = Site { contentions: exact(150.0), ..site(place("a.rs", 1), "write") };
        waits.wait_ns.total = exact(700.0);
        lock.sites = vec![waits];
        lock.blame = vec![blame(Some(place("b.rs", 2)), Some(place("a.rs", 1)), 500.0)];
        let charges = charges(&lock);
        assert_eq!(charges.len(), 2);
        assert_eq!(charges[0].holder, Some(&place("b.rs", 2)));
        assert_eq!(charges[1].holder, None);
        assert_eq!((charges[1].contentions, charges[1].wait_ns), (50.0, 200.0));
    }

    #[test]
    fn charges_add_up_to_the_waits() {
        for lock in &populated().locks {
            let charged: f64 = charges(lock).iter().map(|charge| charge.wait_ns).sum();
            assert!((charged - lock.wait_ns()).abs() < 1.0, "{}", lock.label());
        }
    }
}
