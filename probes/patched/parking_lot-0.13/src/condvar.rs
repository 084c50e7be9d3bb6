//! parking_lot 0.12's condition variable, as lock_api 0.5 wants it.

use core::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use crate::GuardMarker;
use crate::mutex::Unfair;

/// The condition variable.
pub struct Bare(bare::Condvar);

/// The guard that 0.12 waits with. It is not dropped: the mutex belongs to a guard of 0.13,
/// before and after, and also if the wait panics.
///
/// # Safety
///
/// - The caller owns the mutex, until the answer is gone.
unsafe fn guard_of(mutex: &Unfair) -> ManuallyDrop<bare::MutexGuard<'_, ()>> {
    // SAFETY:
    // - The caller owns the mutex.
    // - There is nothing in it that a second guard could reach.
    ManuallyDrop::new(unsafe { mutex.0.make_guard_unchecked() })
}

// SAFETY: giving away, waiting and taking again are the original's. It panics, if it is
// used with two mutexes at a time, while the caller owns the mutex.
unsafe impl lock_api::RawCondvar for Bare {
    const INIT: Self = Self(bare::Condvar::new());

    type RawMutex = Unfair;

    #[inline]
    unsafe fn wait(&self, mutex: &Unfair, _guard: &mut GuardMarker) {
        // SAFETY: the caller owns the mutex.
        let mut guard = unsafe { guard_of(mutex) };
        self.0.wait(&mut guard);
    }

    #[inline]
    fn notify_one(&self) -> bool {
        self.0.notify_one()
    }

    #[inline]
    fn notify_all(&self) -> usize {
        self.0.notify_all()
    }
}

// SAFETY: as above; the timeouts are the original's.
unsafe impl lock_api::RawCondvarTimed for Bare {
    fn checked_duration_to_instant(timeout: &Duration) -> Option<Instant> {
        Instant::now().checked_add(*timeout)
    }

    #[inline]
    unsafe fn wait_until(
        &self,
        mutex: &Unfair,
        _guard: &mut GuardMarker,
        timeout: &Instant,
    ) -> bool {
        // SAFETY: the caller owns the mutex.
        let mut guard = unsafe { guard_of(mutex) };
        self.0.wait_until(&mut guard, *timeout).timed_out()
    }

    #[inline]
    unsafe fn wait_for(
        &self,
        mutex: &Unfair,
        _guard: &mut GuardMarker,
        timeout: &Duration,
    ) -> bool {
        // SAFETY: the caller owns the mutex.
        let mut guard = unsafe { guard_of(mutex) };
        self.0.wait_for(&mut guard, *timeout).timed_out()
    }
}
