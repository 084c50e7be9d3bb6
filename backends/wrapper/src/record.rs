//! What hangs on a lock.

use lockscope_core::sync::{AtomicU64, Ordering};
use lockscope_core::{Event, EventKind, LockRef};

use crate::keyed::{Keyed, Limit};
use crate::tally::{Charge, Tally};

/// A call site, in one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) site: usize,
    pub(crate) mode: u8,
}

/// Who held the lock when whom began to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encounter {
    pub(crate) holder: usize,
    pub(crate) waiter: usize,
}

/// What a lock was made as. Locks of one origin are folded together when they
/// are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) probe: u32,
    pub(crate) kind: u32,
    /// 0 if not known.
    pub(crate) created: usize,
    pub(crate) name: Option<&'static str>,
}

impl Origin {
    /// The origin of `lock`, which comes from a probe.
    pub(crate) fn of(lock: &LockRef) -> Self {
        Self {
            probe: lock.probe,
            kind: lock.kind.0,
            created: lock.created.0,
            // SAFETY: the lock comes from a probe, within this call.
            name: unsafe { lock.name() },
        }
    }

    /// The origin of those whose own is one too many.
    pub(crate) fn unknown(self) -> Self {
        Self { created: 0, name: None, ..self }
    }
}

/// What one lock has seen, or several dropped ones of one origin.
#[derive(Debug)]
pub(crate) struct Record {
    /// 0 if several locks are folded here.
    pub(crate) id: u64,
    pub(crate) origin: Origin,
    /// How many locks are folded here.
    folded: AtomicU64,
    pub(crate) uses: Keyed<Use, Tally>,
    pub(crate) blame: Keyed<Encounter, Charge>,
}

impl Record {
    pub(crate) fn new(id: u64, origin: Origin) -> Self {
        Self {
            id,
            origin,
            folded: AtomicU64::new(0),
            uses: Keyed::default(),
            blame: Keyed::default(),
        }
    }

    /// Writes `event` down; false if its call site had no place of its own.
    #[inline]
    pub(crate) fn note(&self, event: &Event, sites: u32) -> bool {
        let key = Use { site: event.site.0, mode: event.mode.0 };
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

    /// How many locks stand here.
    pub(crate) fn locks(&self) -> u64 {
        self.folded.load(Ordering::Relaxed).max(1)
    }

    /// Adds all that `other`, a lock of the same origin, has seen.
    pub(crate) fn absorb(&self, other: &Self, sites: u32) {
        self.folded.fetch_add(1, Ordering::Relaxed);
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
