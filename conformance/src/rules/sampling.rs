//! Sampling.
//!
//! Programs whose truth is known are played from seeds, some hundred times each.
//! What is demanded of a sum of estimates is Freedman's inequality for the course
//! of periods that the report itself states (see [`bound`]): it holds for any
//! number of samples, however a backend chooses its periods, and one conforming
//! backend in 10⁹ fails it. docs/sampling.md has the formulas.
//!
//! [`bound`]: crate::statistics::bound

mod bias;
mod claims;
mod draws;
mod played;

use crate::rule::{Family, Level, Rule, Verified};

pub(super) static FAMILY: Family = Family {
    id: "SAMPLE",
    title: "Sampling",
    about: "What a report says of operations that nobody recorded is an estimate, and says truly how good it is.",
    rules: &[
        Rule {
            id: "SAMPLE-01",
            level: Level::Must,
            sentence: "Each operation is drawn by chance, by itself: countdowns are distributed geometrically, and none says anything about the next.",
            intent: "A stride falls into step with the program; and the standard errors of a report are those of operations that are drawn independently.",
            verified: &[Verified::Property],
            look: &[
                "Is a countdown ⌊ln U / ln(1 − 1/N)⌋ + 1, and not N, or a number about N?",
                "Is U uniform in (0, 1], and new for each draw?",
                "Is a countdown drawn anew for how far the old one has come?",
            ],
            check: Some(draws::countdowns_are_geometric),
        },
        Rule {
            id: "SAMPLE-02",
            level: Level::Must,
            sentence: "What takes turns gets its share, in a loop of any length, also one that divides the period.",
            intent: "Of two call sites that a loop passes in turn, a sampler with a rhythm of its own sees one always and the other never.",
            verified: &[Verified::Property],
            look: &[
                "Does a countdown prefer numbers of one kind: even ones, multiples of the period?",
                "Do all threads, or all locks, draw the same countdowns?",
            ],
            check: Some(draws::turns_get_their_share),
        },
        Rule {
            id: "SAMPLE-03",
            level: Level::Must,
            sentence: "At a fixed period, the estimates of many runs have the truth as their mean, however often or rarely a lock is used.",
            intent: "An estimate that is off by the same part in each run is not made better by more runs, and nothing in the report shows it.",
            verified: &[Verified::Property],
            look: &[
                "Does a sample count as often as its event's weight says?",
                "Is the first operation of a lock that is met drawn like any other?",
                "Is what a dropped lock has seen kept, with its weight?",
            ],
            check: Some(bias::fixed_period),
        },
        Rule {
            id: "SAMPLE-04",
            level: Level::Must,
            sentence: "The same holds while the period moves: a sample weighs the period by which it was drawn.",
            intent: "A countdown outlives the period that it was drawn by; to weigh its end by the new one is off by the ratio of the two.",
            verified: &[Verified::Property],
            look: &[
                "Does a sample weigh what its event says, and not the period at its end?",
                "Are totals kept weighted, and not multiplied by the last period in the snapshot?",
                "Does the answer to an event carry the weight that its countdown was drawn with?",
            ],
            check: Some(bias::moving_period),
        },
        Rule {
            id: "SAMPLE-05",
            level: Level::Must,
            sentence: "Stated standard errors hold: the variance of an estimate is, on average, the one that the report states.",
            intent: "A reader tells a difference from chance by them, so one that is too small makes news of noise.",
            verified: &[Verified::Property],
            look: &[
                "Is the variance of a total Σ w·(w − 1)·x² over its samples?",
                "Do the variances of all parts add up when parts are folded?",
            ],
            check: Some(claims::standard_errors_hold),
        },
        Rule {
            id: "SAMPLE-06",
            level: Level::Must,
            sentence: "Of acquisitions that have to wait, each one that is told counts with its weight: all of them exactly, or those that were drawn without bias.",
            intent: "They are rare, and what the profiler is for; a sampling period is no reason to miss one.",
            verified: &[Verified::Property],
            look: &[
                "Is each contended event written down, whatever the countdown says?",
                "Does it count by its own weight, and not 1, or the period?",
            ],
            check: Some(bias::waits_are_all_there),
        },
        Rule {
            id: "SAMPLE-07",
            level: Level::Must,
            sentence: "The report lists the sampling periods that were in force: each weight of a sample is one of them.",
            intent: "What was never sampled happened fewer than three periods' times, with 95 % certainty: to say that, a reader needs the period.",
            verified: &[Verified::Property],
            look: &[
                "Does a period that was changed stay in the list of the session?",
                "Does the list begin with the period at the session's start?",
            ],
            check: Some(claims::periods_are_told),
        },
        Rule {
            id: "SAMPLE-08",
            level: Level::Should,
            sentence: "All that a backend draws follows from the session's seed: the same seed draws the same operations, another one others.",
            intent: "A run that can be repeated can be debugged; and runs with different seeds are independent of each other.",
            verified: &[Verified::Property],
            look: &[
                "Is the generator seeded by `Session::seed` at each start, in each thread?",
                "Does anything drawn depend on the time, an address, or a hash map's order?",
            ],
            check: Some(claims::a_seed_repeats_a_run),
        },
    ],
};
