//! Events.

mod answers;
mod blame;
mod counts;
mod holds;
mod kinds;
mod real;

use crate::rule::{Family, Level, Rule, Verified};

pub(super) static FAMILY: Family = Family {
    id: "EVENT",
    title: "Events",
    about: "What is told of operations stands in the report, once and at its place.",
    rules: &[
        Rule {
            id: "EVENT-01",
            level: Level::Must,
            sentence: "If every operation is recorded, every number of the report is exact.",
            intent: "Sampling is then out of play, so whatever differs was miscounted; and a number that claims to be certain must be right.",
            verified: &[Verified::Property],
            look: &[
                "Is each event written down at the lock, the call site and the mode that it names?",
                "Does a countdown of one operation sample the next one?",
                "Is what a dropped lock has seen kept for its creation site?",
            ],
            check: Some(counts::counts_are_exact),
        },
        Rule {
            id: "EVENT-02",
            level: Level::Must,
            sentence: "Only what has ended is counted: not who waits, nor who has the lock still, nor who had it when the session ended.",
            intent: "What goes on has no length yet; it is the host that tells of it, as pending, and would else be told twice.",
            verified: &[Verified::Property],
            look: &[
                "Is anything counted when a lock is met?",
                "Is the end of a hold, and not its beginning, what counts the acquisition and its wait?",
            ],
            check: Some(counts::only_what_has_ended_is_counted),
        },
        Rule {
            id: "EVENT-03",
            level: Level::Must,
            sentence: "A try that fails, at once or after a while, is a failure, and no acquisition, contention, wait or hold.",
            intent: "Whoever polls a lock does not have it; an acquisition rate that counts polling says nothing.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is an event of kind `FAILED` counted as a failure alone?",
                "Is it so when it is the first that the session hears of the lock, and the slot is not shown?",
            ],
            check: Some(counts::a_failed_try_is_no_acquisition),
        },
        Rule {
            id: "EVENT-04",
            level: Level::Must,
            sentence: "Nothing is counted twice.",
            intent: "A contended acquisition is told beside the countdown, and must not count as a sample of it as well.",
            verified: &[Verified::Property],
            look: &[
                "Is a contended acquisition counted where it is told, and nowhere else?",
                "Does a snapshot change what the next one says?",
            ],
            check: Some(counts::nothing_is_counted_twice),
        },
        Rule {
            id: "EVENT-05",
            level: Level::Must,
            sentence: "A wait at a condition variable splits the hold of its mutex in two, and is idle time of the condition variable: neither hold nor contention.",
            intent: "A thread that has nothing to do costs nobody anything; shown as contention it would hide what does.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is an event of kind `IDLE` counted as idle time alone?",
                "Are the holds before and after it written down as two?",
            ],
            check: Some(holds::a_wait_splits_a_hold),
        },
        Rule {
            id: "EVENT-06",
            level: Level::Must,
            sentence: "Holds that overlap, nested or hand over hand, are counted each for itself and whole.",
            intent: "A thread may have any number of locks, and give them back in any order.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is anything kept by thread that only one lock at a time can use?",
                "Is a hold taken from the event's own times, and not from what was told last?",
            ],
            check: Some(holds::nested_and_hand_over_hand),
        },
        Rule {
            id: "EVENT-07",
            level: Level::Must,
            sentence: "A guard that is forgotten counts for nothing; one that is mapped, or given back by another thread, is one acquisition with its whole hold.",
            intent: "The event comes when and where the lock is given back, if it ever is.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is anything taken for granted of the thread that tells of an event: that it has met the lock, or is the one of the last event?",
                "Is anything made, at stop, of locks of which no end was told?",
            ],
            check: Some(real::guards_go_anywhere),
        },
        Rule {
            id: "EVENT-08",
            level: Level::Must,
            sentence: "A wait is charged whole, once, to the call site that had the lock when the wait began; to none if that is not known.",
            intent: "Who makes others wait is what a lock profile is read for.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is `Event::holder` the holder, and `Event::site` the waiter?",
                "Is a holder of 0 kept as not known?",
                "Does what is charged of a lock outlive it?",
            ],
            check: Some(blame::waits_are_charged_to_holders),
        },
        Rule {
            id: "EVENT-09",
            level: Level::Must,
            sentence: "Readers, writers and upgradable readers are told apart, also at one call site.",
            intent: "A lock whose readers wait for writers is another matter than one whose writers do.",
            verified: &[Verified::Property],
            look: &[
                "Is the mode, as it is, part of what a line of the report is found by?",
                "Is it so for failed tries and waits as well?",
            ],
            check: Some(counts::readers_and_writers_are_apart),
        },
        Rule {
            id: "EVENT-10",
            level: Level::Must,
            sentence: "An event of a kind that a backend does not know changes no number.",
            intent: "Kinds are added at the end; an old plugin under a new host must not take them for what they are not.",
            verified: &[Verified::Property],
            look: &[
                "Does a `match` over kinds take whatever is left for one of them?",
                "Is anything counted before the kind is looked at?",
            ],
            check: Some(kinds::unknown_kinds_change_nothing),
        },
        Rule {
            id: "EVENT-11",
            level: Level::Must,
            sentence: "Call sites of one lock are told apart, and what a limit on them leaves out is told as lost.",
            intent: "Two lines of a program that are shown as one cannot be found; one that is shown as none cannot either.",
            verified: &[Verified::Property],
            look: &[
                "Is the whole address of a call site compared, and not a part or a hash of it?",
                "What happens to an operation whose call site has no place of its own?",
            ],
            check: Some(kinds::call_sites_are_apart),
        },
        Rule {
            id: "EVENT-12",
            level: Level::Must,
            sentence: "Each answer is a countdown that can be armed; only for what was not counted down may it be `UNCHANGED`.",
            intent: "The probe counts with what it gets: no operations, a weight of nothing, or one that means something else, would be made up for by chance.",
            verified: &[Verified::Property],
            look: &[
                "Does `meet` always answer with one operation or more, and a weight of 1 or more?",
                "Does the answer to an event whose `counted` is 1 arm the next countdown?",
                "Is a weight less than 2³¹ − 1?",
            ],
            check: Some(answers::answers_can_be_armed),
        },
    ],
};
