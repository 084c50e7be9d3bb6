//! Locks of one identity, in one row.

use std::collections::BTreeMap;

use super::charges::charges;
use super::model::{Lock, ReportFile, Times, Total};
use super::quantile::{Quantile, quantile};
use super::text::clean;

/// What rows are ordered by, the greatest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SortKey {
    /// Time spent waiting for the lock.
    #[default]
    Wait,
    /// Time for which the lock was held.
    Hold,
    /// Acquisitions that had to wait.
    Contentions,
}

/// Locks with one name, or of one creation site, and of one kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// Name or creation site.
    pub(crate) label: String,
    pub(crate) kind: String,
    /// How many locks stand here.
    pub(crate) locks: u64,
    pub(crate) acquisitions: Total,
    pub(crate) contentions: Total,
    pub(crate) wait_ns: Total,
    /// `None` if nobody waited.
    pub(crate) wait_p99: Option<Quantile>,
    pub(crate) hold_ns: Total,
    /// `None` if no hold was seen.
    pub(crate) hold_mean_ns: Option<Total>,
    pub(crate) blame: Option<MostToBlame>,
}

/// The holder call site that made others wait longest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MostToBlame {
    pub(crate) holder: String,
    /// Its part of all waiting for these locks, from 0 to 1.
    pub(crate) share: f64,
}

/// The rows of a report, in order. What is only idled at, as at a condition
/// variable, has none: see [`idling`].
pub(crate) fn rows(report: &ReportFile, sort: SortKey) -> Vec<Row> {
    let mut groups: BTreeMap<(String, &str), Vec<&Lock>> = BTreeMap::new();
    for lock in report.locks.iter().filter(|lock| !is_only_idled_at(lock)) {
        groups.entry((lock.label(), &lock.kind)).or_default().push(lock);
    }
    let mut rows: Vec<Row> =
        groups.into_iter().map(|((label, kind), locks)| row(&label, kind, &locks)).collect();
    // Stable: rows that are equal in all of this stay in alphabetical order.
    rows.sort_by(|a, b| {
        let keys = |row: &Row| match sort {
            SortKey::Wait => [row.wait_ns.value, row.contentions.value, row.acquisitions.value],
            SortKey::Hold => [row.hold_ns.value, row.wait_ns.value, row.acquisitions.value],
            SortKey::Contentions => {
                [row.contentions.value, row.wait_ns.value, row.acquisitions.value]
            }
        };
        let (left, right) = (keys(a), keys(b));
        right[0]
            .total_cmp(&left[0])
            .then_with(|| right[1].total_cmp(&left[1]))
            .then_with(|| right[2].total_cmp(&left[2]))
    });
    rows
}

/// Idle times in all of the report: how many, and how long together.
pub(crate) fn idling(report: &ReportFile) -> (Total, Total) {
    let sites = || report.locks.iter().flat_map(|lock| &lock.sites);
    (sites().map(|site| site.idles).sum(), sites().map(|site| site.idle_ns.total).sum())
}

/// Whether the lock has nothing to show in any column.
fn is_only_idled_at(lock: &Lock) -> bool {
    let idles = lock.sites.iter().any(|site| site.idles.value > 0.0);
    let rest = lock.sites.iter().flat_map(|site| {
        [site.acquisitions, site.contentions, site.failures].map(|total| total.value)
    });
    idles && rest.sum::<f64>() <= 0.0
}

fn row(label: &str, kind: &str, locks: &[&Lock]) -> Row {
    let sites = || locks.iter().flat_map(|lock| &lock.sites);
    let waits: Vec<&Times> = sites().map(|site| &site.wait_ns).collect();
    let acquisitions: Total = sites().map(|site| site.acquisitions).sum();
    let hold_ns: Total = sites().map(|site| site.hold_ns.total).sum();
    Row {
        label: clean(label),
        kind: clean(kind),
        locks: locks.iter().map(|lock| lock.locks).sum(),
        acquisitions,
        contentions: sites().map(|site| site.contentions).sum(),
        wait_ns: waits.iter().map(|times| times.total).sum(),
        wait_p99: quantile(waits, 0.99),
        hold_ns,
        hold_mean_ns: quotient(hold_ns, acquisitions),
        blame: most_to_blame(locks),
    }
}

/// The quotient of two estimates from the same samples.
///
/// How they vary together is not in a report. Whatever it is, the relative
/// error of the quotient is to the first order that of their difference
/// (Särndal, Swensson and Wretman 1992, section 5.6), which is no greater than
/// the sum of both (Minkowski's inequality): an error that is stated so is
/// never too small.
fn quotient(dividend: Total, divisor: Total) -> Option<Total> {
    if dividend.value <= 0.0 || divisor.value <= 0.0 {
        return None;
    }
    let value = dividend.value / divisor.value;
    let relative =
        dividend.standard_error / dividend.value + divisor.standard_error / divisor.value;
    Some(Total { value, standard_error: value * relative })
}

/// A holder that is not known is named only if there is no other: it would
/// tell nobody what to change, and the share says how much is known.
fn most_to_blame(locks: &[&Lock]) -> Option<MostToBlame> {
    let mut holders: BTreeMap<Option<String>, f64> = BTreeMap::new();
    let mut whole = 0.0;
    for charge in locks.iter().flat_map(|lock| charges(lock)) {
        whole += charge.wait_ns;
        *holders.entry(charge.holder.map(|place| clean(&place.label()))).or_default() +=
            charge.wait_ns;
    }
    let (holder, wait_ns) = holders
        .into_iter()
        .filter(|(_, wait_ns)| *wait_ns > 0.0)
        // The last of equals wins; turned round, that is the first by name.
        .rev()
        .max_by(|a, b| a.0.is_some().cmp(&b.0.is_some()).then_with(|| a.1.total_cmp(&b.1)))?;
    Some(MostToBlame {
        holder: holder.unwrap_or_else(|| "not known".to_owned()),
        share: wait_ns / whole,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{deadlock, exact, lock, place, populated, site};
    use super::*;

    fn labels(sort: SortKey) -> Vec<String> {
        let mut report = populated();
        // The greatest in one order is not so in the others.
        report.locks[0].sites[0].hold_ns.total = exact(1.0);
        let pool = report.locks.iter_mut().find(|lock| lock.id == 0).expect("dropped locks");
        pool.sites[0].contentions = exact(1e6);
        rows(&report, sort).into_iter().map(|row| row.label).collect()
    }

    #[test]
    fn the_greatest_comes_first() {
        let distant = "/usr/src/indexer/vendor/worker-queue-2.1.0/src/deque/stealing/steal.rs:1234";
        let nameless = "lock 562949953421313";
        assert_eq!(labels(SortKey::Wait), ["index", "src/pool.rs:41", distant, nameless]);
        assert_eq!(labels(SortKey::Hold), ["src/pool.rs:41", "index", distant, nameless]);
        assert_eq!(labels(SortKey::Contentions), ["src/pool.rs:41", "index", distant, nameless]);
        let mut report = deadlock();
        report.locks.reverse();
        let equals: Vec<_> =
            rows(&report, SortKey::Wait).into_iter().map(|row| row.label).collect();
        assert_eq!(equals, ["accounts", "journal"]);
    }

    #[test]
    fn the_dropped_and_the_living_of_one_origin_are_one_row() {
        let rows = rows(&populated(), SortKey::Wait);
        let pool = &rows[1];
        assert_eq!(pool.locks, 1_000);
        assert_eq!(pool.acquisitions.value, 100_000.0);
        // Variances add up: 99.5² · (1 + 999).
        assert!((pool.acquisitions.standard_error - 99.5 * 1_000_f64.sqrt()).abs() < 1e-6);
        assert_eq!(pool.contentions, exact(2_000.0));
        assert_eq!(pool.wait_ns, exact(3_000_000.0));
        assert_eq!(pool.hold_ns, exact(4_300_000.0));
    }

    #[test]
    fn one_name_for_two_kinds_is_two_rows() {
        let mut report = populated();
        report.locks[1].name = Some("index".to_owned());
        let rows = rows(&report, SortKey::Wait);
        let kinds: Vec<_> =
            rows.iter().filter(|row| row.label == "index").map(|row| row.kind.as_str()).collect();
        assert_eq!(kinds, ["rwlock", "mutex"]);
    }

    #[test]
    fn a_lock_that_is_only_idled_at_has_no_row_and_is_not_forgotten() {
        let rows = rows(&populated(), SortKey::Wait);
        assert!(rows.iter().all(|row| row.label != "work is ready"));
        assert_eq!(idling(&populated()), (exact(2_003.0), exact(8_000_030_000.0)));
    }

    #[test]
    fn blame_is_a_share_of_all_waits_and_goes_to_somebody_who_is_known() {
        let rows = rows(&populated(), SortKey::Wait);
        let blame = |row: usize| rows[row].blame.clone().expect("somebody waited");
        assert_eq!(blame(0).holder, "src/index.rs:88");
        assert!((blame(0).share - 1.03 / 1.23).abs() < 1e-9);
        // Two thirds found a holder that is not known.
        assert_eq!(blame(1).holder, "src/pool.rs:57");
        assert!((blame(1).share - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(rows[3].blame, None);
    }

    #[test]
    fn waits_for_nobody_known_say_so() {
        let mut report = populated();
        report.locks[0].blame.clear();
        let blame = rows(&report, SortKey::Wait)[0].blame.clone();
        assert_eq!(blame, Some(MostToBlame { holder: "not known".to_owned(), share: 1.0 }));
    }

    #[test]
    fn no_mean_of_nothing() {
        let mut untouched = populated();
        untouched.locks = vec![lock(1, "mutex")];
        untouched.locks[0].sites = vec![site(place("a.rs", 1), "write")];
        let row = rows(&untouched, SortKey::Wait).remove(0);
        assert_eq!((row.hold_mean_ns, row.wait_p99), (None, None));
    }

    /// SplitMix64, as a number in [0, 1).
    fn random(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = *state;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ bits >> 31) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One in ten of a thousand holds of `hold` nanoseconds, estimated.
    fn sampled(state: &mut u64, hold: impl Fn(f64) -> f64) -> [Total; 2] {
        const WEIGHT: f64 = 10.0;
        let (mut number, mut squares, mut ns) = (0.0, 0.0, 0.0);
        for _ in 0..1_000 {
            let held = hold(random(state));
            if random(state) * WEIGHT < 1.0 {
                (number, ns, squares) = (number + 1.0, ns + held, squares + held * held);
            }
        }
        let total = |sum: f64, squares: f64| Total {
            value: WEIGHT * sum,
            standard_error: (WEIGHT * (WEIGHT - 1.0) * squares).sqrt(),
        };
        [total(ns, squares), total(number, number)]
    }

    #[test]
    fn the_error_of_a_mean_is_never_stated_too_small() {
        let holds: [fn(f64) -> f64; 3] =
            [|_| 50.0, |u| 100.0 * u, |u| if u < 0.01 { 10_000.0 } else { 10.0 }];
        for (which, hold) in holds.into_iter().enumerate() {
            let mut state = 7;
            let means: Vec<Total> = (0..500)
                .filter_map(|_| {
                    let [ns, number] = sampled(&mut state, hold);
                    quotient(ns, number)
                })
                .collect();
            let n = means.len() as f64;
            let mean = means.iter().map(|mean| mean.value).sum::<f64>() / n;
            let spread = means.iter().map(|of| (of.value - mean).powi(2)).sum::<f64>() / (n - 1.0);
            let stated = means.iter().map(|mean| mean.standard_error.powi(2)).sum::<f64>() / n;
            assert!(spread.sqrt() <= stated.sqrt(), "{which}: {spread} is more than {stated}");
            assert!(stated.sqrt() < mean * 2.0, "{which}: {stated} says nothing");
        }
    }
}
