//! Levels: a lock at level L is sampled once in 2^L operations.

/// As many as make the longest period, and level 0.
pub(crate) const LEVELS: usize = 20;
const _: () = assert!(1 << (LEVELS - 1) <= crate::settings::MAX_PERIOD.most);
const _: () = assert!(1 << LEVELS > crate::settings::MAX_PERIOD.most);

/// The level of a period, which is rounded down to a power of two.
pub(crate) fn of_period(period: u32) -> u8 {
    period.max(1).ilog2() as u8
}

/// Which levels are in force, in one word: what belongs together is read
/// together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Levels {
    /// Of a lock that is met.
    pub(crate) first: u8,
    /// No lock rises further.
    pub(crate) last: u8,
    /// What the budget adds to every level.
    pub(crate) squeeze: u8,
}

impl Levels {
    pub(crate) fn to_bits(self) -> u32 {
        u32::from_le_bytes([self.first, self.last, self.squeeze, 0])
    }

    pub(crate) fn from_bits(bits: u32) -> Self {
        let [first, last, squeeze, _] = bits.to_le_bytes();
        Self { first, last, squeeze }
    }

    /// The level of a lock, or of a thread, that is met.
    pub(crate) fn first(self) -> u8 {
        self.first.min(self.last)
    }

    /// At which level one is sampled that is watched at `level`.
    pub(crate) fn in_force(self, level: u8) -> u8 {
        level.min(self.last).saturating_add(self.squeeze).min(LEVELS as u8 - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_rounded_down_to_a_power_of_two() {
        let of = [0, 1, 2, 3, 4, 100, 1_000_000].map(of_period);
        assert_eq!(of, [0, 0, 1, 1, 2, 6, 19]);
    }

    #[test]
    fn levels_are_one_word() {
        let levels = Levels { first: 4, last: 12, squeeze: 19 };
        assert_eq!(Levels::from_bits(levels.to_bits()), levels);
    }

    #[test]
    fn the_budget_adds_levels_beyond_the_last_of_a_lock() {
        let levels = Levels { first: 9, last: 8, squeeze: 3 };
        assert_eq!(levels.first(), 8);
        assert_eq!([0, 5, 8, 9].map(|level| levels.in_force(level)), [3, 8, 11, 11]);
        let squeezed = Levels { squeeze: 16, ..levels };
        assert_eq!([0, 5].map(|level| squeezed.in_force(level)), [16, 19]);
    }
}
