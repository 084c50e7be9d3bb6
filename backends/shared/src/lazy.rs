//! Memory that is allocated when it is first written.

use core::ptr;

use lockscope_core::sync::{AtomicPtr, Ordering};

/// A `T` that costs one pointer until somebody needs it.
#[derive(Debug)]
pub(crate) struct Lazy<T> {
    /// Null, or a box that this owns. Set once.
    place: AtomicPtr<T>,
}

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self { place: AtomicPtr::new(ptr::null_mut()) }
    }
}

impl<T: Default + Send + Sync> Lazy<T> {
    /// The value, if anybody has needed it.
    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        // Acquire: pairs with the release in `make`; the box is initialised.
        let place = self.place.load(Ordering::Acquire);
        // SAFETY:
        // - not null, it came from `Box::into_raw` in `make`;
        // - it is freed by `drop` alone, which borrows `self` mutably.
        unsafe { place.as_ref() }
    }

    /// The value, made now if nobody has needed it before.
    #[inline]
    pub(crate) fn get_or_make(&self) -> &T {
        match self.get() {
            Some(value) => value,
            None => self.make(),
        }
    }

    #[cold]
    fn make(&self) -> &T {
        self.make_by(publish)
    }

    /// Makes the value, and has `publish` put it into the empty place or say
    /// what is there.
    pub(crate) fn make_by(
        &self,
        publish: impl FnOnce(&AtomicPtr<T>, *mut T) -> Result<(), *mut T>,
    ) -> &T {
        let fresh = Box::into_raw(Box::<T>::default());
        let place = match publish(&self.place, fresh) {
            Ok(()) => fresh,
            Err(winner) => {
                // SAFETY: it was boxed above and nobody else has seen it.
                drop(unsafe { Box::from_raw(fresh) });
                winner
            }
        };
        // SAFETY: as in `get`.
        unsafe { &*place }
    }
}

/// Puts `fresh` into an empty place, or says what is there. The models that
/// check its orderings are `lazy_…` in `models.rs`.
pub(crate) fn publish<T>(place: &AtomicPtr<T>, fresh: *mut T) -> Result<(), *mut T> {
    // Release: publishes the box. Acquire on failure: the winner's.
    let (stored, seen) = (Ordering::Release, Ordering::Acquire);
    place.compare_exchange(ptr::null_mut(), fresh, stored, seen).map(drop)
}

impl<T> Drop for Lazy<T> {
    fn drop(&mut self) {
        let place = self.place.load(Ordering::Relaxed);
        if !place.is_null() {
            // SAFETY: it came from `Box::into_raw`, and `self` is borrowed
            // mutably, so nobody holds a reference from `get`.
            drop(unsafe { Box::from_raw(place) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockscope_core::sync::AtomicU64;

    #[test]
    fn nothing_is_there_until_it_is_needed() {
        let lazy = Lazy::<AtomicU64>::default();
        assert!(lazy.get().is_none());
        lazy.get_or_make().store(7, Ordering::Relaxed);
        assert_eq!(lazy.get().map(|n| n.load(Ordering::Relaxed)), Some(7));
    }

    #[test]
    fn racing_makers_get_one_value() {
        for _ in 0..50 {
            let lazy = Lazy::<AtomicU64>::default();
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| lazy.get_or_make().fetch_add(1, Ordering::Relaxed));
                }
            });
            assert_eq!(lazy.get().map(|n| n.load(Ordering::Relaxed)), Some(3));
        }
    }
}
