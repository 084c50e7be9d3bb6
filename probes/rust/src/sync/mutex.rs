//! The mutex and its guard.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, TryLockResult};

use lockscope_core::event::{LockKind, Mode};

use super::hold::{self, Held, Hold, Way};
use super::mark::Mark;

pub(super) const KIND: u32 = LockKind::MUTEX.0;

/// A mutual-exclusion lock around a value: [`std::sync::Mutex`], watched.
///
/// It knows the line that made it, and perhaps a name:
///
/// ```
/// use lockscope::sync::Mutex;
///
/// static HITS: Mutex<u64> = Mutex::named("hits", 0);
///
/// if let Ok(mut hits) = HITS.lock() {
///     *hits += 1;
/// }
/// assert_eq!(size_of_val(&HITS), size_of::<std::sync::Mutex<u64>>() + 56);
/// ```
///
/// Its size is 56 bytes more than std's, rounded up to a multiple of 8.
pub struct Mutex<T: ?Sized> {
    mark: Mark<KIND>,
    inner: std::sync::Mutex<T>,
}

const _: () = {
    assert!(size_of::<Mutex<()>>() == 64);
    assert!(size_of::<Mutex<u64>>() == 72 && align_of::<Mutex<u64>>() == 8);
    assert!(size_of::<Mutex<u64>>() == size_of::<std::sync::Mutex<u64>>() + 56);
    assert!(size_of::<MutexGuard<'_, u64>>() == size_of::<std::sync::MutexGuard<'_, u64>>() + 16);
};

struct Locking<'a, T: ?Sized>(&'a std::sync::Mutex<T>);

impl<T: ?Sized> Clone for Locking<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> Copy for Locking<'_, T> {}

impl<'a, T: ?Sized> Way for Locking<'a, T> {
    const MODE: Mode = Mode::EXCLUSIVE;
    type Guard = std::sync::MutexGuard<'a, T>;

    #[inline(always)]
    fn block(self) -> LockResult<Self::Guard> {
        self.0.lock()
    }

    #[inline(always)]
    fn attempt(self) -> TryLockResult<Self::Guard> {
        self.0.try_lock()
    }
}

impl<T> Mutex<T> {
    /// A free mutex around `value`; the caller's line is its creation site.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self { mark: Mark::new(), inner: std::sync::Mutex::new(value) }
    }

    /// As [`Mutex::new`], with a name by which reports call it.
    ///
    /// Several mutexes may share a name.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, value: T) -> Self {
        Self { mark: Mark::named(name), inner: std::sync::Mutex::new(value) }
    }

    /// The value, of a mutex that is at its end.
    ///
    /// # Errors
    ///
    /// If a panic has poisoned the mutex; the error holds the value.
    #[inline]
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Locks, after waiting until the mutex is free.
    ///
    /// # Errors
    ///
    /// If a panic has poisoned the mutex; the error holds the guard.
    ///
    /// # Panics
    ///
    /// May panic or wait forever if this thread holds the mutex already, as
    /// std's does.
    #[inline(always)]
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let (result, token) = hold::acquire(&self.mark, Locking(&self.inner));
        hold::map_lock(result, |inner| MutexGuard::new(Hold::new(&self.mark, token), inner))
    }

    /// Locks if the mutex is free.
    ///
    /// # Errors
    ///
    /// - `WouldBlock` if somebody holds the mutex.
    /// - `Poisoned` if a panic has poisoned it; the error holds the guard.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let (result, token) = hold::attempt(&self.mark, Locking(&self.inner));
        hold::map_try(result, |inner| MutexGuard::new(Hold::new(&self.mark, token), inner))
    }

    /// Whether a panic has poisoned the mutex.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// Declares what a panic left behind to be sound.
    #[inline]
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// The value; no locking, since nobody else can be there.
    ///
    /// # Errors
    ///
    /// If a panic has poisoned the mutex; the error holds the reference.
    #[inline]
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A locked [`Mutex`]: gives access to its value, and unlocks when dropped.
///
/// Its size is 16 bytes more than std's. Like that one it stays on its thread:
///
/// ```compile_fail,E0277
/// static LOCK: lockscope::sync::Mutex<u32> = lockscope::sync::Mutex::new(0);
/// let guard = LOCK.lock().unwrap();
/// std::thread::spawn(move || drop(guard));
/// ```
///
/// while another thread may look through it:
///
/// ```
/// static LOCK: lockscope::sync::Mutex<u32> = lockscope::sync::Mutex::new(0);
/// let guard = LOCK.lock().unwrap();
/// std::thread::scope(|scope| scope.spawn(|| assert_eq!(*guard, 0)).join()).unwrap();
/// ```
#[must_use = "a guard that is not kept unlocks its mutex at once"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    held: Held<'a, std::sync::MutexGuard<'a, T>, KIND>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    #[inline(always)]
    pub(super) fn new(hold: Hold<'a, KIND>, guard: std::sync::MutexGuard<'a, T>) -> Self {
        Self { held: Held::new(hold, guard) }
    }

    pub(super) fn into_parts(self) -> (Hold<'a, KIND>, std::sync::MutexGuard<'a, T>) {
        self.held.into_parts()
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.held.guard()
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.held.guard_mut()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.guard().fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.guard().fmt(f)
    }
}
