//! Locks of one identity, in one row.

use std::collections::BTreeMap;

use super::charges::charges;
use super::model::{Lock, ReportFile, Times, Total};
use super::quantile::quantile;
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
    pub(crate) wait_p99_ns: Option<f64>,
    pub(crate) hold_ns: Total,
    /// `None` if no hold was seen.
    pub(crate) hold_mean_ns: Option<f64>,
    pub(crate) blame: Option<MostToBlame>,
}

/// The holder call site that made others wait longest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MostToBlame {
    pub(crate) holder: String,
    /// Its part of all waiting for these locks, from 0 to 1.
    pub(crate) share: f64,
}

/// The rows of a report, in order.
pub(crate) fn rows(report: &ReportFile, sort: SortKey) -> Vec<Row> {
    let mut groups: BTreeMap<(String, &str), Vec<&Lock>> = BTreeMap::new();
    for lock in &report.locks {
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

fn row(label: &str, kind: &str, locks: &[&Lock]) -> Row {
    let sites = || locks.iter().flat_map(|lock| &lock.sites);
    let waits: Vec<&Times> = sites().map(|site| &site.wait_ns).collect();
    let acquisitions: Total = sites().map(|site| site.acquisitions).sum();
    let hold_ns: Total = sites().map(|site| site.hold_ns.total).sum();
    let has_holds = hold_ns.value > 0.0 && acquisitions.value > 0.0;
    Row {
        label: clean(label),
        kind: clean(kind),
        locks: locks.iter().map(|lock| lock.locks).sum(),
        acquisitions,
        contentions: sites().map(|site| site.contentions).sum(),
        wait_ns: waits.iter().map(|times| times.total).sum(),
        wait_p99_ns: quantile(waits, 0.99),
        hold_ns,
        hold_mean_ns: has_holds.then(|| hold_ns.value / acquisitions.value),
        blame: most_to_blame(locks),
    }
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
