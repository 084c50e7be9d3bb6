//! A value that is written once.

use std::fmt;

use super::initialise::{self, Attempt, KIND};
use super::mark::Mark;
use crate::watch::here;

/// A value that is written once: [`std::sync::OnceLock`], watched.
///
/// Once written, it costs what std's does.
///
/// ```
/// use lockscope::sync::OnceLock;
///
/// static NAME: OnceLock<String> = OnceLock::named("name");
///
/// assert_eq!(NAME.get(), None);
/// assert_eq!(NAME.get_or_init(|| "lockscope".to_owned()), "lockscope");
/// assert_eq!(NAME.set("other".to_owned()), Err("other".to_owned()));
/// ```
///
/// Its size is 56 bytes more than std's, rounded up to a multiple of 8.
pub struct OnceLock<T> {
    mark: Mark<KIND>,
    inner: std::sync::OnceLock<T>,
}

const _: () = assert!(size_of::<OnceLock<u64>>() == size_of::<std::sync::OnceLock<u64>>() + 56);

impl<T> OnceLock<T> {
    /// An empty cell; the caller's line is its creation site.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new() -> Self {
        Self { mark: Mark::new(), inner: std::sync::OnceLock::new() }
    }

    /// As [`OnceLock::new`], with a name by which reports call it.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Self { mark: Mark::named(name), inner: std::sync::OnceLock::new() }
    }

    /// The value, if it is written.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.inner.get()
    }

    /// The value, if it is written.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// The value, after waiting until somebody has written it.
    #[inline]
    #[track_caller]
    pub fn wait(&self) -> &T {
        match self.inner.get() {
            Some(value) => value,
            None => initialise::idle(&self.mark, here(), || self.inner.wait()),
        }
    }

    /// Writes `value`, after waiting for whoever is initialising the cell.
    ///
    /// # Errors
    ///
    /// Gives `value` back if another has been written.
    #[inline]
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        if self.inner.get().is_none() {
            self.initialise(|| match value.take() {
                Some(value) => value,
                None => unreachable!("an initialiser is called at most once"),
            });
        }
        value.map_or(Ok(()), Err)
    }

    /// The value, which `f` makes if nobody has written it yet.
    ///
    /// # Panics
    ///
    /// If `f` panics; the cell stays empty.
    #[inline]
    #[track_caller]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        match self.inner.get() {
            Some(value) => value,
            None => self.initialise(f),
        }
    }

    #[cold]
    #[track_caller]
    fn initialise(&self, f: impl FnOnce() -> T) -> &T {
        let attempt = Attempt::begin(&self.mark, here());
        let value = self.inner.get_or_init(|| {
            let _hold = attempt.runs();
            f()
        });
        attempt.succeeded();
        value
    }

    /// The value, if it was written, of a cell that is at its end.
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Takes the value out and leaves an empty cell.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A clone is a cell of its own, made by whoever clones, and has no name.
impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { mark: Mark::new(), inner: self.inner.clone() }
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self { mark: Mark::new(), inner: value.into() }
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
