//! A value that is made at its first use.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::initialise::{Attempt, KIND};
use super::mark::Mark;
use crate::watch::here;

/// A value that is made at its first use: [`std::sync::LazyLock`], watched.
///
/// Once made, it costs what std's does.
///
/// ```
/// use lockscope::sync::LazyLock;
///
/// static SQUARES: LazyLock<Vec<u32>> =
///     LazyLock::named("squares", || (0..10).map(|n| n * n).collect());
///
/// assert_eq!(SQUARES[3], 9);
/// ```
///
/// Its size is 60 bytes more than std's, rounded up to a multiple of 8.
pub struct LazyLock<T, F = fn() -> T> {
    mark: Mark<KIND>,
    /// Where threads meet before the first use. std's own lock cannot say
    /// whether it ran the initialiser; this one, around it, can.
    turn: std::sync::Once,
    inner: std::sync::LazyLock<T, F>,
}

const _: () = assert!(size_of::<LazyLock<u64>>() == size_of::<std::sync::LazyLock<u64>>() + 64);

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `f` will make; the caller's line is its creation site.
    #[inline]
    #[track_caller]
    pub const fn new(f: F) -> Self {
        let inner = std::sync::LazyLock::new(f);
        Self { mark: Mark::new(), turn: std::sync::Once::new(), inner }
    }

    /// As [`LazyLock::new`], with a name by which reports call it.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, f: F) -> Self {
        let inner = std::sync::LazyLock::new(f);
        Self { mark: Mark::named(name), turn: std::sync::Once::new(), inner }
    }

    /// The value, which is made now if this is its first use.
    ///
    /// # Panics
    ///
    /// If the initialiser panics, or did so before.
    #[inline]
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        match std::sync::LazyLock::get(&this.inner) {
            Some(value) => value,
            None => Self::force_slow(this, here()),
        }
    }

    #[cold]
    fn force_slow(this: &Self, site: lockscope_core::CallSite) -> &T {
        let attempt = Attempt::begin(&this.mark, site);
        // Poison is left to the inner lock: whoever comes after a panic gets
        // its turn, and there the panic that std has for it.
        this.turn.call_once_force(|_| {
            let _hold = attempt.runs();
            std::sync::LazyLock::force(&this.inner);
        });
        attempt.succeeded();
        std::sync::LazyLock::force(&this.inner)
    }

    /// As [`LazyLock::force`], for an owner.
    ///
    /// # Panics
    ///
    /// If the initialiser panics, or did so before.
    #[inline]
    pub fn force_mut(this: &mut Self) -> &mut T {
        std::sync::LazyLock::force_mut(&mut this.inner)
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it has been made.
    #[inline]
    pub fn get(this: &Self) -> Option<&T> {
        std::sync::LazyLock::get(&this.inner)
    }

    /// The value, if it has been made.
    #[inline]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        std::sync::LazyLock::get_mut(&mut this.inner)
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[inline]
    #[track_caller]
    fn deref(&self) -> &T {
        Self::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        Self::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
