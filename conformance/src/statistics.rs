//! Is what a report says as true as it says?
//!
//! docs/sampling.md has the formulas, and why they hold.

use lockscope_core::report::Estimate;

/// Two-sided 95 % of a normal distribution lie within so many standard
/// deviations.
pub const ERRORS_95: f64 = 1.959_963_984_540_054;

/// How far `estimate` is from `truth`, in its standard errors; infinitely far
/// if it claims to be exact, and is not.
#[must_use]
pub fn errors_off(estimate: Estimate, truth: f64) -> f64 {
    let off = (estimate.value - truth).abs();
    if off == 0.0 { 0.0 } else { off / estimate.standard_error() }
}

/// The share of `part` in `part` and `rest`, which are independent.
///
/// Its variance is that of the ratio's linearisation,
/// (rest²·V(part) + part²·V(rest)) / (part + rest)⁴ (Särndal, Swensson and
/// Wretman, *Model Assisted Survey Sampling*, 1992, section 5.6).
#[must_use]
pub fn share(part: Estimate, rest: Estimate) -> Estimate {
    let whole = part.value + rest.value;
    let variance =
        (rest.value.powi(2) * part.variance + part.value.powi(2) * rest.variance) / whole.powi(4);
    Estimate { value: part.value / whole, variance }
}

/// How estimates of one quantity, one from each of many runs, lie about the
/// truth.
#[derive(Clone, Copy, Debug, Default)]
pub struct Runs {
    number: u64,
    contained: u64,
    exact: u64,
    /// Sum of the errors, and of their squares.
    off: f64,
    off_squared: f64,
    /// Sum of the variances that were stated.
    stated: f64,
    /// Sum of the squares of the errors, each as a part of the truth.
    relative_squared: f64,
}

impl Runs {
    /// Adds the estimate of one run, in which the truth was `truth`.
    pub fn add(&mut self, estimate: Estimate, truth: f64) {
        let off = estimate.value - truth;
        self.number += 1;
        self.contained += u64::from(errors_off(estimate, truth) <= ERRORS_95);
        self.exact += u64::from(off == 0.0 && estimate.variance == 0.0);
        self.off += off;
        self.off_squared += off * off;
        self.stated += estimate.variance;
        // What has not happened, and is not said to have, is no error.
        let relative = if off == 0.0 { 0.0 } else { off / truth };
        self.relative_squared += relative * relative;
    }

    /// How many there are.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// In which part of them the 95 % interval contained the truth.
    #[must_use]
    pub fn coverage(&self) -> f64 {
        self.contained as f64 / self.number as f64
    }

    /// How far they are from the truth, as a part of it: the root of the mean square;
    /// infinite if something was said to have happened that has not.
    #[must_use]
    pub fn relative_error(&self) -> f64 {
        (self.relative_squared / self.number as f64).sqrt()
    }

    /// Whether all of them are the truth, and say so.
    #[must_use]
    pub fn are_exact(&self) -> bool {
        self.exact == self.number
    }

    /// How far their mean is from the truth, in standard errors of the mean, as
    /// their own scatter has it.
    #[must_use]
    pub fn bias_in_errors(&self) -> f64 {
        let n = self.number as f64;
        let mean = self.off / n;
        let scatter = (self.off_squared / n - mean * mean).max(0.0) * n / (n - 1.0);
        errors_off(Estimate { value: mean, variance: scatter / n }, 0.0)
    }

    /// The variance that they state on average, as a part of that which they
    /// have.
    #[must_use]
    pub fn stated_variance(&self) -> f64 {
        self.stated / self.off_squared
    }
}

/// How far the sum of unbiased estimates may be from the truth: one in 10⁹ sums
/// is farther.
///
/// Each operation of the sum is drawn with a probability of 1/w or more, so the
/// error is a martingale whose steps are at most `step` = w·x, and whose
/// variance is at most `variance` = Σ (w − 1)·x². For such a one
/// P(|error| ≥ t) ≤ 2·exp(−t²/2(variance + step·t)) (Freedman, *On Tail
/// Probabilities for Martingales*, 1975, theorem 1.6), whatever its
/// distribution: rare samples need no allowance.
#[must_use]
pub fn bound(variance: f64, step: f64) -> f64 {
    // t² = 2k(variance + step·t), for k with 2·exp(−k) = 10⁻⁹.
    let k = (2e9_f64).ln();
    k * step + (k * k * step * step + 2.0 * k * variance).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn an_exact_estimate_is_right_or_infinitely_wrong() {
        assert_eq!(errors_off(Estimate::exact(3.0), 3.0), 0.0);
        assert_eq!(errors_off(Estimate::exact(3.0), 4.0), f64::INFINITY);
        assert_eq!(errors_off(Estimate { value: 3.0, variance: 4.0 }, 4.0), 0.5);
    }

    #[test]
    fn a_share_is_as_uncertain_as_both_its_parts() {
        let part = Estimate { value: 30.0, variance: 16.0 };
        let rest = Estimate { value: 70.0, variance: 9.0 };
        let share = share(part, rest);
        assert_eq!(share.value, 0.3);
        assert!((share.variance - (4_900.0 * 16.0 + 900.0 * 9.0) / 1e8).abs() < 1e-12);
    }

    /// Uniform numbers about 0, which say their variance truly.
    fn runs(bias: f64, claim: f64) -> Runs {
        let (mut runs, mut random) = (Runs::default(), Random::new(1));
        for _ in 0..4_000 {
            let value = (0..12).map(|_| random.uniform() - 0.5).sum::<f64>() + bias;
            runs.add(Estimate { value, variance: claim }, 0.0);
        }
        runs
    }

    #[test]
    fn true_claims_are_found_true() {
        let runs = runs(0.0, 1.0);
        assert!((0.94..0.96).contains(&runs.coverage()), "{}", runs.coverage());
        assert!(runs.bias_in_errors() < 4.0);
        assert!((0.9..1.1).contains(&runs.stated_variance()));
        assert!(!runs.are_exact());
    }

    #[test]
    fn false_claims_are_found_false() {
        assert!(runs(0.0, 0.5).coverage() < 0.9);
        assert!((0.45..0.55).contains(&runs(0.0, 0.5).stated_variance()));
        assert!(runs(0.0, 2.0).coverage() > 0.98);
        assert!(runs(0.1, 1.0).bias_in_errors() > 5.0);
    }

    #[test]
    fn errors_are_parts_of_the_truth() {
        let mut runs = Runs::default();
        runs.add(Estimate::exact(0.0), 0.0);
        assert_eq!(runs.relative_error(), 0.0);
        runs.add(Estimate::exact(90.0), 100.0);
        runs.add(Estimate::exact(220.0), 200.0);
        // √((0² + 0.1² + 0.1²) / 3)
        assert!((runs.relative_error() - (0.02_f64 / 3.0).sqrt()).abs() < 1e-12);
        runs.add(Estimate::exact(1.0), 0.0);
        assert_eq!(runs.relative_error(), f64::INFINITY);
    }

    /// Against sums of a rare, heavy draw, which no normal distribution fits.
    #[test]
    fn the_bound_holds_and_is_not_far_off() {
        let (period, operations) = (1_000.0, 500.0);
        let bound = bound((period - 1.0) * operations, period);
        let mut random = Random::new(2);
        let mut farthest = 0.0_f64;
        for _ in 0..20_000 {
            let drawn = (0..500).filter(|_| random.uniform() < 1.0 / period).count();
            farthest = farthest.max((drawn as f64 * period - operations).abs());
        }
        assert!((farthest..farthest * 10.0).contains(&bound), "{farthest} and {bound}");
    }
}
