//! Exclusion and thread safety.

mod alone;
mod callable;
mod patience;
mod poisoned;
mod states;
mod threads;
mod trying;
mod waiting;

use crate::rule::{Family, Level, Rule, Verified};

pub(super) use patience::{PATIENCE, Sleeper};

pub(super) static FAMILY: Family = Family {
    id: "EXCL",
    title: "Exclusion",
    about: "A lock that is profiled does what it did before: whoever has it has it alone, and whoever waits gets it.",
    rules: &[
        Rule {
            id: "EXCL-01",
            level: Level::Must,
            sentence: "While a thread has a lock for itself, no other thread has it.",
            intent: "It is what a lock is for; a hook that touches more of a lock than the state word of its slot breaks it.",
            verified: &[Verified::Sampled],
            look: &[
                "Does a hook write to the lock, or beyond the `state` word of its slot?",
                "Is a pointer to a slot kept after the call that it was shown in?",
            ],
            check: Some(alone::owners_are_alone),
        },
        Rule {
            id: "EXCL-02",
            level: Level::Must,
            sentence: "Readers of a lock have it together, and a writer gets it once they have gone.",
            intent: "A profiler that makes readers take turns shows waits that the program does not have without it.",
            verified: &[Verified::Sampled],
            look: &[
                "Does a hook write to the lock, whose word counts its readers?",
                "Does `event` wait for anything while a reader gives the lock back?",
            ],
            check: Some(alone::readers_share),
        },
        Rule {
            id: "EXCL-03",
            level: Level::Must,
            sentence: "Whoever waits for a lock, or at a condition variable, is woken when it is free, or when it is called.",
            intent: "A wake-up that is lost stops a program for ever, and perhaps once in a month.",
            verified: &[Verified::Sampled],
            look: &[
                "Does a hook write to the lock, whose word says that somebody waits?",
                "Does a hook block on a thread that waits for the very lock?",
            ],
            check: Some(waiting::whoever_waits_is_woken),
        },
        Rule {
            id: "EXCL-04",
            level: Level::Must,
            sentence: "A try ends at once: with the lock if it is free, and without it if it is not.",
            intent: "Programs try where they must not wait; a hook that does makes them wait after all.",
            verified: &[Verified::Sampled],
            look: &[
                "Does `event` sleep, or wait for a lock, when it is told of a failed try?",
                "Does a hook change the lock's word, so that it looks taken when it is free?",
            ],
            check: Some(trying::tries_end_at_once),
        },
        Rule {
            id: "EXCL-05",
            level: Level::Must,
            sentence: "A wait with a time limit ends without the lock when the time is over, not before it and not long after, and with the lock if that is given back in time.",
            intent: "Time limits are how programs stay responsive; they hold with a profiler as without.",
            verified: &[Verified::Sampled],
            look: &[
                "Does `event` sleep, or wait for a lock, when it is told of a wait that was given up?",
                "Does a hook wake whoever waits?",
            ],
            check: Some(trying::time_limits_hold),
        },
        Rule {
            id: "EXCL-06",
            level: Level::Must,
            sentence: "A panic poisons what it poisons without a profiler, until the program says otherwise.",
            intent: "Poison tells a program that its data may be broken; to lose it, or to add some, changes what the program does.",
            verified: &[Verified::Sampled],
            look: &[
                "Does a hook write to the lock, where its poison stands?",
                "Does a hook panic, or catch the panics of others?",
            ],
            check: Some(poisoned::panics_poison),
        },
        Rule {
            id: "EXCL-07",
            level: Level::Must,
            sentence: "A lock that is given back in fairness goes to who waits for it, before who gave it back gets it again.",
            intent: "Fair locks are chosen for their order; a profiler that changes it hides the waits that it is asked for.",
            verified: &[Verified::Sampled],
            look: &[
                "Does a hook write to the lock, whose word says that somebody waits?",
                "Does a hook park, wake or requeue threads?",
            ],
            check: Some(waiting::fair_locks_are_handed_over),
        },
        Rule {
            id: "EXCL-08",
            level: Level::Must,
            sentence: "Threads may come and go, as many as they like, and each can use locks at once.",
            intent: "What is kept for each thread must be given to the next when a thread ends, or have no end.",
            verified: &[Verified::Sampled],
            look: &[
                "Is there a table of threads that can be full?",
                "Is the place of a thread that has ended given to another?",
                "Does anything wait for a thread that has ended?",
            ],
            check: Some(threads::threads_come_and_go),
        },
        Rule {
            id: "EXCL-09",
            level: Level::Must,
            sentence: "Locks can be used while the thread-local values of their thread are torn down.",
            intent: "Destructors of thread-local values take locks; those of the backend may be gone by then.",
            verified: &[Verified::Sampled],
            look: &[
                "Does a hook use a thread-local value that has a destructor? Use `try_with`, or a value that needs none.",
                "Is anything of a thread freed when the thread ends, and used after that?",
            ],
            check: Some(threads::teardown_may_lock),
        },
        Rule {
            id: "EXCL-10",
            level: Level::Must,
            sentence: "A hook takes no lock of the program: it goes to its end whatever its thread, or another one, holds.",
            intent: "The lock may be the one that the hook is told of, or the allocator's: then the thread waits for itself.",
            verified: &[Verified::Sampled],
            look: &[
                "Does a hook call code of the program, such as its allocator or its logger?",
                "Does a hook wait for another thread, which may wait for a lock of this one?",
            ],
            check: Some(callable::hooks_take_no_lock_of_the_program),
        },
        Rule {
            id: "EXCL-11",
            level: Level::Must,
            sentence: "A fork can use its locks, and can start a session of its own, whatever other threads did at that moment.",
            intent: "Of what threads that were not forked held, nobody in the fork gives anything back.",
            verified: &[Verified::Sampled],
            look: &[
                "Is there a lock, in a static, that hooks hold and that the next session takes?",
                "Does a session wait for a thread that was started by another one?",
            ],
            check: Some(callable::forks_can_lock),
        },
        Rule {
            id: "EXCL-12",
            level: Level::Must,
            sentence: "A hook does not wait for a snapshot.",
            intent: "Reports are made while the program runs, and of many locks they take long; nobody in the program may wait for that.",
            verified: &[Verified::Sampled],
            look: &[
                "Does `snapshot` hold a lock that `event`, `meet` or `dropped` takes?",
                "Can a list be walked while it grows?",
            ],
            check: Some(callable::hooks_do_not_wait_for_snapshots),
        },
    ],
};
