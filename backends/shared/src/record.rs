//! What is known of a lock.

use lockscope_core::LockRef;
use lockscope_core::sync::{AtomicU64, Ordering};

use crate::ledger::Ledger;

/// What a lock was made as. Locks of one origin are folded together when they
/// are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The probe that sees it.
    pub probe: u32,
    /// A [`LockKind`](lockscope_core::LockKind).
    pub kind: u32,
    /// Where it was made, as its probe names places; 0 if not known.
    pub created: usize,
    /// Its name, if it has one.
    pub name: Option<&'static str>,
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

/// What a backend keeps of a lock beside its ledger: `()` if nothing.
pub trait Kept: Default + Send + Sync + 'static {
    /// More ledgers of the same lock, whose numbers add up with the record's
    /// own. Nobody writes to them any more once the lock is dropped.
    fn ledgers(&self) -> impl Iterator<Item = &Ledger> {
        core::iter::empty()
    }
}

impl Kept for () {}

/// What one lock has seen, or several dropped ones of one origin.
#[derive(Debug)]
pub struct Record<K> {
    /// The lock's id; 0 if several locks are folded here.
    pub id: u64,
    /// What it was made as.
    pub origin: Origin,
    /// How many locks are folded here.
    folded: AtomicU64,
    /// What was seen.
    pub ledger: Ledger,
    /// What the backend keeps.
    pub kept: K,
}

impl<K: Kept> Record<K> {
    pub(crate) fn new(id: u64, origin: Origin) -> Self {
        Self {
            id,
            origin,
            folded: AtomicU64::new(0),
            ledger: Ledger::default(),
            kept: K::default(),
        }
    }

    /// How many locks stand here.
    #[must_use]
    pub fn locks(&self) -> u64 {
        self.folded.load(Ordering::Relaxed).max(1)
    }

    /// Its own ledger and those that the backend keeps.
    pub(crate) fn ledgers(&self) -> impl Iterator<Item = &Ledger> {
        core::iter::once(&self.ledger).chain(self.kept.ledgers())
    }

    /// Adds all that `other`, a lock of the same origin, has seen.
    pub(crate) fn absorb(&self, other: &Self, sites: u32) {
        self.folded.fetch_add(1, Ordering::Relaxed);
        other.ledgers().for_each(|ledger| self.ledger.absorb(ledger, sites));
    }
}
