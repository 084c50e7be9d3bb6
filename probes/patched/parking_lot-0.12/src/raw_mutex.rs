//! The raw mutexes.

use core::panic::Location;
use std::time::{Duration, Instant};

use bare_api::{RawMutex as Bare, RawMutexFair as BareFair, RawMutexTimed as BareTimed};
use lockscope::patched::PROBE;
use lockscope_core::event::{LockKind, Mode};

use crate::watched::{Place, Watched};

/// What the guards of parking_lot 0.13 carry: nothing.
pub(crate) type Marker = <bare::RawMutex as Bare>::Guard;

/// The raw mutex.
pub type RawMutex = Watched<bare::RawMutex, { LockKind::MUTEX.0 }>;
/// The raw mutex that is handed to who has waited longest.
pub type RawFairMutex = Watched<bare::RawFairMutex, { LockKind::MUTEX.0 }>;

const ALONE: Mode = Mode::EXCLUSIVE;

macro_rules! raw_mutex {
    ($bare:ident) => {
        type Bare = bare::$bare;
        type Raw = Watched<Bare, { LockKind::MUTEX.0 }>;

        impl Raw {
            pub(crate) const fn made_at(place: Place) -> Self {
                Self::around(<Bare as super::Bare>::INIT, Some(place))
            }
        }

        fn attempt(bare: &Bare) -> bool {
            bare.try_lock().is_some()
        }

        fn block(bare: &Bare) {
            let _: Marker = bare.lock();
        }

        // SAFETY: every acquisition and release is the original's, which upholds the
        // trait's exclusion; the guards are as sendable as those of parking_lot 0.12.
        unsafe impl lock_api::RawMutex for Raw {
            #[allow(
                clippy::declare_interior_mutable_const,
                reason = "lock_api makes locks of this constant"
            )]
            const INIT: Self = Self::around(<Bare as super::Bare>::INIT, None);

            type GuardMarker = crate::GuardMarker;

            #[inline(always)]
            #[track_caller]
            fn lock(&self) {
                let seen = PROBE.gate.look();
                if seen.is_closed() {
                    return block(&self.bare);
                }
                self.lock_open(seen, ALONE, Location::caller(), attempt, block);
            }

            #[inline]
            #[track_caller]
            fn try_lock(&self) -> bool {
                if PROBE.gate.is_closed() {
                    return attempt(&self.bare);
                }
                self.try_open(ALONE, Location::caller(), attempt)
            }

            #[inline(always)]
            unsafe fn unlock(&self) {
                // SAFETY: the caller owns the lock.
                self.give_back(ALONE, |bare| unsafe { bare.unlock(Marker::default()) });
            }

            #[inline]
            fn is_locked(&self) -> bool {
                self.bare.is_locked()
            }
        }

        // SAFETY: as above.
        unsafe impl lock_api::RawMutexFair for Raw {
            #[inline]
            unsafe fn unlock_fair(&self) {
                // SAFETY: the caller owns the lock.
                self.give_back(ALONE, |bare| unsafe { bare.unlock_fair(Marker::default()) });
            }

            #[inline]
            #[track_caller]
            unsafe fn bump(&self) {
                if PROBE.gate.is_closed() {
                    self.end(self.take(ALONE));
                    // SAFETY: the caller owns the lock.
                    return unsafe { self.bare.bump(&mut Marker::default()) };
                }
                // SAFETY: the caller owns the lock.
                let unlock = |bare: &Bare| unsafe { bare.unlock_fair(Marker::default()) };
                // SAFETY:
                // - The caller owns the lock.
                // - The three functions are those of one exclusive lock.
                unsafe { self.bump_open(ALONE, Location::caller(), unlock, attempt, block) };
            }
        }

        // SAFETY: as above; the timeouts are the original's.
        unsafe impl lock_api::RawMutexTimed for Raw {
            type Duration = Duration;
            type Instant = Instant;

            #[inline]
            #[track_caller]
            fn try_lock_for(&self, timeout: Duration) -> bool {
                let block = |bare: &Bare| bare.try_lock_for(timeout).is_some();
                if PROBE.gate.is_closed() {
                    return block(&self.bare);
                }
                self.timed_open(ALONE, Location::caller(), attempt, block)
            }

            #[inline]
            #[track_caller]
            fn try_lock_until(&self, timeout: Instant) -> bool {
                let block = |bare: &Bare| bare.try_lock_until(timeout).is_some();
                if PROBE.gate.is_closed() {
                    return block(&self.bare);
                }
                self.timed_open(ALONE, Location::caller(), attempt, block)
            }
        }
    };
}

mod unfair {
    use super::{
        ALONE, Bare as _, BareFair as _, BareTimed as _, Duration, Instant, Location, LockKind,
        Marker, PROBE, Place, Watched,
    };
    raw_mutex!(RawMutex);
}

mod fair {
    use super::{
        ALONE, Bare as _, BareFair as _, BareTimed as _, Duration, Instant, Location, LockKind,
        Marker, PROBE, Place, Watched,
    };
    raw_mutex!(RawFairMutex);
}
