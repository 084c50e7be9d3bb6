//! Where a lock keeps what a session wants to know of it.

use std::panic::Location;

use lockscope_core::Slot;
use lockscope_core::event::{LockKind, LockRef};
use lockscope_core::recorder::Watched as _;

use crate::watch::{PROBE, Slotless, Slotted};

mod sealed {
    pub trait Sealed {}
    impl<const LATE: bool> Sealed for super::WithSlot<LATE> {}
    impl Sealed for super::WithoutSlot {}
}

/// What a lock of this module carries beside the lock proper: a slot, or
/// nothing. Sealed: there are these two.
pub trait Storage: sealed::Sealed + Send + Sync {
    #[doc(hidden)]
    const INIT: Self;

    #[doc(hidden)]
    fn slot(&self) -> Option<&Slot>;

    /// Says where the lock is used, if it cannot be known where it was made.
    #[doc(hidden)]
    fn originate(&self, place: &'static Location<'static>);

    #[doc(hidden)]
    fn describe(&self, address: usize, kind: LockKind) -> LockRef;
}

/// A slot inside the lock: 56 bytes that move with it, so that the lock keeps
/// its identity, its counts and its name wherever it goes.
///
/// If `LATE`, the lock may be made where nobody knows the caller: then its
/// origin is the line that is first seen to use it.
#[repr(transparent)]
#[derive(Debug)]
pub struct WithSlot<const LATE: bool = false>(Slot);

impl<const LATE: bool> WithSlot<LATE> {
    /// The slot of a lock that was made at `created`.
    pub(crate) const fn made_at(created: &'static Location<'static>) -> Self {
        Self(Slot::new(Some(created)))
    }

    /// The slot of a lock that was made at `created` and is called `name`.
    pub(crate) const fn named_at(created: &'static Location<'static>, name: &'static str) -> Self {
        Self(Slot::new(Some(created)).named(name))
    }
}

impl<const LATE: bool> Storage for WithSlot<LATE> {
    const INIT: Self = Self(Slot::new(None));

    #[inline]
    fn slot(&self) -> Option<&Slot> {
        Some(&self.0)
    }

    #[inline]
    fn originate(&self, place: &'static Location<'static>) {
        if LATE && !PROBE.gate.is_closed() {
            self.0.originate(place);
        }
    }

    fn describe(&self, _address: usize, kind: LockKind) -> LockRef {
        Slotted { slot: &self.0, kind }.describe()
    }
}

/// Nothing: the lock is as large as the original, is known by its address
/// until it moves, and has neither creation site nor name.
#[derive(Debug)]
pub struct WithoutSlot;

impl Storage for WithoutSlot {
    const INIT: Self = Self;

    #[inline]
    fn slot(&self) -> Option<&Slot> {
        None
    }

    #[inline]
    fn originate(&self, _place: &'static Location<'static>) {}

    fn describe(&self, address: usize, kind: LockKind) -> LockRef {
        Slotless { address, kind }.describe()
    }
}
