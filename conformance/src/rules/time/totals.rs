//! Totals, from one snapshot to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use lockscope::sync;
use lockscope_core::report::{Estimate, Report};
use lockscope_core::sync::{AtomicBool, Ordering};
use lockscope_host::report::model::ReportFile;

use super::histograms::anything;
use crate::keys::Recording;
use crate::simulation::Simulation;
use crate::subject::Subject;
use crate::trial::Trial;
use crate::truth::stated;
use crate::verdict::Failure;

/// Numbers, by what they are of.
type Numbers = BTreeMap<String, f64>;

pub(super) fn never_fall(trial: &mut Trial) -> Result<(), Failure> {
    let mut random = trial.random();
    for recording in [Recording::Everything, Recording::OneIn(5)] {
        let subject = trial.subject(recording)?;
        for _ in 0..5 {
            simulated(&subject, random.bits())?;
        }
    }
    real(trial)
}

/// A snapshot after every few steps of a simulated program.
fn simulated(subject: &Subject, seed: u64) -> Result<(), Failure> {
    const STEPS: usize = 100;
    const BETWEEN: usize = 5;
    let script = anything(seed, STEPS);
    let mut simulation = Simulation::start(subject, seed, &script)?;
    let mut before = Numbers::new();
    let mut history = Vec::new();
    for steps in script.steps.chunks(BETWEEN) {
        simulation.run(steps)?;
        let now = of_report(&subject.snapshot()?);
        history.extend(steps.iter().map(ToString::to_string));
        let compared = compare(&before, &now);
        if compared.is_err() {
            simulation.stop()?;
            return compared.map_err(|failure| failure.after(history));
        }
        before = now;
    }
    compare(&before, &of_report(&simulation.stop()?.report))
}

fn of_report(report: &Report) -> Numbers {
    let mut numbers = Numbers::new();
    for (line, totals) in stated(report) {
        for (name, Estimate { value, variance }) in totals.each() {
            let place = format!("lock {}, call site {}", line.created, line.site);
            let mode = line.mode.as_str();
            numbers.insert(format!("{name} of {place} ({mode})"), value);
            numbers.insert(format!("the variance of {name} of {place} ({mode})"), variance);
        }
    }
    numbers
}

fn compare(before: &Numbers, now: &Numbers) -> Result<(), Failure> {
    for (name, before) in before {
        let now = now.get(name).copied().unwrap_or_default();
        // Sums of fractions depend on their order.
        if now < before * (1.0 - 1e-9) {
            let expected = format!("{name}: not less than {before}, as it was");
            return Err(Failure::new(expected, format!("{now}")));
        }
    }
    for (name, now) in now {
        if !now.is_finite() || *now < 0.0 {
            return Err(Failure::new(format!("{name}: a number, not negative"), format!("{now}")));
        }
    }
    Ok(())
}

/// Snapshots while threads use locks, and drop some.
fn real(trial: &mut Trial) -> Result<(), Failure> {
    const THREADS: usize = 2;
    const SNAPSHOTS: usize = 15;
    let profiler = trial.profile(Recording::Everything)?;
    let lock = Arc::new(sync::RwLock::named("used", ()));
    let ends = Arc::new(AtomicBool::new(false));
    for _ in 0..THREADS {
        let (lock, ends) = (Arc::clone(&lock), Arc::clone(&ends));
        std::thread::spawn(move || {
            // Relaxed: the threads are to end at some time.
            while !ends.load(Ordering::Relaxed) {
                drop(lock.write());
                drop(lock.read());
                drop(sync::Mutex::named("dropped", ()).lock());
            }
        });
    }
    let mut before = Numbers::new();
    let mut result = Ok(());
    for _ in 0..SNAPSHOTS {
        std::thread::sleep(core::time::Duration::from_millis(1));
        let now = of_file(&profiler.snapshot()?);
        result = result.and_then(|()| compare(&before, &now));
        before = now;
    }
    ends.store(true, Ordering::Relaxed);
    profiler.stop()?;
    result
}

/// By name: of those that were dropped, all together.
fn of_file(report: &ReportFile) -> Numbers {
    let mut numbers = Numbers::new();
    for lock in &report.locks {
        let name = lock.name.as_deref().unwrap_or_default();
        for site in &lock.sites {
            for (what, total) in [
                ("acquisitions", site.acquisitions),
                ("contentions", site.contentions),
                ("waits", site.wait_ns.total),
                ("holds", site.hold_ns.total),
            ] {
                let place = format!("the {what} of the lock '{name}' ({})", site.mode);
                *numbers.entry(place).or_default() += total.value;
            }
        }
    }
    numbers
}
