//! What a session keeps, and what it loses.

use lockscope_core::backend::{Backend, BackendError};
use lockscope_core::report::{LockReport, Report};
use lockscope_core::sync::{AtomicBool, AtomicU32, Ordering};
use lockscope_core::{Countdown, Event, Session};

use crate::memory::{OwnMutex, is_simulated};
use crate::{Alter, Good, Mutation};

pub(super) const KEEPS_WHAT_NOBODY_LOOKED_AT: Mutation = Mutation {
    name: "keeps-what-nobody-looked-at",
    breaks: "SESSION-04",
    alter: Alter {
        start: keep_if_unseen,
        stop: |good| {
            // Relaxed, here and below: the host calls one after the other.
            IS_SEEN.store(false, Ordering::Relaxed);
            good.stop()
        },
        snapshot: with_what_was_kept,
        ..Alter::NOTHING
    },
};

static IS_SEEN: AtomicBool = AtomicBool::new(true);
static KEPT: OwnMutex<Vec<LockReport>> = OwnMutex::new();

fn keep_if_unseen(good: &Good, session: &Session) -> Result<(), BackendError> {
    let last = if IS_SEEN.load(Ordering::Relaxed) { None } else { good.snapshot().ok() };
    good.start(session)?;
    let rows = last.into_iter().flat_map(|report| report.locks);
    // A host finds out in a session of its own, for which nobody asks, what a sample
    // costs: other rules would see its lock, of which it does not say where it was made.
    let is_kept = |row: &LockReport| row.created != 0 && is_simulated(row.created);
    *KEPT.lock() = rows.filter(is_kept).collect();
    Ok(())
}

fn with_what_was_kept(good: &Good) -> Result<Report, BackendError> {
    IS_SEEN.store(true, Ordering::Relaxed);
    let mut report = good.snapshot()?;
    report.locks.extend(KEPT.lock().iter().cloned());
    Ok(report)
}

pub(super) const LOSES_WHAT_IS_TOLD_AT_ONCE: Mutation = Mutation {
    name: "loses-what-is-told-at-once-from-the-fourth-session-on",
    breaks: "SESSION-08",
    alter: Alter { start: count_starts, event: lose_what_is_told_at_once, ..Alter::NOTHING },
};

static STARTS: AtomicU32 = AtomicU32::new(0);

fn count_starts(good: &Good, session: &Session) -> Result<(), BackendError> {
    good.start(session)?;
    STARTS.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

fn lose_what_is_told_at_once(good: &Good, event: &Event) -> Countdown {
    static IS_BUSY: AtomicBool = AtomicBool::new(false);
    if is_simulated(event.lock.address) || STARTS.load(Ordering::Relaxed) < 4 {
        return good.event(event);
    }
    if IS_BUSY.swap(true, Ordering::Relaxed) {
        return Countdown::UNCHANGED;
    }
    let countdown = good.event(event);
    // So that it is met with, on however few processors.
    std::thread::yield_now();
    IS_BUSY.store(false, Ordering::Relaxed);
    countdown
}

pub(super) const COUNTS_HOW_OFTEN_IT_WAS_ASKED: Mutation = Mutation {
    name: "counts-how-often-it-was-asked-after-its-stop",
    breaks: "SESSION-11",
    alter: Alter {
        start: |good, session| {
            ASKED.store(NOT_STOPPED, Ordering::Relaxed);
            good.start(session)
        },
        stop: |good| {
            ASKED.store(0, Ordering::Relaxed);
            good.stop()
        },
        snapshot: |good| {
            let mut report = good.snapshot()?;
            let asked = ASKED.load(Ordering::Relaxed);
            if asked != NOT_STOPPED {
                report.samples += u64::from(asked);
                ASKED.store(asked + 1, Ordering::Relaxed);
            }
            Ok(report)
        },
        ..Alter::NOTHING
    },
};

const NOT_STOPPED: u32 = u32::MAX;
static ASKED: AtomicU32 = AtomicU32::new(NOT_STOPPED);
