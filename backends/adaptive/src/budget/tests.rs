//! Workloads in simulated time: what the budget makes of them.

use proptest::prelude::*;

use super::*;
use crate::meter::Prices;
use crate::policy::Policy;
use crate::simulation::{Counted, session};

const PRICES: Prices = Prices { sample_ns: 60.0, wait_ns: 200.0, rest_ns: 50.0 };
const PERCENT: Budget = Budget { cpu_percent: 1.0, samples_per_sec: 0.0, ending: Ending::ByBudget };

/// So many times in a second.
#[derive(Clone, Copy, Debug)]
struct Use {
    passes: f64,
    waits: f64,
}

/// What a program does.
#[derive(Clone, Debug)]
struct Workload {
    /// By lock.
    uses: Vec<Use>,
    /// Tries that fail at once, in a second.
    failures: f64,
    /// Processors that it keeps busy.
    processors: f64,
}

fn locks(count: usize, passes: f64, waits: f64) -> Workload {
    Workload { uses: vec![Use { passes, waits }; count], failures: 0.0, processors: 1.0 }
}

/// One look of the governor: when, how it then stood, and what was spent since
/// the last.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: f64,
    tuning: Tuning,
    own_percent: f64,
    per_sec: f64,
}

struct Simulation {
    policy: Policy,
    governor: Governor,
    now: Reading,
    locks: Vec<Counted>,
    looks: Vec<Look>,
    /// What whole events leave of rates, and which waits are drawn.
    rest: Vec<Use>,
    random: u64,
    end: Option<String>,
}

impl Simulation {
    fn new(budget: Budget) -> Self {
        let policy = Policy::default();
        policy.set_period(16);
        policy.set_max_period(4096);
        policy.start(&session(1, 1));
        let mut governor = Governor { budget, ..Governor::default() };
        let now = Reading { prices: PRICES, ..Reading::default() };
        governor.start(now);
        let (locks, looks, rest) = (Vec::new(), Vec::new(), Vec::new());
        Self { policy, governor, now, locks, looks, rest, random: 1, end: None }
    }

    /// Lets the program do that for so many seconds.
    fn run(&mut self, workload: &Workload, seconds: f64) {
        while self.locks.len() < workload.uses.len() {
            self.locks.push(Counted::lock(&self.policy));
            self.rest.push(Use { passes: 0.0, waits: 0.0 });
        }
        let end_ns = self.now.at_ns + (seconds * SECOND_NS) as u64;
        while self.now.at_ns < end_ns && self.end.is_none() {
            let before = self.now;
            match self.governor.judge(&before) {
                Ruling::GoOn { tuning, ask_after_ns } => {
                    self.policy.set_squeeze(tuning.squeeze);
                    self.pass_time(workload, ask_after_ns, tuning);
                }
                Ruling::End(reason) => self.end = Some(reason),
                Ruling::Over => unreachable!("it has ended only once"),
            }
            self.look(&before);
        }
    }

    fn look(&mut self, before: &Reading) {
        let spent = Spent::between(before, &self.now);
        self.looks.push(Look {
            at: self.now.at_ns as f64 / SECOND_NS,
            tuning: self.governor.tuning,
            own_percent: spent.own_percent(),
            per_sec: (spent.samples + spent.waits) * SECOND_NS / spent.wall_ns.max(1.0),
        });
    }

    fn pass_time(&mut self, workload: &Workload, ns: u64, tuning: Tuning) {
        let seconds = ns as f64 / SECOND_NS;
        for (index, used) in workload.uses.iter().enumerate() {
            let waits = whole(&mut self.rest[index].waits, used.waits * seconds);
            let passes = whole(&mut self.rest[index].passes, used.passes * seconds);
            // Spread evenly: some pass, one waits, and so on.
            for turn in 0..=waits {
                let share = |turn| passes * turn / (waits + 1);
                self.pass(index, share(turn + 1) - share(turn));
                if turn < waits {
                    self.wait(index, tuning.waits);
                }
            }
        }
        let failures = (workload.failures * seconds) as u64;
        self.now.done.rest += failures;
        self.now.done.operations += failures;
        self.now.at_ns += ns;
        self.now.cpu_ns += (ns as f64 * workload.processors) as u64;
    }

    fn pass(&mut self, lock: usize, operations: u64) {
        let done = &mut self.now.done;
        self.locks[lock].pass(&self.policy, operations, |weight| {
            done.samples += 1;
            done.operations += u64::from(weight);
        });
    }

    fn wait(&mut self, lock: usize, step: u8) {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if self.random >> 40 & ((1 << step) - 1) == 0 {
            self.now.done.waits += 1;
            self.now.done.operations += 1 << step;
            self.locks[lock].wait(&self.policy, 1 << step);
        }
    }

    /// The looks of the last seconds.
    fn last(&self, seconds: f64) -> impl Iterator<Item = &Look> {
        let from = self.now.at_ns as f64 / SECOND_NS - seconds;
        self.looks.iter().filter(move |look| look.at > from)
    }

    fn changes_in_last(&self, seconds: f64) -> usize {
        let tunings: Vec<_> = self.last(seconds).map(|look| look.tuning).collect();
        tunings.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    fn mean_percent(&self, seconds: f64) -> f64 {
        let percents: Vec<_> = self.last(seconds).map(|look| look.own_percent).collect();
        percents.iter().sum::<f64>() / percents.len() as f64
    }
}

/// The whole part of what there was and what comes, leaving the rest.
fn whole(rest: &mut f64, more: f64) -> u64 {
    *rest += more;
    let whole = rest.floor();
    *rest -= whole;
    whole as u64
}

fn ran(budget: Budget, workload: &Workload, seconds: f64) -> Simulation {
    let mut simulation = Simulation::new(budget);
    simulation.run(workload, seconds);
    simulation
}

fn tuning(squeeze: u8, waits: u8) -> Tuning {
    Tuning { squeeze, waits }
}

#[test]
fn ten_million_operations_a_second_of_a_quiet_lock_cost_half_of_one_percent() {
    let run = ran(PERCENT, &locks(1, 1e7, 0.0), 3.0);
    let percent = run.mean_percent(2.0);
    assert!((0.5..0.53).contains(&percent), "{percent}");
    assert_eq!((run.governor.tuning, run.end), (tuning(0, 0), None));
}

#[test]
fn ten_million_operations_a_second_of_a_contended_lock_keep_to_the_budget() {
    let run = ran(PERCENT, &locks(1, 1e7, 1e3), 4.0);
    assert_eq!((run.changes_in_last(2.0), run.end.as_deref()), (0, None));
    let percent = run.mean_percent(2.0);
    assert!((0.6..1.0).contains(&percent), "{percent} at {:?}", run.governor.tuning);
    assert_eq!(run.governor.tuning.waits, 0, "all waits are recorded");
}

#[test]
fn it_takes_a_few_looks_to_come_down_to_the_budget() {
    let run = ran(PERCENT, &locks(10, 1e6, 2e4), 1.0);
    let over = run.looks.iter().filter(|look| look.own_percent > 1.1).map(|look| look.at);
    assert!(over.fold(0.0, f64::max) <= 0.15, "{:?}", run.looks);
}

#[test]
fn what_was_spent_above_the_budget_is_made_up_for() {
    let hot = locks(10, 1e6, 2e4);
    let mut run = ran(PERCENT, &hot, 1.0);
    let percents: Vec<f64> = (0..8)
        .map(|_| {
            run.run(&hot, 0.5);
            run.governor.account(&run.now).session.own_percent()
        })
        .collect();
    assert!(percents.windows(2).all(|pair| pair[1] < pair[0]), "{percents:?}");
    assert!(percents[0] > 1.0 && percents[7] < 0.97, "{percents:?}");
}

#[test]
fn waits_alone_beyond_the_budget_are_drawn() {
    let run = ran(PERCENT, &locks(4, 1e4, 1e5), 4.0);
    // 400,000 waits of 200 ns are 8 %, and have three quarters of 1 % less what
    // passing takes.
    assert_eq!(run.governor.tuning.waits, 4);
    assert_eq!(run.changes_in_last(2.0), 0);
    let percent = run.mean_percent(2.0);
    assert!((0.5..1.0).contains(&percent), "{percent}");
}

#[test]
fn a_number_of_samples_is_kept_to() {
    for samples_per_sec in [100.0, 5_000.0, 50_000.0] {
        let budget = Budget { samples_per_sec, ..Budget::default() };
        let run = ran(budget, &locks(20, 2e5, 100.0), 20.0);
        assert_eq!(run.changes_in_last(4.0), 0, "{samples_per_sec}: {:?}", run.governor.tuning);
        let rates: Vec<_> = run.last(4.0).map(|look| look.per_sec).collect();
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        let (least, most) = (0.2 * samples_per_sec, 1.15 * samples_per_sec);
        assert!((least..most).contains(&mean), "{samples_per_sec}: {mean}");
    }
}

#[test]
fn the_stricter_of_two_limits_holds() {
    let both = Budget { samples_per_sec: 1_000.0, ..PERCENT };
    let run = ran(both, &locks(1, 1e7, 1e2), 10.0);
    assert!(run.last(4.0).all(|look| look.per_sec < 1_300.0));
}

#[test]
fn when_a_load_ends_periods_become_short_again() {
    let mut run = ran(PERCENT, &locks(4, 1e6, 1e5), 2.0);
    let tuned = run.governor.tuning;
    assert!(tuned.squeeze > 2 && tuned.waits > 1, "{tuned:?}");
    run.run(&locks(4, 1e3, 10.0), 3.0);
    assert_eq!(run.governor.tuning, tuning(0, 0));
    assert_eq!(run.governor.highest.squeeze, tuned.squeeze.max(run.governor.highest.squeeze));
    let account = run.governor.account(&run.now);
    assert!(account.highest.squeeze >= tuned.squeeze && account.highest.waits >= tuned.waits);
}

#[test]
fn a_process_that_idles_is_left_alone() {
    let mut idle = locks(3, 20.0, 1.0);
    idle.processors = 0.001;
    let run = ran(PERCENT, &idle, 10.0);
    assert_eq!((run.governor.highest, run.end), (tuning(0, 0), None));
}

#[test]
fn without_limits_nothing_is_held_back() {
    let run = ran(Budget::default(), &locks(2, 2e6, 1e5), 2.0);
    assert_eq!(run.governor.highest, tuning(0, 0));
    assert!(run.mean_percent(1.0) > 5.0);
}

#[test]
fn more_operations_than_allowed_for_a_second_end_the_session() {
    let budget = Budget { ending: Ending::Beyond(2e6), ..PERCENT };
    let busy = locks(2, 2e6, 0.0);
    let run = ran(budget, &busy, 5.0);
    assert!((1.0..1.3).contains(&run.looks.last().unwrap().at));
    let reason = run.end.unwrap();
    let number = reason.strip_prefix("there were about ").unwrap();
    assert!(number.starts_with("4.") || number.starts_with("3.9"), "{reason}");
    assert!(number.ends_with(
        "million lock operations in a second, more than the 2000000 of auto_disable_ops_per_sec; raise that, or set it to 0 for no such limit"
    ));

    let mut bursts = Simulation::new(budget);
    for _ in 0..5 {
        bursts.run(&busy, 0.3);
        bursts.run(&locks(2, 1e4, 0.0), 0.7);
    }
    assert_eq!(bursts.end, None, "a burst is not a second");
}

#[test]
fn how_many_operations_are_too_many_depends_on_how_many_processors_they_keep_busy() {
    let mut busy = locks(4, 1e7, 0.0);
    let reason = ran(PERCENT, &busy, 3.0).end.unwrap();
    assert!(
        reason.contains("took 2.0 % of the processor time, and profiling may take 1 %"),
        "{reason}"
    );
    busy.processors = 4.0;
    assert_eq!(ran(PERCENT, &busy, 3.0).end, None);
}

#[test]
fn a_session_that_is_never_to_end_keeps_samples_to_a_quarter_of_the_budget() {
    let never = Budget { ending: Ending::Never, ..PERCENT };
    let run = ran(never, &locks(1, 1e8, 1e3), 3.0);
    assert_eq!((run.end.as_deref(), run.changes_in_last(1.0)), (None, 0));
    let percent = run.mean_percent(1.0);
    assert!((5.05..5.27).contains(&percent), "{percent}: 5 are for passing");
}

#[test]
fn tries_that_fail_by_the_million_end_the_session() {
    let mut spinning = locks(1, 1e4, 0.0);
    spinning.failures = 1e6;
    let reason = ran(PERCENT, &spinning, 3.0).end.unwrap();
    assert!(reason.contains("tries that fail"), "{reason}");
}

#[test]
fn what_is_spent_after_the_end_is_not_counted() {
    let mut run = ran(PERCENT, &locks(4, 1e7, 0.0), 3.0);
    assert!(run.end.is_some());
    let before = run.governor.account(&run.now).session.wall_ns;
    run.now.at_ns += 1_000 * MS;
    assert_eq!(run.governor.account(&run.now).session.wall_ns, before);
    assert_eq!(run.governor.judge(&run.now), Ruling::Over);
}

#[test]
fn being_asked_too_early_changes_nothing() {
    let mut run = ran(PERCENT, &locks(4, 1e6, 1e5), 2.0);
    let tuned = run.governor.tuning;
    for _ in 0..100 {
        run.now.at_ns += 1_000;
        run.now.cpu_ns += 1_000;
        run.governor.judge(&run.now);
    }
    assert_eq!(run.governor.tuning, tuned);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever a program does, if it goes on doing it, it is left alone after
    /// some seconds, and within the budget.
    #[test]
    fn a_steady_workload_settles(
        uses in proptest::collection::vec((0.0..6.5_f64, 0.0..4.5_f64), 1..8),
        processors in 1.0..8.0_f64,
        percent in 0.3..5.0_f64,
    ) {
        let uses: Vec<_> = uses
            .iter()
            .map(|(passes, waits)| Use {
                passes: 10_f64.powf(*passes),
                waits: 10_f64.powf(waits.min(*passes)),
            })
            .collect();
        let workload = Workload { uses, failures: 0.0, processors };
        let run = ran(Budget { cpu_percent: percent, ..PERCENT }, &workload, 8.0);
        if run.end.is_none() {
            prop_assert_eq!(run.changes_in_last(2.0), 0, "{:?}", run.looks.last());
            let own = run.mean_percent(2.0);
            prop_assert!(own <= 1.05 * percent, "{own} of {percent}");
        }
    }
}
