//! What takes turns: programs have a rhythm, and a sampler must not dance to it.

use lockscope_conformance::statistics::{errors_off, share};
use lockscope_conformance::{Line, Make, Script, Simulation, Step, Use, stated};
use lockscope_core::Mode;
use lockscope_core::backend::Backend;
use lockscope_core::report::Estimate;

use crate::backends::Tested;

/// Loops of so many operations: all but 3 divide all of the periods.
const LENGTHS: [usize; 4] = [2, 3, 5, 10];
const PERIODS: [u32; 3] = [10, 100, 1_000];
const SEEDS: u64 = 12;

/// Samples of each, on average.
const SAMPLES: u32 = 100;

/// A share may be off by so many of its standard errors. With a hundred samples
/// or more, it is so for one seed in a million.
const MOST_ERRORS: f64 = 6.0;

/// The square of how many errors it is off is 1 on average, and its variance 2,
/// if standard errors are what they are called. The mean over all seeds, periods
/// and lengths, 144 of them, is then within 0.6 of 1 for all but one in a
/// million: five times √(2/144).
const MEAN_SQUARE: core::ops::RangeInclusive<f64> = 0.4..=1.6;

/// What takes turns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Turn {
    /// Locks, each with a countdown of its own.
    Locks,
    /// Call sites of one lock.
    Sites,
    /// Locks that are read, which a thread counts together.
    ReadLocks,
    /// Locks without slot, likewise.
    SlotlessLocks,
}

pub(crate) const TURNS: [Turn; 4] =
    [Turn::Locks, Turn::Sites, Turn::ReadLocks, Turn::SlotlessLocks];

impl Turn {
    /// A loop of so many operations, each of which is a line of the report.
    fn script(self, length: usize, rounds: u32) -> Script {
        let mut script = Script::default();
        let uses: Vec<Use> = match self {
            Self::Sites => {
                let lock = script.lock(Make::MUTEX);
                (1..=length).map(|site| Use { site, ..Use::of(lock) }).collect()
            }
            Self::Locks => (0..length).map(|_| Use::of(script.lock(Make::MUTEX))).collect(),
            Self::ReadLocks => {
                (0..length).map(|_| Use::reading(script.lock(Make::RWLOCK))).collect()
            }
            Self::SlotlessLocks => {
                (0..length).map(|_| Use::of(script.lock(Make::SLOTLESS))).collect()
            }
        };
        script.push(Step::Repeat(rounds, uses.into_iter().map(Step::Take).collect()));
        script
    }

    /// The first operation of the loop, as a line of the report.
    fn first(self) -> Line {
        let mode = if matches!(self, Self::ReadLocks) { Mode::SHARED } else { Mode::EXCLUSIVE };
        Line { created: 1, site: 1, mode }
    }
}

/// Whether everything that takes turns gets the share that it has.
pub(crate) fn check<B: Backend>(tested: &Tested) -> Result<(), String> {
    TURNS.into_iter().try_for_each(|turn| check_turn::<B>(tested, turn))
}

pub(crate) fn check_turn<B: Backend>(tested: &Tested, turn: Turn) -> Result<(), String> {
    let (mut squares, mut number) = (0.0, 0.0);
    for period in PERIODS {
        let subject = tested.for_intervals::<B>(period);
        for length in LENGTHS {
            let longest = tested.longest_period().unwrap_or(period).min(period);
            let script = turn.script(length, SAMPLES * longest);
            for seed in 0..SEEDS {
                let played =
                    Simulation::play(&subject, seed, &script).map_err(|error| error.to_string())?;
                let (share, truth) = (first_share(&played.report, turn), 1.0 / length as f64);
                let off = errors_off(share, truth);
                // It is not a number if nothing was sampled at all.
                if off > MOST_ERRORS || off.is_nan() {
                    return Err(format!(
                        "{}: of {length} {turn:?} in turn, the first has a share of {truth:.3}, and is said to have {:.3} with a standard error of {:.4}, at period {period} and seed {seed}",
                        tested.name,
                        share.value,
                        share.standard_error()
                    ));
                }
                squares += off * off;
                number += 1.0;
            }
        }
    }
    let mean = squares / number;
    if MEAN_SQUARE.contains(&mean) {
        return Ok(());
    }
    Err(format!(
        "{}: shares of {turn:?} in turn are off by {:.2} of their standard errors, as a root mean square; that should be 1",
        tested.name,
        mean.sqrt()
    ))
}

fn first_share(report: &lockscope_core::report::Report, turn: Turn) -> Estimate {
    let lines = stated(report);
    let of = |is_first: bool| -> Estimate {
        let chosen = lines.iter().filter(|(line, _)| (**line == turn.first()) == is_first);
        chosen.map(|(_, totals)| totals.acquisitions).sum()
    };
    share(of(true), of(false))
}
