//! What a mutant remembers from one call to the next.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lockscope_core::sync::{AtomicPtr, Ordering};

/// A mutex of each process for itself. A fork begins anew: that nobody in it gives
/// back what other threads held is the matter of one mutant, and not of every one
/// that remembers something.
#[derive(Debug)]
pub(crate) struct OwnMutex<T>(AtomicPtr<Own<T>>);

#[derive(Debug)]
struct Own<T> {
    process: u32,
    mutex: Mutex<T>,
}

impl<T: Default + Send> OwnMutex<T> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(core::ptr::null_mut()))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.own().mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn own(&self) -> &Own<T> {
        let process = std::process::id();
        // Acquire, here and below: pairs with the exchange that has put it there.
        let mut known = self.0.load(Ordering::Acquire);
        loop {
            // SAFETY: null, or one that was put there, which lives for ever.
            if let Some(own) = unsafe { known.as_ref() }
                && own.process == process
            {
                return own;
            }
            let own = Box::into_raw(Box::new(Own { process, mutex: Mutex::default() }));
            match self.0.compare_exchange(known, own, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => known = own,
                Err(faster) => {
                    // SAFETY: it is of `into_raw` above, and nobody has seen it.
                    drop(unsafe { Box::from_raw(own) });
                    known = faster;
                }
            }
        }
    }
}

/// Of locks, by their ids, as a rule.
#[derive(Debug)]
pub(crate) struct Memory<K, V>(OwnMutex<HashMap<K, V>>);

impl<K: Eq + Hash + Send, V: Copy + Send> Memory<K, V> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self(OwnMutex::new())
    }

    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut HashMap<K, V>) -> R) -> R {
        act(&mut self.0.lock())
    }

    /// What was noted first.
    pub(crate) fn first(&self, key: K, value: V) -> V {
        self.with(|memory| *memory.entry(key).or_insert(value))
    }
}

/// Of a lock of a simulated program: no real one stands in the first pages.
pub(crate) fn is_simulated(address: usize) -> bool {
    address < 1 << 16
}
