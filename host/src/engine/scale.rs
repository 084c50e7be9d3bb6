//! Which clock sessions use, and its scale: measured once in a process.

use core::ops::RangeInclusive;
use std::sync::OnceLock;
use std::time::Duration;

use lockscope_core::clock::{self, ClockScale};

use crate::config::Sources;

/// How long the time-stamp counter is compared with `CLOCK_MONOTONIC`: the
/// error of reading both, some tens of nanoseconds, is then a few millionths.
const MEASURE: Duration = Duration::from_millis(10);

/// Tells a program under `lockscope run` the scale's multiplier, so that it does
/// not stand still at its first lock to measure it again.
pub(crate) const VARIABLE: &str = "LOCKSCOPE_CLOCK";
/// From 100 MHz to 32 GHz: what is told and is none of these is measured.
const MULTIPLIERS: RangeInclusive<u64> = (1 << 27)..=(10 << 32);

/// The scale that all sessions of this process share.
pub(crate) fn scale() -> ClockScale {
    static SCALE: OnceLock<ClockScale> = OnceLock::new();
    *SCALE.get_or_init(|| match tsc_is_trusted() {
        true => told(&Sources::of_process()).unwrap_or_else(measure),
        false => ClockScale::NANOSECONDS,
    })
}

/// What [`VARIABLE`] is to say of this process's scale; nothing if there is
/// nothing to measure.
pub(crate) fn to_be_told() -> Option<String> {
    let ClockScale { multiplier, shift, tsc } = scale();
    (tsc == 1 && shift == ClockScale::SHIFT).then(|| multiplier.to_string())
}

fn told(sources: &Sources) -> Option<ClockScale> {
    let multiplier = sources.variable(VARIABLE)?.to_str()?.parse().ok()?;
    MULTIPLIERS.contains(&multiplier).then_some(ClockScale {
        multiplier,
        shift: ClockScale::SHIFT,
        tsc: 1,
    })
}

/// Whether the CPU calls the counter invariant and the kernel uses it itself,
/// which it stops doing when it sees the counters of two cores disagree.
fn tsc_is_trusted() -> bool {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    is_invariant() && std::fs::read_to_string(SOURCE).is_ok_and(|source| kernel_trusts_tsc(&source))
}

fn kernel_trusts_tsc(source: &str) -> bool {
    source.trim() == "tsc"
}

/// Intel SDM, CPUID leaf 80000007H, EDX bit 8: "Invariant TSC available".
#[cfg(target_arch = "x86_64")]
fn is_invariant() -> bool {
    use core::arch::x86_64::__cpuid;
    const POWER: u32 = 0x8000_0007;
    __cpuid(0x8000_0000).eax >= POWER && __cpuid(POWER).edx & 1 << 8 != 0
}

#[cfg(not(target_arch = "x86_64"))]
fn is_invariant() -> bool {
    false
}

fn measure() -> ClockScale {
    let (ticks_before, ns_before) = both();
    std::thread::sleep(MEASURE);
    let (ticks_after, ns_after) = both();
    match ticks_after.checked_sub(ticks_before) {
        Some(ticks) if ticks > 0 => ClockScale::measured(ticks, ns_after - ns_before),
        // A counter that does not advance is not trusted after all.
        _ => ClockScale::NANOSECONDS,
    }
}

/// Both clocks at one moment: of a few attempts the one that took least.
fn both() -> (u64, u64) {
    let attempt = || {
        let before = clock::now(true);
        let ns = clock::monotonic_ns();
        let after = clock::now(true);
        (after.saturating_sub(before), before + after.saturating_sub(before) / 2, ns)
    };
    let best = (0..8).map(|_| attempt()).min().unwrap_or_default();
    (best.1, best.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_agrees_with_the_clock() {
        let scale = scale();
        let tsc = scale.tsc == 1;
        let (ticks, ns) = (clock::now(tsc), clock::monotonic_ns());
        std::thread::sleep(Duration::from_millis(20));
        let (ticks, ns) = (clock::now(tsc) - ticks, clock::monotonic_ns() - ns);
        // Between the two readings a thread may lose its core; half is enough
        // to tell a scale from nonsense.
        assert!(scale.ns(ticks) > ns / 2 && scale.ns(ticks) / 2 < ns, "{scale:?}");
    }

    #[test]
    fn what_is_told_is_believed_within_reason() {
        let told = |value: &str| {
            let variables = vec![(VARIABLE.into(), value.into())];
            told(&Sources { variables, folder: None }).map(|scale| scale.ns(1_000))
        };
        let per_ns = |ghz: f64| ((1_u64 << 32) as f64 / ghz).to_string();
        assert_eq!(told(&(1_u64 << 31).to_string()), Some(500));
        assert_eq!(told(&per_ns(1.0)), Some(1_000));
        for wrong in ["", "0", "1", "-5", "fast", &u64::MAX.to_string()] {
            assert_eq!(told(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_tsc_is_trusted() {
        assert!(kernel_trusts_tsc("tsc\n"));
        assert!(!kernel_trusts_tsc("hpet\n"));
        assert!(!kernel_trusts_tsc("kvm-clock\n"));
    }
}
