//! Time: raw ticks on the hot side, nanoseconds on the reading side.
//!
//! A tick is one count of the x86 time-stamp counter where the host found it
//! invariant, and one nanosecond of `CLOCK_MONOTONIC` elsewhere. Which of the
//! two is in force is a bit of the gate; the scale between them is measured
//! once, by the host, and handed to backends when a session starts.
#![allow(clippy::disallowed_methods, reason = "this file is the clock the lint points to")]

/// Reads the clock, in ticks.
///
/// `tsc` says which clock the session uses; see [`crate::gate::Gate::uses_tsc`].
#[inline]
#[must_use]
pub fn now(tsc: bool) -> u64 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if tsc {
        // SAFETY: the instruction reads a counter; every x86-64 CPU has it.
        return unsafe { core::arch::x86_64::_rdtsc() };
    }
    let _ = tsc;
    monotonic_ns()
}

/// `CLOCK_MONOTONIC` in nanoseconds.
#[cold]
#[inline(never)]
#[must_use]
pub fn monotonic_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writes; the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Processor time that this process has used, in nanoseconds.
#[must_use]
pub fn process_cpu_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writes; the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Converts ticks to nanoseconds: `ns = ticks * multiplier >> shift`.
///
/// The fixed-point form is that of the Linux kernel's clocksources
/// (`clocksource_cyc2ns`): exact to 2⁻³² for the frequencies in use, and one
/// multiplication.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockScale {
    /// Nanoseconds per tick, times 2^`shift`.
    pub multiplier: u64,
    /// How far the product is shifted back.
    pub shift: u32,
    /// 1 when ticks are the time-stamp counter, 0 when they are nanoseconds.
    pub tsc: u32,
}

impl ClockScale {
    /// The shift of a scale that was measured.
    pub const SHIFT: u32 = 32;

    /// Ticks that are nanoseconds already.
    pub const NANOSECONDS: Self = Self { multiplier: 1, shift: 0, tsc: 0 };

    /// The scale of a counter that ran `ticks` in `ns` nanoseconds.
    ///
    /// # Panics
    ///
    /// If `ticks` is 0.
    #[must_use]
    pub fn measured(ticks: u64, ns: u64) -> Self {
        assert!(ticks > 0, "a clock that does not tick has no scale");
        let multiplier = ((u128::from(ns) << Self::SHIFT) / u128::from(ticks)) as u64;
        Self { multiplier, shift: Self::SHIFT, tsc: 1 }
    }

    /// How many nanoseconds a tick is.
    #[must_use]
    pub fn ns_per_tick(&self) -> f64 {
        self.multiplier as f64 / (1_u64 << self.shift) as f64
    }

    /// The length of `ticks` in nanoseconds, saturating.
    #[inline]
    #[must_use]
    pub fn ns(&self, ticks: u64) -> u64 {
        let ns = (u128::from(ticks) * u128::from(self.multiplier)) >> self.shift;
        if ns > u128::from(u64::MAX) { u64::MAX } else { ns as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_scale_gives_back_what_was_measured() {
        let scale = ClockScale::measured(2_600_000_000, 1_000_000_000);
        assert!(scale.ns(2_600_000_000).abs_diff(1_000_000_000) <= 1);
        assert_eq!(scale.ns(0), 0);
    }

    #[test]
    fn nanoseconds_pass_through_and_nothing_overflows() {
        assert_eq!(ClockScale::NANOSECONDS.ns(u64::MAX), u64::MAX);
        assert_eq!(ClockScale::measured(1, u64::from(u32::MAX)).ns(u64::MAX), u64::MAX);
    }
}
