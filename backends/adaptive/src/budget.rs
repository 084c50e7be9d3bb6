//! What profiling may cost, and what is done to keep to it.
//!
//! The host asks now and then how to go on. What has been done and spent since
//! it asked last is held against the budget:
//!
//! ```text
//! budget ─┬─ passing the gate, failed tries, new locks: nothing makes them rarer
//!         ├─ waits:   if more than 3/4 of the rest, one in 2, 4, 8 … is recorded
//!         └─ samples: if more than what remains, all periods times 2, 4, 8 …
//! ```
//!
//! Both rise at once by as many steps as are needed, and fall by one step at a
//! time, when that leaves them well within bounds: a step doubles the cost, so
//! what was above the bound before a step up is not below the bound for a step
//! down after it, and a workload that stays the same is left alone.
//!
//! If what nothing makes rarer takes the whole budget for a second, the session
//! is to end, or if there are more operations in a second than somebody has
//! allowed.

use crate::meter::{Done, PASSING_NS, Prices};
use crate::policy::LEVELS;

/// Of what samples and waits may cost, waits have so much before they are drawn.
const WAITS_SHARE: f64 = 0.75;
/// A step down is taken below this part of the bound: half of it would be at
/// the bound after the step, and what is measured varies a little.
const CALM: f64 = 0.4;
/// Whatever passing costs, samples and waits may have so much of the budget, as
/// long as the session lasts.
const RESERVE: f64 = 0.25;
/// With so many samples and waits, or where so many are allowed, there is enough
/// to go by: by chance their number varies by an eighth at most.
const EVIDENCE: f64 = 256.0;
/// Most steps: to the longest period.
const MOST_STEPS: u8 = LEVELS as u8 - 1;

const MS: u64 = 1_000_000;
/// When the host is to ask for the first time, and at most how long later from
/// then on: each time after twice as long.
const FIRST_LOOK_NS: u64 = 10 * MS;
const LOOK_NS: u64 = 100 * MS;
/// Nothing is concluded from less. The kernel counts the processor time of
/// threads that run in ticks of some milliseconds.
const ENOUGH_NS: f64 = 5.0 * MS as f64;
const ENOUGH_CPU_NS: f64 = 4.0 * MS as f64;
const SECOND_NS: f64 = 1_000.0 * MS as f64;

/// What profiling may cost. 0 stands for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Budget {
    /// Of the processor time that the process uses, in percent.
    pub(crate) cpu_percent: f64,
    /// Samples and waits.
    pub(crate) samples_per_sec: f64,
    pub(crate) ending: Ending,
}

/// When a session ends of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Ending {
    /// When what nothing makes rarer takes more than all that there is.
    #[default]
    ByBudget,
    /// When there are more operations in a second.
    Beyond(f64),
    /// Whatever it costs.
    Never,
}

/// How things stand at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// Of a clock that never goes back.
    pub(crate) at_ns: u64,
    /// Processor time that the process has used.
    pub(crate) cpu_ns: u64,
    /// What was done in the session.
    pub(crate) done: Done,
    pub(crate) prices: Prices,
}

/// What was done and spent in some time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) wall_ns: f64,
    pub(crate) cpu_ns: f64,
    pub(crate) samples: f64,
    pub(crate) waits: f64,
    pub(crate) operations: f64,
    pub(crate) rest: f64,
    /// On each of these.
    pub(crate) sampling_ns: f64,
    pub(crate) waiting_ns: f64,
    pub(crate) passing_ns: f64,
    pub(crate) rest_ns: f64,
}

impl Spent {
    fn between(from: &Reading, to: &Reading) -> Self {
        let since = |from: u64, to: u64| to.saturating_sub(from) as f64;
        let samples = since(from.done.samples, to.done.samples);
        let waits = since(from.done.waits, to.done.waits);
        let rest = since(from.done.rest, to.done.rest);
        let operations = since(from.done.operations, to.done.operations);
        Self {
            wall_ns: since(from.at_ns, to.at_ns),
            cpu_ns: since(from.cpu_ns, to.cpu_ns),
            samples,
            waits,
            operations,
            rest,
            sampling_ns: samples * to.prices.sample_ns,
            waiting_ns: waits * to.prices.wait_ns,
            passing_ns: operations * PASSING_NS,
            rest_ns: rest * to.prices.rest_ns,
        }
    }

    fn add(&mut self, other: &Self) {
        self.wall_ns += other.wall_ns;
        self.cpu_ns += other.cpu_ns;
        self.samples += other.samples;
        self.waits += other.waits;
        self.operations += other.operations;
        self.rest += other.rest;
        self.sampling_ns += other.sampling_ns;
        self.waiting_ns += other.waiting_ns;
        self.passing_ns += other.passing_ns;
        self.rest_ns += other.rest_ns;
    }

    /// What nothing makes rarer.
    fn fixed_ns(&self) -> f64 {
        self.passing_ns + self.rest_ns
    }

    /// All that profiling has taken.
    pub(crate) fn own_ns(&self) -> f64 {
        self.sampling_ns + self.waiting_ns + self.fixed_ns()
    }

    /// The part of the processor time that went to profiling, in percent.
    pub(crate) fn own_percent(&self) -> f64 {
        100.0 * self.own_ns() / self.used_ns().max(1.0)
    }

    /// Processor time, which the kernel may not have counted yet.
    fn used_ns(&self) -> f64 {
        self.cpu_ns.max(self.own_ns())
    }

    pub(crate) fn operations_per_sec(&self) -> f64 {
        self.operations * SECOND_NS / self.wall_ns.max(1.0)
    }
}

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
struct Load {
    waits: Part,
    samples: Part,
    /// How many there may be.
    allowed: f64,
}

impl Load {
    fn of(spent: &Spent, budget: &Budget, prices: &Prices) -> Self {
        let part = |count| Part { part: 0.0, count };
        let (waits, samples) = (part(spent.waits), part(spent.samples));
        let mut load = Self { waits, samples, allowed: f64::INFINITY };
        if budget.cpu_percent > 0.0 {
            let all = spent.used_ns() * budget.cpu_percent / 100.0;
            let both = (all - spent.fixed_ns()).max(all * RESERVE);
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
    fn is_evident(&self) -> bool {
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
    fn after(self, load: Load) -> Self {
        let waits = stepped(self.waits, load.waits, WAITS_SHARE);
        // What it is expected to be after the step.
        let expected = load.waits.part * f64::from(i32::from(self.waits) - i32::from(waits)).exp2();
        let room = 1.0 - expected.min(WAITS_SHARE);
        let squeeze = stepped(self.squeeze, load.samples, room);
        Self { squeeze, waits }
    }

    fn or_more(self, other: Self) -> Self {
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

/// Sees to it that a session keeps to its budget.
#[derive(Debug, Default)]
pub(crate) struct Governor {
    pub(crate) budget: Budget,
    /// Up to where everything is added up.
    seen: Reading,
    /// Since the tuning was looked at last.
    lately: Spent,
    /// Since it was looked at last whether the session is to end.
    this_second: Spent,
    session: Spent,
    tuning: Tuning,
    highest: Tuning,
    ask_after_ns: u64,
    is_over: bool,
}

/// How a session has gone so far.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) budget: Budget,
    pub(crate) session: Spent,
    pub(crate) tuning: Tuning,
    /// The most that there was of each.
    pub(crate) highest: Tuning,
}

impl Governor {
    /// Begins a session. Nothing has been done in it.
    pub(crate) fn start(&mut self, now: Reading) {
        *self =
            Self { budget: self.budget, seen: now, ask_after_ns: FIRST_LOOK_NS, ..Self::default() };
    }

    /// Looks at how things stand `now`, and says how the session is to go on.
    pub(crate) fn judge(&mut self, now: &Reading) -> Ruling {
        self.add_up(now);
        if self.is_over {
            return Ruling::Over;
        }
        if self.has_seen_enough() {
            self.tune();
            if let Some(reason) = self.hopeless() {
                self.is_over = true;
                return Ruling::End(reason);
            }
        }
        let ask_after_ns = self.ask_after_ns;
        self.ask_after_ns = (2 * ask_after_ns).min(LOOK_NS);
        Ruling::GoOn { tuning: self.tuning, ask_after_ns }
    }

    /// How the session has gone until `now`.
    pub(crate) fn account(&mut self, now: &Reading) -> Account {
        self.add_up(now);
        Account {
            budget: self.budget,
            session: self.session,
            tuning: self.tuning,
            highest: self.highest,
        }
    }

    /// The session has ended: nothing more is added up.
    pub(crate) fn stop(&mut self, now: &Reading) {
        self.add_up(now);
        self.is_over = true;
    }

    /// Adds up what was spent until `now`.
    fn add_up(&mut self, now: &Reading) {
        if self.is_over {
            return;
        }
        let spent = Spent::between(&self.seen, now);
        self.seen = *now;
        for sum in [&mut self.lately, &mut self.this_second, &mut self.session] {
            sum.add(&spent);
        }
    }

    /// Whether enough has happened to say how much it was in a given time: it
    /// may have been asked sooner than it wanted, and a process may idle.
    fn has_seen_enough(&self) -> bool {
        let Spent { wall_ns, cpu_ns, .. } = self.lately;
        wall_ns >= SECOND_NS || wall_ns >= ENOUGH_NS && cpu_ns >= ENOUGH_CPU_NS
    }

    fn tune(&mut self) {
        let load = Load::of(&self.lately, &self.budget, &self.seen.prices);
        if !load.is_evident() {
            return;
        }
        self.lately = Spent::default();
        self.tuning = self.tuning.after(load);
        self.highest = self.highest.or_more(self.tuning);
    }

    /// Once a second: whether, and why, no tuning can keep to the budget.
    fn hopeless(&mut self) -> Option<String> {
        if self.this_second.wall_ns < SECOND_NS {
            return None;
        }
        let second = core::mem::take(&mut self.this_second);
        let Budget { cpu_percent, ending, .. } = self.budget;
        let operations = second.operations_per_sec();
        let seen = rounded(operations);
        let fixed = 100.0 * second.fixed_ns() / second.used_ns().max(1.0);
        match ending {
            Ending::Beyond(most) if operations > most => Some(format!(
                "there were about {seen} lock operations in a second, more than the {most} of auto_disable_ops_per_sec; raise that, or set it to 0 for no such limit"
            )),
            Ending::ByBudget if cpu_percent > 0.0 && fixed > cpu_percent => Some(format!(
                "with about {seen} lock operations in a second, what no sampling period makes less (operations that pass, tries that fail, locks that come and go) took {fixed:.1} % of the processor time, and profiling may take {cpu_percent} % (budget_percent); raise that, or set auto_disable_ops_per_sec to 0 to go on all the same"
            )),
            _ => None,
        }
    }
}

/// How a session is to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// Tuned like that, until so much later.
    GoOn {
        /// How much more rarely things are recorded.
        tuning: Tuning,
        /// In nanoseconds.
        ask_after_ns: u64,
    },
    /// Not at all: why.
    End(String),
    /// It has ended already.
    Over,
}

/// A count that is only about right, in words.
pub(crate) fn rounded(count: f64) -> String {
    match count {
        count if count >= 1e6 => format!("{:.1} million", count / 1e6),
        count if count >= 1e4 => format!("{:.0},000", count / 1e3),
        count => format!("{count:.0}"),
    }
}

#[cfg(test)]
mod tests;
