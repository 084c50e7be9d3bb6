use lockscope_core::Mode;
use proptest::prelude::*;

use super::attention::SAMPLES_PER_LEVEL;
use super::*;
use crate::simulation::{Counted, event, session};

fn policy(generation: u32, period: u32, max_period: u32) -> Policy {
    let policy = Policy::default();
    policy.set_period(period);
    policy.set_max_period(max_period);
    policy.start(&session(generation, u64::from(generation)));
    policy
}

/// As many operations as it takes for so many samples; the weight of the last.
fn sample(counted: &mut Counted, policy: &Policy, samples: u32) -> u32 {
    let mut last = 0;
    for _ in 0..samples {
        counted.pass(policy, u64::from(counted.due()), |weight| last = weight);
    }
    last
}

#[test]
fn a_quiet_lock_is_sampled_ever_more_rarely() {
    let policy = policy(1, 16, 4096);
    let mut lock = Counted::lock(&policy);
    for level in 4..=12 {
        assert_eq!(lock.weight(), 1 << level);
        assert_eq!(sample(&mut lock, &policy, SAMPLES_PER_LEVEL), 1 << level);
    }
    assert_eq!(sample(&mut lock, &policy, 10 * SAMPLES_PER_LEVEL), 4096);
    let periods: Vec<u32> = (4..=12).map(|level| 1 << level).collect();
    assert_eq!(policy.periods(), periods);
}

#[test]
fn a_lock_at_which_somebody_waits_is_recorded_at_every_operation_at_once() {
    let policy = policy(2, 16, 4096);
    let mut lock = Counted::lock(&policy);
    sample(&mut lock, &policy, 20 * SAMPLES_PER_LEVEL);
    assert_eq!(lock.weight(), 4096);
    lock.wait(&policy, 1);
    assert_eq!((lock.weight(), lock.due()), (1, 1));
    assert_eq!(sample(&mut lock, &policy, SAMPLES_PER_LEVEL), 1);
    assert_eq!(lock.weight(), 2, "and then rises again");
    lock.wait(&policy, 1);
    assert_eq!(lock.weight(), 1);
    // At level 0 it does not ask, so this is told when the lock was given back.
    lock.wait(&policy, 1);
    sample(&mut lock, &policy, SAMPLES_PER_LEVEL);
    assert_eq!(lock.weight(), 2, "its next owner has heard of it and begun anew");
}

#[test]
fn a_lock_whose_readers_wait_is_watched_closely_from_its_next_sample_on() {
    let policy = policy(3, 16, 4096);
    let mut lock = Counted::lock(&policy);
    sample(&mut lock, &policy, 20 * SAMPLES_PER_LEVEL);
    lock.reader_waits(&policy);
    assert_eq!(lock.weight(), 4096);
    assert_eq!(sample(&mut lock, &policy, 1), 4096);
    assert_eq!(lock.weight(), 1);
}

#[test]
fn a_thread_rises_with_its_readers_and_falls_back_when_it_waits() {
    let policy = policy(4, 16, 64);
    let mut readers = Counted::readers(&policy);
    assert_eq!(readers.weight(), 16);
    sample(&mut readers, &policy, 10 * SAMPLES_PER_LEVEL);
    assert_eq!(readers.weight(), 64);
    readers.wait(&policy, 1);
    sample(&mut readers, &policy, 1);
    assert_eq!(readers.weight(), 16);
}

#[test]
fn a_thread_that_records_every_reader_rises_as_well() {
    let policy = policy(5, 1, 64);
    let mut readers = Counted::readers(&policy);
    assert_eq!(sample(&mut readers, &policy, SAMPLES_PER_LEVEL - 1), 1);
    sample(&mut readers, &policy, 1);
    assert_eq!(readers.weight(), 2);
}

#[test]
fn another_session_finds_a_thread_as_if_it_were_new() {
    let policy = policy(6, 16, 4096);
    sample(&mut Counted::readers(&policy), &policy, 20 * SAMPLES_PER_LEVEL);
    policy.start(&session(7, 7));
    assert_eq!(Counted::readers(&policy).weight(), 16);
    let other = self::policy(7, 32, 4096);
    assert_eq!(Counted::readers(&other).weight(), 32, "another backend's session");
}

#[test]
fn the_budget_multiplies_all_periods() {
    let policy = policy(8, 16, 4096);
    let (mut lock, mut readers) = (Counted::lock(&policy), Counted::readers(&policy));
    policy.set_squeeze(3);
    sample(&mut lock, &policy, 1);
    sample(&mut readers, &policy, 1);
    assert_eq!((lock.weight(), readers.weight()), (128, 128));
    lock.wait(&policy, 1);
    assert_eq!(lock.weight(), 8, "every operation, eight times as rare");
    sample(&mut lock, &policy, 20 * SAMPLES_PER_LEVEL);
    assert_eq!(lock.weight(), 8 * 4096);
}

#[test]
fn at_a_longest_period_of_1_every_operation_is_recorded() {
    let policy = policy(9, 16, 1);
    let (mut lock, mut readers) = (Counted::lock(&policy), Counted::readers(&policy));
    for counted in [&mut lock, &mut readers] {
        let mut samples = 0;
        counted.pass(&policy, 1_000, |weight| samples += weight);
        assert_eq!(samples, 1_000);
    }
}

#[test]
fn what_is_no_acquisition_changes_nothing() {
    let policy = policy(10, 16, 4096);
    let (slot, attention) = (lockscope_core::Slot::new(None), Attention::default());
    for kind in [EventKind::FAILED, EventKind::IDLE] {
        let event = Event { kind, ..event(&slot, Mode::EXCLUSIVE, 1) };
        assert_eq!(policy.next(&event, Some(&attention)), Countdown::UNCHANGED);
    }
}

#[test]
fn a_lock_without_record_is_looked_at_as_rarely_as_can_be() {
    let policy = policy(11, 16, 256);
    let slot = lockscope_core::Slot::new(None);
    let sampled = event(&slot, Mode::EXCLUSIVE, 16);
    let rarely = policy.next(&sampled, None);
    assert_eq!(rarely.weight, 256, "and does not ask");
    let mut waited = Event { contended: 1, counted: 0, ..sampled };
    assert_eq!(policy.next(&waited, None).weight, 256, "nor when it was asked");
    waited.lock.slot = core::ptr::null();
    assert_eq!(policy.next(&waited, None), Countdown::UNCHANGED);
    let read = event(&slot, Mode::SHARED, 1);
    assert_eq!(policy.next(&read, None).weight, 16, "a thread has other locks as well");
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Wait,
    ReaderWaits,
    Squeeze(u8),
    Period(u32),
    MaxPeriod(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..400_u64).prop_map(Step::Pass),
        2 => Just(Step::Wait),
        1 => Just(Step::ReaderWaits),
        2 => (0..4_u8).prop_map(Step::Squeeze),
        1 => (1..100_u32).prop_map(Step::Period),
        1 => (1..40_u32).prop_map(Step::MaxPeriod),
    ]
}

/// Takes the steps; Σ w, and Σ w·(w−1) as the estimate of its variance.
fn taken(steps: &[Step], generation: u32, make: fn(&Policy) -> Counted) -> (f64, f64) {
    let policy = policy(generation, 4, 32);
    let mut counted = make(&policy);
    let (mut total, mut variance) = (0.0, 0.0);
    // Whatever was the longest so far: a countdown that was drawn is kept.
    let (mut longest, mut max_period, mut squeeze) = (32, 32, 0);
    for step in steps {
        match *step {
            Step::Pass(operations) => counted.pass(&policy, operations, |weight| {
                assert!(weight.is_power_of_two() && weight <= longest, "{weight} of {longest}");
                let weight = f64::from(weight);
                total += weight;
                variance += weight * (weight - 1.0);
            }),
            Step::Wait => counted.wait(&policy, 1),
            Step::ReaderWaits => counted.reader_waits(&policy),
            Step::Squeeze(to) => {
                squeeze = to;
                policy.set_squeeze(squeeze);
            }
            Step::Period(period) => policy.set_period(period),
            Step::MaxPeriod(period) => {
                max_period = period;
                policy.set_max_period(period);
            }
        }
        longest = longest.max(max_period << squeeze);
    }
    (total, variance)
}

/// Whether numbers that should be 0 in the mean are, within six standard errors.
fn is_nought(numbers: &[f64]) -> bool {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    mean.abs() <= 6.0 * (variance / n).sqrt() + 1e-9
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Over 2,000 seeds: the total is what it should be, and so is the estimate of
    /// its variance, whatever moves the periods meanwhile.
    #[test]
    fn totals_are_unbiased(steps in proptest::collection::vec(step(), 1..40), thread: bool) {
        let make = if thread { Counted::readers } else { Counted::lock };
        // Enough for some samples in each run, whatever the periods.
        let steps: Vec<_> = [Step::Pass(300)].into_iter().chain(steps).collect();
        let truth: u64 =
            steps.iter().map(|step| if let Step::Pass(n) = step { *n } else { 0 }).sum();
        let runs = (1..=2_000).map(|seed| taken(&steps, seed, make));
        let (errors, variances): (Vec<f64>, Vec<f64>) = runs
            .map(|(total, variance)| {
                let error = total - truth as f64;
                (error, error * error - variance)
            })
            .unzip();
        prop_assert!(is_nought(&errors), "totals are biased");
        prop_assert!(is_nought(&variances), "variances are biased");
    }
}
