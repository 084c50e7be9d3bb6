//! parking_lot 0.12's raw mutexes, as lock_api 0.5 wants them.

use core::panic::RefUnwindSafe;
use std::time::{Duration, Instant};

use bare_api::{RawMutex as _, RawMutexFair as _, RawMutexTimed as _};

use crate::GuardMarker;

macro_rules! raw_mutex {
    ($(#[$meta:meta])* $name:ident($mutex:ident: $raw:ident)) => {
        $(#[$meta])*
        pub struct $name(pub(crate) bare::$mutex<()>);

        impl $name {
            #[inline(always)]
            fn raw(&self) -> &bare::$raw {
                // SAFETY: this type has no other guards of the mutex than those that the
                // functions below answer for.
                unsafe { self.0.raw() }
            }
        }

        // As the original is: there is no data in it that a panic could leave half done.
        impl RefUnwindSafe for $name {}

        // SAFETY: every acquisition and release is the original's, which upholds the
        // trait's exclusion; a guard is as sendable as the feature `send_guard` says.
        unsafe impl lock_api::RawMutex for $name {
            const INIT: Self = Self(bare::$mutex::from_raw(bare::$raw::INIT, ()));

            type Guard = GuardMarker;

            #[inline(always)]
            fn lock(&self) -> GuardMarker {
                self.raw().lock();
                GuardMarker::new()
            }

            #[inline(always)]
            fn try_lock(&self) -> Option<GuardMarker> {
                self.raw().try_lock().then(GuardMarker::new)
            }

            #[inline(always)]
            unsafe fn unlock(&self, _guard: GuardMarker) {
                // SAFETY: the caller owns the lock.
                unsafe { self.raw().unlock() };
            }

            #[inline]
            fn is_locked(&self) -> bool {
                self.raw().is_locked()
            }
        }

        // SAFETY: as above.
        unsafe impl lock_api::RawMutexFair for $name {
            #[inline]
            unsafe fn unlock_fair(&self, _guard: GuardMarker) {
                // SAFETY: the caller owns the lock.
                unsafe { self.raw().unlock_fair() };
            }

            #[inline]
            unsafe fn bump(&self, _guard: &mut GuardMarker) {
                // SAFETY: the caller owns the lock.
                unsafe { self.raw().bump() };
            }
        }

        // SAFETY: as above; the timeouts are the original's.
        unsafe impl lock_api::RawMutexTimed for $name {
            type Duration = Duration;
            type Instant = Instant;

            #[inline]
            fn try_lock_for(&self, timeout: Duration) -> Option<GuardMarker> {
                self.raw().try_lock_for(timeout).then(GuardMarker::new)
            }

            #[inline]
            fn try_lock_until(&self, timeout: Instant) -> Option<GuardMarker> {
                self.raw().try_lock_until(timeout).then(GuardMarker::new)
            }
        }
    };
}

raw_mutex! {
    /// The mutex; with data, because that is what 0.12's condition variable waits with.
    Unfair(Mutex: RawMutex)
}

raw_mutex! {
    /// The mutex that is handed to who has waited longest.
    Fair(FairMutex: RawFairMutex)
}
