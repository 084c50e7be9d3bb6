//! Whatever a program does, and however the period moves.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use lockscope_conformance::statistics::bound;
use lockscope_conformance::{Hold, Line, Make, Script, Simulation, Step, Totals, Use, stated};
use lockscope_core::Mode;
use lockscope_core::backend::Backend;
use lockscope_core::report::Estimate;

use crate::backends::Tested;

/// Programs that are tried.
const PROGRAMS: u32 = 60;
/// Runs of each, which are added up.
const SEEDS: u64 = 200;

const MOST_HOLD_NS: u64 = 2_000;
const LONGEST_PERIOD: u32 = 64;
const LOCKS: [Make; 4] = [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS, Make::MUTEX];

/// Something that a program does, again and again.
#[derive(Clone, Debug)]
struct Stretch {
    /// Of the period that holds from here on, if it changes.
    period: Option<u32>,
    times: u32,
    acts: Vec<Act>,
}

#[derive(Clone, Debug)]
enum Act {
    Take(At),
    Wait(At, u64),
    Replace(usize),
}

#[derive(Clone, Debug)]
struct At {
    thread: usize,
    lock: usize,
    site: usize,
    shared: bool,
    hold_ns: u64,
}

fn at() -> impl Strategy<Value = At> {
    (0..3_usize, 0..LOCKS.len(), 1..4_usize, any::<bool>(), 0..=MOST_HOLD_NS).prop_map(
        |(thread, lock, site, shared, hold_ns)| At { thread, lock, site, shared, hold_ns },
    )
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        10 => at().prop_map(Act::Take),
        2 => (at(), 0..5_000_u64).prop_map(|(at, wait_ns)| Act::Wait(at, wait_ns)),
        1 => (0..LOCKS.len()).prop_map(Act::Replace),
    ]
}

fn stretch() -> impl Strategy<Value = Stretch> {
    let period = proptest::option::of(1..=LONGEST_PERIOD);
    let times = prop_oneof![1..4_u32, 10..200_u32];
    (period, times, proptest::collection::vec(act(), 1..8))
        .prop_map(|(period, times, acts)| Stretch { period, times, acts })
}

fn script(stretches: &[Stretch]) -> Script {
    let mut script = Script::default();
    let locks = LOCKS.map(|make| script.lock(make));
    let using = |at: &At| Use {
        thread: at.thread,
        // Only a reader-writer lock can be read.
        mode: if at.shared && at.lock == 1 { Mode::SHARED } else { Mode::EXCLUSIVE },
        site: at.site,
        hold: Hold::Exactly(at.hold_ns),
        ..Use::of(locks[at.lock])
    };
    for Stretch { period, times, acts } in stretches {
        if let Some(period) = period {
            script.push(Step::Configure("period", period.to_string()));
        }
        let steps = acts.iter().map(|act| match act {
            Act::Take(at) => Step::Take(using(at)),
            Act::Wait(at, wait_ns) => Step::Wait(using(at), Hold::Exactly(*wait_ns)),
            Act::Replace(lock) => Step::Replace(locks[*lock]),
        });
        script.push(Step::Repeat(*times, steps.collect()));
    }
    script
}

/// What is known of a line, added up over all seeds.
#[derive(Default)]
struct Sum {
    stated: Totals<Estimate>,
    truth: Totals<u64>,
}

/// Whether the sums over many seeds are as near to the truth as they must be.
fn unbiased<B: Backend>(tested: &Tested, script: &Script) -> Result<(), String> {
    let subject = tested.sampling::<B>(1);
    let (mut sums, mut longest) = (BTreeMap::<Line, Sum>::new(), 1);
    for seed in 0..SEEDS {
        let played = Simulation::play(&subject, seed, script).map_err(|error| error.to_string())?;
        longest = played.report.periods.iter().copied().fold(longest, u32::max);
        for (line, stated) in stated(&played.report) {
            sums.entry(line).or_default().stated += stated;
        }
        for (line, truth) in played.truth.lines() {
            sums.entry(line).or_default().truth += truth;
        }
    }
    sums.iter().try_for_each(|(line, sum)| near(*line, sum, f64::from(longest)))
}

fn near(line: Line, Sum { stated, truth }: &Sum, longest: f64) -> Result<(), String> {
    let compare = |what: &str, stated: f64, truth: u64, most: f64| {
        let truth = truth as f64;
        // Not a number is not near, either.
        if (stated - truth).abs() <= most {
            return Ok(());
        }
        Err(format!(
            "{what} at {line:?} are {truth} in {SEEDS} runs, and {stated} by their estimates, which may be off by {most:.0}"
        ))
    };
    compare("contentions", stated.contentions.value, truth.contentions, 0.0)?;
    compare("waits", stated.wait_ns.value, truth.wait_ns, 0.0)?;
    // No hold is longer, so Σ x² is at most this times Σ x.
    let most_ns = MOST_HOLD_NS as f64;
    let counts = bound((longest - 1.0) * truth.acquisitions as f64, longest);
    compare("acquisitions", stated.acquisitions.value, truth.acquisitions, counts)?;
    let holds = bound((longest - 1.0) * most_ns * truth.hold_ns as f64, longest * most_ns);
    compare("holds", stated.hold_ns.value, truth.hold_ns, holds)
}

/// Whether that holds of all programs; if not, of which one it does not, as
/// short as it could be made.
pub(crate) fn check<B: Backend>(tested: &Tested) -> Result<(), String> {
    let config = Config { cases: PROGRAMS, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let programs = proptest::collection::vec(stretch(), 1..6);
    TestRunner::new_with_rng(config, random)
        .run(&programs, |stretches| {
            unbiased::<B>(tested, &script(&stretches)).map_err(TestCaseError::fail)
        })
        .map_err(|error| format!("{}: {error}", tested.name))
}
