//! Who asks for a way to the numbers, and to which.

use lockscope_backends::ledger::Use;
use lockscope_core::{Event, LockRef};

/// A lock, as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// The lock's id; or the complement of its address, which no id comes near.
    pub(crate) number: u64,
    /// Its probe and its kind: at the same address may be another lock.
    pub(crate) what: u64,
}

impl Name {
    #[inline]
    pub(crate) fn of(lock: &LockRef) -> Self {
        let number = if lock.id == 0 { !(lock.address as u64) } else { lock.id };
        Self { number, what: u64::from(lock.probe) << 32 | u64::from(lock.kind.0) }
    }
}

/// Who asks for a way, and to what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) thread: u32,
    pub(crate) lock: Name,
    pub(crate) call: Use,
}

impl Asked {
    #[inline]
    pub(crate) fn by(event: &Event) -> Self {
        Self { thread: event.thread, lock: Name::of(&event.lock), call: Use::of(event) }
    }

    /// A number less than `most`, which is no more than 2³².
    ///
    /// Multiplicative hashing: the uppermost bits of a product depend on all bits
    /// of the factor (Knuth, *The Art of Computer Programming* 3, 6.4). What varies
    /// in its lower bits alone is moved apart first.
    #[inline]
    pub(crate) fn hash(&self, most: usize) -> usize {
        let Self { thread, lock, call } = self;
        let mixed =
            lock.number ^ (call.site as u64).rotate_left(20) ^ u64::from(*thread).rotate_left(40);
        let upper = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (upper as usize * most) >> 32
    }
}
