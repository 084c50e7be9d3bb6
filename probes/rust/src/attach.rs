//! The first lock operation of a process: is there a host?

use lockscope_core::probe;

use crate::watch::PROBE;

/// Runs once, before the first lock operation that this crate sees.
///
/// The gate starts in a state of its own, so this check is part of what a
/// closed gate tests anyway. Whoever comes second finds the gate closed and
/// goes on unprofiled until a host has opened it.
#[cold]
#[inline(never)]
pub(crate) fn first_operation() {
    if PROBE.gate.first_pass() {
        probe::arrive(&PROBE);
    }
}
