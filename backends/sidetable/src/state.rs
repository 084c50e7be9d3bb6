//! Where a lock's state lives: in a table, by thread; and the way to it.

use lockscope_backends::keyed::{Keyed, Limit};
use lockscope_backends::ledger::{Ledger, Use, Writers};
use lockscope_backends::record::Kept;
use lockscope_backends::registry::{Limits, Registry};
use lockscope_core::clock::ClockScale;
use lockscope_core::pad::Lent;
use lockscope_core::report::Report;
use lockscope_core::sync::{AtomicU32, Ordering};
use lockscope_core::{Event, LockRef, Session};

use crate::asked::{Asked, Name};
use crate::ways::{Way, Ways};

/// A record for each lock that was sampled, and in it a ledger for each thread.
#[derive(Debug, Default)]
pub(crate) struct State {
    registry: Registry<Parts>,
    ways: Ways,
    max_threads: AtomicU32,
}

/// What each thread has seen of one lock.
#[derive(Debug, Default)]
pub(crate) struct Parts(Keyed<u32, Ledger>);

/// In place of the number of a thread that has no ledger of its own: the kernel
/// gives this number to none.
const THE_REST: u32 = 0;

impl Parts {
    /// The ledger of a thread, and who else writes there.
    fn of(&self, thread: u32, max_threads: u32) -> (&Ledger, Writers) {
        let limit = Limit { keys: max_threads, catch_all: THE_REST };
        let part = self.0.find_or_add(thread, limit).node;
        let is_shared = part.key == THE_REST;
        (&part.value, if is_shared { Writers::Owners } else { Writers::OneThread })
    }
}

impl Kept for Parts {
    fn ledgers(&self) -> impl Iterator<Item = &Ledger> {
        self.0.iter().map(|part| &part.value)
    }
}

impl State {
    /// Forgets everything. No hook runs.
    pub(crate) fn start(&self, session: &Session, limits: Limits, max_threads: u32) {
        self.ways.clear();
        self.registry.start(session, limits);
        self.max_threads.store(max_threads, Ordering::Relaxed);
    }

    /// Writes `event`, of this session, into its thread's ledger of its lock.
    #[inline]
    pub(crate) fn note(&self, event: &Event) {
        let asked = Asked::by(event);
        // SAFETY:
        // - an event is told by its own thread;
        // - a way leads into the record of a lock, which lives until the lock is
        //   dropped, which it is not while an event of it is told, or until the
        //   next session starts, and then all are forgotten.
        match unsafe { self.ways.find(&asked) } {
            Some(Way { ledger, tally }) => {
                ledger.note_at(tally, event, self.registry.sites(), Writers::OneThread);
            }
            None => self.note_by_table(event),
        }
    }

    /// Where its thread may leave more of what `event`, which was noted, told;
    /// nowhere if no way leads to its numbers.
    pub(crate) fn lend(&self, event: &Event) -> Option<Lent> {
        // SAFETY: as in `note`.
        let way = unsafe { self.ways.find(&Asked::by(event)) }?;
        // SAFETY: as in `note`; a way leads to what its thread alone writes, for
        // the lock's owners.
        Some(unsafe { way.tally.lend() })
    }

    /// Asks anew what is asked: so that who finds a way keeps that in registers.
    #[cold]
    #[inline(never)]
    fn note_by_table(&self, event: &Event) {
        // SAFETY: a backend is told of events by a probe.
        let record = unsafe { self.registry.record_of(&event.lock, event.weight) };
        let Some(record) = record else { return };
        let max_threads = self.max_threads.load(Ordering::Relaxed);
        let (ledger, writers) = record.kept.of(event.thread, max_threads);
        let sites = self.registry.sites();
        let place = ledger.place_of(Use::of(event), sites);
        let tally = &place.node.value;
        if place.merged {
            self.registry.note_merged(event.weight);
        } else if writers == Writers::OneThread {
            self.ways.remember(&Asked::by(event), &Way { ledger, tally });
        }
        ledger.note_at(tally, event, sites, writers);
    }

    /// The lock is no more: what was seen of it joins what was seen of those of
    /// its origin, and no way leads to it.
    pub(crate) fn forget(&self, lock: &LockRef) {
        let Some(record) = self.registry.drop_lock(lock) else { return };
        let lock = Name::of(lock);
        for part in record.kept.0.iter() {
            for place in part.value.uses.iter() {
                self.ways.forget(&Asked { thread: part.key, lock, call: place.key });
            }
        }
    }

    /// What all threads have seen; the session's ticks are `clock`'s.
    pub(crate) fn report(&self, clock: ClockScale) -> Report {
        self.registry.report(clock)
    }
}
