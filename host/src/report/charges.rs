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

/// Waits that nobody is charged with yet.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    contentions: f64,
    wait_ns: f64,
}

impl Open {
    /// Takes `charged` away, as far as there is that much. What there is not.
    fn settle(&mut self, charged: Self) -> Self {
        let contentions = charged.contentions.min(self.contentions);
        let wait_ns = charged.wait_ns.min(self.wait_ns);
        self.contentions -= contentions;
        self.wait_ns -= wait_ns;
        Self { contentions: charged.contentions - contentions, wait_ns: charged.wait_ns - wait_ns }
    }

    fn add(&mut self, other: Self) {
        self.contentions += other.contentions;
        self.wait_ns += other.wait_ns;
    }

    /// Less than half a unit is what rounding leaves of equal sums.
    fn is_settled(self) -> bool {
        self.contentions < 0.5 && self.wait_ns < 0.5
    }
}

/// All waits for `lock`, each charged to somebody: what the report blames on
/// nobody is charged to an unknown holder, so that the charges add up to the
/// waits and no share is overstated.
///
/// A backend whose tables are full may know a wait's call site in one of them
/// and not in the other. A charge that fits no call site is therefore taken to
/// be for waits that nobody else is charged with, and these are not charged
/// again.
pub(crate) fn charges(lock: &Lock) -> Vec<Charge<'_>> {
    let mut open: BTreeMap<Option<PlaceIdentity>, (Option<&Place>, Open)> = BTreeMap::new();
    for site in &lock.sites {
        let waiter = site.place.as_ref();
        let (_, waits) =
            open.entry(waiter.map(Place::identity)).or_insert((waiter, Open::default()));
        waits.add(Open { contentions: site.contentions.value, wait_ns: site.wait_ns.total.value });
    }
    let mut charges = Vec::new();
    let mut misfit = Open::default();
    for blame in &lock.blame {
        let mut charged =
            Open { contentions: blame.contentions.value, wait_ns: blame.wait_ns.value };
        charges.push(charge(blame.holder.as_ref(), blame.waiter.as_ref(), charged));
        if let Some((_, waits)) = open.get_mut(&blame.waiter.as_ref().map(Place::identity)) {
            charged = waits.settle(charged);
        }
        misfit.add(charged);
    }
    for (waiter, mut rest) in open.into_values() {
        misfit = rest.settle(misfit);
        if !rest.is_settled() {
            charges.push(charge(None, waiter, rest));
        }
    }
    charges
}

fn charge<'a>(holder: Option<&'a Place>, waiter: Option<&'a Place>, waits: Open) -> Charge<'a> {
    Charge { holder, waiter, contentions: waits.contentions, wait_ns: waits.wait_ns }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::model::{Blame, Site};
    use super::super::sample::{blame, exact, lock, place, populated, site};
    use super::*;

    fn waits(at: Option<Place>, contentions: f64, ns: f64) -> Site {
        let mut waits =
            Site { place: at, contentions: exact(contentions), ..site(place("a.rs", 1), "write") };
        waits.wait_ns.total = exact(ns);
        waits
    }

    #[test]
    fn what_nobody_is_blamed_for_is_charged_to_an_unknown_holder() {
        let mut lock = lock(1, "mutex");
        lock.sites = vec![waits(Some(place("a.rs", 1)), 51.0, 50_200.0)];
        lock.blame = vec![blame(Some(place("b.rs", 2)), Some(place("a.rs", 1)), 50_000.0)];
        let charges = charges(&lock);
        assert_eq!(charges.len(), 2);
        assert_eq!(charges[0].holder, Some(&place("b.rs", 2)));
        assert_eq!(charges[1].holder, None);
        assert_eq!((charges[1].contentions, charges[1].wait_ns), (1.0, 200.0));
    }

    #[test]
    fn charges_add_up_to_the_waits() {
        for lock in &populated().locks {
            let charged: f64 = charges(lock).iter().map(|charge| charge.wait_ns).sum();
            assert!((charged - lock.wait_ns()).abs() < 1.0, "{}", lock.label());
        }
    }

    /// Any of three places, or the one that stands for all that had no room.
    fn somewhere() -> impl Strategy<Value = Option<Place>> {
        proptest::option::of((1..4_u32).prop_map(|line| place("a.rs", line)))
    }

    proptest! {
        /// However a backend files the two ends of a wait.
        #[test]
        fn no_wait_is_charged_twice(
            all in proptest::collection::vec((somewhere(), somewhere(), somewhere(), 1..1_000_u32), 0..8),
            unblamed in 0..4_u32,
        ) {
            let mut lock = lock(1, "mutex");
            for (number, (filed_at, blamed_at, holder, ns)) in all.into_iter().enumerate() {
                let ns = f64::from(ns);
                lock.sites.push(waits(filed_at, 1.0, ns));
                if number >= unblamed as usize {
                    let contentions = exact(1.0);
                    lock.blame.push(Blame { contentions, ..blame(holder, blamed_at, ns) });
                }
            }
            let charges = charges(&lock);
            let charged: f64 = charges.iter().map(|charge| charge.wait_ns).sum();
            let times: f64 = charges.iter().map(|charge| charge.contentions).sum();
            prop_assert!((charged - lock.wait_ns()).abs() < 0.001, "{charges:?}");
            prop_assert!((times - lock.sites.len() as f64).abs() < 0.001, "{charges:?}");
        }
    }
}
