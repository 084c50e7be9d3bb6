//! Maxima, totals and histograms, of the same times.

use lockscope_core::report::{Bucket, Estimate, Report, SiteReport, Times};

use super::counted;
use crate::compare;
use crate::keys::Recording;
use crate::lock::Make;
use crate::random::Random;
use crate::script::{Hold, Script, Step, Use};
use crate::simulation::Played;
use crate::subject::Subject;
use crate::trial::Trial;
use crate::verdict::Failure;

/// Sums of fractions depend on their order.
const ROUNDING: f64 = 1e-9;

pub(super) fn agree(trial: &mut Trial) -> Result<(), Failure> {
    let mut random = trial.random();
    for recording in [Recording::Everything, Recording::OneIn(3)] {
        let subject = trial.subject(recording)?;
        for _ in 0..20 {
            let seed = random.bits();
            compare::shortest(&subject, seed, &anything(seed, 40), |played| {
                each_agrees(&played.report)
            })?;
        }
    }
    let subject = trial.subject(Recording::Everything)?;
    for _ in 0..60 {
        one_of_each(&subject, any_time(&mut random), random.bits())?;
    }
    one_of_each(&subject, 0, 0)
}

/// Operations on all sorts of locks, of all lengths.
pub(super) fn anything(seed: u64, operations: usize) -> Script {
    let mut random = Random::new(seed);
    let mut script = Script::default();
    let locks = [Make::MUTEX, Make::RWLOCK, Make::SLOTLESS, Make::SLOTLESS_RWLOCK]
        .map(|make| script.lock(make));
    for _ in 0..operations {
        let number = random.below(4) as usize;
        let is_read = number % 2 == 1 && random.below(2) == 0;
        let by = if is_read { Use::reading(locks[number]) } else { Use::of(locks[number]) };
        let (thread, site) = (random.below(3) as usize, 1 + random.below(3) as usize);
        let hold = Hold::Exactly(any_time(&mut random));
        let by = Use { thread, site, hold, ..by };
        let time = Hold::Exactly(any_time(&mut random));
        script.push(match random.below(12) {
            0 => Step::Replace(locks[number]),
            1 => Step::GiveUp(by, time),
            2 => Step::Idle(by, time),
            3..6 => Step::Wait(by, time),
            _ => Step::Take(by),
        });
    }
    script
}

/// Up to some minutes: short ones as often as long ones.
fn any_time(random: &mut Random) -> u64 {
    let longest = 1 << random.below(40);
    random.below(longest)
}

fn each_agrees(report: &Report) -> Result<(), Failure> {
    for site in report.locks.iter().flat_map(|lock| &lock.sites) {
        let SiteReport { acquisitions, contentions, idles, wait, hold, idle, .. } = site;
        agreeing("holds", *acquisitions, hold)?;
        agreeing("waits", *contentions, wait)?;
        agreeing("idle times", *idles, idle)?;
    }
    Ok(())
}

fn agreeing(what: &str, count: Estimate, times: &Times) -> Result<(), Failure> {
    let Times { total_ns, max_ns, histogram } = times;
    let told = || format!("{count:?} {what}: {times:?}");
    let unless = |is_so: bool, expected: &str| {
        if is_so { Ok(()) } else { Err(Failure::new(format!("{expected}, of {what}"), told())) }
    };
    let weight: f64 = histogram.iter().map(|bucket| bucket.weight).sum();
    unless(near(weight, count.value), "as many in the histogram as were counted")?;
    unless(*max_ns as f64 <= total_ns.value * (1.0 + ROUNDING), "a maximum not above the total")?;
    unless(histogram.iter().all(|one| one.weight > 0.0), "buckets that are not empty")?;
    unless(histogram.iter().all(|one| one.lower_ns < one.upper_ns), "buckets with a width")?;
    let ascend = histogram.windows(2).all(|two| two[0].upper_ns <= two[1].lower_ns);
    unless(ascend, "ascending buckets")?;
    let sum = |end: fn(&Bucket) -> u64| -> f64 {
        histogram.iter().map(|bucket| end(bucket) as f64 * bucket.weight).sum()
    };
    let is_between = sum(|one| one.lower_ns) <= total_ns.value * (1.0 + ROUNDING)
        && total_ns.value <= sum(|one| one.upper_ns) * (1.0 + ROUNDING);
    unless(is_between, "a total that the buckets can add up to")?;
    let is_last = histogram.last().is_none_or(|last| contains(last, *max_ns));
    unless(is_last, "a maximum in the last bucket")
}

fn near(left: f64, right: f64) -> bool {
    (left - right).abs() <= ROUNDING * left.abs().max(right.abs())
}

/// The last bucket of all has no end.
fn contains(bucket: &Bucket, ns: u64) -> bool {
    bucket.lower_ns <= ns && (ns < bucket.upper_ns || bucket.upper_ns == u64::MAX)
}

/// One hold, one wait and one idle time, each in the one bucket that it belongs to.
fn one_of_each(subject: &Subject, ns: u64, seed: u64) -> Result<(), Failure> {
    let mut script = Script::default();
    let (held, waited, idle) =
        (script.lock(Make::MUTEX), script.lock(Make::MUTEX), script.lock(Make::CONDVAR));
    let time = Hold::Exactly(ns);
    script.extend([
        Step::Take(Use { hold: time, ..Use::of(held) }),
        Step::Wait(Use::of(waited), time),
        Step::Idle(Use::reading(idle), time),
    ]);
    compare::shortest(subject, seed, &script, |played: &Played| {
        counted(played)?;
        for lock in &played.report.locks {
            for site in &lock.sites {
                let (what, times) = match lock.created {
                    1 => ("hold", &site.hold),
                    2 => ("wait", &site.wait),
                    _ => ("idle time", &site.idle),
                };
                let is_it = times.max_ns == ns
                    && matches!(&*times.histogram, [one] if contains(one, ns) && one.weight == 1.0);
                if !is_it {
                    let expected = format!("one {what} of {ns} ns, as maximum and in its bucket");
                    return Err(Failure::new(expected, format!("{times:?}")));
                }
            }
        }
        Ok(())
    })
}
