//! `Condvar`: a condition variable that knows where it was made.

use core::mem::{ManuallyDrop, transmute_copy};
use std::panic::Location;
use std::time::{Duration, Instant};

use lock_api::{MutexGuard, WaitTimeoutResult};

use super::probed::{Place, Probed};
use super::raw_condvar::{BareCondvar, CondvarOf, MutexOf};
use super::site;
use super::storage::{Storage, WithSlot, WithoutSlot};

type Inner<C, S> = lock_api::Condvar<CondvarOf<C, S>>;
type Guard<'a, C, S, T> = MutexGuard<'a, MutexOf<<C as lock_api::RawCondvar>::RawMutex, S>, T>;

/// A condition variable over the raw one `C` that keeps its words in `S`.
///
/// It is a `lock_api::Condvar` in all but its constructors and the call sites
/// of its waits, which that type does not pass on.
#[repr(transparent)]
pub struct ProbedCondvar<C, S: Storage>(Inner<C, S>);

/// `lock_api` makes a condition variable only of its raw type's constant; this
/// one makes it of any.
const fn from_raw<C, S: Storage>(raw: CondvarOf<C, S>) -> ProbedCondvar<C, S> {
    const {
        assert!(size_of::<Inner<C, S>>() == size_of::<CondvarOf<C, S>>());
        assert!(align_of::<Inner<C, S>>() == align_of::<CondvarOf<C, S>>());
    };
    let raw = ManuallyDrop::new(raw);
    // SAFETY:
    // - `Condvar<C>` contains a `C`, to which `Condvar::raw` refers. As both
    //   are of one size, the `C` is all there is, at offset 0.
    // - `raw` is copied once and never dropped here, so it is moved.
    ProbedCondvar(unsafe { transmute_copy::<ManuallyDrop<CondvarOf<C, S>>, Inner<C, S>>(&raw) })
}

impl<C: lock_api::RawCondvar, const LATE: bool> ProbedCondvar<C, WithSlot<LATE>> {
    /// A condition variable that is known by the line that makes it.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        from_raw(Probed::with(WithSlot::made_at(Location::caller()), C::INIT))
    }

    /// A condition variable that reports call `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        from_raw(Probed::with(WithSlot::named_at(Location::caller(), name), C::INIT))
    }
}

impl<C: lock_api::RawCondvar> ProbedCondvar<C, WithoutSlot> {
    /// A condition variable that is known by its address.
    #[inline]
    pub const fn new() -> Self {
        from_raw(Probed::with(WithoutSlot, C::INIT))
    }
}

impl<C: BareCondvar, S: Storage> ProbedCondvar<C, S> {
    /// The raw condition variable.
    #[inline]
    pub fn raw(&self) -> &CondvarOf<C, S> {
        self.0.raw()
    }

    /// Wakes one waiting thread; false if none waited.
    #[inline]
    pub fn notify_one(&self) -> bool {
        self.0.notify_one()
    }

    /// Wakes all waiting threads, and says how many.
    #[inline]
    pub fn notify_all(&self) -> usize {
        self.0.notify_all()
    }

    /// Gives the mutex away until it is called.
    ///
    /// # Panics
    ///
    /// If other threads wait on this condition variable with another mutex.
    #[inline]
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, guard: &mut Guard<'_, C, S, T>) {
        site::around(|| self.0.wait(guard));
    }

    /// As [`wait`](Self::wait), as long as `condition` holds.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait), and if `condition` does.
    #[inline]
    #[track_caller]
    pub fn wait_while<T, F>(&self, guard: &mut Guard<'_, C, S, T>, mut condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut **guard) {
            self.wait(guard);
        }
    }

    /// As [`wait`](Self::wait), but no longer than until `timeout`.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[inline]
    #[track_caller]
    pub fn wait_until<T: ?Sized>(
        &self,
        guard: &mut Guard<'_, C, S, T>,
        timeout: Instant,
    ) -> WaitTimeoutResult {
        site::around(|| self.0.wait_until(guard, timeout))
    }

    /// As [`wait`](Self::wait), but no longer than `timeout`.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[inline]
    #[track_caller]
    pub fn wait_for<T: ?Sized>(
        &self,
        guard: &mut Guard<'_, C, S, T>,
        timeout: Duration,
    ) -> WaitTimeoutResult {
        site::around(|| self.0.wait_for(guard, timeout))
    }

    /// As [`wait_while`](Self::wait_while), but no longer than until `timeout`.
    ///
    /// # Panics
    ///
    /// As [`wait_while`](Self::wait_while).
    #[inline]
    #[track_caller]
    pub fn wait_while_until<T, F>(
        &self,
        guard: &mut Guard<'_, C, S, T>,
        condition: F,
        timeout: Instant,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        let _withdraw = site::Announcement;
        self.0.wait_while_until(guard, announcing(condition, Location::caller()), timeout)
    }

    /// As [`wait_while`](Self::wait_while), but no longer than `timeout`.
    ///
    /// # Panics
    ///
    /// As [`wait_while`](Self::wait_while).
    #[inline]
    #[track_caller]
    pub fn wait_while_for<T, F>(
        &self,
        guard: &mut Guard<'_, C, S, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        let _withdraw = site::Announcement;
        self.0.wait_while_for(guard, announcing(condition, Location::caller()), timeout)
    }
}

/// The same condition, which announces `place` before each wait.
fn announcing<T: ?Sized>(
    mut condition: impl FnMut(&mut T) -> bool,
    place: Place,
) -> impl FnMut(&mut T) -> bool {
    move |value| {
        let waits = condition(value);
        if waits {
            site::announce(place);
        }
        waits
    }
}

impl<C: lock_api::RawCondvar, const LATE: bool> Default for ProbedCondvar<C, WithSlot<LATE>> {
    #[inline]
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<C: lock_api::RawCondvar> Default for ProbedCondvar<C, WithoutSlot> {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl<C, S: Storage> core::ops::Deref for ProbedCondvar<C, S> {
    type Target = Inner<C, S>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<C: BareCondvar, S: Storage> core::fmt::Debug for ProbedCondvar<C, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}
