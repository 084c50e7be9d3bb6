//! Sessions that sleep: what happens while the gate stands open is all there,
//! and nothing else is.

use lockscope_conformance::{Hold, Make, Pacing, Script, Simulation, Step, Use, stated};
use lockscope_core::backend::Backend;
use lockscope_core::gate::state::{CLOSED, OPEN, WATCH};

use crate::backends::Tested;

/// Lengths that nothing in the program divides: each window begins elsewhere.
const WINDOWS: [(u32, u64); 5] =
    [(OPEN, 7_001), (WATCH, 9_007), (CLOSED, 5_003), (WATCH, 4_001), (CLOSED, 6_011)];

/// Locks of all sorts that are used, waited for, and replaced again and again.
fn script() -> Script {
    let mut script = Script::default();
    let hold = Hold::About(40);
    let locks = [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS, Make::SLOTLESS_RWLOCK];
    let locks = locks.map(|make| script.lock(make));
    let mut steps = Vec::new();
    for (site, lock) in (1..).zip(locks) {
        let writing = Use { site, hold, ..Use::of(lock) };
        let reading = Use { thread: 1, site: 9, hold, ..Use::reading(lock) };
        steps.extend([Step::Take(writing), Step::Wait(writing, hold), Step::Refuse(writing)]);
        steps.extend([Step::Take(reading), Step::Wait(reading, hold), Step::GiveUp(reading, hold)]);
    }
    let told = script.lock(Make::CONDVAR);
    steps.extend([Step::Idle(Use::of(told), hold), Step::Rest(333)]);
    let replaced = Step::Repeat(7, steps);
    script.push(Step::Repeat(30, [vec![replaced], locks.map(Step::Replace).into()].concat()));
    script
}

/// Whether every number is exact if every operation is recorded, whatever the
/// gates do.
pub(crate) fn check<B: Backend>(tested: &Tested) -> Result<(), String> {
    let pacing = Pacing { windows: WINDOWS.to_vec(), ..Pacing::default() };
    let subject = tested.exact::<B>().paced(pacing);
    for seed in 0..20 {
        let played =
            Simulation::play(&subject, seed, &script()).map_err(|error| error.to_string())?;
        let (stated, truth) = (stated(&played.report), played.truth.lines());
        for line in stated.keys().chain(truth.keys()) {
            let stated = stated.get(line).copied().unwrap_or_default();
            let truth = truth.get(line).copied().unwrap_or_default();
            for ((name, stated), (_, truth)) in stated.each().into_iter().zip(truth.each()) {
                if stated.value != truth as f64 || stated.variance != 0.0 {
                    return Err(format!(
                        "{}: {name} of {line:?} are {truth} in the windows of seed {seed}, and {stated:?} in the report",
                        tested.name
                    ));
                }
            }
        }
        if !played.report.losses.is_empty() {
            return Err(format!("{}: there are losses {:?}", tested.name, played.report.losses));
        }
    }
    Ok(())
}
