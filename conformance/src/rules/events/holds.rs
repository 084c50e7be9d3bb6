//! Holds that overlap, and holds that are split.

use lockscope_core::Mode;

use super::counts::{LOCKS, exact_after_each};
use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::random::Random;
use crate::script::{Hold, LockId, Script, Step, Use};
use crate::trial::Trial;
use crate::verdict::Failure;

pub(super) fn a_wait_splits_a_hold(trial: &mut Trial) -> Result<(), Failure> {
    let mut script = Script::default();
    let mutex = script.lock(Make::MUTEX);
    let condvars =
        [script.lock(Make::CONDVAR), script.lock(Make { has_slot: false, ..Make::CONDVAR })];
    for (condvar, thread) in condvars.into_iter().zip(0..).cycle().take(4) {
        let by = Use { thread, site: 5, ..Use::of(mutex) };
        // The wait takes the mutex again where it stands itself.
        let waits = Use { site: 6, ..by };
        let idle = Step::Idle(Use { lock: condvar, ..waits }, Hold::Exactly(80_000));
        script.extend([Step::Keep(by), Step::Rest(300), Step::GiveBack(thread, mutex), idle]);
        script.extend([Step::Keep(waits), Step::Rest(40), Step::GiveBack(thread, mutex)]);
    }
    exact_after_each(trial, &script)?;
    super::real::condition_waits(trial)
}

pub(super) fn nested_and_hand_over_hand(trial: &mut Trial) -> Result<(), Failure> {
    for make in LOCKS {
        exact_after_each(trial, &nested(make))?;
        exact_after_each(trial, &hand_over_hand(make))?;
    }
    let mut random = trial.random();
    let subject = trial.subject(Recording::Everything)?;
    for _ in 0..20 {
        let (seed, script) = (random.bits(), any_overlap(&mut random));
        compare::shortest(&subject, seed, &script, compare::exact)?;
    }
    super::real::locks_within_locks(trial)
}

/// So many locks one within the other.
const DEPTH: usize = 12;

fn nested(make: Make) -> Script {
    let mut script = Script::default();
    let locks: Vec<LockId> = (0..DEPTH).map(|_| script.lock(make)).collect();
    script.extend(locks.iter().flat_map(|lock| [Step::Keep(Use::of(*lock)), Step::Rest(100)]));
    let back = locks.iter().rev().flat_map(|lock| [Step::GiveBack(0, *lock), Step::Rest(10)]);
    script.extend(back);
    script
}

fn hand_over_hand(make: Make) -> Script {
    let mut script = Script::default();
    let locks: Vec<LockId> = (0..DEPTH).map(|_| script.lock(make)).collect();
    script.push(Step::Keep(Use::of(locks[0])));
    for pair in locks.windows(2) {
        let next = Step::Keep(Use { site: 2, ..Use::of(pair[1]) });
        script.extend([Step::Rest(70), next, Step::Rest(30), Step::GiveBack(0, pair[0])]);
    }
    script.push(Step::GiveBack(0, locks[DEPTH - 1]));
    script
}

/// Whatever three threads can have of eight locks, given back in any order.
fn any_overlap(random: &mut Random) -> Script {
    let mut script = Script::default();
    let locks = [LOCKS, LOCKS].concat();
    let locks: Vec<(LockId, Make)> =
        locks.into_iter().map(|make| (script.lock(make), make)).collect();
    for _ in 0..80 {
        let (lock, make) = locks[random.below(8) as usize];
        let thread = random.below(3) as usize;
        let reads = make.kind == Make::RWLOCK.kind && random.below(2) == 0;
        let mode = if reads { Mode::SHARED } else { Mode::EXCLUSIVE };
        let site = 1 + random.below(3) as usize;
        let step = match random.below(5) {
            0 | 1 => Step::Keep(Use { thread, mode, site, ..Use::of(lock) }),
            2 => Step::Rest(random.below(1_000)),
            _ => Step::GiveBack(thread, lock),
        };
        script.push(step);
    }
    script
}
