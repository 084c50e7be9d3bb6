//! One-time initialisation.
//!
//! Who runs the initialisation holds it; who comes meanwhile and waits for it is
//! contended, and once it is over owns nothing that another could not: a wait is recorded
//! as shared. After completion no call reads the gate.

use core::panic::Location;

use bare::OnceState;
use lockscope::patched::{PROBE, is_open};
use lockscope_core::event::{LockKind, Mode};
use lockscope_core::{CallSite, Token, recorder};

use crate::watched::{Place, Watched};

type Raw = Watched<bare::Once, { LockKind::ONCE.0 }>;

/// A one-time initialisation. It knows the line that makes it.
pub struct Once(Raw);

impl Once {
    /// An initialisation that is still to be done.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self(Watched::around(bare::Once::new(), Some(Location::caller())))
    }

    /// How far the initialisation is.
    #[inline]
    pub fn state(&self) -> OnceState {
        self.0.bare.state()
    }

    /// Runs `f`, unless that was done; waits if it is being done.
    ///
    /// # Panics
    ///
    /// If an earlier initialisation panicked, or this one does.
    #[inline]
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        if self.0.bare.is_completed() {
            return;
        }
        if !is_open() {
            return self.0.bare.call_once(f);
        }
        let mut call = Call::begin(&self.0, Location::caller());
        self.0.bare.call_once(|| {
            let _running = call.runs();
            f();
        });
        call.waited();
    }

    /// As [`call_once`](Self::call_once), also after an initialisation that panicked; `f`
    /// is told.
    ///
    /// # Panics
    ///
    /// If `f` does.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F: FnOnce(OnceState)>(&self, f: F) {
        if self.0.bare.is_completed() {
            return;
        }
        if !is_open() {
            return self.0.bare.call_once_force(f);
        }
        let mut call = Call::begin(&self.0, Location::caller());
        self.0.bare.call_once_force(|state| {
            let _running = call.runs();
            f(state);
        });
        call.waited();
    }
}

/// A call on an open gate. Whether it runs or waits is decided inside parking_lot, so it
/// begins as a wait and takes that back if it runs.
struct Call<'a> {
    once: &'a Raw,
    place: Place,
    /// The wait, as long as it is one.
    token: Token,
    /// Somebody else was at it when this call began: if it runs all the same, that one
    /// has panicked, and this one has waited.
    found_running: bool,
}

impl<'a> Call<'a> {
    #[cold]
    fn begin(once: &'a Raw, place: Place) -> Self {
        let found_running = once.bare.state() == OnceState::InProgress;
        let token = once.wait(Mode::SHARED, place);
        Self { once, place, token, found_running }
    }

    /// The call runs the initialisation, until the answer is dropped.
    fn runs(&mut self) -> Running<'a> {
        if self.found_running {
            self.waited();
        } else {
            recorder::withdrawn(core::mem::replace(&mut self.token, Token::NONE));
        }
        let site = CallSite::of(self.place);
        let token = recorder::uncontended(&PROBE, self.once, Mode::EXCLUSIVE, site);
        Running { once: self.once, token }
    }

    /// The call is over; if it did not run, it has waited.
    fn waited(&mut self) {
        let token = core::mem::replace(&mut self.token, Token::NONE);
        if token.is_some() {
            let site = CallSite::of(self.place);
            let token = recorder::waited(&PROBE, self.once, site, token);
            self.once.end(token);
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        // Some only if the call panics because another did.
        recorder::gave_up(&PROBE, self.once, self.token);
    }
}

/// The initialisation runs in this thread.
struct Running<'a> {
    once: &'a Raw,
    token: Token,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.once.end(self.token);
    }
}

impl Default for Once {
    #[inline]
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Once {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Once").field("state", &self.state()).finish()
    }
}
