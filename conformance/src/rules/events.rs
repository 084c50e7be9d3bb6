//! Events.

use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::random::Random;
use crate::rule::{Family, Level, Rule, Verified};
use crate::script::{Hold, LockId, Script, Step, Use};
use crate::trial::Trial;
use crate::verdict::Failure;

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
            check: Some(counts_are_exact),
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
            check: Some(nothing_is_counted_twice),
        },
    ],
};

const LOCKS: [Make; 4] = [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS, Make::SLOTLESS_RWLOCK];

fn counts_are_exact(trial: &mut Trial) -> Result<(), Failure> {
    let mut random = trial.random();
    let subject = trial.subject(Recording::Everything)?;
    for _ in 0..40 {
        let (seed, script) = (random.bits(), anything(&mut random, 60));
        compare::shortest(&subject, seed, &script, compare::exact)?;
    }
    Ok(())
}

fn nothing_is_counted_twice(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    for make in LOCKS {
        for sort in 0..5 {
            let mut script = Script::default();
            let by = Use { hold: Hold::Exactly(40), ..Use::of(script.lock(make)) };
            // The first one meets the lock.
            script.extend([Step::Take(by), of_sort(sort, by)]);
            compare::shortest(&subject, trial.seed(), &script, compare::no_more_than_the_truth)?;
        }
    }
    Ok(())
}

/// A program of so many operations, on locks of all sorts.
fn anything(random: &mut Random, operations: usize) -> Script {
    let mut script = Script::default();
    let locks = LOCKS.map(|make| script.lock(make));
    for _ in 0..operations {
        let step = match random.below(20) {
            0 => Step::Replace(locks[random.below(4) as usize]),
            sort => of_sort(sort, any_use(random, &locks)),
        };
        script.push(step);
    }
    script
}

fn any_use(random: &mut Random, locks: &[LockId; 4]) -> Use {
    let lock = random.below(4) as usize;
    // Only a reader-writer lock can be read.
    let is_read = lock % 2 == 1 && random.below(2) == 0;
    let by = if is_read { Use::reading(locks[lock]) } else { Use::of(locks[lock]) };
    let hold = Hold::Exactly(random.below(1_000));
    Use { thread: random.below(3) as usize, site: 1 + random.below(4) as usize, hold, ..by }
}

fn of_sort(sort: u64, by: Use) -> Step {
    let wait = Hold::Exactly(170);
    match sort {
        1 | 2 => Step::Wait(by, wait),
        3 => Step::GiveUp(by, wait),
        4 => Step::Refuse(by),
        _ => Step::Take(by),
    }
}
