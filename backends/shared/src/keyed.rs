//! A short list of values by key that only grows, up to a limit.
//!
//! For the call sites of one lock: few, found by walking, added by anybody at
//! any time, read by snapshots without a lock.

use core::ptr;

use lockscope_core::sync::{AtomicPtr, Ordering};

/// Values by key; each key once.
#[derive(Debug)]
pub struct Keyed<K, V> {
    /// The newest node, which leads to all others; null while there are none.
    head: Head<K, V>,
}

type Head<K, V> = AtomicPtr<Node<K, V>>;

/// One value. Its key and its neighbour never change once it is in a list.
///
/// Aligned to a line: the numbers of two locks that two threads use must not
/// share one.
#[derive(Debug)]
#[repr(align(64))]
pub struct Node<K, V> {
    /// What it is found by.
    pub key: K,
    /// How many keys the list holds up to this one, catch-alls apart.
    keys: u32,
    next: *const Node<K, V>,
    /// What is found.
    pub value: V,
}

/// How many keys a list may hold, and the key for what comes beyond.
#[derive(Clone, Copy, Debug)]
pub struct Limit<K> {
    /// How many keys.
    pub keys: u32,
    /// The key for what comes beyond.
    pub catch_all: K,
}

/// What [`Keyed::find_or_add`] found.
#[derive(Debug)]
pub struct Found<'a, K, V> {
    /// The value, with its key.
    pub node: &'a Node<K, V>,
    /// The list is full, and the catch-all's value stands in for the key's.
    pub merged: bool,
}

// SAFETY: `next` points to a node of the same list, which lives as long; keys
// and values are Send by the bounds.
unsafe impl<K: Send, V: Send> Send for Node<K, V> {}
// SAFETY: `next` is never written after publication; keys and values are Sync.
unsafe impl<K: Sync, V: Sync> Sync for Node<K, V> {}

impl<K, V> Default for Keyed<K, V> {
    fn default() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()) }
    }
}

impl<K: Copy + Eq + Send + Sync, V: Default + Send + Sync> Keyed<K, V> {
    /// The value of `key`, or, in a full list, that of `limit.catch_all`.
    #[inline]
    pub fn find_or_add(&self, key: K, limit: Limit<K>) -> Found<'_, K, V> {
        match self.iter().find(|node| node.key == key) {
            Some(node) => Found { node, merged: false },
            None => self.add(key, limit),
        }
    }

    #[cold]
    fn add(&self, key: K, limit: Limit<K>) -> Found<'_, K, V> {
        self.add_by(key, limit, publish)
    }

    /// Adds a node unless it is there by now. `publish` makes it the head of
    /// the list if nobody has been faster.
    pub(crate) fn add_by(
        &self,
        key: K,
        limit: Limit<K>,
        publish: impl Fn(&Head<K, V>, *mut Node<K, V>, *mut Node<K, V>) -> bool,
    ) -> Found<'_, K, V> {
        loop {
            // Acquire: pairs with the release in `publish`; nodes are initialised.
            let head = self.head.load(Ordering::Acquire);
            if let Some(node) = self.from(head).find(|node| node.key == key) {
                return Found { node, merged: false };
            }
            let keys = self.from(head).next().map_or(0, |newest| newest.keys);
            let full = keys >= limit.keys;
            // What is the catch-all's own key is not merged into anything.
            let merged = full && key != limit.catch_all;
            if merged && let Some(node) = self.from(head).find(|node| node.key == limit.catch_all) {
                return Found { node, merged };
            }
            let fresh = Box::into_raw(Box::new(Node {
                key: if merged { limit.catch_all } else { key },
                keys: if full { keys } else { keys + 1 },
                next: head,
                value: V::default(),
            }));
            if publish(&self.head, head, fresh) {
                // SAFETY: in the list since this moment, and for its life.
                return Found { node: unsafe { &*fresh }, merged };
            }
            // Somebody was faster, perhaps with the same key: look again.
            // SAFETY: it was boxed above and nobody else has seen it.
            drop(unsafe { Box::from_raw(fresh) });
        }
    }

    /// All nodes, newest first.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &Node<K, V>> {
        // Acquire: pairs with the release in `publish`.
        self.from(self.head.load(Ordering::Acquire))
    }

    #[inline]
    fn from(&self, head: *const Node<K, V>) -> impl Iterator<Item = &Node<K, V>> {
        let mut next = head;
        core::iter::from_fn(move || {
            // SAFETY:
            // - `head` was read from this list with acquire, or is null;
            // - nodes are freed by `drop` alone, which borrows mutably.
            let node = unsafe { next.as_ref() }?;
            next = node.next;
            Some(node)
        })
    }
}

/// Makes `fresh` the head of a list whose head was `seen`; false if it is not
/// any more. The models that check its orderings are `keyed_…` in `models.rs`.
pub(crate) fn publish<N>(head: &AtomicPtr<N>, seen: *mut N, fresh: *mut N) -> bool {
    // Release: publishes the node. Relaxed on failure: the head is read again.
    head.compare_exchange(seen, fresh, Ordering::Release, Ordering::Relaxed).is_ok()
}

impl<K, V> Drop for Keyed<K, V> {
    fn drop(&mut self) {
        let mut next = self.head.load(Ordering::Relaxed);
        while !next.is_null() {
            // SAFETY: it came from `Box::into_raw`, and `self` is borrowed
            // mutably, so nobody walks the list.
            let node = unsafe { Box::from_raw(next) };
            next = node.next.cast_mut();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockscope_core::sync::AtomicU64;

    const FOUR: Limit<u32> = Limit { keys: 4, catch_all: 0 };

    fn count(list: &Keyed<u32, AtomicU64>, key: u32) -> bool {
        let found = list.find_or_add(key, FOUR);
        found.node.value.fetch_add(1, Ordering::Relaxed);
        found.merged
    }

    fn counts(list: &Keyed<u32, AtomicU64>) -> Vec<(u32, u64)> {
        let mut all: Vec<_> =
            list.iter().map(|node| (node.key, node.value.load(Ordering::Relaxed))).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn a_key_keeps_its_value() {
        let list = Keyed::default();
        for key in [5, 6, 5, 5] {
            assert!(!count(&list, key));
        }
        assert_eq!(counts(&list), [(5, 3), (6, 1)]);
    }

    #[test]
    fn what_comes_beyond_the_limit_is_merged_and_said() {
        let list = Keyed::default();
        let merged: Vec<bool> = (1..=7).map(|key| count(&list, key)).collect();
        assert_eq!(merged, [false, false, false, false, true, true, true]);
        assert!(!count(&list, 2));
        assert!(!count(&list, 0), "the catch-all's own key is not merged");
        assert_eq!(counts(&list), [(0, 4), (1, 1), (2, 2), (3, 1), (4, 1)]);
    }

    #[test]
    fn racing_adders_share_one_node_and_keep_the_limit() {
        for _ in 0..30 {
            let list = Keyed::default();
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        (1..=6).for_each(|key| {
                            count(&list, key);
                        });
                    });
                }
            });
            let counts = counts(&list);
            assert_eq!(counts.iter().map(|(_, n)| n).sum::<u64>(), 18);
            assert_eq!(counts.len(), 5, "four keys and the catch-all: {counts:?}");
        }
    }
}
