//! The call site, where `lock_api` does not pass it on.
//!
//! Most of its methods are `#[track_caller]`, and the raw lock below them sees
//! the program's line for nothing. Those of `ReentrantMutex` and `Condvar` are
//! not: there the site goes around them, through a thread-local word that is
//! written on an open gate only.

use std::cell::Cell;
use std::panic::Location;

use super::probed::Place;
use crate::watch::PROBE;

thread_local! {
    /// The site of the operation that this thread is about to begin.
    static ANNOUNCED: Cell<Option<Place>> = const { Cell::new(None) };
}

/// Withdraws what was announced, if nobody took it, also by a panic.
pub(super) struct Announcement;

impl Drop for Announcement {
    fn drop(&mut self) {
        ANNOUNCED.set(None);
    }
}

/// Says where the next raw operation of this thread stands.
pub(super) fn announce(place: Place) {
    ANNOUNCED.set(Some(place));
}

/// Takes what was announced: the place, once.
pub(super) fn announced() -> Option<Place> {
    ANNOUNCED.take()
}

/// Runs `operation`, whose raw lock is to see the caller's call site.
#[inline]
#[track_caller]
pub(crate) fn around<T>(operation: impl FnOnce() -> T) -> T {
    if PROBE.gate.is_closed() {
        return operation();
    }
    announce(Location::caller());
    let _withdraw = Announcement;
    operation()
}
