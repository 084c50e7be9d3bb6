//! What breaks a rule of the family EXCL.
//!
//! They write to locks of real programs, behind the slot: where the state of a
//! std or parking_lot lock stands is of this version of both. What they break is
//! narrow, so that no rule of another family sees it.

mod hooks;
mod words;

use crate::{Alter, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "frees-a-mutex-when-it-meets-it",
        breaks: "EXCL-01",
        alter: Alter { meet: words::frees_the_mutex, ..Alter::NOTHING },
    },
    Mutation {
        name: "keeps-readers-out-while-three-read",
        breaks: "EXCL-02",
        alter: Alter { event: words::keeps_readers_out, ..Alter::NOTHING },
    },
    Mutation {
        name: "forgets-readers-and-writers-that-wait",
        breaks: "EXCL-03",
        alter: Alter { event: words::forgets_who_waits, ..Alter::NOTHING },
    },
    Mutation {
        name: "sleeps-after-a-reader-has-tried-in-vain",
        breaks: "EXCL-04",
        alter: Alter { event: hooks::sleeps_after_a_try, ..Alter::NOTHING },
    },
    Mutation {
        name: "sleeps-after-a-wait-in-vain",
        breaks: "EXCL-05",
        alter: Alter { event: hooks::sleeps_after_a_wait, ..Alter::NOTHING },
    },
    Mutation {
        name: "clears-the-poison-of-a-mutex",
        breaks: "EXCL-06",
        alter: Alter { event: words::clears_poison, ..Alter::NOTHING },
    },
    Mutation {
        name: "lets-a-fair-lock-be-taken-again",
        breaks: "EXCL-07",
        alter: Alter { event: words::lets_it_be_taken_again, ..Alter::NOTHING },
    },
    Mutation {
        name: "has-room-for-150-threads",
        breaks: "EXCL-08",
        alter: Alter { event: hooks::waits_for_room, ..Alter::NOTHING },
    },
    Mutation {
        name: "uses-a-thread-local-value-after-its-end",
        breaks: "EXCL-09",
        alter: Alter { event: hooks::uses_what_is_torn_down, ..Alter::NOTHING },
    },
    Mutation {
        name: "takes-a-lock-of-the-program-in-a-hook",
        breaks: "EXCL-10",
        alter: Alter { meet: hooks::remembers_a_lock, dropped: hooks::takes_it, ..Alter::NOTHING },
    },
    Mutation {
        name: "holds-a-lock-of-its-own-across-forks",
        breaks: "EXCL-11",
        alter: Alter { event: hooks::holds_a_static_lock, ..Alter::NOTHING },
    },
    Mutation {
        name: "has-hooks-wait-for-a-snapshot",
        breaks: "EXCL-12",
        alter: Alter {
            event: hooks::waits_for_the_snapshot,
            snapshot: hooks::holds_what_hooks_take,
            ..Alter::NOTHING
        },
    },
];
