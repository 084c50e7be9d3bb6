//! What the host is told.

use lockscope_core::clock::ClockScale;
use lockscope_core::report::{Blame, LockReport, Loss, Report, SiteReport};

use crate::keyed::Node;
use crate::ledger::{Encounter, Use};
use crate::record::{Kept, Record};
use crate::registry::Limits;
use crate::tally::{Charge, Tally};

/// What a session has lost, to be told with what it has seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Losses {
    pub(crate) limits: Limits,
    /// Operations of locks without record.
    pub(crate) refused: u64,
    /// Operations whose call site has no place of its own.
    pub(crate) merged: u64,
}

impl Losses {
    /// Those that there are, in words.
    pub(crate) fn told(&self) -> impl Iterator<Item = Loss> {
        let Limits { locks, sites } = self.limits;
        let refused = format!("operations of locks beyond {locks} (max_locks)");
        let merged = format!("call sites of operations, beyond {sites} of one lock (max_sites)");
        [(refused, self.refused), (merged, self.merged)]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| Loss { what: what.into(), count })
    }
}

/// Adds what `record` has seen to `report`; the session's ticks are `clock`'s.
pub(crate) fn add<K: Kept>(report: &mut Report, record: &Record<K>, clock: ClockScale) {
    let uses = record.ledgers().flat_map(|ledger| ledger.uses.iter());
    let sites: Vec<SiteReport> = uses.map(|node| site(node, clock)).collect();
    let blame = record.ledgers().flat_map(|ledger| ledger.blame.iter());
    report.samples += sites.iter().map(|site| site.samples).sum::<u64>();
    report.locks.push(LockReport {
        id: record.id,
        probe: record.origin.probe,
        kind: record.origin.kind,
        created: record.origin.created,
        name: record.origin.name.unwrap_or_default().into(),
        locks: record.locks(),
        sites: sites.into(),
        blame: blame.map(|node| charge(node, clock)).collect(),
    });
}

fn site(node: &Node<Use, Tally>, clock: ClockScale) -> SiteReport {
    SiteReport { site: node.key.site, mode: node.key.mode, ..node.value.report(clock) }
}

fn charge(node: &Node<Encounter, Charge>, clock: ClockScale) -> Blame {
    let (contentions, wait_ns) = node.value.estimates(clock);
    Blame { holder: node.key.holder, waiter: node.key.waiter, contentions, wait_ns }
}
