//! Failure.
//!
//! What is wrong here is everybody else: the program, its probe, the user. A
//! backend that follows the rules is told what no probe tells, and set to what
//! nobody means.

mod by_hand;
mod containment;
mod limits;
mod settings;

use crate::rule::{Family, Level, Rule, Verified};

pub(super) static FAMILY: Family = Family {
    id: "FAIL",
    title: "Failure",
    about: "What happens when a limit is reached, memory is short, or somebody is wrong.",
    rules: &[
        Rule {
            id: "FAIL-01",
            level: Level::Must,
            sentence: "No entry panics; and a panic that happens all the same becomes an error, or ends the session with its reason, and never the process.",
            intent: "A panic that crosses the boundary ends a program that only wanted to be measured.",
            verified: &[Verified::Property],
            look: &[
                "Are all entries made by `lockscope_core::export_backend!`, which contains panics?",
                "What does the error, or the reason, say of the place of the panic?",
                "Is there arithmetic in a hook that overflows, or an index that a probe gives?",
            ],
            check: Some(containment::no_entry_panics),
        },
        Rule {
            id: "FAIL-02",
            level: Level::Should,
            sentence: "When memory cannot be had, a backend records less and says so, and the program goes on.",
            intent: "Untested: Rust's collections abort the process when an allocation fails, and a plugin's allocator cannot be made to fail from outside without that of the kit. A backend that allocates fallibly can keep the rule; FAIL-05 keeps the others from coming to it.",
            verified: &[Verified::Untested],
            look: &[
                "Does what grows grow by `try_reserve`?",
                "Is what could not be kept counted as a loss?",
            ],
            check: None,
        },
        Rule {
            id: "FAIL-03",
            level: Level::Must,
            sentence: "Limits hold: with more locks, or call sites of one lock, than its keys allow, a backend's report has no more rows than that, and one for the rest.",
            intent: "A limit is what the user has agreed to pay; a program that makes locks in a loop must not exceed it.",
            verified: &[Verified::Property],
            look: &[
                "Is the limit looked at where a record is made, and nowhere else?",
                "Do locks that were dropped, folded by origin, count as well?",
            ],
            check: Some(limits::limits_hold),
        },
        Rule {
            id: "FAIL-04",
            level: Level::Must,
            sentence: "What has no place is counted as lost: the report and its losses add up to the truth.",
            intent: "A report that hides what is missing is wrong; one that counts it can be believed in what it says.",
            verified: &[Verified::Property],
            look: &[
                "Is every operation of a lock without record counted, with its weight, failed ones included?",
                "Is what a dropped lock has seen kept when its origin has no place either?",
            ],
            check: Some(limits::losses_are_counted),
        },
        Rule {
            id: "FAIL-05",
            level: Level::Must,
            sentence: "Memory is bounded: once its limits are reached, more locks, call sites, origins and threads take no more of it.",
            intent: "A program runs for months with its profiler, and the one that makes most locks is the one that is looked at.",
            verified: &[Verified::Sampled],
            look: &[
                "Is something kept for each lock that was refused a record?",
                "Is there a list of threads that have ended, or of origins, without limit?",
            ],
            check: Some(limits::memory_is_bounded),
        },
        Rule {
            id: "FAIL-06",
            level: Level::Must,
            sentence: "A value that cannot be used is refused with an error of kind Setting, whatever it is, and leaves the configuration as it was.",
            intent: "Values come from files and from an operator's command line, into a program that must go on as it did.",
            verified: &[Verified::Property],
            look: &[
                "Is a value parsed whole before anything is changed?",
                "Are ranges compared so that NaN is outside of them?",
                "Is text cut at a byte that is not the end of a character?",
            ],
            check: Some(settings::hostile_values_are_refused),
        },
        Rule {
            id: "FAIL-07",
            level: Level::Must,
            sentence: "A backend ends a session itself at most once, while it runs, and with a reason in words.",
            intent: "The reason is all that a user learns of why the profile stops short.",
            verified: &[Verified::Property],
            look: &[
                "Is it remembered that the session was abandoned?",
                "Is the reason a sentence in UTF-8, and is its length that in bytes?",
            ],
            check: Some(containment::abandons_at_most_once),
        },
        Rule {
            id: "FAIL-08",
            level: Level::Must,
            sentence: "An event that no probe should tell does no harm: all else in the report stays right, and no number becomes absurd.",
            intent: "Probes are written by others, and clocks of two processors may differ; one wrong event must not cost the profile.",
            verified: &[Verified::Property],
            look: &[
                "Are durations subtracted so that they stop at 0?",
                "Is a mode, a kind or a weight used as an index, or a divisor?",
                "Is a pointer that is null looked at, because a length beside it is not 0?",
            ],
            check: Some(containment::hostile_events_do_no_harm),
        },
    ],
};
