//! What breaks a rule of the family SESSION.

mod held;
mod recorded;

use lockscope_core::Session;
use lockscope_core::backend::{Backend, BackendError, ErrorKind, Pace};
use lockscope_core::report::Report;
use lockscope_core::sync::{AtomicBool, Ordering};

use crate::{Alter, Good, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "forgets-all-when-started-twice",
        breaks: "SESSION-01",
        alter: Alter { start: forgets_all, snapshot: all_that_is_known, ..Alter::NOTHING },
    },
    Mutation {
        name: "takes-a-second-start-for-nothing",
        breaks: "SESSION-01",
        alter: Alter {
            start: |good, session| good.start(session).or_else(but_for_state),
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "takes-a-second-stop-for-nothing",
        breaks: "SESSION-02",
        alter: Alter { stop: |good| good.stop().or_else(but_for_state), ..Alter::NOTHING },
    },
    Mutation {
        name: "has-a-report-before-the-first-start",
        breaks: "SESSION-03",
        alter: Alter {
            snapshot: |good| {
                good.snapshot().or_else(|error| but_for_state(error).map(|()| Report::default()))
            },
            ..Alter::NOTHING
        },
    },
    recorded::KEEPS_WHAT_NOBODY_LOOKED_AT,
    held::TAKES_A_FAILED_TRY_FOR_THE_HOLD,
    held::CHARGES_A_CUT_HOLD_TO_THE_NEXT_SESSION,
    held::CHARGES_A_CUT_HOLD_TO_THE_NEXT_BACKEND,
    recorded::LOSES_WHAT_IS_TOLD_AT_ONCE,
    held::WAITS_FOR_HOLDERS,
    Mutation {
        name: "leaks-a-little-with-each-session",
        breaks: "SESSION-10",
        alter: Alter { start: leaks, ..Alter::NOTHING },
    },
    recorded::COUNTS_HOW_OFTEN_IT_WAS_ASKED,
    Mutation {
        name: "takes-a-key-that-it-cannot-change-for-the-wrong-time",
        breaks: "SESSION-12",
        alter: Alter {
            configure: |good, key, value| {
                // In a running session other rules look at the kind, too.
                let is_early = good.snapshot().is_err();
                good.configure(key, value).map_err(|error| match key {
                    "max_locks" if is_early => BackendError { kind: ErrorKind::State, ..error },
                    _ => error,
                })
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "sets-a-period-before-it-looks-at-it",
        breaks: "SESSION-12",
        alter: Alter {
            configure: |good, key, value| {
                // No other rule tries a value that is a phrase.
                if value.trim().contains(' ') {
                    let _ = good.configure(key, "7");
                }
                good.configure(key, value)
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "records-one-wait-in-none",
        breaks: "SESSION-13",
        alter: Alter { pace: |good| Pace { contended_period: 0, ..good.pace() }, ..Alter::NOTHING },
    },
];

/// Calls at the wrong time are as good as any.
fn but_for_state(error: BackendError) -> Result<(), BackendError> {
    if error.kind == ErrorKind::State { Ok(()) } else { Err(error) }
}

/// Not the records themselves: locks would still lead to them.
static FORGOTTEN: AtomicBool = AtomicBool::new(false);

fn forgets_all(good: &Good, session: &Session) -> Result<(), BackendError> {
    let started = good.start(session);
    FORGOTTEN.store(started.is_err(), Ordering::Relaxed);
    started
}

fn all_that_is_known(good: &Good) -> Result<Report, BackendError> {
    let report = good.snapshot()?;
    Ok(if FORGOTTEN.load(Ordering::Relaxed) { Report::default() } else { report })
}

fn leaks(good: &Good, session: &Session) -> Result<(), BackendError> {
    Box::leak(vec![1_u8; 12 << 10].into_boxed_slice());
    good.start(session)
}
