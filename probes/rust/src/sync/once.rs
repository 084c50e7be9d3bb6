//! One-time initialisation without a value.

use std::fmt;
use std::sync::OnceState;

use super::initialise::{self, Attempt, KIND};
use super::mark::Mark;
use crate::watch::here;

/// A one-time initialisation: [`std::sync::Once`], watched.
///
/// Once done, it costs what std's does.
///
/// ```
/// use lockscope::sync::Once;
///
/// static START: Once = Once::named("start");
///
/// START.call_once(|| println!("once"));
/// START.call_once(|| unreachable!());
/// assert!(START.is_completed());
/// ```
///
/// Its size is 64 bytes, where std's is 4.
pub struct Once {
    mark: Mark<KIND>,
    inner: std::sync::Once,
}

const _: () = assert!(size_of::<Once>() == 64 && size_of::<std::sync::Once>() == 4);

/// A [`Once`] that nobody has called.
#[deprecated(note = "as std's is: `Once::new()` says the same")]
#[expect(clippy::declare_interior_mutable_const, reason = "it initialises statics, as std's does")]
pub const ONCE_INIT: Once = Once::new();

#[expect(clippy::new_without_default, reason = "std's has no default either")]
impl Once {
    /// A `Once` that nobody has called; the caller's line is its creation site.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new() -> Self {
        Self { mark: Mark::new(), inner: std::sync::Once::new() }
    }

    /// As [`Once::new`], with a name by which reports call it.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Self { mark: Mark::named(name), inner: std::sync::Once::new() }
    }

    /// Runs `f` if nothing has run here yet; returns when something has.
    ///
    /// # Panics
    ///
    /// If `f` panics, which poisons the `Once`, or if it is poisoned.
    #[inline]
    #[track_caller]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        if !self.inner.is_completed() {
            self.call_once_slow(f);
        }
    }

    /// As [`Once::call_once`], but a poisoned `Once` is called anew.
    ///
    /// # Panics
    ///
    /// If `f` panics, which poisons the `Once`.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(&OnceState),
    {
        if !self.inner.is_completed() {
            self.call_once_force_slow(f);
        }
    }

    #[cold]
    #[track_caller]
    fn call_once_slow(&self, f: impl FnOnce()) {
        let attempt = Attempt::begin(&self.mark, here());
        self.inner.call_once(|| {
            let _hold = attempt.runs();
            f();
        });
        attempt.succeeded();
    }

    #[cold]
    #[track_caller]
    fn call_once_force_slow(&self, f: impl FnOnce(&OnceState)) {
        let attempt = Attempt::begin(&self.mark, here());
        self.inner.call_once_force(|state| {
            let _hold = attempt.runs();
            f(state);
        });
        attempt.succeeded();
    }

    /// Whether something has run here to its end.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.inner.is_completed()
    }

    /// Waits until something has run here to its end.
    ///
    /// # Panics
    ///
    /// If the `Once` is poisoned.
    #[inline]
    #[track_caller]
    pub fn wait(&self) {
        if !self.inner.is_completed() {
            initialise::idle(&self.mark, here(), || self.inner.wait());
        }
    }

    /// As [`Once::wait`], but waits on if the `Once` is poisoned.
    #[inline]
    #[track_caller]
    pub fn wait_force(&self) {
        if !self.inner.is_completed() {
            initialise::idle(&self.mark, here(), || self.inner.wait_force());
        }
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
