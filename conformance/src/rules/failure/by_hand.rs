//! Sessions, locks and events that are made by hand, so that they can be wrong.

use core::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use lockscope_core::backend::BackendError;
use lockscope_core::clock::ClockScale;
use lockscope_core::sync::{AtomicU64, Ordering};
use lockscope_core::{
    CallSite, Countdown, Event, EventKind, LockKind, LockRef, Mode, Session, Slot,
};

use crate::simulation::next_generation;
use crate::subject::Subject;

/// Who has ended which session, and why; no reason if it was not text.
static ABANDONED: Mutex<Vec<(u32, Option<String>)>> = Mutex::new(Vec::new());

extern "C" fn abandon(generation: *const c_void, reason: *const u8, len: usize) {
    let is_text = !reason.is_null() && (1..1 << 20).contains(&len);
    // SAFETY: so many bytes are valid for the call, by the contract of `abandon`.
    let bytes = is_text.then(|| unsafe { core::slice::from_raw_parts(reason, len) });
    let reason = bytes.and_then(|bytes| core::str::from_utf8(bytes).ok()).map(str::to_owned);
    let mut abandoned = ABANDONED.lock().unwrap_or_else(PoisonError::into_inner);
    abandoned.push((generation.addr() as u32, reason));
}

extern "C" fn next_lock_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 50);
    // Relaxed: atomicity alone keeps two from being the same.
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A session that is made by hand.
pub(super) fn session(seed: u64) -> Session {
    let generation = next_generation();
    Session {
        generation,
        reserved: 0,
        clock: ClockScale::NANOSECONDS,
        started: 1_000,
        seed,
        next_lock_id,
        abandon,
        context: core::ptr::without_provenance(generation as usize),
    }
}

/// The reasons for which that session was ended from within.
pub(super) fn abandoned(session: &Session) -> Vec<Option<String>> {
    let abandoned = ABANDONED.lock().unwrap_or_else(PoisonError::into_inner);
    let of_session = abandoned.iter().filter(|(generation, _)| *generation == session.generation);
    of_session.map(|(_, reason)| reason.clone()).collect()
}

/// Starts a session, and asks for its pace as a host does.
pub(super) fn start(subject: &Subject, seed: u64) -> Result<Session, BackendError> {
    let session = session(seed);
    subject.start(&session)?;
    for asked in 0..3 {
        subject.pace(asked)?;
    }
    Ok(session)
}

/// A lock that is made by hand.
pub(super) struct HandLock {
    slot: Slot,
    /// Its id.
    id: u64,
    /// Where it was made.
    created: usize,
    stamp: u64,
}

impl HandLock {
    /// One that the session has met.
    pub(super) fn met(subject: &Subject, session: &Session, id: u64, created: usize) -> Self {
        let stamp = u64::from(session.generation) << 32;
        let lock = Self { slot: Slot::new(None), id, created, stamp };
        if lock.slot.claim(stamp) {
            lock.slot.arm(stamp, subject.meet(Some(&lock.shown())));
        }
        lock
    }

    /// As a probe shows it.
    pub(super) fn shown(&self) -> LockRef {
        LockRef {
            slot: &raw const self.slot,
            address: self.id as usize * 64,
            id: self.id,
            created: CallSite(self.created),
            name: core::ptr::null(),
            state: self.slot.state_in(self.stamp).unwrap_or_default(),
            name_len: 0,
            kind: LockKind::MUTEX,
            probe: 0,
            reserved: 0,
        }
    }

    /// An acquisition of it that was recorded, and did not wait.
    pub(super) fn released(&self, site: usize) -> Event {
        Event {
            lock: self.shown(),
            kind: EventKind::RELEASED,
            mode: Mode::EXCLUSIVE,
            contended: 0,
            counted: 1,
            stack_len: 0,
            reserved: 0,
            weight: 1,
            thread: 1,
            site: CallSite(site),
            holder: CallSite::UNKNOWN,
            begin: 2_000,
            acquired: 2_000,
            end: 2_100,
            stack: core::ptr::null(),
        }
    }

    /// Arms the countdown as the answer to an event says.
    pub(super) fn arm(&self, countdown: Countdown) {
        if countdown != Countdown::UNCHANGED {
            self.slot.arm(self.stamp, countdown);
        }
    }
}

/// Events that no probe tells, each with what is wrong with it. Every difference
/// of two of their times is less than 10 µs, one way or the other.
pub(super) fn hostile(lock: &HandLock) -> Vec<(&'static str, Event)> {
    const NOT_TEXT: &[u8] = b"\xff\xfe\x80";
    let good = lock.released(9);
    let hidden = LockRef { slot: core::ptr::null(), ..good.lock };
    let contended = Event { lock: hidden, contended: 1, counted: 0, ..good };
    let named = |name, name_len| Event { lock: LockRef { name, name_len, ..good.lock }, ..good };
    vec![
        ("a mode that does not exist", Event { mode: Mode(200), ..good }),
        (
            "a lock of a kind that does not exist",
            Event { lock: LockRef { kind: LockKind(u32::MAX), ..good.lock }, ..good },
        ),
        ("a weight of 0", Event { weight: 0, ..good }),
        ("a wait with a weight of 0", Event { weight: 0, ..contended }),
        ("a release before the acquisition", Event { end: 1_000, ..good }),
        ("times that run backwards", Event { begin: 5_000, acquired: 3_000, end: 1_500, ..good }),
        ("a wait that ends before it begins", Event { begin: 9_000, ..contended }),
        (
            "idle time that ends before it begins",
            Event { kind: EventKind::IDLE, counted: 0, begin: 9_000, ..good },
        ),
        ("a null name of five bytes", named(core::ptr::null(), 5)),
        ("a name that is not text", named(NOT_TEXT.as_ptr(), NOT_TEXT.len() as u32)),
        ("an unknown call site", Event { site: CallSite::UNKNOWN, ..good }),
        ("a wait at an unknown call site", Event { site: CallSite::UNKNOWN, ..contended }),
        (
            "call sites beyond all memory",
            Event { site: CallSite(usize::MAX), holder: CallSite(usize::MAX), ..contended },
        ),
        ("three frames, and none", Event { stack_len: 3, ..good }),
        ("no thread", Event { thread: 0, ..contended }),
        ("the last of all threads", Event { thread: u32::MAX, ..contended }),
        (
            "flags that are neither 0 nor 1",
            Event { contended: 7, counted: 9, lock: hidden, ..good },
        ),
        (
            "a probe that does not exist",
            Event { lock: LockRef { probe: u32::MAX, ..good.lock }, ..good },
        ),
        (
            "a failed try that is counted",
            Event { kind: EventKind::FAILED, lock: hidden, weight: 0, ..good },
        ),
    ]
}
