//! The raw reader-writer lock.
//!
//! Changing the mode of an acquisition ends one record and begins another, so that each
//! hold is told by the mode it was held in.

use core::panic::Location;
use std::time::{Duration, Instant};

use bare_api::{RawRwLock as _, RawRwLockDowngrade as _, RawRwLockFair as _, RawRwLockTimed as _};
use lockscope::patched::PROBE;
use lockscope_core::event::{LockKind, Mode};

use crate::raw_mutex::Marker;
use crate::watched::{Place, Watched};

/// parking_lot 0.13's, whose readers give way to a writer that waits.
pub(crate) type Bare = bare::RawRwLock<false>;
/// The same, whose readers do not as long as there are others. In 0.13 that is a
/// property of a lock, in 0.12 of an operation.
type Recursive = bare::RawRwLock<true>;

/// The raw reader-writer lock.
pub type RawRwLock = Watched<Bare, { LockKind::RWLOCK.0 }>;

const ALONE: Mode = Mode::EXCLUSIVE;
const SHARED: Mode = Mode::SHARED;

impl RawRwLock {
    pub(crate) const fn made_at(place: Place) -> Self {
        Self::around(Bare::INIT, Some(place))
    }
}

/// The lock, seen as one whose readers never wait for a writer that waits.
///
/// What such a reader does to the lock word is what 0.12's does: it joins the readers that
/// there are, or waits in the same queue as all others.
fn recursive(bare: &Bare) -> &Recursive {
    const {
        assert!(size_of::<Bare>() == size_of::<Recursive>());
        assert!(align_of::<Bare>() == align_of::<Recursive>());
        assert!(size_of::<Bare>() == size_of::<usize>());
    };
    // SAFETY: both are instances of one struct whose only field is the lock word, as large
    // as the struct, so at offset 0 of both; the parameter is a property of operations.
    unsafe { &*core::ptr::from_ref(bare).cast() }
}

pub(crate) fn attempt_shared(bare: &Bare) -> bool {
    bare.try_lock_shared().is_some()
}

fn block_shared(bare: &Bare) {
    let _: Marker = bare.lock_shared();
}

fn attempt_recursive(bare: &Bare) -> bool {
    recursive(bare).try_lock_shared().is_some()
}

fn block_recursive(bare: &Bare) {
    let _: Marker = recursive(bare).lock_shared();
}

fn attempt_exclusive(bare: &Bare) -> bool {
    bare.try_lock_exclusive().is_some()
}

fn block_exclusive(bare: &Bare) {
    let _: Marker = bare.lock_exclusive();
}

// SAFETY: every acquisition and release is the original's, which upholds the trait's
// exclusion; the guards are as sendable as those of parking_lot 0.12.
unsafe impl lock_api::RawRwLock for RawRwLock {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "lock_api makes locks of this constant"
    )]
    const INIT: Self = Self::around(Bare::INIT, None);

    type GuardMarker = crate::GuardMarker;

    #[inline(always)]
    #[track_caller]
    fn lock_shared(&self) {
        let seen = PROBE.gate.look();
        if seen.is_closed() {
            return block_shared(&self.bare);
        }
        self.lock_open(seen, SHARED, Location::caller(), attempt_shared, block_shared);
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared(&self) -> bool {
        if PROBE.gate.is_closed() {
            return attempt_shared(&self.bare);
        }
        self.try_open(SHARED, Location::caller(), attempt_shared)
    }

    #[inline(always)]
    unsafe fn unlock_shared(&self) {
        // SAFETY: the caller owns the lock, shared.
        self.give_back(SHARED, |bare| unsafe { bare.unlock_shared(Marker::default()) });
    }

    #[inline(always)]
    #[track_caller]
    fn lock_exclusive(&self) {
        let seen = PROBE.gate.look();
        if seen.is_closed() {
            return block_exclusive(&self.bare);
        }
        self.lock_open(seen, ALONE, Location::caller(), attempt_exclusive, block_exclusive);
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive(&self) -> bool {
        if PROBE.gate.is_closed() {
            return attempt_exclusive(&self.bare);
        }
        self.try_open(ALONE, Location::caller(), attempt_exclusive)
    }

    #[inline(always)]
    unsafe fn unlock_exclusive(&self) {
        // SAFETY: the caller owns the lock alone.
        self.give_back(ALONE, |bare| unsafe { bare.unlock_exclusive(Marker::default()) });
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.bare.is_locked()
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.bare.is_locked_exclusive()
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockFair for RawRwLock {
    #[inline]
    unsafe fn unlock_shared_fair(&self) {
        // SAFETY: the caller owns the lock, shared.
        self.give_back(SHARED, |bare| unsafe { bare.unlock_shared_fair(Marker::default()) });
    }

    #[inline]
    unsafe fn unlock_exclusive_fair(&self) {
        // SAFETY: the caller owns the lock alone.
        self.give_back(ALONE, |bare| unsafe { bare.unlock_exclusive_fair(Marker::default()) });
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_shared(&self) {
        if PROBE.gate.is_closed() {
            self.end(self.take(SHARED));
            // SAFETY: the caller owns the lock, shared.
            return unsafe { self.bare.bump_shared(&mut Marker::default()) };
        }
        // SAFETY: the caller owns the lock, shared.
        let unlock = |bare: &Bare| unsafe { bare.unlock_shared_fair(Marker::default()) };
        let place = Location::caller();
        // SAFETY:
        // - The caller owns the lock, shared.
        // - The three functions are those of one mode of one lock.
        unsafe { self.bump_open(SHARED, place, unlock, attempt_shared, block_shared) };
    }

    #[inline]
    #[track_caller]
    unsafe fn bump_exclusive(&self) {
        if PROBE.gate.is_closed() {
            self.end(self.take(ALONE));
            // SAFETY: the caller owns the lock alone.
            return unsafe { self.bare.bump_exclusive(&mut Marker::default()) };
        }
        // SAFETY: the caller owns the lock alone.
        let unlock = |bare: &Bare| unsafe { bare.unlock_exclusive_fair(Marker::default()) };
        let place = Location::caller();
        // SAFETY:
        // - The caller owns the lock alone.
        // - The three functions are those of one mode of one lock.
        unsafe { self.bump_open(ALONE, place, unlock, attempt_exclusive, block_exclusive) };
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockDowngrade for RawRwLock {
    #[inline]
    #[track_caller]
    unsafe fn downgrade(&self) {
        self.end(self.take(ALONE));
        // SAFETY: the caller owns the lock alone.
        let _: Marker = unsafe { self.bare.downgrade(Marker::default()) };
        self.owned(SHARED, Location::caller());
    }
}

// SAFETY: as above; the timeouts are the original's.
unsafe impl lock_api::RawRwLockTimed for RawRwLock {
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    #[track_caller]
    fn try_lock_shared_for(&self, timeout: Duration) -> bool {
        let block = |bare: &Bare| bare.try_lock_shared_for(timeout).is_some();
        if PROBE.gate.is_closed() {
            return block(&self.bare);
        }
        self.timed_open(SHARED, Location::caller(), attempt_shared, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_until(&self, timeout: Instant) -> bool {
        let block = |bare: &Bare| bare.try_lock_shared_until(timeout).is_some();
        if PROBE.gate.is_closed() {
            return block(&self.bare);
        }
        self.timed_open(SHARED, Location::caller(), attempt_shared, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_for(&self, timeout: Duration) -> bool {
        let block = |bare: &Bare| bare.try_lock_exclusive_for(timeout).is_some();
        if PROBE.gate.is_closed() {
            return block(&self.bare);
        }
        self.timed_open(ALONE, Location::caller(), attempt_exclusive, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive_until(&self, timeout: Instant) -> bool {
        let block = |bare: &Bare| bare.try_lock_exclusive_until(timeout).is_some();
        if PROBE.gate.is_closed() {
            return block(&self.bare);
        }
        self.timed_open(ALONE, Location::caller(), attempt_exclusive, block)
    }
}

// SAFETY: as above; see `recursive`.
unsafe impl lock_api::RawRwLockRecursive for RawRwLock {
    #[inline]
    #[track_caller]
    fn lock_shared_recursive(&self) {
        let seen = PROBE.gate.look();
        if seen.is_closed() {
            return block_recursive(&self.bare);
        }
        self.lock_open(seen, SHARED, Location::caller(), attempt_recursive, block_recursive);
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive(&self) -> bool {
        if PROBE.gate.is_closed() {
            return attempt_recursive(&self.bare);
        }
        self.try_open(SHARED, Location::caller(), attempt_recursive)
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockRecursiveTimed for RawRwLock {
    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive_for(&self, timeout: Duration) -> bool {
        let block = |bare: &Bare| recursive(bare).try_lock_shared_for(timeout).is_some();
        if PROBE.gate.is_closed() {
            return block(&self.bare);
        }
        self.timed_open(SHARED, Location::caller(), attempt_recursive, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared_recursive_until(&self, timeout: Instant) -> bool {
        let block = |bare: &Bare| recursive(bare).try_lock_shared_until(timeout).is_some();
        if PROBE.gate.is_closed() {
            return block(&self.bare);
        }
        self.timed_open(SHARED, Location::caller(), attempt_recursive, block)
    }
}
