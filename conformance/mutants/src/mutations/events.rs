//! What breaks a rule of the family EVENT.

use lockscope_core::backend::Backend;
use lockscope_core::{Countdown, Event};

use crate::{Alter, Good, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "samples-every-other-operation-at-period-1",
        breaks: "EVENT-01",
        alter: Alter { event: skips_one, ..Alter::NOTHING },
    },
    Mutation {
        name: "counts-what-had-to-wait-twice",
        breaks: "EVENT-04",
        alter: Alter { event: counts_waits_twice, ..Alter::NOTHING },
    },
];

fn skips_one(good: &Good, event: &Event) -> Countdown {
    match good.event(event) {
        Countdown { operations: 1, weight: 1 } => Countdown { operations: 2, weight: 1 },
        countdown => countdown,
    }
}

fn counts_waits_twice(good: &Good, event: &Event) -> Countdown {
    if event.contended != 0 {
        good.event(event);
    }
    good.event(event)
}
