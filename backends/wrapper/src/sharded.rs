//! Numbers that several threads write at once, each in a place of its own.

use crate::lazy::Lazy;

/// Places: threads that fight for one lock are few, and those of one program
/// have numbers that follow each other.
const SHARDS: usize = 4;

/// A `T` for a fourth of the threads each: two of them that write at the same
/// time rarely fetch a line from each other.
#[derive(Debug)]
pub(crate) struct Sharded<T> {
    shards: [Lazy<T>; SHARDS],
}

impl<T> Default for Sharded<T> {
    fn default() -> Self {
        Self { shards: core::array::from_fn(|_| Lazy::default()) }
    }
}

impl<T: Default + Send + Sync> Sharded<T> {
    /// Where the thread with this number writes, among others.
    #[inline]
    pub(crate) fn of_thread(&self, thread: u32) -> &T {
        self.shards[thread as usize % SHARDS].get_or_make()
    }

    /// Those that anybody has written.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.shards.iter().filter_map(Lazy::get)
    }

    /// Those of `other` that anybody has written, with ours of the same threads.
    pub(crate) fn pairs<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a T, &'a T)> {
        let both = self.shards.iter().zip(&other.shards);
        both.filter_map(|(ours, theirs)| Some((ours, theirs.get()?)))
            .map(|(ours, theirs)| (ours.get_or_make(), theirs))
    }
}
