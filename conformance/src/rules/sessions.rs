//! Start and stop.

mod real;
mod simulated;

use crate::rule::{Family, Level, Rule, Verified};

pub(super) static FAMILY: Family = Family {
    id: "SESSION",
    title: "Start and stop",
    about: "What belongs to a session, and what starting and stopping may cost.",
    rules: &[
        Rule {
            id: "SESSION-01",
            level: Level::Must,
            sentence: "A start while a session runs is an error of kind State, and changes nothing.",
            intent: "Two who profile the same program must not spoil each other's reports.",
            verified: &[Verified::Property],
            look: &[
                "Is it asked whether a session runs before anything of it is forgotten?",
                "Does the refused start draw from the session's random numbers, or change its clock?",
            ],
            check: Some(simulated::a_second_start_changes_nothing),
        },
        Rule {
            id: "SESSION-02",
            level: Level::Must,
            sentence: "A stop while no session runs is an error of kind State, and changes nothing.",
            intent: "Whoever stops twice learns of it, and the report of the session before is still there.",
            verified: &[Verified::Property],
            look: &[
                "Is a backend that was never started told from one that was stopped?",
                "Does the refused stop close something that is closed already?",
            ],
            check: Some(simulated::a_stop_without_start_changes_nothing),
        },
        Rule {
            id: "SESSION-03",
            level: Level::Must,
            sentence: "A snapshot before the first start is an error of kind State, and changes nothing.",
            intent: "An empty report would say that nothing was locked, where nobody has looked.",
            verified: &[Verified::Property],
            look: &[
                "Is it remembered whether a session was ever started?",
                "Is the session's clock known where the report is made?",
            ],
            check: Some(simulated::a_snapshot_before_the_first_start_changes_nothing),
        },
        Rule {
            id: "SESSION-04",
            level: Level::Must,
            sentence: "A report holds nothing from before its session's start, and nothing from after its stop has returned.",
            intent: "A session is the span that somebody chose to look at: what is around it would falsify it.",
            verified: &[Verified::Property, Verified::Sampled],
            look: &[
                "Does `start` forget all of the session before, also if nobody has asked for its report?",
                "Is anything added to the report when it is asked for, or in the background?",
                "Are records found by a word of a slot that an older session has written?",
            ],
            check: Some(real::a_session_begins_empty_and_ends_at_its_stop),
        },
        Rule {
            id: "SESSION-05",
            level: Level::Must,
            sentence: "A lock that was acquired before the start and is released after it is no acquisition of the session, and its later ones are counted as any other's.",
            intent: "When the hold began nobody looked, so nothing true can be said of it.",
            verified: &[Verified::Sampled],
            look: &[
                "Is a lock that others fail to get, and that the session has not met, taken for one of its own?",
                "Is a record made for anything but an event?",
            ],
            check: Some(real::acquired_before_the_start),
        },
        Rule {
            id: "SESSION-06",
            level: Level::Must,
            sentence: "A lock that is held across a stop and the next start is an acquisition of neither session, and its later ones are counted as any other's.",
            intent: "No session has seen both ends of the hold, and a lock that was held at the wrong moment must not be lost for what follows.",
            verified: &[Verified::Sampled],
            look: &[
                "Is what was met, and not told before the stop, carried to the next session?",
                "Does the generation in the slot decide whether its state is used?",
            ],
            check: Some(real::held_across_a_restart),
        },
        Rule {
            id: "SESSION-07",
            level: Level::Must,
            sentence: "A lock that is held across a change of backend is an acquisition of neither session, and its later ones are counted as any other's.",
            intent: "The next backend finds in the slot what the last one has left there, and must not take it for its own.",
            verified: &[Verified::Sampled],
            look: &[
                "Is anything kept in statics, which all instances share?",
                "Is the state in a slot used without a look at its generation?",
            ],
            check: Some(real::held_across_a_change_of_backend),
        },
        Rule {
            id: "SESSION-08",
            level: Level::Must,
            sentence: "However starts and stops race with each other and with the program's threads, a report holds what was done between its start and its stop.",
            intent: "Sessions are started and stopped in programs that run: what is told in the first and in the last moment counts like the rest.",
            verified: &[Verified::Sampled],
            look: &[
                "Is everything ready when `start` returns?",
                "Do two events that are told at once both arrive?",
                "Is what lies in buffers of threads collected by `stop`?",
            ],
            check: Some(real::starts_and_stops_raced),
        },
        Rule {
            id: "SESSION-09",
            level: Level::Must,
            sentence: "A stop does not wait for those who hold a lock.",
            intent: "A lock may be held for as long as the program runs, by the thread itself that stops the session.",
            verified: &[Verified::Sampled],
            look: &[
                "Does `stop` wait for what was met to be told?",
                "Does `stop` take a lock that a hook keeps beyond its own call?",
            ],
            check: Some(real::a_stop_does_not_wait_for_a_holder),
        },
        Rule {
            id: "SESSION-10",
            level: Level::Must,
            sentence: "A thousand sessions, one after the other, leave no memory behind.",
            intent: "A program that is profiled for a minute of every hour runs for months.",
            verified: &[Verified::Sampled],
            look: &[
                "Does `start` free, or use again, what the last session has recorded?",
                "Is anything kept for each session, each generation, or each thread that is gone?",
            ],
            check: Some(simulated::a_thousand_sessions_leave_no_memory),
        },
        Rule {
            id: "SESSION-11",
            level: Level::Must,
            sentence: "After the stop the report stays, and stays the same, until the next start.",
            intent: "The report is fetched after the stop, maybe twice: by whoever shows it and by whoever writes it.",
            verified: &[Verified::Property],
            look: &[
                "Does a snapshot take away, or add, what it tells?",
                "Is time still running for a session that is over?",
                "Is what was recorded freed by `stop`?",
            ],
            check: Some(simulated::the_report_stays_after_the_stop),
        },
        Rule {
            id: "SESSION-12",
            level: Level::Must,
            sentence: "A key that is unknown, or cannot be changed now, and a value that cannot be used are errors of kind Setting, in a running session and outside of one, and change nothing.",
            intent: "An operator who misspells a key in a running program learns of it at no cost to what is recorded.",
            verified: &[Verified::Property],
            look: &[
                "Is a value checked before the first thing is set?",
                "Is each key that `configure` does not take refused by name?",
            ],
            check: Some(simulated::a_refused_key_changes_nothing),
        },
        Rule {
            id: "SESSION-13",
            level: Level::Must,
            sentence: "A pace is one that a host can follow: a state that gates have, a contended period of 1 or more, and time to pass before it is asked again, but for a few answers.",
            intent: "The host does what the backend says, from a thread of the program: it must be able to, and to come to rest.",
            verified: &[Verified::Property],
            look: &[
                "Is `gate` one of `OPEN`, `WATCH` and `CLOSED`?",
                "Can a division make the contended period 0?",
                "Does each way through `pace` that answers 0 ns lead to another one?",
            ],
            check: Some(simulated::a_host_can_follow_the_pace),
        },
    ],
};
