//! The reader-writer lock and its guards.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{LockResult, TryLockResult};

use lockscope_core::event::{LockKind, Mode};

use super::hold::{self, Held, Hold, Way};
use super::mark::Mark;
use crate::watch::here;

const KIND: u32 = LockKind::RWLOCK.0;

/// A lock that many readers or one writer may hold: [`std::sync::RwLock`],
/// watched.
///
/// Readers and writers are recorded apart:
///
/// ```
/// use lockscope::sync::{RwLock, RwLockWriteGuard};
///
/// let table = RwLock::named("table", vec![1, 2]);
/// let mut rows = table.write().unwrap();
/// rows.push(3);
/// // From here on as a reader, whom other readers may join.
/// let rows = RwLockWriteGuard::downgrade(rows);
/// assert_eq!(rows.len(), table.read().unwrap().len());
/// ```
///
/// Its size is 56 bytes more than std's, rounded up to a multiple of 8.
pub struct RwLock<T: ?Sized> {
    mark: Mark<KIND>,
    inner: std::sync::RwLock<T>,
}

const _: () = {
    assert!(size_of::<RwLock<()>>() == 72);
    use std::sync as original;

    assert!(size_of::<RwLock<u64>>() == 80 && align_of::<RwLock<u64>>() == 8);
    assert!(size_of::<RwLock<u64>>() == size_of::<original::RwLock<u64>>() + 56);
    let read = size_of::<original::RwLockReadGuard<'_, u64>>();
    assert!(size_of::<RwLockReadGuard<'_, u64>>() == read + 16);
    let write = size_of::<original::RwLockWriteGuard<'_, u64>>();
    assert!(size_of::<RwLockWriteGuard<'_, u64>>() == write + 16);
};

struct Reading<'a, T: ?Sized>(&'a std::sync::RwLock<T>);

impl<T: ?Sized> Clone for Reading<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> Copy for Reading<'_, T> {}

impl<'a, T: ?Sized> Way for Reading<'a, T> {
    const MODE: Mode = Mode::SHARED;
    type Guard = std::sync::RwLockReadGuard<'a, T>;

    #[inline(always)]
    fn block(self) -> LockResult<Self::Guard> {
        self.0.read()
    }

    #[inline(always)]
    fn attempt(self) -> TryLockResult<Self::Guard> {
        self.0.try_read()
    }
}

struct Writing<'a, T: ?Sized>(&'a std::sync::RwLock<T>);

impl<T: ?Sized> Clone for Writing<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> Copy for Writing<'_, T> {}

impl<'a, T: ?Sized> Way for Writing<'a, T> {
    const MODE: Mode = Mode::EXCLUSIVE;
    type Guard = std::sync::RwLockWriteGuard<'a, T>;

    #[inline(always)]
    fn block(self) -> LockResult<Self::Guard> {
        self.0.write()
    }

    #[inline(always)]
    fn attempt(self) -> TryLockResult<Self::Guard> {
        self.0.try_write()
    }
}

impl<T> RwLock<T> {
    /// A free lock around `value`; the caller's line is its creation site.
    #[inline]
    #[track_caller]
    pub const fn new(value: T) -> Self {
        Self { mark: Mark::new(), inner: std::sync::RwLock::new(value) }
    }

    /// As [`RwLock::new`], with a name by which reports call it.
    ///
    /// Several locks may share a name.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str, value: T) -> Self {
        Self { mark: Mark::named(name), inner: std::sync::RwLock::new(value) }
    }

    /// The value, of a lock that is at its end.
    ///
    /// # Errors
    ///
    /// If a panic has poisoned the lock; the error holds the value.
    #[inline]
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Locks as a reader, after waiting until no writer is in the way.
    ///
    /// # Errors
    ///
    /// If a panic of a writer has poisoned the lock; the error holds the guard.
    ///
    /// # Panics
    ///
    /// May panic or wait forever if this thread holds the lock already, as
    /// std's does.
    #[inline(always)]
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let (result, token) = hold::acquire(&self.mark, Reading(&self.inner));
        hold::map_lock(result, |inner| RwLockReadGuard {
            held: Held::new(Hold::new(&self.mark, token), inner),
        })
    }

    /// Locks as a reader if no writer is in the way.
    ///
    /// # Errors
    ///
    /// - `WouldBlock` if a writer holds the lock.
    /// - `Poisoned` if a panic has poisoned it; the error holds the guard.
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let (result, token) = hold::attempt(&self.mark, Reading(&self.inner));
        hold::map_try(result, |inner| RwLockReadGuard {
            held: Held::new(Hold::new(&self.mark, token), inner),
        })
    }

    /// Locks as the writer, after waiting until nobody is in the way.
    ///
    /// # Errors
    ///
    /// If a panic of a writer has poisoned the lock; the error holds the guard.
    ///
    /// # Panics
    ///
    /// May panic or wait forever if this thread holds the lock already, as
    /// std's does.
    #[inline(always)]
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let (result, token) = hold::acquire(&self.mark, Writing(&self.inner));
        hold::map_lock(result, |inner| RwLockWriteGuard {
            held: Held::new(Hold::new(&self.mark, token), inner),
        })
    }

    /// Locks as the writer if nobody is in the way.
    ///
    /// # Errors
    ///
    /// - `WouldBlock` if anybody holds the lock.
    /// - `Poisoned` if a panic has poisoned it; the error holds the guard.
    #[inline]
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let (result, token) = hold::attempt(&self.mark, Writing(&self.inner));
        hold::map_try(result, |inner| RwLockWriteGuard {
            held: Held::new(Hold::new(&self.mark, token), inner),
        })
    }

    /// Whether a panic of a writer has poisoned the lock.
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
    /// If a panic has poisoned the lock; the error holds the reference.
    #[inline]
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// An [`RwLock`] held by a reader: gives its value to look at, and unlocks
/// when dropped.
///
/// Its size is 16 bytes more than std's. Like that one it stays on its thread:
///
/// ```compile_fail,E0277
/// static LOCK: lockscope::sync::RwLock<u32> = lockscope::sync::RwLock::new(0);
/// let guard = LOCK.read().unwrap();
/// std::thread::spawn(move || drop(guard));
/// ```
///
/// while another thread may look through it:
///
/// ```
/// static LOCK: lockscope::sync::RwLock<u32> = lockscope::sync::RwLock::new(0);
/// let guard = LOCK.read().unwrap();
/// std::thread::scope(|scope| scope.spawn(|| assert_eq!(*guard, 0)).join()).unwrap();
/// ```
#[must_use = "a guard that is not kept unlocks its lock at once"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized + 'a> {
    held: Held<'a, std::sync::RwLockReadGuard<'a, T>, KIND>,
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.held.guard()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.guard().fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.guard().fmt(f)
    }
}

/// An [`RwLock`] held by its writer: gives access to its value, and unlocks
/// when dropped.
///
/// Its size is 16 bytes more than std's. Like that one it stays on its thread:
///
/// ```compile_fail,E0277
/// static LOCK: lockscope::sync::RwLock<u32> = lockscope::sync::RwLock::new(0);
/// let guard = LOCK.write().unwrap();
/// std::thread::spawn(move || drop(guard));
/// ```
///
/// while another thread may look through it:
///
/// ```
/// static LOCK: lockscope::sync::RwLock<u32> = lockscope::sync::RwLock::new(0);
/// let guard = LOCK.write().unwrap();
/// std::thread::scope(|scope| scope.spawn(|| assert_eq!(*guard, 0)).join()).unwrap();
/// ```
#[must_use = "a guard that is not kept unlocks its lock at once"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized + 'a> {
    held: Held<'a, std::sync::RwLockWriteGuard<'a, T>, KIND>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on as a reader, without giving the lock away in between.
    ///
    /// The writer's hold ends here, and the reader's begins.
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, T> {
        let (hold, guard) = s.held.into_parts();
        let mark = hold.end();
        let guard = std::sync::RwLockWriteGuard::downgrade(guard);
        RwLockReadGuard { held: Held::new(Hold::begin(mark, Mode::SHARED, here()), guard) }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.held.guard()
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.held.guard_mut()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.guard().fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.held.guard().fmt(f)
    }
}
