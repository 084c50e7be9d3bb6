//! How closely something is watched: a lock, or a thread's readers.

use lockscope_backends::record::Kept;
use lockscope_core::sync::{AtomicBool, AtomicU32, Ordering};

use super::levels::Levels;

/// After so many samples without contention, a level more: so that a count is
/// known to about a tenth however far the periods have grown. With k samples at
/// each level up to L, Σ w·(w−1) is about k·4^L·4/3 and Σ w about k·2^L·2, so the
/// relative standard error is 1/√(3·k).
pub(crate) const SAMPLES_PER_LEVEL: u32 = 32;

/// A level, and how many samples there were at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stance {
    pub(crate) level: u8,
    samples: u32,
}

impl Stance {
    pub(crate) const fn at(level: u8) -> Self {
        Self { level, samples: 0 }
    }

    /// After one more sample that was not contended.
    #[must_use]
    pub(crate) fn after_quiet_sample(self, levels: Levels) -> Self {
        if self.samples + 1 < SAMPLES_PER_LEVEL {
            return Self { samples: self.samples + 1, ..self };
        }
        Self::at((self.level + 1).min(levels.last))
    }
}

/// How closely a lock is watched, beside its record.
#[derive(Debug, Default)]
pub(crate) struct Attention {
    /// A [`Stance`]: its level, plus one, in the upper half, and its samples in
    /// the lower. 0 before the first sample.
    ///
    /// Written by exclusive owners of the lock alone. Relaxed: what one owner
    /// writes, the next one sees through the lock.
    stance: AtomicU32,
    /// Somebody had to wait, and has told it when the lock was not his any more,
    /// or had it among others.
    ///
    /// Set by anybody, taken back by an exclusive owner. Relaxed: it orders
    /// nothing. Who sets it while it is taken back has waited at the time for
    /// which it is taken back.
    is_contended: AtomicBool,
}

impl Kept for Attention {}

impl Attention {
    /// The exclusive owner's acquisition, which did not wait, was sampled: the
    /// level from now on.
    #[inline]
    pub(crate) fn sampled(&self, levels: Levels) -> u8 {
        let mut stance = self.stance(levels);
        if self.is_contended.load(Ordering::Relaxed) {
            self.is_contended.store(false, Ordering::Relaxed);
            stance = Stance::at(0);
        }
        self.set(stance.after_quiet_sample(levels))
    }

    /// The exclusive owner had to wait: the level from now on.
    #[cold]
    pub(crate) fn waited(&self) -> u8 {
        self.set(Stance::at(0))
    }

    /// Somebody else had to wait.
    #[inline]
    pub(crate) fn hear_of_wait(&self) {
        // The load first: a line that is only read stays with all who read it.
        if !self.is_contended.load(Ordering::Relaxed) {
            self.is_contended.store(true, Ordering::Relaxed);
        }
    }

    fn stance(&self, levels: Levels) -> Stance {
        match self.stance.load(Ordering::Relaxed) {
            0 => Stance::at(levels.first()),
            word => Stance { level: (word >> 16) as u8 - 1, samples: word & 0xffff },
        }
    }

    fn set(&self, stance: Stance) -> u8 {
        let word = (u32::from(stance.level) + 1) << 16 | stance.samples;
        self.stance.store(word, Ordering::Relaxed);
        stance.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: Levels = Levels { first: 4, last: 6, squeeze: 0 };

    fn quiet(attention: &Attention, samples: u32) -> u8 {
        (0..samples).map(|_| attention.sampled(LEVELS)).last().unwrap()
    }

    #[test]
    fn a_quiet_lock_rises_from_the_first_level_to_the_last() {
        let attention = Attention::default();
        assert_eq!(quiet(&attention, SAMPLES_PER_LEVEL - 1), 4);
        assert_eq!(quiet(&attention, 1), 5);
        assert_eq!(quiet(&attention, SAMPLES_PER_LEVEL), 6);
        assert_eq!(quiet(&attention, 10 * SAMPLES_PER_LEVEL), 6);
    }

    #[test]
    fn who_waits_brings_it_back_to_every_operation_for_a_while() {
        let attention = Attention::default();
        assert_eq!(quiet(&attention, 3 * SAMPLES_PER_LEVEL), 6);
        assert_eq!(attention.waited(), 0);
        assert_eq!(quiet(&attention, SAMPLES_PER_LEVEL - 1), 0);
        assert_eq!(quiet(&attention, 1), 1);
        attention.hear_of_wait();
        attention.hear_of_wait();
        assert_eq!(quiet(&attention, SAMPLES_PER_LEVEL - 1), 0);
        assert_eq!(quiet(&attention, 1), 1, "heard of once");
    }

    #[test]
    fn the_last_level_may_come_nearer() {
        let attention = Attention::default();
        quiet(&attention, 3 * SAMPLES_PER_LEVEL);
        let nearer = Levels { last: 2, ..LEVELS };
        for _ in 0..2 * SAMPLES_PER_LEVEL {
            assert!(nearer.in_force(attention.sampled(nearer)) <= 2);
        }
    }
}
