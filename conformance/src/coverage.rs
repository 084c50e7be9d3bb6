//! Programs whose totals are all known, on courses of the period, and how near to the
//! truth each total is that a report states of them.

use std::collections::{BTreeMap, BTreeSet};

use lockscope_core::report::{Estimate, Report};

use crate::lock::Make;
use crate::script::{Hold, LockId, Script, Step, Use};
use crate::simulation::Played;
use crate::statistics::Runs;
use crate::truth::{Line, Totals, stated};

/// How the period goes.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// What it is called.
    pub name: &'static str,
    /// In force one after the other, each for so many rounds; none for the one that the
    /// backend is configured with, which it may move by itself.
    pub periods: &'static [u32],
    /// Rounds of the program in a phase.
    pub rounds: u32,
    /// All of that so many times before somebody has to wait.
    pub times: u32,
    /// And all of that so many times.
    pub waits: u32,
    /// Of acquisitions that have to wait, one in so many is recorded.
    pub contended_period: u32,
}

impl Course {
    /// Forty rounds, and waits after them, at the period that is configured.
    pub const PLAIN: Self =
        Self { name: "", periods: &[], rounds: 40, times: 1, waits: 1, contended_period: 1 };

    /// So much of it as gives enough samples: as many as it says at the periods
    /// that it says, or else at the longest that there is.
    #[must_use]
    pub fn script(&self, program: Program, longest_period: Option<u32>) -> Script {
        let Program { mut script, round, season, certain } = program;
        let phase = |(number, period): (usize, Option<&u32>)| {
            let mut round = round.clone();
            if number == 0 {
                round.extend(season.iter().cloned());
            }
            let set = period.map(|period| Step::Configure("period", period.to_string()));
            set.into_iter().chain([Step::Repeat(self.rounds, round)])
        };
        let number = self.periods.len().max(1);
        let periods = (0..number).map(|number| (number, self.periods.get(number)));
        let phases = periods.flat_map(phase).collect();
        let rounds = self.rounds * number as u32 * self.times;
        // What belongs to a season happens twice in one phase of all.
        let for_each = 150 * (number as u32).div_ceil(2);
        let waits = longest_period.map_or(self.waits, |longest| for_each * longest / rounds);
        let steps = [vec![Step::Repeat(self.times, phases)], certain].concat();
        script.push(Step::Repeat(waits, steps));
        script
    }

    /// What is known for certain.
    #[must_use]
    pub fn certain(&self) -> &'static [&'static str] {
        if self.contended_period > 1 {
            return &["idles", "idle_ns"];
        }
        &["contentions", "failures", "idles", "wait_ns", "idle_ns"]
    }
}

/// A program that does the same again and again.
#[derive(Clone, Debug)]
pub struct Program {
    script: Script,
    /// What is drawn.
    round: Vec<Step>,
    /// What is drawn in rounds of the first period alone.
    season: Vec<Step>,
    /// What is seen for certain, unless it is drawn as well.
    certain: Vec<Step>,
}

impl Program {
    /// Everything that is counted in some way of its own: by lock and by thread,
    /// alone and among others, drawn and seen for certain. A round takes 4,890 ns.
    #[must_use]
    pub fn mixed() -> Self {
        let mut script = Script::default();
        let (often, hot) = (script.lock(Make::MUTEX), script.lock(Make::MUTEX));
        let (shared, slotless) = (script.lock(Make::RWLOCK), script.lock(Make::SLOTLESS));
        let told = script.lock(Make::CONDVAR);
        let reading = |thread, hold| Use { thread, site: 5, hold, ..Use::reading(shared) };
        let round = vec![
            Step::Take(at(often, 1, Hold::Exactly(300))),
            Step::Take(reading(1, Hold::Exactly(700))),
            Step::Take(at(often, 2, Hold::About(2_000))),
            Step::Take(at(hot, 3, Hold::About(400))),
            Step::Take(Use { thread: 1, ..at(slotless, 6, Hold::About(150)) }),
            Step::Take(at(shared, 4, Hold::Exactly(1_000))),
            Step::Take(reading(2, Hold::Exactly(200))),
        ];
        let season = vec![Step::Take(at(often, 8, Hold::About(100))); 2];
        let waiting = Use { thread: 2, ..at(hot, 3, Hold::About(900)) };
        let certain = vec![
            Step::Wait(waiting, Hold::About(5_000)),
            Step::GiveUp(at(hot, 9, Hold::Exactly(0)), Hold::About(700)),
            Step::Refuse(at(hot, 3, Hold::Exactly(0))),
            Step::Idle(at(told, 7, Hold::Exactly(0)), Hold::About(10_000)),
        ];
        Self { script, round, season, certain }
    }

    /// Eight locks, each used twice as often as the next, and held for some 200 ns; the
    /// one that is used most is held for forty times as long one time in seventeen, and
    /// is the one that is waited for. As hard to estimate as programs are: what is used
    /// rarely has few samples, and few holds make up most of the time.
    #[must_use]
    pub fn skewed() -> Self {
        let mut script = Script::default();
        let locks: [LockId; 8] = core::array::from_fn(|_| script.lock(Make::MUTEX));
        let [hot, ..] = locks;
        let uses = |(rank, lock): (u32, LockId)| {
            Step::Repeat(128 >> rank, vec![Step::Take(at(lock, 1, Hold::About(200)))])
        };
        let mut round: Vec<Step> = (0..).zip(locks).map(uses).collect();
        round.push(Step::Repeat(8, vec![Step::Take(at(hot, 2, Hold::About(8_000)))]));
        let waiting = Use { thread: 1, ..at(hot, 3, Hold::About(200)) };
        let certain = vec![
            Step::Repeat(8, vec![Step::Wait(waiting, Hold::About(1_000))]),
            Step::Wait(Use { thread: 2, ..waiting }, Hold::About(50_000)),
        ];
        Self { script, round, season: Vec::new(), certain }
    }
}

fn at(lock: LockId, site: usize, hold: Hold) -> Use {
    Use { site, hold, ..Use::of(lock) }
}

/// Of what a quantity is the total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// What one call site does with the locks of one origin.
    Line(Line),
    /// The lock that was made here.
    Lock(usize),
    /// Those who made others wait for that lock.
    Blame(usize),
    /// The whole program.
    All,
}

/// Every total that reports state, in many runs of one program.
#[derive(Clone, Debug, Default)]
pub struct Quantities(BTreeMap<(Of, &'static str), Runs>);

impl Quantities {
    /// Adds the estimates of one run.
    pub fn add(&mut self, played: &Played) {
        let (stated, truth) = (stated(&played.report), played.truth.lines());
        let mut sums = BTreeMap::<Of, (Totals<Estimate>, Totals<u64>)>::new();
        for line in stated.keys().chain(truth.keys()).collect::<BTreeSet<_>>() {
            let stated = stated.get(line).copied().unwrap_or_default();
            let truth = truth.get(line).copied().unwrap_or_default();
            for of in [Of::Line(*line), Of::Lock(line.created), Of::All] {
                let sum = sums.entry(of).or_default();
                sum.0 += stated;
                sum.1 += truth;
            }
        }
        for (of, (stated, truth)) in &sums {
            for ((name, stated), (_, truth)) in stated.each().into_iter().zip(truth.each()) {
                self.0.entry((*of, name)).or_default().add(stated, truth as f64);
            }
            if let Of::Lock(created) = of {
                let (contentions, wait_ns) = blamed(&played.report, *created);
                let mut add = |name, estimate, truth: u64| {
                    let quantity = (Of::Blame(*created), name);
                    self.0.entry(quantity).or_default().add(estimate, truth as f64);
                };
                add("contentions", contentions, truth.contentions);
                add("wait_ns", wait_ns, truth.wait_ns);
            }
        }
    }

    /// Each of them: of what, its name, and its estimates.
    pub fn each(&self) -> impl Iterator<Item = (Of, &'static str, &Runs)> {
        self.0.iter().map(|((of, name), runs)| (*of, *name, runs))
    }

    /// Those that are estimates.
    pub fn estimated(&self) -> impl Iterator<Item = &Runs> {
        self.0.values().filter(|runs| !runs.are_exact())
    }
}

/// Who made others wait for the lock that was made here: how often, how long.
fn blamed(report: &Report, created: usize) -> (Estimate, Estimate) {
    let of_lock = || {
        let locks = report.locks.iter().filter(move |lock| lock.created == created);
        locks.flat_map(|lock| lock.blame.iter())
    };
    (of_lock().map(|blame| blame.contentions).sum(), of_lock().map(|blame| blame.wait_ns).sum())
}
