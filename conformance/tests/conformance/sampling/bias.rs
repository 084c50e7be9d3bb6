//! No bias: the mean of many runs is the truth, however the period moves and
//! however rarely a lock is used.

use std::collections::BTreeMap;

use lockscope_conformance::statistics::Runs;
use lockscope_conformance::{Hold, Line, Make, Script, Simulation, Step, Use, stated};
use lockscope_core::backend::Backend;
use lockscope_core::report::Estimate;

use crate::backends::Tested;

const RUNS: u64 = 1_000;

/// The mean is off by so many of its standard errors for one seed in 15,000.
const MOST_ERRORS: f64 = 4.0;

/// A program that leaves a sampler little to go by.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    script: fn() -> Script,
}

pub(crate) const CASES: [Case; 4] = [
    Case { name: "used only just after the period has changed", script: after_a_change },
    Case { name: "used on both sides of each change", script: across_changes },
    Case { name: "used once", script: once },
    Case { name: "dropped when it has hardly been used", script: short_lives },
];

fn set(period: u32) -> Step {
    Step::Configure("period", period.to_string())
}

/// One of each sort of use: by lock and by thread.
fn uses(script: &mut Script) -> [Use; 3] {
    let hold = Hold::About(500);
    let mutex = Use { hold, ..Use::of(script.lock(Make::MUTEX)) };
    let read = Use { hold, thread: 1, ..Use::reading(script.lock(Make::RWLOCK)) };
    let slotless = Use { hold, thread: 2, ..Use::of(script.lock(Make::SLOTLESS)) };
    [mutex, read, slotless]
}

fn times(times: u32, uses: [Use; 3]) -> Step {
    Step::Repeat(times, uses.map(Step::Take).into())
}

/// Some locks see the period rise, others see it fall.
fn after_a_change() -> Script {
    let mut script = Script::default();
    let (risen, fallen) = (uses(&mut script), uses(&mut script));
    let round = vec![set(40), times(3, risen), set(4), times(5, fallen)];
    script.push(Step::Repeat(60, round));
    script
}

fn across_changes() -> Script {
    let mut script = Script::default();
    let uses = uses(&mut script);
    let round = vec![set(50), times(3, uses), set(2), times(2, uses), set(9), times(7, uses)];
    script.push(Step::Repeat(40, round));
    script
}

fn once() -> Script {
    let mut script = Script::default();
    let uses = uses(&mut script);
    script.extend([set(10), times(1, uses), set(2)]);
    script
}

/// The same line of the program makes one lock after the other.
fn short_lives() -> Script {
    let mut script = Script::default();
    let uses = uses(&mut script);
    let replaced = || uses.map(|by| Step::Replace(by.lock)).into();
    let round = vec![set(20), times(2, uses), set(5), times(1, uses), Step::Repeat(1, replaced())];
    script.push(Step::Repeat(50, round));
    script
}

/// Whether the mean of many runs is the truth, in each case.
pub(crate) fn check<B: Backend>(tested: &Tested) -> Result<(), String> {
    CASES.iter().try_for_each(|case| check_case::<B>(tested, case))
}

pub(crate) fn check_case<B: Backend>(tested: &Tested, case: &Case) -> Result<(), String> {
    let (subject, script) = (tested.sampling::<B>(2), (case.script)());
    let mut runs = BTreeMap::<(Line, &str), Runs>::new();
    for seed in 0..RUNS {
        let played =
            Simulation::play(&subject, seed, &script).map_err(|error| error.to_string())?;
        let (stated, truth) = (stated(&played.report), played.truth.lines());
        for (line, truth) in truth {
            let stated = stated.get(&line).copied().unwrap_or_default();
            let mut add = |name, stated: Estimate, truth: u64| {
                runs.entry((line, name)).or_default().add(stated, truth as f64);
            };
            add("acquisitions", stated.acquisitions, truth.acquisitions);
            add("holds", stated.hold_ns, truth.hold_ns);
        }
    }
    for ((line, name), runs) in &runs {
        let off = runs.bias_in_errors();
        if off > MOST_ERRORS {
            return Err(format!(
                "{}, {}: the mean of {RUNS} estimates of {name} at {line:?} is off by {off:.1} of its standard errors",
                tested.name, case.name
            ));
        }
    }
    Ok(())
}
