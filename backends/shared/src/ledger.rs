//! What was seen of one lock.

use lockscope_core::{Event, EventKind};

use crate::keyed::{Keyed, Limit};
use crate::tally::{Charge, Tally};

/// A call site, in one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The call site, as the lock's probe names it.
    pub site: usize,
    /// A [`Mode`](lockscope_core::Mode).
    pub mode: u8,
}

impl Use {
    /// Where and how `event` uses its lock.
    #[inline]
    #[must_use]
    pub fn of(event: &Event) -> Self {
        Self { site: event.site.0, mode: event.mode.0 }
    }
}

/// Who held the lock when whom began to wait: two call sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encounter {
    /// Who held it; 0 if not known.
    pub holder: usize,
    /// Who began to wait.
    pub waiter: usize,
}

/// What was seen of one lock, by call site, and who made whom wait.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What each call site did.
    pub uses: Keyed<Use, Tally>,
    /// What each call site made another wait.
    pub blame: Keyed<Encounter, Charge>,
}

impl Ledger {
    /// Writes `event` down, of a lock whose only ledger this is; false if its
    /// call site is beyond the first `sites`, and has no place of its own.
    ///
    /// To be called as a probe calls a backend: what an exclusive owner writes
    /// is kept apart by the lock itself.
    #[inline]
    pub fn note(&self, event: &Event, sites: u32) -> bool {
        let key = Use::of(event);
        let found = self.uses.find_or_add(key, uses_limit(sites, key));
        let tally = &found.node.value;
        match event.kind {
            // A contended acquisition may be told after the next owner has the
            // lock.
            EventKind::RELEASED if event.contended != 0 => {
                self.waited(tally, event, sites);
            }
            EventKind::RELEASED if event.mode.is_shared() => {
                tally.released_among(event.hold_ticks(), event.weight);
            }
            // The caller owns the lock alone: nobody else writes this.
            EventKind::RELEASED => {
                tally.released(event.hold_ticks(), event.weight);
            }
            EventKind::FAILED => tally.failed(event.weight),
            EventKind::IDLE => tally.idled(event.wait_ticks(), event.weight),
            // Made after this backend.
            _ => {}
        }
        !found.merged
    }

    #[cold]
    #[inline(never)]
    fn waited(&self, tally: &Tally, event: &Event, sites: u32) {
        let wait = event.wait_ticks();
        tally.waited(event.thread, wait, event.hold_ticks(), event.weight);
        let key = Encounter { holder: event.holder.0, waiter: event.site.0 };
        let charge = self.blame.find_or_add(key, blame_limit(sites)).node;
        charge.value.add(event.thread, wait, event.weight);
    }

    /// Adds all that `other` says, in which nobody writes any more; call sites
    /// beyond the first `sites` are added up.
    pub fn absorb(&self, other: &Self, sites: u32) {
        for node in other.uses.iter() {
            let ours = self.uses.find_or_add(node.key, uses_limit(sites, node.key)).node;
            ours.value.absorb(&node.value);
        }
        for node in other.blame.iter() {
            let ours = self.blame.find_or_add(node.key, blame_limit(sites)).node;
            ours.value.absorb(&node.value);
        }
    }
}

fn uses_limit(sites: u32, key: Use) -> Limit<Use> {
    Limit { keys: sites, catch_all: Use { site: 0, ..key } }
}

/// Waiters times holders, of which few meet.
fn blame_limit(sites: u32) -> Limit<Encounter> {
    Limit { keys: sites.saturating_mul(2), catch_all: Encounter { holder: 0, waiter: 0 } }
}
