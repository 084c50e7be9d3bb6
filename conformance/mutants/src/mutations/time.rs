//! What breaks a rule of the family TIME.

use lockscope_core::backend::{Backend, BackendError};
use lockscope_core::clock::ClockScale;
use lockscope_core::report::{Report, Times};
use lockscope_core::sync::{AtomicU32, Ordering};
use lockscope_core::{Countdown, Event, EventKind, Session};

use crate::{Alter, Good, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "counts-a-hold-as-part-of-its-wait",
        breaks: "TIME-01",
        alter: Alter { event: waits_until_the_end, ..Alter::NOTHING },
    },
    Mutation {
        name: "counts-a-hold-for-twice-its-length",
        breaks: "TIME-02",
        alter: Alter { event: holds_twice, ..Alter::NOTHING },
    },
    Mutation {
        name: "halves-holds-in-its-fourth-snapshot",
        breaks: "TIME-03",
        alter: Alter {
            start: starts_to_count,
            stop: stops_to_count,
            snapshot: halves_the_fourth,
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "keeps-holds-in-32-bits",
        breaks: "TIME-04",
        alter: Alter { event: cuts_holds, ..Alter::NOTHING },
    },
    Mutation {
        name: "states-a-maximum-twice-as-long",
        breaks: "TIME-05",
        alter: Alter { snapshot: doubles_the_maximum, ..Alter::NOTHING },
    },
    Mutation {
        name: "leaves-the-longest-waits-out-of-the-histogram",
        breaks: "TIME-05",
        alter: Alter { snapshot: leaves_the_longest_out, ..Alter::NOTHING },
    },
    Mutation {
        name: "takes-every-clock-for-one-of-the-usual-shift",
        breaks: "TIME-06",
        alter: Alter { start: starts_with_the_usual_shift, ..Alter::NOTHING },
    },
];

/// Whether it is of a real program: the addresses of simulated locks are small.
fn is_real(event: &Event) -> bool {
    event.lock.address > 1 << 32
}

fn waits_until_the_end(good: &Good, event: &Event) -> Countdown {
    if is_real(event) && event.contended != 0 {
        return good.event(&Event { acquired: event.end, ..*event });
    }
    good.event(event)
}

fn holds_twice(good: &Good, event: &Event) -> Countdown {
    if is_real(event) && event.kind == EventKind::RELEASED {
        return good.event(&Event { end: event.end + event.hold_ticks(), ..*event });
    }
    good.event(event)
}

/// Snapshots of the running session; beyond all of them if none runs.
static SNAPSHOTS: AtomicU32 = AtomicU32::new(NONE_RUNS);
const NONE_RUNS: u32 = 1 << 31;

fn starts_to_count(good: &Good, session: &Session) -> Result<(), BackendError> {
    let started = good.start(session);
    if started.is_ok() {
        SNAPSHOTS.store(0, Ordering::Relaxed);
    }
    started
}

fn stops_to_count(good: &Good) -> Result<(), BackendError> {
    SNAPSHOTS.store(NONE_RUNS, Ordering::Relaxed);
    good.stop()
}

/// Those of many milliseconds alone: other rules look more than three times at short ones.
fn halves_the_fourth(good: &Good) -> Result<Report, BackendError> {
    const LONG_NS: f64 = 1e7;
    let is_fourth = SNAPSHOTS.fetch_add(1, Ordering::Relaxed) == 3;
    altered(good, |site| {
        let total = &mut site.hold.total_ns.value;
        *total /= if is_fourth && *total > LONG_NS { 2.0 } else { 1.0 };
    })
}

fn cuts_holds(good: &Good, event: &Event) -> Countdown {
    let hold = u64::from(event.hold_ticks() as u32);
    good.event(&Event { end: event.acquired + hold, ..*event })
}

fn doubles_the_maximum(good: &Good) -> Result<Report, BackendError> {
    altered(good, |site| site.hold.max_ns *= 2)
}

fn leaves_the_longest_out(good: &Good) -> Result<Report, BackendError> {
    altered(good, |site| {
        let Times { histogram, .. } = &mut site.wait;
        histogram.pop();
    })
}

fn altered(
    good: &Good,
    alter: impl Fn(&mut lockscope_core::report::SiteReport),
) -> Result<Report, BackendError> {
    let mut report = good.snapshot()?;
    report.locks.iter_mut().flat_map(|lock| lock.sites.iter_mut()).for_each(alter);
    Ok(report)
}

fn starts_with_the_usual_shift(good: &Good, session: &Session) -> Result<(), BackendError> {
    let mut session = *session;
    if session.clock.shift != 0 {
        session.clock.shift = ClockScale::SHIFT;
    }
    good.start(&session)
}
