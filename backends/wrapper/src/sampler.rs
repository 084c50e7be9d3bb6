//! Which operations are sampled.
//!
//! Each operation is drawn with probability 1/N, independently of all others,
//! by counting down a number that is geometrically distributed: the number of
//! trials up to the first success. Drawn by inversion, ⌊ln U / ln(1 − 1/N)⌋ + 1
//! (Devroye, *Non-Uniform Random Variate Generation*, 1986, X.2).

use core::cell::Cell;

use lockscope_core::sync::{AtomicU32, AtomicU64, Ordering};
use lockscope_core::{Countdown, Session};

/// Draws countdowns. Read by every sample, written by the host alone.
///
/// Relaxed, all of it: whoever draws with the period of a moment ago draws a
/// countdown whose weight is of a moment ago as well.
#[derive(Debug)]
pub(crate) struct Sampler {
    /// The period, and 1 / ln(1 − 1/period) as the bits of an `f32`: one word,
    /// so that they always belong together.
    period_and_scale: AtomicU64,
    seed: AtomicU64,
    /// The session's generation: threads that have another one seed anew.
    generation: AtomicU32,
    /// Threads that have seeded, so that no two do it alike.
    threads: AtomicU32,
}

impl Default for Sampler {
    fn default() -> Self {
        Self {
            period_and_scale: AtomicU64::new(packed(1)),
            seed: AtomicU64::new(0),
            generation: AtomicU32::new(0),
            threads: AtomicU32::new(0),
        }
    }
}

thread_local! {
    /// The generation that this thread's generator was seeded in.
    static SEEDED: Cell<u32> = const { Cell::new(0) };
    /// The state of this thread's generator.
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

impl Sampler {
    /// Begins a session: its draws follow from its seed.
    pub(crate) fn start(&self, session: &Session) {
        self.seed.store(session.seed, Ordering::Relaxed);
        self.threads.store(0, Ordering::Relaxed);
        self.generation.store(session.generation, Ordering::Relaxed);
    }

    /// Samples one operation in `period` from the next draw on.
    pub(crate) fn set_period(&self, period: u32) {
        self.period_and_scale.store(packed(period), Ordering::Relaxed);
    }

    /// The period in force.
    pub(crate) fn period(&self) -> u32 {
        self.period_and_scale.load(Ordering::Relaxed) as u32
    }

    /// The operations up to the next sample, and what that one stands for.
    #[inline]
    pub(crate) fn draw(&self) -> Countdown {
        let packed = self.period_and_scale.load(Ordering::Relaxed);
        let weight = packed as u32;
        if weight == 1 {
            return Countdown::EVERY;
        }
        let scale = f64::from(f32::from_bits((packed >> 32) as u32));
        let operations = self.uniform().ln() * scale;
        // A draw beyond 32 bits is cut off by the conversion; with the longest
        // period that happens to e⁻⁴²⁹⁵ of them.
        Countdown { operations: (operations as u32).saturating_add(1), weight }
    }

    /// A random number in (0, 1].
    #[inline]
    fn uniform(&self) -> f64 {
        let generation = self.generation.load(Ordering::Relaxed);
        if SEEDED.get() != generation {
            self.seed_thread(generation);
        }
        // SplitMix64 (Steele, Lea and Flood 2014).
        let state = RANDOM.get().wrapping_add(GOLDEN);
        RANDOM.set(state);
        // 53 bits, the middle of each step.
        ((mixed(state) >> 11) as f64 + 0.5) * (1.0 / (1_u64 << 53) as f64)
    }

    #[cold]
    fn seed_thread(&self, generation: u32) {
        let thread = self.threads.fetch_add(1, Ordering::Relaxed);
        let seed = self.seed.load(Ordering::Relaxed);
        RANDOM.set(mixed(seed ^ mixed(u64::from(thread).wrapping_add(1))));
        SEEDED.set(generation);
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's finaliser.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

fn packed(period: u32) -> u64 {
    let scale = (1.0 / (-1.0 / f64::from(period)).ln_1p()) as f32;
    u64::from(scale.to_bits()) << 32 | u64::from(period)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockscope_core::clock::ClockScale;

    fn session(generation: u32, seed: u64) -> Session {
        extern "C" fn next_lock_id() -> u64 {
            1
        }
        unsafe extern "C" fn abandon(_: *const core::ffi::c_void, _: *const u8, _: usize) {}
        Session {
            generation,
            reserved: 0,
            clock: ClockScale::NANOSECONDS,
            started: 0,
            seed,
            next_lock_id,
            abandon,
            context: core::ptr::null(),
        }
    }

    fn draws(generation: u32, seed: u64, period: u32, number: usize) -> Vec<u32> {
        let sampler = Sampler::default();
        sampler.start(&session(generation, seed));
        sampler.set_period(period);
        (0..number)
            .map(|_| {
                let countdown = sampler.draw();
                assert_eq!(countdown.weight, period);
                countdown.operations
            })
            .collect()
    }

    #[test]
    fn every_operation_is_drawn_at_period_1() {
        assert_eq!(draws(1, 1, 1, 3), [1, 1, 1]);
    }

    /// A geometric distribution with mean N has variance N·(N−1), and exceeds k
    /// with probability (1 − 1/N)^k. All three within five standard errors.
    #[test]
    fn countdowns_are_geometric() {
        const NUMBER: usize = 200_000;
        let n = NUMBER as f64;
        for period in [2, 10, 100, 5_000] {
            let drawn = draws(period, 7, period, NUMBER);
            let mean = f64::from(period);
            let variance = mean * (mean - 1.0);
            let found = drawn.iter().map(|k| f64::from(*k)).sum::<f64>() / n;
            assert!((found - mean).abs() < 5.0 * (variance / n).sqrt(), "{period}: mean {found}");
            for k in [1, period, 2 * period] {
                let expected = (1.0 - 1.0 / mean).powi(k as i32);
                let share = drawn.iter().filter(|drawn| **drawn > k).count() as f64 / n;
                let error = (expected * (1.0 - expected) / n).sqrt();
                assert!((share - expected).abs() < 5.0 * error, "{period}: {share} beyond {k}");
            }
        }
    }

    #[test]
    fn a_seed_repeats_its_draws_and_another_does_not() {
        let first = draws(1_000, 3, 50, 20);
        assert_eq!(draws(1_001, 3, 50, 20), first);
        assert_ne!(draws(1_002, 4, 50, 20), first);
    }

    #[test]
    fn two_threads_draw_differently() {
        let sampler = Sampler::default();
        sampler.start(&session(2_000, 3));
        sampler.set_period(1_000);
        let draw = || (0..20).map(|_| sampler.draw().operations).collect::<Vec<_>>();
        let (one, other) =
            std::thread::scope(|scope| (scope.spawn(draw).join(), scope.spawn(draw).join()));
        assert_ne!(one.expect("draws"), other.expect("draws"));
    }

    #[test]
    fn the_longest_period_is_not_cut_off() {
        let period = crate::settings::PERIOD.most;
        let mean =
            draws(3_000, 5, period, 20_000).iter().map(|k| f64::from(*k)).sum::<f64>() / 20_000.0;
        assert!((mean / f64::from(period) - 1.0).abs() < 0.04, "{mean}");
    }
}
