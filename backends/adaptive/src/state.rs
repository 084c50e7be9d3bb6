//! Where a lock's state lives: in a record that its slot leads to.

use lockscope_backends::registry::{Limits, Registry};
use lockscope_core::clock::ClockScale;
use lockscope_core::report::Report;
use lockscope_core::{Event, LockRef, Session};

use crate::policy::Attention;

/// A record for each lock that was sampled, with how closely it is watched.
#[derive(Debug, Default)]
pub(crate) struct State(Registry<Attention>);

impl State {
    /// Forgets everything. No hook runs.
    pub(crate) fn start(&self, session: &Session, limits: Limits) {
        self.0.start(session, limits);
    }

    /// Writes `event`, of this session, into the record of its lock, and lets
    /// `act` say what follows from it; `None` for a lock without record.
    #[inline]
    pub(crate) fn note<R>(&self, event: &Event, act: impl FnOnce(&Attention) -> R) -> Option<R> {
        // SAFETY:
        // - a backend is told of events by a probe, while a session runs;
        // - nothing else here writes to slots.
        unsafe {
            self.0.with(&event.lock, event.weight, |record| {
                self.0.note(record, event);
                act(&record.kept)
            })
        }
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
