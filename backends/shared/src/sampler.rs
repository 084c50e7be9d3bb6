//! Which operations are sampled.
//!
//! Each operation is drawn with probability 1/N, independently of all others,
//! by counting down a number that is geometrically distributed: the number of
//! trials up to the first success. Drawn by inversion, ⌊ln U / ln(1 − 1/N)⌋ + 1
//! (Devroye, *Non-Uniform Random Variate Generation*, 1986, X.2).

use core::cell::Cell;

use lockscope_core::sync::{
    AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering, PoisonError, thread_local,
};
use lockscope_core::{Countdown, Event, Session};

/// A sampling period, with the number that each draw needs: in one word, so
/// that the two always belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(u64);

impl Period {
    /// One operation in `period`, which is at least 1.
    #[must_use]
    pub fn new(period: u32) -> Self {
        // The upper half: 1 / ln(1 − 1/period) as the bits of an `f32`.
        let scale = (1.0 / (-1.0 / f64::from(period)).ln_1p()) as f32;
        Self(u64::from(scale.to_bits()) << 32 | u64::from(period))
    }

    /// How many operations a sample stands for.
    #[inline]
    #[must_use]
    pub fn get(self) -> u32 {
        self.0 as u32
    }

    /// As one word, for [`Period::from_bits`].
    #[inline]
    #[must_use]
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The period whose [`Period::to_bits`] these are.
    #[inline]
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// Draws countdowns of any period, at random.
///
/// Relaxed, all of it: what is written here follows a session's start, which
/// the gate publishes.
#[derive(Debug, Default)]
pub struct Draws {
    seed: AtomicU64,
    /// The session's generation: threads that have another one seed anew.
    generation: AtomicU32,
    /// Threads that have seeded, so that no two do it alike.
    threads: AtomicU32,
}

thread_local! {
    /// The generation that this thread's generator was seeded in.
    static SEEDED: Cell<u32> = const { Cell::new(0) };
    /// The state of this thread's generator.
    static RANDOM: Cell<u64> = const { Cell::new(0) };
}

impl Draws {
    /// Begins a session: its draws follow from its seed.
    pub fn start(&self, session: &Session) {
        self.seed.store(session.seed, Ordering::Relaxed);
        self.threads.store(0, Ordering::Relaxed);
        self.generation.store(session.generation, Ordering::Relaxed);
    }

    /// The operations up to the next sample, and what that one stands for.
    #[inline]
    #[must_use]
    pub fn draw(&self, period: Period) -> Countdown {
        let weight = period.get();
        if weight == 1 {
            return Countdown::EVERY;
        }
        let scale = f64::from(f32::from_bits((period.0 >> 32) as u32));
        let operations = self.uniform().ln() * scale;
        // A draw beyond 32 bits is cut off by the conversion; with the longest
        // period that happens to e⁻⁴²⁹⁵ of them.
        Countdown { operations: (operations as u32).saturating_add(1), weight }
    }

    /// A random number in (0, 1].
    #[inline]
    fn uniform(&self) -> f64 {
        let generation = self.generation.load(Ordering::Relaxed);
        if SEEDED.with(Cell::get) != generation {
            self.seed_thread(generation);
        }
        // SplitMix64 (Steele, Lea and Flood 2014).
        let state = RANDOM.with(|random| {
            random.set(random.get().wrapping_add(GOLDEN));
            random.get()
        });
        // 53 bits, the middle of each step.
        ((mixed(state) >> 11) as f64 + 0.5) * (1.0 / (1_u64 << 53) as f64)
    }

    #[cold]
    fn seed_thread(&self, generation: u32) {
        let thread = self.threads.fetch_add(1, Ordering::Relaxed);
        let seed = self.seed.load(Ordering::Relaxed);
        let own = mixed(seed ^ mixed(u64::from(thread).wrapping_add(1)));
        RANDOM.with(|random| random.set(own));
        SEEDED.with(|seeded| seeded.set(generation));
    }
}

/// Draws countdowns of one period, the same for all locks. Read by every
/// sample, written by the host alone.
///
/// Relaxed: whoever draws with the period of a moment ago draws a countdown
/// whose weight is of a moment ago as well.
#[derive(Debug)]
pub struct Sampler {
    draws: Draws,
    /// The bits of a [`Period`].
    period: AtomicU64,
    in_force: Mutex<InForce>,
}

#[derive(Debug, Default)]
struct InForce {
    is_running: bool,
    /// In the session that runs, or in the last; oldest first.
    periods: Vec<u32>,
}

impl Default for Sampler {
    fn default() -> Self {
        let period = AtomicU64::new(Period::new(1).to_bits());
        Self { draws: Draws::default(), period, in_force: Mutex::default() }
    }
}

impl Sampler {
    /// Begins a session.
    pub fn start(&self, session: &Session) {
        self.draws.start(session);
        let periods = vec![self.period().get()];
        *self.in_force() = InForce { is_running: true, periods };
    }

    /// Ends the session: what is set from now on is for the next one.
    pub fn stop(&self) {
        self.in_force().is_running = false;
    }

    /// Samples one operation in `period` from the next draw on.
    pub fn set_period(&self, period: u32) {
        self.period.store(Period::new(period).to_bits(), Ordering::Relaxed);
        let mut in_force = self.in_force();
        if in_force.is_running && in_force.periods.last() != Some(&period) {
            in_force.periods.push(period);
        }
    }

    /// The period in force.
    #[inline]
    #[must_use]
    pub fn period(&self) -> Period {
        Period::from_bits(self.period.load(Ordering::Relaxed))
    }

    /// The periods that were in force in the session, oldest first.
    #[must_use]
    pub fn periods(&self) -> Vec<u32> {
        self.in_force().periods.clone()
    }

    fn in_force(&self) -> MutexGuard<'_, InForce> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The operations up to the next sample, and what that one stands for.
    #[inline]
    #[must_use]
    pub fn draw(&self) -> Countdown {
        self.draws.draw(self.period())
    }

    /// What to answer to `event`.
    #[inline]
    #[must_use]
    pub fn draw_after(&self, event: &Event) -> Countdown {
        // What had to wait is recorded beside the countdown, not by it.
        if event.counted != 0 { self.draw() } else { Countdown::UNCHANGED }
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's finaliser.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
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
    fn a_period_is_told_by_the_session_that_it_was_in_force_in() {
        let sampler = Sampler::default();
        sampler.set_period(7);
        sampler.start(&session(1, 1));
        [7, 50, 50, 7].into_iter().for_each(|period| sampler.set_period(period));
        sampler.stop();
        sampler.set_period(9);
        assert_eq!(sampler.periods(), [7, 50, 7]);
        sampler.start(&session(2, 1));
        assert_eq!(sampler.periods(), [9]);
    }

    #[test]
    fn the_longest_period_is_not_cut_off() {
        let period = crate::settings::PERIOD.most;
        let mean =
            draws(3_000, 5, period, 20_000).iter().map(|k| f64::from(*k)).sum::<f64>() / 20_000.0;
        assert!((mean / f64::from(period) - 1.0).abs() < 0.04, "{mean}");
    }
}
