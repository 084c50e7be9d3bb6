//! What a simulated thread keeps: the countdown of operations that have none of
//! their own.

use lockscope_core::Countdown;

/// A thread's own countdown, in the form of a slot's word: see
/// `lockscope_core::thread::ThreadState`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thread {
    /// Stamp of the session, and operations until the next sample.
    word: u64,
    weight: u32,
}

impl Thread {
    /// Counts one operation; true if it is due, or if the countdown is from
    /// another session.
    #[inline]
    pub(crate) fn tick(&mut self, stamp: u64) -> bool {
        if self.word.wrapping_sub(stamp).wrapping_sub(2) >= u64::from(u32::MAX) {
            return true;
        }
        self.word -= 1;
        false
    }

    pub(crate) fn is_armed(&self, stamp: u64) -> bool {
        self.word != 0 && self.word >> 32 == stamp >> 32
    }

    /// Whether every operation is sampled.
    pub(crate) fn samples_every(&self, stamp: u64) -> bool {
        self.word == stamp | 1 && self.weight == 1
    }

    pub(crate) fn arm(&mut self, stamp: u64, countdown: Countdown) {
        self.weight = countdown.own_weight();
        self.word = stamp | u64::from(countdown.operations.max(1));
    }

    pub(crate) fn weight(&self) -> u32 {
        self.weight
    }
}
