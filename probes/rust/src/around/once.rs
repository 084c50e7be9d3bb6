//! `Once`: a one-time initialisation, watched.
//!
//! Who runs the initialisation holds it; who comes meanwhile and waits for it
//! is contended, and once it is over owns nothing that another could not: a
//! wait is recorded as shared. After completion no call reads the gate.

use std::panic::Location;

use lockscope_core::event::{LockKind, Mode};
use lockscope_core::{CallSite, Token, recorder};

use super::probed::{Place, Probed};
use super::storage::{Storage, WithSlot, WithoutSlot};
use crate::watch::{PROBE, is_open};

/// A one-time initialisation that can be watched.
pub trait BareOnce {
    /// How far it is.
    type State: core::fmt::Debug;
    /// One that is still to be done.
    const NEW: Self;
    /// One that is done.
    const COMPLETED: Self;

    /// How far the initialisation is.
    fn state(&self) -> Self::State;
    /// Whether somebody is at it.
    fn is_running(&self) -> bool;
    /// Whether the initialisation is done.
    fn is_completed(&self) -> bool;
    /// Runs `initialise`, unless that was done; waits if it is being done.
    fn call_once(&self, initialise: impl FnOnce());
    /// As `call_once`, also after an initialisation that panicked.
    fn call_once_force(&self, initialise: impl FnOnce(Self::State));
    /// Waits until somebody has done the initialisation.
    fn wait(&self);
    /// As `wait`, also across initialisations that panicked.
    fn wait_force(&self);
}

type Raw<B, S> = Probed<B, S, { LockKind::ONCE.0 }>;

/// A one-time initialisation `B` that keeps its words in `S`.
#[repr(transparent)]
pub struct ProbedOnce<B, S: Storage>(Raw<B, S>);

impl<B: BareOnce, const LATE: bool> ProbedOnce<B, WithSlot<LATE>> {
    /// An initialisation that is known by the line that makes it.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self(Probed::with(WithSlot::made_at(Location::caller()), B::NEW))
    }

    /// An initialisation that reports call `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        let slot = WithSlot::named_at(Location::caller(), name);
        Self(Probed::with(slot, B::NEW))
    }

    /// An initialisation that is done.
    #[inline]
    #[track_caller]
    pub const fn new_completed() -> Self {
        let slot = WithSlot::made_at(Location::caller());
        Self(Probed::with(slot, B::COMPLETED))
    }
}

impl<B: BareOnce> ProbedOnce<B, WithoutSlot> {
    /// An initialisation that is known by its address.
    #[inline]
    pub const fn new() -> Self {
        Self(Probed::with(WithoutSlot, B::NEW))
    }

    /// An initialisation that is done.
    #[inline]
    pub const fn new_completed() -> Self {
        Self(Probed::with(WithoutSlot, B::COMPLETED))
    }
}

impl<B: BareOnce, S: Storage> ProbedOnce<B, S> {
    /// How far the initialisation is.
    #[inline]
    pub fn state(&self) -> B::State {
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
        let mut call = Call::begin(&self.0, Location::caller());
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
    pub fn call_once_force<F: FnOnce(B::State)>(&self, initialise: F) {
        if self.is_completed() {
            return;
        }
        if !is_open() {
            return self.0.bare.call_once_force(initialise);
        }
        let mut call = Call::begin(&self.0, Location::caller());
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
        self.idle(Location::caller(), B::wait);
    }

    /// As [`wait`](Self::wait), also across initialisations that panicked.
    #[inline]
    #[track_caller]
    pub fn wait_force(&self) {
        self.idle(Location::caller(), B::wait_force);
    }

    #[inline]
    fn idle(&self, place: Place, wait: impl FnOnce(&B)) {
        if self.is_completed() {
            return;
        }
        let idle = if is_open() { recorder::idle_begin(&PROBE) } else { recorder::Idle::NONE };
        wait(&self.0.bare);
        recorder::idle_end(&PROBE, &self.0, CallSite::of(place), idle);
    }
}

/// A call on an open gate. Whether it runs or waits is decided inside the
/// original, so it begins as a wait and takes that back if it runs.
struct Call<'a, B, S: Storage> {
    once: &'a Raw<B, S>,
    place: Place,
    /// The wait, as long as it is one.
    token: Token,
    /// Somebody else was at it when this call began: if it runs all the same,
    /// that one has panicked, and this one has waited.
    found_running: bool,
}

impl<'a, B: BareOnce, S: Storage> Call<'a, B, S> {
    #[cold]
    fn begin(once: &'a Raw<B, S>, place: Place) -> Self {
        let found_running = once.bare.is_running();
        let token = once.wait(Mode::SHARED, place);
        Self { once, place, token, found_running }
    }

    /// The call runs the initialisation, until the answer is dropped.
    fn runs(&mut self) -> Running<'a, B, S> {
        if self.found_running {
            self.waited();
        } else {
            recorder::withdrawn(core::mem::replace(&mut self.token, Token::NONE));
        }
        let held = self.once.owned((), Mode::EXCLUSIVE, self.place);
        Running { once: self.once, token: held.token }
    }

    /// The call is over; if it did not run, it has waited.
    fn waited(&mut self) {
        let token = core::mem::replace(&mut self.token, Token::NONE);
        if token.is_some() {
            let held = self.once.waited((), self.place, token);
            self.once.end(held.token);
        }
    }
}

impl<B, S: Storage> Drop for Call<'_, B, S> {
    fn drop(&mut self) {
        // Some only if the call panics because another did.
        recorder::gave_up(&PROBE, self.once, self.token);
    }
}

/// The initialisation runs in this thread.
struct Running<'a, B, S: Storage> {
    once: &'a Raw<B, S>,
    token: Token,
}

impl<B, S: Storage> Drop for Running<'_, B, S> {
    fn drop(&mut self) {
        self.once.end(self.token);
    }
}

impl<B: BareOnce, const LATE: bool> Default for ProbedOnce<B, WithSlot<LATE>> {
    #[inline]
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<B: BareOnce> Default for ProbedOnce<B, WithoutSlot> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<B: BareOnce, S: Storage> core::fmt::Debug for ProbedOnce<B, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Once").field("state", &self.state()).finish()
    }
}
