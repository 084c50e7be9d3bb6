//! What breaks a rule of the family SAMPLE.
//!
//! What is recorded whole, at period 1, is left alone: that is another family's.

use lockscope_core::backend::{Backend, BackendError};
use lockscope_core::report::{Estimate, Report};
use lockscope_core::sync::{AtomicU32, AtomicU64, Ordering};
use lockscope_core::{Countdown, Event, LockRef, Session};

use crate::{Alter, Good, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "samples-by-a-fixed-stride",
        breaks: "SAMPLE-01",
        alter: Alter {
            meet: |good, lock| stride(good.meet(lock)),
            event: |good, event| stride(good.event(event)),
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "counts-down-even-numbers",
        breaks: "SAMPLE-02",
        alter: Alter {
            meet: |good, lock| even(good.meet(lock)),
            event: |good, event| even(good.event(event)),
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "weighs-one-more",
        breaks: "SAMPLE-03",
        alter: Alter {
            event: |good, event| reweighed(good, event, event.weight + 1),
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "samples-each-lock-at-first",
        breaks: "SAMPLE-03",
        alter: Alter { meet: samples_at_first, ..Alter::NOTHING },
    },
    Mutation {
        name: "weighs-by-the-period-of-now",
        breaks: "SAMPLE-04",
        alter: Alter {
            event: |good, event| {
                let now = good.meet(None).own_weight();
                reweighed(good, event, now)
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "understates-variances",
        breaks: "SAMPLE-05",
        alter: Alter { snapshot: |good| Ok(half_as_uncertain(good.snapshot()?)), ..Alter::NOTHING },
    },
    Mutation {
        name: "forgets-every-other-wait-when-it-samples",
        breaks: "SAMPLE-06",
        alter: Alter { meet: remembering, event: forgets_waits, ..Alter::NOTHING },
    },
    Mutation {
        name: "weighs-waits-that-were-drawn-as-one",
        breaks: "SAMPLE-06",
        alter: Alter {
            event: |good, event| {
                let weight = if event.contended != 0 { 1 } else { event.weight };
                good.event(&Event { weight, ..*event })
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "tells-the-last-period-alone",
        breaks: "SAMPLE-07",
        alter: Alter {
            snapshot: |good| {
                let mut report = good.snapshot()?;
                report.periods = report.periods.iter().copied().last().into_iter().collect();
                Ok(report)
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "has-a-seed-of-its-own",
        breaks: "SAMPLE-08",
        alter: Alter { start: seeds_itself, ..Alter::NOTHING },
    },
];

/// The weight of the last countdown that was drawn.
static LAST_WEIGHT: AtomicU32 = AtomicU32::new(0);

/// Whether `countdown` is one that was drawn.
fn is_drawn(countdown: Countdown) -> bool {
    countdown.own_weight() > 1
}

fn stride(countdown: Countdown) -> Countdown {
    let operations = countdown.own_weight();
    if is_drawn(countdown) { Countdown { operations, ..countdown } } else { countdown }
}

fn even(countdown: Countdown) -> Countdown {
    let operations = (countdown.operations & !1).max(2);
    if is_drawn(countdown) { Countdown { operations, ..countdown } } else { countdown }
}

fn samples_at_first(good: &Good, lock: Option<&LockRef>) -> Countdown {
    let countdown = good.meet(lock);
    let is_first = lock.is_some() && is_drawn(countdown);
    if is_first { Countdown { operations: 1, ..countdown } } else { countdown }
}

/// What was drawn is noted with another weight.
fn reweighed(good: &Good, event: &Event, weight: u32) -> Countdown {
    let is_drawn = event.weight > 1 && event.contended == 0;
    let weight = if is_drawn { weight } else { event.weight };
    good.event(&Event { weight, ..*event })
}

fn half_as_uncertain(mut report: Report) -> Report {
    let halve = |estimate: &mut Estimate| estimate.variance /= 2.0;
    for site in report.locks.iter_mut().flat_map(|lock| lock.sites.iter_mut()) {
        halve(&mut site.acquisitions);
        halve(&mut site.hold.total_ns);
    }
    report
}

fn remembering(good: &Good, lock: Option<&LockRef>) -> Countdown {
    let countdown = good.meet(lock);
    LAST_WEIGHT.store(countdown.own_weight(), Ordering::Relaxed);
    countdown
}

fn forgets_waits(good: &Good, event: &Event) -> Countdown {
    static WAITS: AtomicU32 = AtomicU32::new(0);
    // At a longer period it is seen whom waits are charged to: EVENT-08.
    let samples = (2..=32).contains(&LAST_WEIGHT.load(Ordering::Relaxed));
    if samples && event.contended != 0 && WAITS.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
        return Countdown::UNCHANGED;
    }
    good.event(event)
}

fn seeds_itself(good: &Good, session: &Session) -> Result<(), BackendError> {
    static SEED: AtomicU64 = AtomicU64::new(0);
    let seed = SEED.fetch_add(1, Ordering::Relaxed);
    good.start(&Session { seed, ..*session })
}
