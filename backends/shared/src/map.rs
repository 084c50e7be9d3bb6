//! Where records are found that no slot leads to: a hash map in parts, so that
//! threads that look for different things do not wait for each other.
//!
//! A record is handed out, not lent: nothing of the map is locked while anybody
//! looks into it. In a build for models the parts are locked by the model's own
//! locks, because a model cannot see dashmap's; so what models check is how the
//! map is used, and not dashmap.

use core::hash::{BuildHasherDefault, Hash};

use rustc_hash::FxHasher;

type Hasher = BuildHasherDefault<FxHasher>;

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub(crate) use built::Map;
#[cfg(any(lockscope_loom, lockscope_shuttle))]
pub(crate) use modelled::Map;

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod built {
    use dashmap::{DashMap, Entry};
    use lockscope_core::sync::Arc;

    use super::{Hash, Hasher};

    /// Values by key.
    #[derive(Debug)]
    pub(crate) struct Map<K: Eq + Hash, V>(DashMap<K, Arc<V>, Hasher>);

    impl<K: Eq + Hash, V> Default for Map<K, V> {
        fn default() -> Self {
            Self(DashMap::default())
        }
    }

    impl<K: Copy + Eq + Hash, V> Map<K, V> {
        /// The value of `key`.
        pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
            self.0.get(key).map(|value| Arc::clone(&value))
        }

        /// Whether `key` has a value.
        pub(crate) fn has(&self, key: &K) -> bool {
            self.0.contains_key(key)
        }

        /// The value of `key`, which is made if it has none, and whether it was.
        pub(crate) fn get_or_make(&self, key: K, make: impl FnOnce() -> V) -> (Arc<V>, bool) {
            match self.0.entry(key) {
                Entry::Occupied(entry) => (Arc::clone(entry.get()), false),
                Entry::Vacant(entry) => (Arc::clone(&entry.insert(Arc::new(make()))), true),
            }
        }

        /// Gives `key` this value.
        pub(crate) fn insert(&self, key: K, value: Arc<V>) {
            self.0.insert(key, value);
        }

        /// Takes the value of `key` out.
        pub(crate) fn remove(&self, key: &K) -> Option<Arc<V>> {
            self.0.remove(key).map(|(_, value)| value)
        }

        /// All of them as a list, part by part.
        pub(crate) fn entries(&self) -> Vec<(K, Arc<V>)> {
            self.0.iter().map(|entry| (*entry.key(), Arc::clone(entry.value()))).collect()
        }

        /// Takes all out, and gives their memory back.
        pub(crate) fn clear(&self) {
            self.0.clear();
            self.shrink();
        }

        /// Gives back what memory it does not need.
        pub(crate) fn shrink(&self) {
            self.0.shrink_to_fit();
        }
    }
}

#[cfg(any(lockscope_loom, lockscope_shuttle))]
mod modelled {
    use core::hash::BuildHasher;
    use std::collections::HashMap;

    use lockscope_core::sync::{Arc, PoisonError, RwLock};

    use super::{Hash, Hasher};

    /// Enough for two threads to be in different ones.
    const PARTS: usize = 2;

    type Part<K, V> = HashMap<K, Arc<V>, Hasher>;

    /// As the other.
    #[derive(Debug)]
    pub(crate) struct Map<K: Eq + Hash, V>([RwLock<Part<K, V>>; PARTS]);

    impl<K: Eq + Hash, V> Default for Map<K, V> {
        fn default() -> Self {
            Self(core::array::from_fn(|_| RwLock::new(Part::default())))
        }
    }

    impl<K: Copy + Eq + Hash, V> Map<K, V> {
        fn part(&self, key: &K) -> &RwLock<Part<K, V>> {
            // The upper half: a part finds its places by the lower.
            &self.0[(Hasher::default().hash_one(key) >> 32) as usize % PARTS]
        }

        fn read<R>(part: &RwLock<Part<K, V>>, act: impl FnOnce(&Part<K, V>) -> R) -> R {
            act(&part.read().unwrap_or_else(PoisonError::into_inner))
        }

        fn write<R>(part: &RwLock<Part<K, V>>, act: impl FnOnce(&mut Part<K, V>) -> R) -> R {
            act(&mut part.write().unwrap_or_else(PoisonError::into_inner))
        }

        pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
            Self::read(self.part(key), |part| part.get(key).cloned())
        }

        pub(crate) fn has(&self, key: &K) -> bool {
            Self::read(self.part(key), |part| part.contains_key(key))
        }

        pub(crate) fn get_or_make(&self, key: K, make: impl FnOnce() -> V) -> (Arc<V>, bool) {
            Self::write(self.part(&key), |part| {
                let found = part.get(&key).cloned();
                let is_new = found.is_none();
                let value = found.unwrap_or_else(|| Arc::new(make()));
                part.insert(key, value.clone());
                (value, is_new)
            })
        }

        pub(crate) fn insert(&self, key: K, value: Arc<V>) {
            Self::write(self.part(&key), |part| part.insert(key, value));
        }

        pub(crate) fn remove(&self, key: &K) -> Option<Arc<V>> {
            Self::write(self.part(key), |part| part.remove(key))
        }

        pub(crate) fn entries(&self) -> Vec<(K, Arc<V>)> {
            let list = |part: &Part<K, V>| {
                part.iter().map(|(key, value)| (*key, Arc::clone(value))).collect::<Vec<_>>()
            };
            self.0.iter().flat_map(|part| Self::read(part, list)).collect()
        }

        pub(crate) fn clear(&self) {
            self.0.iter().for_each(|part| Self::write(part, Part::clear));
        }

        pub(crate) fn shrink(&self) {}
    }
}
