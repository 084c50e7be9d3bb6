//! How much more rarely things are recorded, to keep to a budget.

use super::{Budget, SECOND_NS, Spent};
use crate::meter::Prices;
use crate::policy::LEVELS;

/// Of what samples and waits may cost, waits have so much before they are drawn.
const WAITS_SHARE: f64 = 0.75;
/// A step down is taken below this part of the bound: it doubles what is spent,
/// so at half of the bound it would lead to it, and workloads vary a little.
const CALM: f64 = 0.4;
/// Whatever passing costs, samples and waits may have so much of the budget, as
/// long as the session lasts.
const RESERVE: f64 = 0.25;
/// What was spent above the budget is made up for by so much of it at a time,
/// and what was spent above it in more than a second is forgiven.
const MOST_BACK: f64 = 0.5;
/// With so many samples and waits, or where so many are allowed, there is enough
/// to go by: by chance their number varies by an eighth at most.
const EVIDENCE: f64 = 256.0;
/// Most steps: to the longest period.
const MOST_STEPS: u8 = LEVELS as u8 - 1;

/// Something as a part of what it may cost, and how often it was seen to say so.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    part: f64,
    count: f64,
}

impl Part {
    /// The part for certain, and the part at most: counts vary by their square
    /// root, and twice that is rare.
    fn bounds(self) -> (f64, f64) {
        let varies = 2.0 / self.count.max(1.0).sqrt();
        (self.part * (1.0 - varies), self.part * (1.0 + varies))
    }
}

/// What waits and samples cost, as parts of what both may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    waits: Part,
    samples: Part,
    /// How many there may be.
    allowed: f64,
}

impl Load {
    /// `debt_ns` are to be made up for.
    pub(super) fn of(spent: &Spent, budget: &Budget, prices: &Prices, debt_ns: f64) -> Self {
        let part = |count| Part { part: 0.0, count };
        let (waits, samples) = (part(spent.waits), part(spent.samples));
        let mut load = Self { waits, samples, allowed: f64::INFINITY };
        if budget.cpu_percent > 0.0 {
            let all = budget.cpu_ns(spent);
            let now = all - debt_ns.min(all * MOST_BACK);
            let both = (now - spent.fixed_ns()).max(all * RESERVE);
            load.bound(spent.waiting_ns, spent.sampling_ns, both, prices.sample_ns);
        }
        if budget.samples_per_sec > 0.0 {
            let both = spent.wall_ns / SECOND_NS * budget.samples_per_sec;
            load.bound(spent.waits, spent.samples, both, 1.0);
        }
        load
    }

    /// Waits and samples cost so much, and may cost `both`; one costs `each`.
    fn bound(&mut self, waits: f64, samples: f64, both: f64, each: f64) {
        let both = both.max(f64::MIN_POSITIVE);
        self.waits.part = self.waits.part.max(waits / both);
        self.samples.part = self.samples.part.max(samples / both);
        self.allowed = self.allowed.min(both / each);
    }

    /// Whether there were enough of them, or few enough, to say so.
    pub(super) fn is_evident(&self) -> bool {
        self.waits.count + self.samples.count >= EVIDENCE || self.allowed >= EVIDENCE
    }
}

/// How much more rarely something is recorded: by powers of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tuning {
    /// What all periods are multiplied by.
    pub(crate) squeeze: u8,
    /// The period of acquisitions that have to wait.
    pub(crate) waits: u8,
}

impl Tuning {
    /// The next one under this load.
    pub(super) fn after(self, load: Load) -> Self {
        let waits = stepped(self.waits, load.waits, WAITS_SHARE);
        // What it is expected to be after the step.
        let expected = load.waits.part * f64::from(i32::from(self.waits) - i32::from(waits)).exp2();
        let room = 1.0 - expected.min(WAITS_SHARE);
        let squeeze = stepped(self.squeeze, load.samples, room);
        Self { squeeze, waits }
    }

    pub(super) fn or_more(self, other: Self) -> Self {
        Self { squeeze: self.squeeze.max(other.squeeze), waits: self.waits.max(other.waits) }
    }
}

/// The step for a part that may be `bound`.
fn stepped(step: u8, part: Part, bound: f64) -> u8 {
    let (least, greatest) = part.bounds();
    if least > bound {
        let steps = (least / bound).log2().ceil().max(1.0);
        step + steps.min(f64::from(MOST_STEPS - step)) as u8
    } else if greatest < bound * CALM {
        step.saturating_sub(1)
    } else {
        step
    }
}
