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
//! down after it, and a workload that stays the same is left alone. What was spent
//! above the budget, as in the first moments of a session, is made up for.
//!
//! If what nothing makes rarer takes the whole budget for a second, the session
//! is to end, or if there are more operations in a second than somebody has
//! allowed.

mod spent;
mod tuning;

pub(crate) use spent::{Reading, Spent};
use tuning::Load;
pub(crate) use tuning::Tuning;

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

impl Budget {
    /// How long profiling may take of what was spent.
    fn cpu_ns(&self, spent: &Spent) -> f64 {
        spent.used_ns() * self.cpu_percent / 100.0
    }
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
    /// What was spent above the budget and is not made up for.
    debt_ns: f64,
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
        let lately = self.lately;
        let debt_ns = self.debt_after(&lately);
        let load = Load::of(&lately, &self.budget, &self.seen.prices, debt_ns);
        if load.is_evident() {
            self.lately = Spent::default();
            self.debt_ns = debt_ns;
            self.tuning = self.tuning.after(load);
            self.highest = self.highest.or_more(self.tuning);
        }
    }

    fn debt_after(&self, lately: &Spent) -> f64 {
        let may = self.budget.cpu_ns(lately);
        let may_in_a_second = may * SECOND_NS / lately.wall_ns;
        (self.debt_ns + lately.own_ns() - may).clamp(0.0, may_in_a_second)
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
