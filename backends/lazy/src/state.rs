//! Where a lock's state lives: in a record that its slot leads to in each
//! window in which it is seen.

use lockscope_backends::record::Kept;
use lockscope_backends::registry::{Limits, Registry};
use lockscope_core::clock::ClockScale;
use lockscope_core::pad::Lent;
use lockscope_core::report::Report;
use lockscope_core::sync::{AtomicU64, Ordering};
use lockscope_core::{Event, LockRef, Session};

/// What part of the room for records may be taken by those of locks that were
/// not seen in the last window: one in so many.
const UNSEEN_PART: usize = 4;
/// What part may be taken by any when a window begins. If those of the last one
/// are more, its locks may all be gone, and the next must not be blind for them.
const OLD_PART: usize = 2;

/// A record for each lock that was sampled.
#[derive(Debug, Default)]
pub(crate) struct State(Registry<Seen>);

/// In which window the lock was seen last.
#[derive(Debug, Default)]
struct Seen(AtomicU64);

impl Kept for Seen {}

impl Seen {
    /// Relaxed, as below: read when no hook runs.
    #[inline]
    fn mark(&self, window: u64) {
        // A line that is only read stays with all who read it.
        if self.0.load(Ordering::Relaxed) != window {
            self.0.store(window, Ordering::Relaxed);
        }
    }

    fn is_from(&self, window: u64) -> bool {
        self.0.load(Ordering::Relaxed) == window
    }
}

impl State {
    /// Forgets everything. No hook runs.
    pub(crate) fn start(&self, session: &Session, limits: Limits) {
        self.0.start(session, limits);
    }

    /// Writes `event`, of the window with this number, into the record of its
    /// lock.
    #[inline]
    pub(crate) fn note(&self, event: &Event, window: u64) {
        // SAFETY:
        // - a backend is told of events by a probe, while a session runs, and
        //   each window is a generation;
        // - nothing else here writes to slots.
        unsafe {
            self.0.with(&event.lock, event.weight, |record| {
                record.kept.mark(window);
                self.0.note(record, event);
            });
        }
    }

    /// Where more of what `event` told may be left.
    pub(crate) fn lend(&self, event: &Event) -> Option<Lent> {
        // SAFETY: as in `note`, by which all events are written.
        unsafe { self.0.lend(event) }
    }

    /// The lock is no more: its record joins those of its origin.
    pub(crate) fn forget(&self, lock: &LockRef) {
        self.0.drop_lock(lock);
    }

    /// The window with this number is over, and no hook runs: gets ready for a
    /// time in which locks come and go unseen.
    pub(crate) fn settle(&self, window: u64, limits: Limits) {
        self.0.lose_sight();
        let room = limits.locks as usize;
        if self.0.records() > room / UNSEEN_PART {
            self.0.fold(|record| !record.kept.is_from(window));
        }
        if self.0.records() > room / OLD_PART {
            self.0.fold(|_| true);
        }
    }

    /// How many samples were taken in the session. Exact while no hook runs.
    pub(crate) fn samples(&self) -> u64 {
        self.0.samples()
    }

    /// What all records say; the session's ticks are `clock`'s.
    pub(crate) fn report(&self, clock: ClockScale) -> Report {
        self.0.report(clock)
    }
}
