//! Identity.

mod places;
mod real;
mod rows;
mod sessions;
mod words;

pub(super) use real::{in_threads, only_if_locks_come_back};

use crate::rule::{Family, Level, Rule, Verified};

pub(super) static FAMILY: Family = Family {
    id: "IDENT",
    title: "Identity",
    about: "Which lock is which, for as long as the process lives; and that a lock does not change by being watched.",
    rules: &[
        Rule {
            id: "IDENT-01",
            level: Level::Must,
            sentence: "One lock is one row of the report, from whichever threads, call sites and modes it is used.",
            intent: "Contention is what several threads do with one lock: in rows apart nobody can see it.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is what threads write apart put together in the report?",
                "Can two threads that meet a lock at the same time both make a record of it?",
                "Does anything but a lock's id, or its address, kind and probe, lead to its record?",
            ],
            check: Some(rows::one_lock_is_one_row),
        },
        Rule {
            id: "IDENT-02",
            level: Level::Must,
            sentence: "Two locks never share an id: neither while both live, nor one after the other, nor in two sessions.",
            intent: "A report may be held against a later one, or against a trace; an id that is used again says that two locks are one.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is the id of a row that of its lock, or else one that the host has given?",
                "Is anything that locks have in common, such as the line that makes them, taken for an id?",
                "Is a number used again once its lock was dropped?",
            ],
            check: Some(rows::ids_are_never_shared),
        },
        Rule {
            id: "IDENT-03",
            level: Level::Must,
            sentence: "A lock without slot gets its id from the session's `next_lock_id`, and keeps it while the session lasts.",
            intent: "Only the host knows which numbers the probes of the process have given already.",
            verified: &[Verified::Property],
            look: &[
                "Is `Session::next_lock_id` called when the record of a lock with id 0 is made?",
                "Is it called again for a lock that has a record?",
            ],
            check: Some(rows::the_host_gives_ids),
        },
        Rule {
            id: "IDENT-04",
            level: Level::Must,
            sentence: "A lock that was dropped, and another that is made at its address, are two.",
            intent: "Locks on a stack follow each other at one address all the time; what the last one saw is not the next one's.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Does `dropped` end the way from the lock's address to its record, for locks without slot as well?",
                "Is what a dropped lock has seen kept for its origin, and the number of locks there with it?",
                "Is a remembered way to a record forgotten when the lock is dropped?",
            ],
            check: Some(places::dropped_and_made_again_are_two),
        },
        Rule {
            id: "IDENT-05",
            level: Level::Must,
            sentence: "A lock that has a slot stays the same when it moves, whatever comes to where it was.",
            intent: "A lock is moved into its structure after it was made; its id moves along, and its address means nothing.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is a lock whose id is not 0 found by its id, and never by its address?",
                "Is a pointer to a slot kept after the call that it was shown in?",
            ],
            check: Some(places::moved_with_slot_is_the_same),
        },
        Rule {
            id: "IDENT-06",
            level: Level::Must,
            sentence: "A lock without slot is another one at another address, however near, and another one of another kind at the same address.",
            intent: "The address is all that such a lock has for a name, it may be as small as a byte, and what moves away unseen leaves its place to others.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is the whole address compared, and not a part or a hash of it?",
                "Is the kind compared as well?",
                "Can an address be taken for the id of a lock with a slot?",
            ],
            check: Some(places::slotless_elsewhere_is_another),
        },
        Rule {
            id: "IDENT-07",
            level: Level::Must,
            sentence: "A lock that is never dropped stays in every report of its session, with all that it has seen.",
            intent: "Leaked and forgotten locks are often those that the whole program shares; that nothing was heard of one for long says nothing.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is a record given up for any other reason than that its lock was dropped?",
                "Do many locks that come and go push out one that rests?",
            ],
            check: Some(sessions::never_dropped_stays),
        },
        Rule {
            id: "IDENT-08",
            level: Level::Must,
            sentence: "A slot of an older session is empty: of that session nothing is known of its lock but its id.",
            intent: "No lock is visited when a session begins, so what an older one has left in slots is still there; whoever follows it finds what is long gone.",
            verified: &[Verified::Property],
            look: &[
                "Is a state word of 0 taken for a lock that this session has not met?",
                "Is anything that was remembered of locks by their id, beside their slots, forgotten at start?",
            ],
            check: Some(sessions::older_slots_are_empty),
        },
        Rule {
            id: "IDENT-09",
            level: Level::Must,
            sentence: "Of a lock nothing is written but the `state` word of its slot, and that only while the slot is shown.",
            intent: "The other words of a slot are the probe's, and what lies around it is the program's.",
            verified: &[Verified::Sampled],
            look: &[
                "Does a hook write to `countdown`, `weight`, `holder` or `id`? To arm a countdown is to answer with it.",
                "Is the state word as large as it is taken for: 8 bytes?",
                "Is a slot written to that was shown in an earlier call, and is not in this one?",
            ],
            check: Some(words::only_the_state_word_is_written),
        },
        Rule {
            id: "IDENT-10",
            level: Level::Must,
            sentence: "A row's kind, name and creation site are its lock's, also when the lock was dropped.",
            intent: "By these alone people find the lock in their program.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is a name taken as so many bytes of UTF-8, however many, and not as a C string?",
                "Is a kind handed on as it is, also if it was made after the backend?",
                "Are dropped locks of two names kept apart, if one line has made them?",
            ],
            check: Some(real::rows_say_what_a_lock_is),
        },
        Rule {
            id: "IDENT-11",
            level: Level::Must,
            sentence: "A lock's address, size, alignment, value, and what is equal to it, are what they were before it was profiled.",
            intent: "Programs compare locks, use them as keys and share memory that they lie in.",
            verified: &[Verified::Sampled],
            look: &[
                "Does a hook write behind the slot, where the lock itself and its value are?",
                "Does a hook write before it?",
            ],
            check: Some(real::locks_are_unchanged),
        },
    ],
};
