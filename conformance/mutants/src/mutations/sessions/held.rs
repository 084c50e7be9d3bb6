//! What becomes of a lock that is held while a session starts or stops. Real
//! locks alone: the ids of simulated ones are used again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lockscope_core::backend::{Backend, BackendError};
use lockscope_core::{Countdown, Event, EventKind, LockRef, Session};

use crate::memory::{OwnMutex, is_simulated};
use crate::{Alter, Good, Mutation};

/// An instance, and a lock that it has met.
type Met = (usize, u64);

/// Met in the session that runs, and not told of.
static MET: OwnMutex<BTreeSet<Met>> = OwnMutex::new();
/// Met in an older one.
static MET_BEFORE: OwnMutex<BTreeSet<Met>> = OwnMutex::new();

fn instance(good: &Good) -> usize {
    core::ptr::from_ref(good).addr()
}

fn meet(good: &Good, met: Option<&LockRef>) -> Countdown {
    if let Some(met) = met.filter(|met| !is_simulated(met.address)) {
        MET.lock().insert((instance(good), met.id));
    }
    good.meet(met)
}

/// Makes what the session of this instance has met what an older one has met.
fn is_over(good: &Good) {
    let mut met = MET.lock();
    let of_this = |(met_by, _): &Met| *met_by == instance(good);
    MET_BEFORE.lock().extend(met.iter().copied().filter(of_this));
    met.retain(|met| !of_this(met));
}

fn stop(good: &Good) -> Result<(), BackendError> {
    good.stop()?;
    is_over(good);
    Ok(())
}

pub(super) const TAKES_A_FAILED_TRY_FOR_THE_HOLD: Mutation = Mutation {
    name: "takes-a-failed-try-for-the-hold-of-an-older-session",
    breaks: "SESSION-05",
    alter: Alter { meet, event: take_for_the_hold, stop, ..Alter::NOTHING },
};

fn take_for_the_hold(good: &Good, event: &Event) -> Countdown {
    let lock_met = (instance(good), event.lock.id);
    let is_known = !MET.lock().contains(&lock_met) && MET_BEFORE.lock().contains(&lock_met);
    if event.kind == EventKind::FAILED && is_known {
        good.event(&Event { kind: EventKind::RELEASED, ..*event });
    }
    good.event(event)
}

pub(super) const CHARGES_A_CUT_HOLD_TO_THE_NEXT_SESSION: Mutation = Mutation {
    name: "charges-a-hold-that-was-cut-short-to-the-next-session",
    breaks: "SESSION-06",
    alter: Alter {
        meet,
        event: |good, event| charge(good, event, |met_by| met_by == instance(good)),
        stop,
        ..Alter::NOTHING
    },
};

pub(super) const CHARGES_A_CUT_HOLD_TO_THE_NEXT_BACKEND: Mutation = Mutation {
    name: "charges-a-hold-that-was-cut-short-to-the-next-backend",
    breaks: "SESSION-07",
    alter: Alter {
        meet,
        event: |good, event| charge(good, event, |met_by| met_by != instance(good)),
        stop,
        ..Alter::NOTHING
    },
};

/// Counts once more what was met in an older session, by an instance that
/// `counts`, and not told of there.
fn charge(good: &Good, event: &Event, counts: impl Fn(usize) -> bool) -> Countdown {
    MET.lock().remove(&(instance(good), event.lock.id));
    let mut before = MET_BEFORE.lock();
    let is_it = |&&(met_by, id): &&Met| id == event.lock.id && counts(met_by);
    let found = before.iter().find(is_it).copied();
    if let Some(found) = found {
        before.remove(&found);
        good.event(event);
    }
    drop(before);
    good.event(event)
}

pub(super) const WAITS_FOR_HOLDERS: Mutation = Mutation {
    name: "waits-for-holders-when-it-is-stopped",
    breaks: "SESSION-09",
    alter: Alter {
        meet,
        event: |good, event| {
            MET.lock().remove(&(instance(good), event.lock.id));
            good.event(event)
        },
        start: |good: &Good, session: &Session| {
            is_over(good);
            good.start(session)
        },
        stop: wait_for_holders,
        ..Alter::NOTHING
    },
};

fn wait_for_holders(good: &Good) -> Result<(), BackendError> {
    // Not for ever: other rules are not about this.
    let deadline = Instant::now() + Duration::from_secs(4);
    let holds = |(met_by, _): &Met| *met_by == instance(good);
    while MET.lock().iter().any(holds) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    good.stop()
}
