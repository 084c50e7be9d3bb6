//! Percentiles of weighted histograms.

use std::collections::BTreeMap;

use super::model::Times;

/// The duration, in nanoseconds, that the part `q` (0 to 1) of all durations
/// in `parts` together do not exceed; `None` if there is no duration.
///
/// Within a bucket the durations are taken to lie evenly, so the result is
/// found by linear interpolation. It lies in the bucket of the true weighted
/// quantile, and is off by less than that bucket's width. It never exceeds the
/// longest duration that was seen.
pub(crate) fn quantile<'a>(parts: impl IntoIterator<Item = &'a Times>, q: f64) -> Option<f64> {
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
    let whole: f64 = merged.values().sum();
    let target = whole * q;
    let mut below = 0.0;
    let mut found = None;
    for (&(lower, upper), &weight) in &merged {
        let inside = ((target - below) / weight).clamp(0.0, 1.0);
        found = Some(lower as f64 + upper.saturating_sub(lower) as f64 * inside);
        below += weight;
        if below >= target {
            break;
        }
    }
    found.map(|ns| if max > 0 { ns.min(max as f64) } else { ns })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(histogram: &[(u64, u64, f64)], max: u64) -> Times {
        Times { histogram: histogram.to_vec(), max, ..Times::default() }
    }

    #[test]
    fn it_lies_evenly_within_a_bucket() {
        let even = times(&[(100, 200, 10.0)], 0);
        assert_eq!(quantile([&even], 0.5), Some(150.0));
        assert_eq!(quantile([&even], 1.0), Some(200.0));
        assert_eq!(quantile([&times(&[], 7)], 0.5), None);
    }

    #[test]
    fn parts_are_weighed_together() {
        let short = times(&[(0, 10, 98.0)], 9);
        let long = times(&[(1_000, 1_100, 2.0)], 1_099);
        assert_eq!(quantile([&short, &long], 0.99), Some(1_050.0));
        assert_eq!(quantile([&short], 0.99).map(f64::round), Some(9.0));
    }

    #[test]
    fn it_does_not_exceed_what_was_seen() {
        assert_eq!(quantile([&times(&[(1_024, 2_048, 1.0)], 1_030)], 0.99), Some(1_030.0));
    }

    /// A log-linear partition of 8 buckets to the octave.
    fn bucket(ns: u64) -> (u64, u64) {
        let step = 1_u64 << (64 - (ns.max(8)).leading_zeros() - 4);
        let lower = ns / step * step;
        (lower, lower + step)
    }

    proptest! {
        #[test]
        fn it_is_off_by_less_than_a_bucket(
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
            prop_assert!((found - truth as f64).abs() <= (upper - lower) as f64);
        }
    }
}
