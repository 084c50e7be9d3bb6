//! Time.

mod bounds;
mod histograms;
mod scales;
mod totals;

use crate::rule::{Family, Level, Rule, Verified};
use crate::simulation::Played;
use crate::truth::stated;
use crate::verdict::Failure;

pub(super) static FAMILY: Family = Family {
    id: "TIME",
    title: "Time",
    about: "Waits, holds and idle times are as long as they were, whatever the clock.",
    rules: &[
        Rule {
            id: "TIME-01",
            level: Level::Must,
            sentence: "A wait for a lock lasts from when its thread began to wait until it had the lock.",
            intent: "It is the number that people look for; a hold or an idle time in it points to the wrong line.",
            verified: &[Verified::Sampled],
            look: &[
                "Is a wait taken from `Event::wait_ticks`, and a hold from `Event::hold_ticks`?",
                "Are ticks turned into nanoseconds, once, by the session's clock?",
            ],
            check: Some(bounds::waits),
        },
        Rule {
            id: "TIME-02",
            level: Level::Must,
            sentence: "A hold lasts from when its thread had the lock until it gave it back, without the waits at condition variables between.",
            intent: "Long holds are what others wait for; one that is too long or too short blames the wrong line.",
            verified: &[Verified::Sampled],
            look: &[
                "Is a hold taken from `Event::hold_ticks`, of contended acquisitions as well?",
                "Is an event of the kind `IDLE` written down as an idle time, and not as a wait or a hold?",
            ],
            check: Some(bounds::holds),
        },
        Rule {
            id: "TIME-03",
            level: Level::Must,
            sentence: "From one snapshot of a session to the next no total falls, and none is negative or not a number.",
            intent: "Whoever watches a session takes differences of snapshots: they are what has happened between.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Is what a dropped lock has seen in one place at every moment, neither in none nor in two?",
                "Does a snapshot change, or average, what was recorded?",
                "Is a difference taken of numbers that were read at different times?",
            ],
            check: Some(totals::never_fall),
        },
        Rule {
            id: "TIME-04",
            level: Level::Must,
            sentence: "Ticks near the end of their 64 bits, and times of a hundred years, are recorded as they are.",
            intent: "A counter may start anywhere, and a thread may sleep; a number that overflows is wrong without a sign of it.",
            verified: &[Verified::Property],
            look: &[
                "Is a time kept in less than 64 bits, or a tick in a signed number?",
                "Is a product of ticks taken in 64 bits, where 128 are needed?",
            ],
            check: Some(scales::nothing_overflows),
        },
        Rule {
            id: "TIME-05",
            level: Level::Must,
            sentence: "Maximum, total and histogram agree: the buckets ascend, hold as many as were counted, and have the maximum in the last.",
            intent: "They are three views of the same times, and percentiles are read from one of them.",
            verified: &[Verified::Property],
            look: &[
                "Is every time put into the histogram with the weight that it is counted with?",
                "Is the end of a bucket the begin of the next, or before it?",
                "Does the maximum stay when a lock is dropped?",
            ],
            check: Some(histograms::agree),
        },
        Rule {
            id: "TIME-06",
            level: Level::Must,
            sentence: "Ticks become nanoseconds by the scale of the session's clock, whatever that is.",
            intent: "The clock is a counter of the processor, whose speed only the host has measured.",
            verified: &[Verified::Property],
            look: &[
                "Is `Session::clock` kept at each start, and used for all times, maxima and buckets?",
                "Are its multiplier and its shift both used?",
            ],
            check: Some(scales::the_clock_is_used),
        },
    ],
};

/// Whether as much was counted as has happened: otherwise times cannot be right,
/// and that is another family's matter.
fn counted(played: &Played) -> Result<(), Failure> {
    let (stated, truth) = (stated(&played.report), played.truth.lines());
    for (line, truth) in truth {
        let stated = stated.get(&line).copied().unwrap_or_default();
        // The first four are counts.
        for ((what, stated), (_, truth)) in stated.each().into_iter().zip(truth.each()).take(4) {
            if stated.value != truth as f64 {
                let why = format!("{} {what} instead of {truth}", stated.value);
                return Err(Failure::blocked_by("EVENT-01", why));
            }
        }
    }
    Ok(())
}
