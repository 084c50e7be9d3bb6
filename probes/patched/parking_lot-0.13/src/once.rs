//! parking_lot 0.12's one-time initialisation, with what 0.13 has added.

use lockscope::patched::BareOnce;
use parking_lot_core::{DEFAULT_PARK_TOKEN, DEFAULT_UNPARK_TOKEN};

/// How far an initialisation is.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum OnceState {
    /// Nobody has begun it.
    New,
    /// It has panicked.
    Poisoned,
    /// Somebody is at it.
    InProgress,
    /// It is done.
    Done,
}

impl OnceState {
    /// Whether it has panicked.
    #[inline]
    pub const fn is_poisoned(self) -> bool {
        matches!(self, Self::Poisoned)
    }

    /// As [`is_poisoned`](Self::is_poisoned).
    #[inline]
    pub const fn poisoned(self) -> bool {
        self.is_poisoned()
    }

    /// Whether it is done.
    #[inline]
    pub const fn is_completed(self) -> bool {
        matches!(self, Self::Done)
    }

    /// As [`is_completed`](Self::is_completed).
    #[inline]
    pub const fn done(self) -> bool {
        self.is_completed()
    }
}

impl From<bare::OnceState> for OnceState {
    fn from(state: bare::OnceState) -> Self {
        match state {
            bare::OnceState::New => Self::New,
            bare::OnceState::Poisoned => Self::Poisoned,
            bare::OnceState::InProgress => Self::InProgress,
            bare::OnceState::Done => Self::Done,
        }
    }
}

/// The initialisation.
pub struct Bare {
    once: bare::Once,
    /// It was made as one that is done, which 0.12 cannot make.
    is_made_done: bool,
}

impl BareOnce for Bare {
    type State = OnceState;

    const NEW: Self = Self { once: bare::Once::new(), is_made_done: false };
    const COMPLETED: Self = Self { once: bare::Once::new(), is_made_done: true };

    #[inline]
    fn state(&self) -> OnceState {
        if self.is_made_done { OnceState::Done } else { self.once.state().into() }
    }

    #[inline]
    fn is_running(&self) -> bool {
        self.state() == OnceState::InProgress
    }

    #[inline]
    fn is_completed(&self) -> bool {
        self.state() == OnceState::Done
    }

    #[inline]
    fn call_once(&self, initialise: impl FnOnce()) {
        if !self.is_completed() {
            let _after = WakeWaiting(self);
            self.once.call_once(|| {
                let _running = Running::by(self);
                initialise();
            });
        }
    }

    #[inline]
    fn call_once_force(&self, initialise: impl FnOnce(OnceState)) {
        if !self.is_completed() {
            let _after = WakeWaiting(self);
            self.once.call_once_force(|state| {
                let _running = Running::by(self);
                initialise(state.into());
            });
        }
    }

    fn wait(&self) {
        self.wait_until(|state| {
            assert!(!state.is_poisoned(), "Once instance has previously been poisoned");
            state.is_completed()
        });
    }

    fn wait_force(&self) {
        self.wait_until(OnceState::is_completed);
    }
}

impl Bare {
    /// Where threads wait for this one: where 0.12 lets them wait itself. Both wake all,
    /// and all look again; and whoever looks for deadlocks finds one queue.
    fn queue(&self) -> usize {
        core::ptr::from_ref(&self.once).addr()
    }

    /// Waits until `is_over` of the state, which changes when somebody has run it.
    #[cold]
    fn wait_until(&self, is_over: impl Fn(OnceState) -> bool) {
        loop {
            let state = self.state();
            if is_over(state) {
                return;
            }
            // A running one may have begun meanwhile, which ends nobody's wait.
            let is_as_good_as_that = || {
                let now = self.state();
                now == state || now == OnceState::InProgress
            };
            // SAFETY:
            // - The address is that of this value.
            // - `is_as_good_as_that` reads a word, and neither panics nor parks.
            // - There is nothing to do before, and no time to be over.
            unsafe {
                parking_lot_core::park(
                    self.queue(),
                    is_as_good_as_that,
                    || {},
                    |_, _| {},
                    DEFAULT_PARK_TOKEN,
                    None,
                );
            }
        }
    }
}

/// For whoever looks for deadlocks: this thread is who the others wait for. 0.12 does not
/// say so; without the feature it is nothing.
struct Running<'a>(&'a Bare);

impl<'a> Running<'a> {
    fn by(once: &'a Bare) -> Self {
        // SAFETY: the initialisation runs in this thread, and so in no other.
        unsafe { parking_lot_core::deadlock::acquire_resource(once.queue()) };
        Self(once)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // SAFETY: it was acquired by this thread.
        unsafe { parking_lot_core::deadlock::release_resource(self.0.queue()) };
    }
}

/// Wakes those who wait without a call of their own, of whom 0.12 does not know: after the
/// call, also after one that panics.
struct WakeWaiting<'a>(&'a Bare);

impl Drop for WakeWaiting<'_> {
    fn drop(&mut self) {
        // SAFETY: the address is that of a value that is borrowed.
        unsafe { parking_lot_core::unpark_all(self.0.queue(), DEFAULT_UNPARK_TOKEN) };
    }
}
