//! One thread's way through a one-time initialisation.

use std::cell::Cell;

use lockscope_core::event::{LockKind, Mode};
use lockscope_core::recorder::{self, Idle};
use lockscope_core::{CallSite, Token};

use super::hold::Hold;
use super::mark::Mark;
use crate::watch::{self, PROBE};

/// What [`std::sync::Once`] and its kin are.
pub(super) const KIND: u32 = LockKind::ONCE.0;

/// A thread that found an initialisation not done.
///
/// Whether it waits for another's or runs its own shows only when std calls
/// the closure, or returns without. So it begins as a wait, which is taken back
/// in the closure. A waiter's mode is shared, because all waiters go on at the
/// same time; who runs the initialiser is alone.
///
/// Dropped without [`Attempt::succeeded`], by a panic of std's, the wait has
/// failed.
pub(super) struct Attempt<'a> {
    mark: &'a Mark<KIND>,
    site: CallSite,
    /// The wait's record; [`Token::NONE`] once it has ended.
    wait: Cell<Token>,
}

impl<'a> Attempt<'a> {
    pub(super) fn begin(mark: &'a Mark<KIND>, site: CallSite) -> Self {
        let wait = if !PROBE.gate.is_closed() && watch::is_open() {
            recorder::wait(&PROBE, mark, Mode::SHARED, site)
        } else {
            Token::NONE
        };
        Self { mark, site, wait: Cell::new(wait) }
    }

    /// This thread is the one that runs the initialiser: the hold, which ends
    /// before std lets the waiters go.
    pub(super) fn runs(&self) -> Hold<'a, KIND> {
        recorder::withdrawn(self.wait.replace(Token::NONE));
        Hold::begin(self.mark, Mode::EXCLUSIVE, self.site)
    }

    /// The initialisation is done, by whomever.
    pub(super) fn succeeded(self) {
        let wait = self.wait.replace(Token::NONE);
        if wait.is_some() {
            let waited = recorder::waited(&PROBE, self.mark, self.site, wait);
            drop(Hold::new(self.mark, waited));
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        recorder::gave_up(&PROBE, self.mark, self.wait.get());
    }
}

/// Waits idly by `wait` for what somebody may or may not be initialising.
pub(super) fn idle<R>(mark: &Mark<KIND>, site: CallSite, wait: impl FnOnce() -> R) -> R {
    let idle = if watch::is_open() { recorder::idle_begin(&PROBE) } else { Idle::NONE };
    let result = wait();
    recorder::idle_end(&PROBE, mark, site, idle);
    result
}
