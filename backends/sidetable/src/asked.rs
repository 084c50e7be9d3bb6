//! Who asks for a way to the numbers, and to which.

use lockscope_backends::ledger::Use;
use lockscope_core::{Event, LockRef};

/// A lock, as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// The lock's id, or its address.
    pub(crate) number: u64,
    /// 0 if `number` is an id; otherwise what is known of the lock at this
    /// address, so that no id is taken for it.
    pub(crate) at: u64,
}

impl Name {
    #[inline]
    pub(crate) fn of(lock: &LockRef) -> Self {
        match lock.id {
            0 => Self {
                number: lock.address as u64,
                at: (u64::from(lock.probe) << 32 | u64::from(lock.kind.0)) + 1,
            },
            id => Self { number: id, at: 0 },
        }
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
