//! What breaks a rule of the family FAIL.
//!
//! Most of it happens at what only this family's checks do: an event that no
//! probe tells, a value that nobody means.

use core::ffi::c_void;
use std::sync::{Mutex, OnceLock, PoisonError};

use lockscope_core::backend::{Backend, BackendError, Setting};
use lockscope_core::sync::{AtomicBool, AtomicU32, Ordering};
use lockscope_core::{Countdown, Event, EventKind, HookTable, LockRef, Session};

use crate::{Alter, Good, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "lets-a-panic-out",
        breaks: "FAIL-01",
        alter: Alter { table: lets_panics_out, ..Alter::NOTHING },
    },
    Mutation {
        name: "panics-in-a-hook",
        breaks: "FAIL-01",
        alter: Alter { event: divides_by_the_weight, ..Alter::NOTHING },
    },
    Mutation {
        name: "panics-when-it-is-woken",
        breaks: "FAIL-01",
        alter: Alter {
            wake: |good, cause| {
                assert!(!cause.contains('\0'), "a cause without end");
                good.wake(cause)
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "has-room-for-any-number-of-locks",
        breaks: "FAIL-03",
        alter: Alter { init: |good, given| unlimited(good, given, "max_locks"), ..Alter::NOTHING },
    },
    Mutation {
        name: "has-room-for-any-number-of-call-sites",
        breaks: "FAIL-03",
        alter: Alter { init: |good, given| unlimited(good, given, "max_sites"), ..Alter::NOTHING },
    },
    Mutation {
        name: "hides-its-losses",
        breaks: "FAIL-04",
        alter: Alter {
            snapshot: |good| {
                let mut report = good.snapshot()?;
                report.losses.clear();
                Ok(report)
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "counts-one-loss-of-each-sort",
        breaks: "FAIL-04",
        alter: Alter {
            snapshot: |good| {
                let mut report = good.snapshot()?;
                report.losses.iter_mut().for_each(|loss| loss.count = 1);
                Ok(report)
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "keeps-something-of-each-lock-that-it-meets",
        breaks: "FAIL-05",
        alter: Alter { meet: keeps_something, ..Alter::NOTHING },
    },
    Mutation {
        name: "takes-a-value-that-it-refuses",
        breaks: "FAIL-06",
        alter: Alter {
            configure: |good, key, value| {
                let refused = good.configure(key, value);
                if refused.is_err() && value.contains('\0') {
                    good.configure("period", "7")?;
                }
                refused
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "panics-at-a-long-value",
        breaks: "FAIL-06",
        alter: Alter {
            init: |good, given| {
                let is_short = given.iter().all(|setting| setting.value.len() < 1_000);
                assert!(is_short, "a value that nobody expected");
                good.init(given)
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "ends-its-session-twice",
        breaks: "FAIL-07",
        alter: Alter {
            start: remembers,
            event: |good, event| {
                let times = if event.weight == 0 { 2 } else { 0 };
                (0..times).for_each(|_| abandon("a weight of 0"));
                good.event(event)
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "ends-its-session-without-a-word",
        breaks: "FAIL-07",
        alter: Alter {
            start: remembers,
            event: |good, event| {
                static DONE: AtomicU32 = AtomicU32::new(0);
                if event.weight == 0 && DONE.fetch_add(1, Ordering::Relaxed) == 0 {
                    abandon("");
                }
                good.event(event)
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "believes-times-that-run-backwards",
        breaks: "FAIL-08",
        alter: Alter { event: wraps_around, ..Alter::NOTHING },
    },
    Mutation {
        name: "stops-at-a-mode-that-it-does-not-know",
        breaks: "FAIL-08",
        alter: Alter { event: stops_at_an_unknown_mode, ..Alter::NOTHING },
    },
];

type Hook = unsafe extern "C" fn(*const c_void, *const Event) -> Countdown;

/// The entry that contains its panics.
static CONTAINED: OnceLock<Hook> = OnceLock::new();

fn lets_panics_out(table: &mut HookTable) {
    extern "C" fn event(context: *const c_void, event: *const Event) -> Countdown {
        // SAFETY: a probe passes an event that is valid for the call.
        let weight = unsafe { &*event }.weight;
        assert!(weight > 0, "a weight of 0");
        let Some(contained) = CONTAINED.get() else { return Countdown::NEVER };
        // SAFETY: what the probe passes goes through.
        unsafe { contained(context, event) }
    }
    // All tables of this build have the same entry.
    let _ = CONTAINED.set(table.event);
    table.event = event;
}

fn divides_by_the_weight(good: &Good, event: &Event) -> Countdown {
    assert!(event.weight > 0, "attempt to divide by zero");
    good.event(event)
}

fn unlimited(good: &Good, given: &[Setting], key: &str) -> Result<(), BackendError> {
    let mut settings = given.to_vec();
    // So that what is no number is refused as before.
    good.init(&settings)?;
    for setting in settings.iter_mut().filter(|setting| setting.key == *key) {
        setting.value = "10000".into();
    }
    good.init(&settings)
}

/// Of no program that another family's checks run.
const MANY: u32 = 10_000;

fn keeps_something(good: &Good, lock: Option<&LockRef>) -> Countdown {
    static MET: AtomicU32 = AtomicU32::new(0);
    if lock.is_some() && MET.fetch_add(1, Ordering::Relaxed) > MANY {
        Box::leak(Box::new([1_u8; 128]));
    }
    good.meet(lock)
}

static SESSION: Mutex<Option<Session>> = Mutex::new(None);

fn remembers(good: &Good, session: &Session) -> Result<(), BackendError> {
    good.start(session)?;
    *SESSION.lock().unwrap_or_else(PoisonError::into_inner) = Some(*session);
    Ok(())
}

fn abandon(reason: &str) {
    let Some(session) = *SESSION.lock().unwrap_or_else(PoisonError::into_inner) else { return };
    // SAFETY: a session runs, for an event was told; the reason lives for the call.
    unsafe { (session.abandon)(session.context, reason.as_ptr(), reason.len()) };
}

fn wraps_around(good: &Good, event: &Event) -> Countdown {
    let is_backwards = event.end < event.acquired;
    let end = if is_backwards { u64::MAX - 1 } else { event.end };
    good.event(&Event { end, ..*event })
}

fn stops_at_an_unknown_mode(good: &Good, event: &Event) -> Countdown {
    static STOPPED: AtomicBool = AtomicBool::new(false);
    if event.mode.0 > 2 && event.kind == EventKind::RELEASED {
        STOPPED.store(true, Ordering::Relaxed);
    }
    if STOPPED.load(Ordering::Relaxed) { Countdown::NEVER } else { good.event(event) }
}
