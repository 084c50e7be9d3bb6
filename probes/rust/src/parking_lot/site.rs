//! The call site, where `lock_api` does not pass it on.
//!
//! Most of its methods are `#[track_caller]`, and the raw lock below them sees
//! the program's line for nothing. Those of `ReentrantMutex` and `Condvar` are
//! not: there the site goes around them, through a thread-local word that is
//! written on an open gate only.

use std::cell::Cell;

use lockscope_core::CallSite;

use crate::watch::{PROBE, here};

thread_local! {
    /// The site of the operation that this thread is about to begin.
    static ANNOUNCED: Cell<CallSite> = const { Cell::new(CallSite::UNKNOWN) };
}

/// Withdraws what was announced, if nobody took it, also by a panic.
pub(super) struct Announcement;

impl Drop for Announcement {
    fn drop(&mut self) {
        announce(CallSite::UNKNOWN);
    }
}

/// Says where the next raw operation of this thread stands.
pub(super) fn announce(site: CallSite) {
    ANNOUNCED.with(|announced| announced.set(site));
}

/// Takes what was announced: the site, once, or [`CallSite::UNKNOWN`].
pub(super) fn announced() -> CallSite {
    ANNOUNCED.with(|announced| announced.replace(CallSite::UNKNOWN))
}

/// Runs `operation`, whose raw lock is to see the caller's call site.
#[inline]
#[track_caller]
pub(super) fn around<T>(operation: impl FnOnce() -> T) -> T {
    if PROBE.gate.is_closed() {
        return operation();
    }
    announce(here());
    let _withdraw = Announcement;
    operation()
}
