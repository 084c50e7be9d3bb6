//! Who made whom wait.

use std::collections::BTreeMap;

use lockscope_core::report::Report;

use super::counts::{LOCKS, modes};
use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::random::Random;
use crate::script::{Hold, LockId, Script, Step, Use};
use crate::simulation::{Played, Simulation};
use crate::subject::Pacing;
use crate::trial::Trial;
use crate::verdict::Failure;

/// Where the lock was made, who had it, who waited; how often, how long.
type Charges = BTreeMap<(usize, usize, usize), (f64, f64)>;

pub(super) fn waits_are_charged_to_holders(trial: &mut Trial) -> Result<(), Failure> {
    // Whoever is not sampled has the lock as well.
    for recording in [Recording::Everything, Recording::OneIn(50)] {
        let every_wait = Pacing { contended_period: Some(1), ..Pacing::default() };
        let subject = trial.subject(recording)?.paced(every_wait);
        let mut random = trial.random();
        for _ in 0..15 {
            let (script, makes) = any(&mut random);
            let seed = random.bits();
            let played = Simulation::play(&subject, seed, &script)?;
            charged_as(&played, &expected(&makes, &script), &script)?;
            compare::no_loss(&played.report)?;
        }
    }
    super::real::a_wait_is_charged_to_a_line(trial)
}

/// Locks that are taken and waited for at several call sites, in all modes.
fn any(random: &mut Random) -> (Script, Vec<Make>) {
    let mut script = Script::default();
    let makes: Vec<Make> = LOCKS.to_vec();
    let locks: Vec<LockId> = makes.iter().map(|make| script.lock(*make)).collect();
    // By whoever has it alone a lock is met at once: before that, nobody knows
    // who has it.
    let meets = |lock| Step::Take(Use { site: 6, ..Use::of(lock) });
    script.extend(locks.iter().map(|lock| meets(*lock)));
    for _ in 0..40 {
        let number = random.below(locks.len() as u64) as usize;
        let modes = modes(makes[number]);
        let mode = modes[random.below(modes.len() as u64) as usize];
        let (thread, site) = (random.below(3) as usize, 1 + random.below(5) as usize);
        let hold = Hold::Exactly(random.below(500));
        let by = Use { thread, lock: locks[number], mode, site, hold };
        let wait = Hold::Exactly(1 + random.below(10_000));
        match random.below(6) {
            0 | 1 => script.push(Step::Take(by)),
            2 => script.push(Step::Refuse(by)),
            3 => script.push(Step::GiveUp(by, wait)),
            4 if random.below(4) == 0 => script.extend([Step::Replace(by.lock), meets(by.lock)]),
            _ => script.push(Step::Wait(by, wait)),
        }
    }
    (script, makes)
}

/// What is to be charged: to whoever had the lock last, if the lock has a slot to
/// say so.
fn expected(makes: &[Make], script: &Script) -> Charges {
    let mut charges = Charges::new();
    let mut holders = BTreeMap::<usize, usize>::new();
    for step in &script.steps {
        match step {
            Step::Take(by) => {
                holders.insert(by.lock.created(), by.site);
            }
            Step::Wait(by, Hold::Exactly(wait)) => {
                let created = by.lock.created();
                let before = holders.insert(created, by.site);
                let holder = before.filter(|_| makes[created - 1].has_slot).unwrap_or_default();
                let charge = charges.entry((created, holder, by.site)).or_default();
                *charge = (charge.0 + 1.0, charge.1 + *wait as f64);
            }
            Step::Replace(lock) => {
                holders.remove(&lock.created());
            }
            _ => {}
        }
    }
    charges
}

fn charged_as(played: &Played, expected: &Charges, script: &Script) -> Result<(), Failure> {
    let charged = charged(&played.report);
    for key in expected.keys().chain(charged.keys()) {
        let (should, does) = (expected.get(key), charged.get(key));
        if should != does {
            let (created, holder, waiter) = key;
            let words = |charge: Option<&(f64, f64)>| {
                charge.map_or_else(
                    || "nothing".to_owned(),
                    |(times, ns)| format!("{times} waits, {ns} ns in all"),
                )
            };
            return Err(Failure::new(
                format!(
                    "charged to site {holder} (0: not known) for what site {waiter} waited for lock {created}: {}",
                    words(should)
                ),
                words(does),
            )
            .after(history(script, *created)));
        }
    }
    Ok(())
}

/// What was done with the locks of this place.
fn history(script: &Script, created: usize) -> Vec<String> {
    let is_of_it = |step: &&Step| match step {
        Step::Take(by) | Step::Refuse(by) | Step::GiveUp(by, _) | Step::Wait(by, _) => {
            by.lock.created() == created
        }
        Step::Replace(lock) => lock.created() == created,
        _ => false,
    };
    script.steps.iter().filter(is_of_it).map(ToString::to_string).collect()
}

/// Of each lock, living or not.
fn charged(report: &Report) -> Charges {
    let mut charges = Charges::new();
    for lock in &report.locks {
        for blame in &lock.blame {
            let key = (lock.created, blame.holder, blame.waiter);
            let charge = charges.entry(key).or_default();
            charge.0 += blame.contentions.value;
            charge.1 += blame.wait_ns.value;
        }
    }
    charges
}
