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
