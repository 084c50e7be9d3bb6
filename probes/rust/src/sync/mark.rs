//! What every lock of this family carries beside std's.

use std::panic::Location;

use lockscope_core::Slot;
use lockscope_core::event::{LockKind, LockRef};
use lockscope_core::recorder::{self, Watched};

use crate::watch::{PROBE, Slotted};

/// The slot of a lock of the kind `KIND`, and its end: dropping it says that
/// the lock is gone.
///
/// A field with a destructor, so that the locks need none: data can be moved
/// out of them, and may be borrowed for as long as std's can.
pub(super) struct Mark<const KIND: u32> {
    slot: Slot,
}

const _: () = assert!(size_of::<Mark<0>>() == 56);

impl<const KIND: u32> Mark<KIND> {
    /// The mark of a lock that the caller makes.
    #[track_caller]
    pub(super) const fn new() -> Self {
        Self { slot: Slot::new(Some(Location::caller())) }
    }

    /// The mark of a lock that the caller makes and names.
    #[track_caller]
    pub(super) const fn named(name: &'static str) -> Self {
        Self { slot: Slot::new(Some(Location::caller())).named(name) }
    }
}

/// By itself, and not by a [`Slotted`] made of it: what would have to be made, and be
/// at hand for a call that is hardly ever done, is made by every lock operation.
impl<const KIND: u32> Watched for Mark<KIND> {
    #[inline]
    fn slot(&self) -> Option<&Slot> {
        Some(&self.slot)
    }

    #[inline(always)]
    fn describe(&self) -> LockRef {
        Slotted { slot: &self.slot, kind: LockKind(KIND) }.describe()
    }
}

impl<const KIND: u32> Drop for Mark<KIND> {
    #[inline]
    fn drop(&mut self) {
        recorder::dropped(&PROBE, self);
    }
}
