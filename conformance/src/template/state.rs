//! What is kept of a lock, and where: a record for each, to which the lock's slot
//! leads once it was sampled. Locks without slot are looked up.
//!
//! What several threads write at once is an atomic, and what is locked is locked for
//! a moment: by `lockscope_core::sync`, so that models see it.

use lockscope_backends::registry::{Limits, Registry};
use lockscope_core::clock::ClockScale;
use lockscope_core::report::Report;
use lockscope_core::{Event, LockRef, Session};

/// A record for each lock that was sampled.
#[derive(Debug, Default)]
pub(crate) struct State(Registry);

impl State {
    /// Forgets everything. No hook runs.
    pub(crate) fn start(&self, session: &Session, limits: Limits) {
        self.0.start(session, limits);
    }

    /// Writes `event`, of this session, into the record of its lock.
    #[inline]
    pub(crate) fn note(&self, event: &Event) {
        let note = |record: &_| self.0.note(record, event);
        // SAFETY:
        // - a backend is told of events by a probe, while a session runs;
        // - nothing else here writes to slots.
        unsafe { self.0.with(&event.lock, event.weight, note) };
    }

    /// The lock is no more: its record joins those of its origin.
    pub(crate) fn forget(&self, lock: &LockRef) {
        self.0.drop_lock(lock);
    }

    /// What all records say; the session's ticks are `clock`'s.
    pub(crate) fn report(&self, clock: ClockScale) -> Report {
        self.0.report(clock)
    }
}
