//! Clocks: that are near their end, stand still for a century, or do not count
//! nanoseconds.

use lockscope_core::Mode;
use lockscope_core::clock::ClockScale;

use super::counted;
use super::histograms::anything;
use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::probe::Operation;
use crate::script::Script;
use crate::simulation::{Played, Simulation};
use crate::subject::Subject;
use crate::trial::Trial;
use crate::truth::stated;
use crate::verdict::Failure;

const HUNDRED_YEARS_NS: u64 = 100 * 365 * 24 * 3_600 * 1_000_000_000;
/// How far from the last tick that there is.
const NEAR: u64 = 10_000;

pub(super) fn nothing_overflows(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    century(&subject, trial.seed(), 0)?;
    century(&subject, trial.seed(), u64::MAX - 4 * HUNDRED_YEARS_NS - NEAR)?;
    near_the_end(&subject, trial.seed())
}

/// A program with one lock of each sort that matters here.
fn locks() -> Script {
    let mut script = Script::default();
    for make in [Make::MUTEX, Make::SLOTLESS, Make::RWLOCK, Make::CONDVAR] {
        script.lock(make);
    }
    script
}

/// Something takes a hundred years, after so many nanoseconds.
fn century(subject: &Subject, seed: u64, after_ns: u64) -> Result<(), Failure> {
    for lock in 0..4 {
        let script = locks();
        let mut simulation = Simulation::start(subject, seed, &script)?;
        let probe = simulation.probe();
        let mode = if lock < 2 { Mode::EXCLUSIVE } else { Mode::SHARED };
        let by = Operation { thread: 0, lock, mode, site: 1 };
        probe.pass(after_ns);
        if lock < 3 {
            // Each at a call site of its own: no sum is longer than they are.
            let held = probe.acquire(by);
            probe.pass(HUNDRED_YEARS_NS);
            probe.release(&held);
            let waiting = probe.wait(Operation { site: 2, ..by });
            probe.pass(HUNDRED_YEARS_NS);
            let held = probe.waited(waiting);
            probe.release(&held);
        } else {
            let begin_ns = probe.now_ns();
            probe.pass(HUNDRED_YEARS_NS);
            probe.idled(by, begin_ns);
        }
        told_right(&simulation.stop()?, "something takes a hundred years", after_ns)?;
    }
    Ok(())
}

/// Short times, at the last ticks of all.
fn near_the_end(subject: &Subject, seed: u64) -> Result<(), Failure> {
    let script = locks();
    let mut simulation = Simulation::start(subject, seed, &script)?;
    let probe = simulation.probe();
    let after_ns = u64::MAX - NEAR - probe.now_ns();
    probe.pass(after_ns);
    let by = Operation { thread: 0, lock: 0, mode: Mode::EXCLUSIVE, site: 1 };
    let held = probe.acquire(by);
    probe.pass(NEAR / 4);
    probe.release(&held);
    let waiting = probe.wait(Operation { lock: 1, ..by });
    probe.pass(NEAR / 4);
    let held = probe.waited(waiting);
    // To the very last.
    probe.pass(u64::MAX - probe.now_ns());
    probe.release(&held);
    told_right(&simulation.stop()?, "something happens at the last ticks of all", after_ns)
}

fn told_right(played: &Played, what: &str, after_ns: u64) -> Result<(), Failure> {
    counted(played)?;
    let history = [format!("{after_ns} ns pass"), what.to_owned()];
    // Numbers of this size are rounded when they become fractions.
    let is_near = |stated: f64, truth: f64| (stated - truth).abs() <= truth * 1e-9;
    compare::each(played, |stated, truth| is_near(stated.value, truth), "about")
        .and_then(|()| maxima(played))
        .map_err(|failure| failure.after(history))
}

/// No maximum is above the longest time of its line.
fn maxima(played: &Played) -> Result<(), Failure> {
    for site in played.report.locks.iter().flat_map(|lock| &lock.sites) {
        for times in [&site.hold, &site.wait, &site.idle] {
            let is_right = (times.max_ns as f64) <= times.total_ns.value * (1.0 + 1e-9);
            if !is_right {
                return Err(Failure::new("a maximum not above the total", format!("{times:?}")));
            }
        }
    }
    Ok(())
}

/// A counter of 2.5 GHz, as hosts measure it; one of 40 MHz, with another shift;
/// and one that ticks every 3 ns.
const SCALES: [ClockScale; 3] = [
    ClockScale { multiplier: 1_717_986_918, shift: ClockScale::SHIFT, tsc: 1 },
    ClockScale { multiplier: 25 << 24, shift: 24, tsc: 1 },
    ClockScale { multiplier: 3, shift: 0, tsc: 0 },
];

pub(super) fn the_clock_is_used(trial: &mut Trial) -> Result<(), Failure> {
    let mut random = trial.random();
    let subject = trial.subject(Recording::Everything)?;
    // One session after the other: a clock must not be kept from the last one.
    for _ in 0..3 {
        for clock in SCALES {
            let seed = random.bits();
            let script = anything(seed, 40);
            let mut simulation = Simulation::start_by(clock, &subject, seed, &script)?;
            simulation.run(&script.steps)?;
            let played = simulation.stop()?;
            counted(&played)?;
            in_nanoseconds(&played, clock)?;
        }
    }
    Ok(())
}

fn in_nanoseconds(played: &Played, clock: ClockScale) -> Result<(), Failure> {
    let (stated, truth) = (stated(&played.report), played.truth.lines());
    for (line, truth) in truth {
        let stated = stated.get(&line).copied().unwrap_or_default();
        for (what, stated, ticks, events) in [
            ("waits", stated.wait_ns, truth.wait_ns, truth.contentions),
            ("holds", stated.hold_ns, truth.hold_ns, truth.acquisitions),
            ("idle times", stated.idle_ns, truth.idle_ns, truth.idles),
        ] {
            let ns = ticks as f64 * clock.ns_per_tick();
            // Each may be rounded for itself.
            if (stated.value - ns).abs() > events as f64 + 1e-6 * ns {
                let scale = format!("{} ns each", clock.ns_per_tick());
                return Err(Failure::new(
                    format!("{ns} ns of {what}, of {ticks} ticks of {scale}"),
                    format!("{} ns", stated.value),
                )
                .after([format!("a session begins with the clock {clock:?}")]));
            }
        }
    }
    let sites = played.report.locks.iter().flat_map(|lock| &lock.sites);
    for times in sites.flat_map(|site| [&site.hold, &site.wait, &site.idle]) {
        let in_bucket = times.histogram.last().is_none_or(|last| {
            // A bucket's ends are rounded.
            last.lower_ns <= times.max_ns + 1 && times.max_ns <= last.upper_ns
        });
        if !in_bucket {
            return Err(Failure::new("a maximum in the last bucket", format!("{times:?}"))
                .after([format!("a session begins with the clock {clock:?}")]));
        }
    }
    Ok(())
}
