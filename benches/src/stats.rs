//! Medians of ratios.

use core::fmt;

/// The middle of many ratios, and how far they spread.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// The median.
    pub median: f64,
    /// The first and the third quartile.
    pub quartiles: (f64, f64),
}

impl Ratio {
    /// The median and quartiles of `ratios`.
    ///
    /// # Panics
    ///
    /// If there are none.
    #[must_use]
    pub fn of(mut ratios: Vec<f64>) -> Self {
        assert!(!ratios.is_empty(), "no ratio was measured");
        ratios.sort_by(f64::total_cmp);
        let at = |share: f64| ratios[((ratios.len() - 1) as f64 * share).round() as usize];
        Self { median: at(0.5), quartiles: (at(0.25), at(0.75)) }
    }

    /// Of times, the ratio of throughputs.
    #[must_use]
    pub fn inverse(self) -> Self {
        let (low, high) = self.quartiles;
        Self { median: 1.0 / self.median, quartiles: (1.0 / high, 1.0 / low) }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2}–{:.2})", self.median, self.quartiles.0, self.quartiles.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_middle_one_whatever_the_order() {
        let ratio = Ratio::of(vec![9.0, 1.0, 1.2, 1.1, 1.3]);
        assert_eq!(ratio.to_string(), "1.20 (1.10–1.30)");
    }
}
