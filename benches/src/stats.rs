//! Medians of ratios, and how sure they are.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The median of many ratios, with a 95 % interval.
///
/// The interval is a percentile bootstrap: medians of as many values, drawn from
/// those measured with replacement, and of these medians the middle 95 % (Efron
/// and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// The median.
    pub median: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// How often values are drawn anew.
const RESAMPLES: usize = 1_000;

impl Ratio {
    /// The median of `ratios`, and its interval.
    ///
    /// # Panics
    ///
    /// If there are none.
    #[must_use]
    pub fn of(mut ratios: Vec<f64>) -> Self {
        assert!(!ratios.is_empty(), "no ratio was measured");
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |below: usize| {
            // Xorshift (Marsaglia 2003): always the same, so that an interval
            // follows from what was measured.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % below as u64) as usize
        };
        let mut drawn: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                let mut again: Vec<f64> =
                    (0..ratios.len()).map(|_| ratios[next(ratios.len())]).collect();
                at(&mut again, 0.5)
            })
            .collect();
        Self {
            median: at(&mut ratios, 0.5),
            low: at(&mut drawn, 0.025),
            high: at(&mut drawn, 0.975),
        }
    }

    /// Of times, the ratio of throughputs.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self { median: 1.0 / self.median, low: 1.0 / self.high, high: 1.0 / self.low }
    }

    /// Whether the interval is wider than a twentieth of the median: too wide to
    /// say much.
    #[must_use]
    pub fn is_noisy(self) -> bool {
        self.high - self.low > self.median / 20.0
    }
}

/// The value that this share of `values` is below.
fn at(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, low, high } = self;
        let noisy = if self.is_noisy() { " ?" } else { "" };
        write!(f, "{median:.2} ({low:.2}–{high:.2}){noisy}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_middle_one_whatever_the_order() {
        let ratio = Ratio::of(vec![9.0, 1.0, 1.2, 1.1, 1.3]);
        assert!((ratio.median - 1.2).abs() < 1e-9);
        assert!(ratio.low < ratio.median && ratio.median < ratio.high);
        assert!(ratio.is_noisy());
        assert!(ratio.to_string().ends_with(" ?"), "{ratio}");
    }

    #[test]
    fn many_values_that_agree_leave_no_doubt() {
        let ratio = Ratio::of((0..61).map(|i| 1.05 + f64::from(i % 7) * 0.001).collect());
        assert_eq!(ratio.to_string(), "1.05 (1.05–1.05)");
        let slower = ratio.inverse();
        assert!(slower.low < slower.median && slower.median <= slower.high, "{slower:?}");
    }

    /// Of a hundred samples of a distribution, some 95 intervals hold its median.
    #[test]
    fn an_interval_holds_the_median_nearly_always() {
        let mut state = 7_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let holds = (0..400)
            .filter(|_| {
                let ratio = Ratio::of((0..41).map(|_| uniform() + 1.0).collect());
                ratio.low <= 1.5 && 1.5 <= ratio.high
            })
            .count();
        assert!((360..=396).contains(&holds), "{holds} of 400");
    }
}
