//! Percentiles of weighted histograms.

use std::collections::BTreeMap;

use super::model::Times;

/// A percentile, and how true it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quantile {
    pub(crate) ns: f64,
    /// The percentile of the durations themselves is at most this far away.
    pub(crate) off_by_ns: f64,
}

/// The duration that the part `q` (0 to 1) of all durations in `parts`
/// together do not exceed; `None` if there is no duration.
///
/// Within a bucket the durations are taken to lie evenly, so the result is
/// found by linear interpolation. It lies in the bucket of the true weighted
/// quantile, which ends at the longest duration that was seen, if not before.
pub(crate) fn quantile<'a>(parts: impl IntoIterator<Item = &'a Times>, q: f64) -> Option<Quantile> {
    let mut merged: BTreeMap<(u64, u64), f64> = BTreeMap::new();
    let mut max = 0;
    for times in parts {
        max = max.max(times.max);
        for &(lower, upper, weight) in &times.histogram {
            if weight > 0.0 {
                *merged.entry((lower, upper)).or_default() += weight;
            }
        }
    }
    let target = merged.values().sum::<f64>() * q;
    let mut below = 0.0;
    let mut found = None;
    for ((lower, upper), weight) in merged {
        // A report that was made while a bucket was counted and the maximum
        // was not yet raised must not turn a bucket round.
        let upper = if max > 0 { upper.min(max).max(lower) } else { upper };
        found = Some(within(lower as f64, upper as f64, (target - below) / weight));
        below += weight;
        if below >= target {
            break;
        }
    }
    found
}

/// What lies the part `inside` (0 to 1) of the way through a bucket.
fn within(lower: f64, upper: f64, inside: f64) -> Quantile {
    let ns = lower + (upper - lower) * inside.clamp(0.0, 1.0);
    Quantile { ns, off_by_ns: (ns - lower).max(upper - ns) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(histogram: &[(u64, u64, f64)], max: u64) -> Times {
        Times { histogram: histogram.to_vec(), max, ..Times::default() }
    }

    fn ns(parts: &[Times], q: f64) -> Option<f64> {
        quantile(parts, q).map(|found| found.ns)
    }

    #[test]
    fn it_lies_evenly_within_a_bucket() {
        let even = times(&[(100, 200, 10.0)], 0);
        assert_eq!(quantile([&even], 0.5), Some(Quantile { ns: 150.0, off_by_ns: 50.0 }));
        assert_eq!(quantile([&even], 0.75), Some(Quantile { ns: 175.0, off_by_ns: 75.0 }));
        assert_eq!(ns(&[even], 1.0), Some(200.0));
        assert_eq!(ns(&[times(&[], 7)], 0.5), None);
    }

    #[test]
    fn parts_are_weighed_together() {
        let short = times(&[(0, 10, 98.0)], 10);
        let long = times(&[(1_000, 1_100, 2.0)], 1_100);
        assert_eq!(ns(&[short.clone(), long], 0.99), Some(1_050.0));
        assert_eq!(ns(&[short], 0.5), Some(5.0));
    }

    #[test]
    fn the_last_bucket_ends_at_the_longest_that_was_seen() {
        let found = quantile([&times(&[(1_024, 2_048, 1.0)], 1_124)], 0.75);
        assert_eq!(found, Some(Quantile { ns: 1_099.0, off_by_ns: 75.0 }));
        // The bucket of what is longer than all others has no end.
        assert_eq!(ns(&[times(&[(1_000, u64::MAX, 1.0)], 3_000)], 0.5), Some(2_000.0));
    }

    #[test]
    fn a_maximum_that_lags_behind_turns_nothing_round() {
        let found = quantile([&times(&[(1_024, 2_048, 1.0)], 900)], 0.99);
        assert_eq!(found, Some(Quantile { ns: 1_024.0, off_by_ns: 0.0 }));
    }

    /// A log-linear partition of 8 buckets to the octave.
    fn bucket(ns: u64) -> (u64, u64) {
        let step = 1_u64 << (64 - (ns.max(8)).leading_zeros() - 4);
        let lower = ns / step * step;
        (lower, lower + step)
    }

    proptest! {
        #[test]
        fn it_is_off_by_no_more_than_it_says(
            mut values in proptest::collection::vec(0..100_000_000_u64, 1..60),
            split in 0..60_usize,
            q in 0.01..1.0_f64,
        ) {
            let (left, right) = values.split_at(split.min(values.len()));
            let parts = [left, right].map(|part| Times {
                max: part.iter().copied().max().unwrap_or(0),
                histogram: part.iter().map(|ns| (bucket(*ns).0, bucket(*ns).1, 1.0)).collect(),
                ..Times::default()
            });
            let found = quantile(&parts, q).expect("there are values");
            values.sort_unstable();
            let rank = (values.len() as f64 * q).ceil() as usize;
            let truth = values[rank.clamp(1, values.len()) - 1];
            let (lower, upper) = bucket(truth);
            prop_assert!((found.ns - truth as f64).abs() <= found.off_by_ns);
            prop_assert!(found.off_by_ns <= (upper - lower) as f64);
        }
    }
}
