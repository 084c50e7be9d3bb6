//! A lock of a simulated program.

use core::cell::Cell;

use lockscope_core::{CallSite, Countdown, LockKind, LockRef, Slot};

/// How a lock is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Make {
    /// What it is.
    pub kind: LockKind,
    /// Whether it has a slot; if not, it is known by its address.
    pub has_slot: bool,
}

impl Make {
    /// A mutex with a slot.
    pub const MUTEX: Self = Self { kind: LockKind::MUTEX, has_slot: true };
    /// A reader-writer lock with a slot.
    pub const RWLOCK: Self = Self { kind: LockKind::RWLOCK, has_slot: true };
    /// A condition variable with a slot.
    pub const CONDVAR: Self = Self { kind: LockKind::CONDVAR, has_slot: true };
    /// A mutex without slot.
    pub const SLOTLESS: Self = Self { has_slot: false, ..Self::MUTEX };
    /// A reader-writer lock without slot.
    pub const SLOTLESS_RWLOCK: Self = Self { has_slot: false, ..Self::RWLOCK };
}

/// A lock as its probe has it.
#[derive(Debug)]
pub(crate) struct Lock {
    pub(crate) slot: Option<Slot>,
    make: Make,
    /// Never that of another lock.
    number: u64,
    created: usize,
    address: usize,
    /// Whether the countdown in the slot is asking: see [`Countdown::asking`].
    asking: Cell<bool>,
    /// Where the truth of each of its call sites is kept.
    pub(crate) lines: Vec<(usize, u8, usize)>,
}

/// How far locks are apart: a cache line.
const APART: usize = 64;

impl Lock {
    /// The lock with this number, made at `created`.
    pub(crate) fn new(make: Make, number: u64, created: usize) -> Self {
        let slot = make.has_slot.then(|| Slot::new(None));
        let address = created * APART;
        Self { slot, make, number, created, address, asking: Cell::new(false), lines: Vec::new() }
    }

    /// The lock that is made at the same line after this one was dropped.
    ///
    /// It stands at the same address, as a lock on a stack does.
    pub(crate) fn successor(&self, number: u64) -> Self {
        Self {
            lines: self.lines.clone(),
            address: self.address,
            ..Self::new(self.make, number, self.created)
        }
    }

    /// The same lock, which has been elsewhere.
    pub(crate) fn moved(&mut self, address: usize) -> Self {
        Self {
            slot: self.slot.take(),
            address,
            asking: self.asking.clone(),
            lines: core::mem::take(&mut self.lines),
            ..Self::new(self.make, self.number, self.created)
        }
    }

    pub(crate) fn created(&self) -> usize {
        self.created
    }

    /// Arms the countdown in the slot, which is this lock's.
    pub(crate) fn arm(&self, slot: &Slot, stamp: u64, countdown: Countdown) {
        self.asking.set(countdown.own_weight() != countdown.weight);
        slot.arm(stamp, countdown);
    }

    /// Whether the backend wants to hear of the next contended acquisition while
    /// the lock is owned.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.get()
    }

    /// The lock as it is shown to a backend, without the backend's own word.
    pub(crate) fn described(&self) -> LockRef {
        LockRef {
            slot: self.slot.as_ref().map_or(core::ptr::null(), core::ptr::from_ref),
            address: self.address,
            id: self.slot.as_ref().map_or(0, |slot| slot.id(|| self.number)),
            created: CallSite(self.created),
            name: core::ptr::null(),
            state: 0,
            name_len: 0,
            kind: self.make.kind,
            probe: 0,
            reserved: 0,
        }
    }
}
