//! `Once`: a one-time initialisation, watched.
//!
//! Who runs the initialisation holds it; who comes meanwhile and waits for it
//! is contended, and once it is over owns nothing that another could not: a
//! wait is recorded as shared. After completion no call reads the gate.

use std::panic::Location;

use lockscope_core::event::{LockKind, Mode};
use lockscope_core::{CallSite, Token, recorder};
use parking_lot::OnceState;

use super::probed::Probed;
use super::storage::{Storage, WithSlot, WithoutSlot};
use crate::watch::{PROBE, here, is_open};

type Raw<S> = Probed<parking_lot::Once, S, { LockKind::ONCE.0 }>;

/// A one-time initialisation that keeps its words in `S`: see
/// [`Once`](super::Once).
#[repr(transparent)]
pub struct ProbedOnce<S: Storage>(Raw<S>);

impl ProbedOnce<WithSlot> {
    /// An initialisation that is known by the line that makes it.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self(Probed::with(WithSlot::made_at(Location::caller()), parking_lot::Once::new()))
    }

    /// An initialisation that reports call `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        let slot = WithSlot::named_at(Location::caller(), name);
        Self(Probed::with(slot, parking_lot::Once::new()))
    }

    /// An initialisation that is done.
    #[inline]
    #[track_caller]
    pub const fn new_completed() -> Self {
        let slot = WithSlot::made_at(Location::caller());
        Self(Probed::with(slot, parking_lot::Once::new_completed()))
    }
}

impl ProbedOnce<WithoutSlot> {
    /// An initialisation that is known by its address.
    #[inline]
    pub const fn new() -> Self {
        Self(Probed::with(WithoutSlot, parking_lot::Once::new()))
    }

    /// An initialisation that is done.
    #[inline]
    pub const fn new_completed() -> Self {
        Self(Probed::with(WithoutSlot, parking_lot::Once::new_completed()))
    }
}

impl<S: Storage> ProbedOnce<S> {
    /// How far the initialisation is.
    #[inline]
    pub fn state(&self) -> OnceState {
        self.0.bare.state()
    }

    /// Whether the initialisation is done.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.0.bare.is_completed()
    }

    /// Runs `initialise`, unless that was done; waits if it is being done.
    ///
    /// # Panics
    ///
    /// If an earlier initialisation panicked, or this one does.
    #[inline]
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, initialise: F) {
        if self.is_completed() {
            return;
        }
        if !is_open() {
            return self.0.bare.call_once(initialise);
        }
        let mut call = Call::begin(&self.0, here());
        self.0.bare.call_once(|| {
            let _running = call.runs();
            initialise();
        });
        call.waited();
    }

    /// As [`call_once`](Self::call_once), also after an initialisation that
    /// panicked; `initialise` is told.
    ///
    /// # Panics
    ///
    /// If `initialise` does.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F: FnOnce(OnceState)>(&self, initialise: F) {
        if self.is_completed() {
            return;
        }
        if !is_open() {
            return self.0.bare.call_once_force(initialise);
        }
        let mut call = Call::begin(&self.0, here());
        self.0.bare.call_once_force(|state| {
            let _running = call.runs();
            initialise(state);
        });
        call.waited();
    }

    /// Waits until somebody has done the initialisation.
    ///
    /// This asks for nothing but to be told, so the wait is idleness.
    ///
    /// # Panics
    ///
    /// If an initialisation panicked.
    #[inline]
    #[track_caller]
    pub fn wait(&self) {
        self.idle(here(), parking_lot::Once::wait);
    }

    /// As [`wait`](Self::wait), also across initialisations that panicked.
    #[inline]
    #[track_caller]
    pub fn wait_force(&self) {
        self.idle(here(), parking_lot::Once::wait_force);
    }

    #[inline]
    fn idle(&self, site: CallSite, wait: impl FnOnce(&parking_lot::Once)) {
        if self.is_completed() {
            return;
        }
        let idle = if is_open() { recorder::idle_begin(&PROBE) } else { recorder::Idle::NONE };
        wait(&self.0.bare);
        recorder::idle_end(&PROBE, &self.0, site, idle);
    }
}

/// A call on an open gate. Whether it runs or waits is decided inside
/// parking_lot, so it begins as a wait and takes that back if it runs.
struct Call<'a, S: Storage> {
    once: &'a Raw<S>,
    site: CallSite,
    /// The wait, as long as it is one.
    token: Token,
    /// Somebody else was at it when this call began: if it runs all the same,
    /// that one has panicked, and this one has waited.
    found_running: bool,
}

impl<'a, S: Storage> Call<'a, S> {
    #[cold]
    fn begin(once: &'a Raw<S>, site: CallSite) -> Self {
        let found_running = once.bare.state() == OnceState::InProgress;
        let token = recorder::wait(&PROBE, once, Mode::SHARED, site);
        Self { once, site, token, found_running }
    }

    /// The call runs the initialisation, until the answer is dropped.
    fn runs(&mut self) -> Running<'a, S> {
        if self.found_running {
            self.waited();
        } else {
            recorder::withdrawn(core::mem::replace(&mut self.token, Token::NONE));
        }
        let token = recorder::uncontended(&PROBE, self.once, Mode::EXCLUSIVE, self.site);
        Running { once: self.once, token }
    }

    /// The call is over; if it did not run, it has waited.
    fn waited(&mut self) {
        let token = core::mem::replace(&mut self.token, Token::NONE);
        if token.is_some() {
            let token = recorder::waited(&PROBE, self.once, self.site, token);
            self.once.end(token);
        }
    }
}

impl<S: Storage> Drop for Call<'_, S> {
    fn drop(&mut self) {
        // Some only if the call panics because another did.
        recorder::gave_up(&PROBE, self.once, self.token);
    }
}

/// The initialisation runs in this thread.
struct Running<'a, S: Storage> {
    once: &'a Raw<S>,
    token: Token,
}

impl<S: Storage> Drop for Running<'_, S> {
    fn drop(&mut self) {
        self.once.end(self.token);
    }
}

impl Default for ProbedOnce<WithSlot> {
    #[inline]
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl Default for ProbedOnce<WithoutSlot> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Storage> core::fmt::Debug for ProbedOnce<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Once").field("state", &self.state()).finish()
    }
}
