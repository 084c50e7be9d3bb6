//! The policy of backends that sample all locks alike: one operation in N, and
//! every wait, as long as there are not too many.
//!
//! To record a wait takes two readings of the clock, one of them while others wait
//! for the lock. Where threads fight for a lock that is held for a moment, there may
//! be millions a second, and a part of the lock's throughput goes into writing down
//! what some thousands would tell as well. So beyond `contentions_per_sec` one in 2,
//! 4, 8 … is recorded, with that weight, and the report says so; long waits always
//! are: see [`Thinning`](lockscope_core::gate::Thinning). At period 1 all are,
//! because whoever asks for every operation gets it.

use lockscope_core::backend::{BackendError, Pace, Setting};
use lockscope_core::clock::ClockScale;
use lockscope_core::gate::state;
use lockscope_core::sync::{Mutex, MutexGuard, PoisonError};
use lockscope_core::{Countdown, Event, Session, clock};

use crate::contention::{self, Contention, Waits};
use crate::sampler::Sampler;
use crate::settings::{Key, PERIOD};

/// How many waits are recorded in a second before they are drawn.
pub const CONTENTIONS_PER_SEC: Key = Key {
    name: "contentions_per_sec",
    default: 100_000,
    least: 0,
    most: 1_000_000_000,
    help: "So many acquisitions that have to wait are recorded in a second, from 1 to 1000000000; of more, one in 2, 4, 8 ... is, and the longest. 0, or a period of 1: all are. Can be changed in a running session.",
};

const MS: u64 = 1_000_000;
const SECOND_NS: f64 = 1_000.0 * MS as f64;
/// When the host is to ask for the first time, and each time after twice as long:
/// up to this while waits are drawn, or nearly, and up to that else.
const FIRST_LOOK_NS: u64 = 10 * MS;
const LOOK_NS: u64 = 100 * MS;
const IDLE_LOOK_NS: u64 = 250 * MS;
/// Nothing is concluded from less.
const ENOUGH_NS: u64 = 5 * MS;
/// Waits are drawn half as rarely below this part of what would make them rarer: at
/// half of it the one would lead to the other.
const CALM: f64 = 0.4;
const RAREST: u32 = 1 << 20;
/// Of the waits between two looks so many are recorded in any case: of fewer, the
/// number would not be known within a tenth, and none might be drawn at all.
const FEWEST: f64 = 100.0;

/// One period for all, and a limit to the waits that are recorded.
#[derive(Debug, Default)]
pub struct Steady {
    sampler: Sampler,
    contention: Contention,
    limit: Mutex<Limit>,
}

impl Steady {
    /// Takes its part of the configuration; `period` has the backend's default.
    ///
    /// # Errors
    ///
    /// As [`Key::value_in`].
    pub fn init(&self, period: &Key, settings: &[Setting]) -> Result<(), BackendError> {
        self.limit().per_sec = CONTENTIONS_PER_SEC.value_in(settings)?;
        self.sampler.set_period(period.value_in(settings)?);
        Ok(())
    }

    /// Takes a new value in a running session; false if the key is about something
    /// else.
    ///
    /// # Errors
    ///
    /// As [`Key::parse`].
    pub fn configure(&self, key: &str, value: &str) -> Result<bool, BackendError> {
        match key {
            _ if key == PERIOD.name => self.sampler.set_period(PERIOD.parse(value)?),
            _ if key == CONTENTIONS_PER_SEC.name => {
                self.limit().per_sec = CONTENTIONS_PER_SEC.parse(value)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Begins a session.
    pub fn start(&self, session: &Session) {
        self.sampler.start(session);
        let mut limit = self.limit();
        *limit = Limit::new(limit.per_sec, clock::monotonic_ns(), self.contention.number());
    }

    /// Goes on after a time in which nothing was recorded: what was counted in it
    /// says nothing of how many waits there are to be now.
    pub fn resume(&self) {
        self.limit().resume(clock::monotonic_ns(), self.contention.number());
    }

    /// Ends the session.
    pub fn stop(&self) {
        self.sampler.stop();
    }

    /// How the session is to go on.
    pub fn pace(&self) -> Pace {
        let mut limit = self.limit();
        let is_limited = limit.per_sec > 0 && self.sampler.period().get() > 1;
        let (contended_period, ask_after_ns) = if is_limited {
            limit.look(clock::monotonic_ns(), self.contention.number())
        } else {
            (limit.lift(), u64::MAX)
        };
        Pace { gate: state::OPEN, contended_period, ask_after_ns }
    }

    /// The periods that were in force in the session, oldest first.
    #[must_use]
    pub fn periods(&self) -> Vec<u32> {
        self.sampler.periods()
    }

    /// What is to be said of the session, for people.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let Limit { per_sec, period, highest, .. } = *self.limit();
        let budget = format!("{per_sec} recorded waits in a second ({})", CONTENTIONS_PER_SEC.name);
        contention::drawn(&budget, highest, period).into_iter().collect()
    }

    /// The countdown of a lock, or of a thread, that has none yet.
    #[inline]
    #[must_use]
    pub fn first(&self) -> Countdown {
        self.sampler.draw()
    }

    /// The countdown after `event`.
    #[inline]
    #[must_use]
    pub fn next(&self, event: &Event) -> Countdown {
        if event.counted == 0 && self.sampler.period().get() > 1 {
            self.count(event);
        }
        self.sampler.draw_after(event)
    }

    /// Counts `event`, which is not recorded, if it had to wait.
    pub fn count(&self, event: &Event) {
        self.contention.count(event);
    }

    /// The waits that were counted; the session's ticks are `clock`'s.
    #[must_use]
    pub fn waits(&self, clock: ClockScale) -> Waits {
        self.contention.so_far(clock)
    }

    fn limit(&self) -> MutexGuard<'_, Limit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees to it that not too many waits are recorded.
#[derive(Clone, Copy, Debug, Default)]
struct Limit {
    /// 0 for none.
    per_sec: u32,
    /// One in so many is recorded.
    period: u32,
    /// The greatest in the session.
    highest: u32,
    /// When it was looked at last, and how many there had been.
    seen_ns: u64,
    seen: u64,
    ask_after_ns: u64,
}

impl Limit {
    fn new(per_sec: u32, now_ns: u64, so_far: u64) -> Self {
        let ask_after_ns = FIRST_LOOK_NS;
        Self { per_sec, period: 1, highest: 1, seen_ns: now_ns, seen: so_far, ask_after_ns }
    }

    /// There have been `so_far`, and what comes is looked at anew.
    fn resume(&mut self, now_ns: u64, so_far: u64) {
        let highest = self.highest;
        *self = Self { highest, ..Self::new(self.per_sec, now_ns, so_far) };
    }

    /// All are recorded from now on.
    fn lift(&mut self) -> u32 {
        self.period = 1;
        self.period
    }

    /// There have been `so_far`: of how many one is recorded from now on, and when to
    /// look again.
    fn look(&mut self, now_ns: u64, so_far: u64) -> (u32, u64) {
        let took_ns = now_ns.saturating_sub(self.seen_ns);
        let most = f64::from(self.per_sec);
        let mut longest_ns = LOOK_NS;
        if took_ns >= ENOUGH_NS {
            let number = so_far.wrapping_sub(self.seen) as f64;
            let times = number * SECOND_NS / took_ns as f64 / most;
            (self.seen_ns, self.seen) = (now_ns, so_far);
            if times > f64::from(self.period) {
                let enough = (times as u32).saturating_add(1).min(RAREST).next_power_of_two();
                let may_be = (number / FEWEST).max(1.0) as u32;
                self.period = enough.min(1 << may_be.ilog2()).max(self.period);
            } else if times < f64::from(self.period) * CALM {
                self.period = (self.period / 2).max(1);
            }
            self.highest = self.highest.max(self.period);
            // While waits are drawn, the longest are known by these looks.
            if times < CALM && self.period == 1 {
                longest_ns = IDLE_LOOK_NS;
            }
        }
        let ask_after_ns = self.ask_after_ns.min(longest_ns);
        self.ask_after_ns = ask_after_ns * 2;
        (self.period, ask_after_ns)
    }
}

#[cfg(all(test, not(any(lockscope_loom, lockscope_shuttle))))]
mod tests {
    use super::*;

    /// The periods after looks 100 ms apart at so many waits a second each.
    fn periods(per_sec: u32, rates: &[u64]) -> Vec<u32> {
        let mut limit = Limit::new(per_sec, 0, 0);
        let (mut now_ns, mut so_far) = (0, 0);
        let mut look = |rate: &u64| {
            now_ns += 100 * MS;
            so_far += rate / 10;
            limit.look(now_ns, so_far).0
        };
        rates.iter().map(&mut look).collect()
    }

    #[test]
    fn as_many_are_recorded_as_may_be() {
        assert_eq!(periods(100_000, &[0, 100_000, 110_000, 110_000]), [1, 1, 2, 2]);
        assert_eq!(periods(10_000, &[10_000_000, 10_000_000, 9_000_000]), [1024, 1024, 1024]);
    }

    #[test]
    fn when_there_are_fewer_they_are_drawn_less_rarely_step_by_step() {
        let rates = [700_000, 500_000, 300_000, 100_000, 0, 0];
        assert_eq!(periods(100_000, &rates), [8, 8, 4, 2, 1, 1]);
    }

    #[test]
    fn what_stays_the_same_is_left_alone() {
        for rate in [500, 999, 1_001, 1_500, 1_999, 2_001, 3_999, 4_100] {
            let settled = periods(100_000, &[100 * rate; 20]);
            assert!(
                settled[10..].iter().all(|period| *period == settled[10]),
                "{rate}: {settled:?}"
            );
        }
    }

    #[test]
    fn it_looks_rarely_where_nobody_waits() {
        let mut limit = Limit::new(1_000, 0, 0);
        let mut now_ns = 0;
        let looks: Vec<u64> = (0..9)
            .map(|_| {
                let after = limit.look(now_ns, 0).1;
                now_ns += after;
                after / MS
            })
            .collect();
        assert_eq!(looks, [10, 20, 40, 80, 160, 250, 250, 250, 250]);
    }

    #[test]
    fn it_looks_ten_times_a_second_as_long_as_waits_are_drawn() {
        let mut limit = Limit::new(1_000, 0, 0);
        let (mut now_ns, mut after) = (0, 1_000 * MS);
        // A second's worth at once, and then nobody waits any more.
        let mut periods = Vec::new();
        for _ in 0..12 {
            now_ns += after;
            let (period, next) = limit.look(now_ns, 50_000);
            assert!(period == 1 || next <= LOOK_NS, "one in {period}, {next} ns");
            periods.push(period);
            after = next;
        }
        assert_eq!(periods, [64, 32, 16, 8, 4, 2, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn what_was_counted_before_it_goes_on_is_no_reason_to_draw() {
        let mut limit = Limit::new(10_000, 0, 0);
        assert_eq!(limit.look(100 * MS, 10_000).0, 16);
        limit.resume(5_000 * MS, 900_000);
        assert_eq!(limit.look(5_010 * MS, 900_005), (1, 10 * MS));
        assert_eq!(limit.highest, 16, "it was so in the session");
    }

    #[test]
    fn some_are_recorded_however_low_the_limit_is() {
        // 7,000 between two looks, of which more than 100 are recorded.
        assert_eq!(periods(1, &[70_000, 70_000]), [64, 64]);
        assert_eq!(periods(1, &[1_999, 1_999]), [1, 1]);
    }

    #[test]
    fn a_count_that_grows_beyond_all_bounds_is_cut_off() {
        assert_eq!(periods(1, &[u64::from(u32::MAX) * 100]), [RAREST]);
    }
}
