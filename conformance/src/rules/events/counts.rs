//! Numbers that are exact, and none twice.

use lockscope_core::Mode;

use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::random::Random;
use crate::script::{Hold, LockId, Script, Step, Use};
use crate::simulation::Simulation;
use crate::trial::Trial;
use crate::verdict::Failure;

pub(super) const LOCKS: [Make; 4] =
    [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS, Make::SLOTLESS_RWLOCK];

pub(super) fn counts_are_exact(trial: &mut Trial) -> Result<(), Failure> {
    let mut random = trial.random();
    let subject = trial.subject(Recording::Everything)?;
    for _ in 0..40 {
        let (seed, script) = (random.bits(), anything(&mut random, 60));
        compare::shortest(&subject, seed, &script, compare::exact)?;
    }
    Ok(())
}

pub(super) fn nothing_is_counted_twice(trial: &mut Trial) -> Result<(), Failure> {
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

/// Plays the script step by step, and compares after each.
pub(super) fn exact_after_each(trial: &mut Trial, script: &Script) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    compare::shorten(script, |steps| {
        let mut simulation = Simulation::start(&subject, trial.seed(), script)?;
        let mut each = steps.iter().map(|step| {
            simulation.run(core::slice::from_ref(step))?;
            compare::exact(&simulation.so_far()?)
        });
        let so_far = each.find(Result::is_err).unwrap_or(Ok(()));
        let at_the_end = simulation.stop()?;
        so_far.and_then(|()| compare::exact(&at_the_end))
    })
}

/// In which a lock of this sort can be had.
pub(super) fn modes(make: Make) -> &'static [Mode] {
    if make.kind == Make::RWLOCK.kind {
        &[Mode::EXCLUSIVE, Mode::SHARED, Mode::UPGRADABLE]
    } else {
        &[Mode::EXCLUSIVE]
    }
}

pub(super) fn only_what_has_ended_is_counted(trial: &mut Trial) -> Result<(), Failure> {
    let mut script = Script::default();
    for make in LOCKS {
        for mode in modes(make) {
            // Each meets its lock by what is looked at.
            let by = Use { mode: *mode, ..Use::of(script.lock(make)) };
            let other = Use { thread: 1, site: 2, ..by };
            script.extend([
                Step::Keep(by),
                Step::Rest(500),
                Step::GiveBack(0, by.lock),
                Step::Keep(other),
                Step::Rest(300),
                Step::GiveBack(1, by.lock),
                Step::Keep(by),
            ]);
        }
    }
    exact_after_each(trial, &script)?;
    waits_are_counted_when_their_hold_ends(trial)
}

/// Also those that go on into the next session: they end in neither.
fn waits_are_counted_when_their_hold_ends(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    let mut script = Script::default();
    let locks = LOCKS.map(|make| script.lock(make));
    let mut simulation = Simulation::start(&subject, trial.seed(), &script)?;
    let look = |simulation: &Simulation<'_>, when: &str| {
        let history = [format!("each lock is waited for, and had, and given back; now {when}")];
        compare::exact(&simulation.so_far()?).map_err(|failure| failure.after(history))
    };
    for cut in [false, true] {
        let operations = locks.map(|lock| Use::of(lock).operation());
        let waiting = operations.map(|operation| simulation.probe().wait(operation));
        simulation.probe().pass(700);
        look(&simulation, "they wait")?;
        let had = waiting.map(|waiting| simulation.probe().waited(waiting));
        simulation.probe().pass(50);
        look(&simulation, "they have it")?;
        if cut {
            compare::exact(&simulation.restart(trial.seed())?)?;
        }
        had.iter().for_each(|had| simulation.probe().release(had));
        look(&simulation, if cut { "a new session has seen the end" } else { "it is over" })?;
    }
    compare::exact(&simulation.stop()?)
}

pub(super) fn a_failed_try_is_no_acquisition(trial: &mut Trial) -> Result<(), Failure> {
    let mut script = Script::default();
    for make in LOCKS {
        for mode in modes(make) {
            let by = Use { mode: *mode, hold: Hold::Exactly(60), ..Use::of(script.lock(make)) };
            let tries = Use { thread: 1, site: 2, ..by };
            let (refuse, give_up) = (Step::Refuse(tries), Step::GiveUp(tries, Hold::Exactly(900)));
            // Before the session has met the lock, while somebody has it, after.
            script.extend([refuse.clone(), give_up.clone()]);
            script.extend([Step::Keep(by), refuse.clone(), give_up.clone(), refuse.clone()]);
            script.extend([Step::GiveBack(0, by.lock), Step::Take(tries), give_up, refuse]);
        }
    }
    exact_after_each(trial, &script)?;
    super::real::tries_fail(trial)
}

pub(super) fn readers_and_writers_are_apart(trial: &mut Trial) -> Result<(), Failure> {
    let mut script = Script::default();
    for make in [Make::RWLOCK, Make::SLOTLESS_RWLOCK] {
        let by = Use { hold: Hold::Exactly(25), ..Use::of(script.lock(make)) };
        // At one call site, so that nothing but the mode tells them apart.
        let all =
            modes(make).iter().zip(1..).map(|(mode, times)| (Use { mode: *mode, ..by }, times));
        for (by, times) in all {
            let wait = Hold::Exactly(130 * u64::from(times));
            let steps = vec![Step::Take(by), Step::Wait(by, wait), Step::Refuse(by)];
            script.extend([Step::Repeat(times, steps), Step::GiveUp(by, wait)]);
        }
        // Three at a time, of whom the first to come is not the first to go.
        let reads = |thread, mode| Use { thread, mode, ..by };
        let readers = [reads(0, Mode::SHARED), reads(1, Mode::UPGRADABLE), reads(2, Mode::SHARED)];
        script.extend(readers.map(|by| [Step::Keep(by), Step::Rest(100)]).concat());
        let lock = by.lock;
        script
            .extend([1, 0, 2].map(|thread| [Step::GiveBack(thread, lock), Step::Rest(9)]).concat());
    }
    exact_after_each(trial, &script)
}
