//! The probe itself, and how its locks describe themselves.

use std::panic::Location;

use lockscope_core::event::{LockKind, LockRef};
use lockscope_core::recorder::Watched;
use lockscope_core::{CallSite, Probe, Slot};

use crate::attach;

/// The one probe of this crate: its gate is what every lock operation reads.
pub static PROBE: Probe = Probe::rust("rust");

/// A lock with a slot, seen as what it is.
#[derive(Clone, Copy)]
pub struct Slotted<'a> {
    /// Its slot.
    pub slot: &'a Slot,
    /// What it is.
    pub kind: LockKind,
}

impl Watched for Slotted<'_> {
    #[inline]
    fn slot(&self) -> Option<&Slot> {
        Some(self.slot)
    }

    #[inline(always)]
    fn describe(&self) -> LockRef {
        let (name, name_len) = self.slot.name_parts();
        LockRef {
            slot: self.slot,
            address: core::ptr::from_ref(self.slot) as usize,
            id: 0,
            created: self.slot.created(),
            name,
            state: 0,
            name_len,
            kind: self.kind,
            probe: 0,
            reserved: 0,
        }
    }
}

/// A lock as large as the original: known by its address alone.
#[cfg(feature = "lock_api")]
#[derive(Clone, Copy)]
pub(crate) struct Slotless {
    pub(crate) address: usize,
    pub(crate) kind: LockKind,
}

#[cfg(feature = "lock_api")]
impl Watched for Slotless {
    #[inline]
    fn slot(&self) -> Option<&Slot> {
        None
    }

    #[inline(always)]
    fn describe(&self) -> LockRef {
        LockRef {
            slot: core::ptr::null(),
            address: self.address,
            id: 0,
            created: CallSite::UNKNOWN,
            name: core::ptr::null(),
            state: 0,
            name_len: 0,
            kind: self.kind,
            probe: 0,
            reserved: 0,
        }
    }
}

/// Whether an operation that did not find the gate closed has to look closer.
///
/// The very first one looks for a host, which may leave the gate closed.
#[inline]
pub fn is_open() -> bool {
    if PROBE.gate.look().is_unseen() {
        attach::first_operation();
    }
    PROBE.gate.look().is_open()
}

/// The call site of the operation that is running.
#[inline(always)]
#[track_caller]
pub(crate) fn here() -> CallSite {
    CallSite::of(Location::caller())
}
