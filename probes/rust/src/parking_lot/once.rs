//! parking_lot's one-time initialisation, as one that can be watched.

use parking_lot::{Once, OnceState};

use crate::around::BareOnce;

impl BareOnce for Once {
    type State = OnceState;

    const NEW: Self = Self::new();
    const COMPLETED: Self = Self::new_completed();

    #[inline]
    fn state(&self) -> OnceState {
        self.state()
    }

    #[inline]
    fn is_running(&self) -> bool {
        self.state() == OnceState::InProgress
    }

    #[inline]
    fn is_completed(&self) -> bool {
        self.is_completed()
    }

    #[inline]
    fn call_once(&self, initialise: impl FnOnce()) {
        self.call_once(initialise);
    }

    #[inline]
    fn call_once_force(&self, initialise: impl FnOnce(OnceState)) {
        self.call_once_force(initialise);
    }

    #[inline]
    fn wait(&self) {
        self.wait();
    }

    #[inline]
    fn wait_force(&self) {
        self.wait_force();
    }
}
