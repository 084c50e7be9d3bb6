//! Numbers that several threads write at once, each in a place of its own.

use lockscope_core::sync::{AtomicU32, Ordering};

use crate::lazy::Lazy;
use crate::writer::{Alone, Among, Writer};

/// Threads that have a place of their own: those that fight for one lock at one
/// call site are few. Those that come later share one more.
const OWNED: usize = 3;

/// A `T` for each of the first threads, and one for all others.
#[derive(Debug)]
pub(crate) struct Sharded<T> {
    owned: [Shard<T>; OWNED],
    shared: Lazy<T>,
}

#[derive(Debug)]
struct Shard<T> {
    /// The kernel's number of the thread that writes here; 0 for none yet.
    ///
    /// Relaxed: a number stands for one thread at a time, and one that gets the
    /// number of a thread that has ended finds what that has written, since the
    /// kernel orders the one's end before the other's beginning.
    owner: AtomicU32,
    value: Lazy<T>,
}

impl<T> Default for Sharded<T> {
    fn default() -> Self {
        Self {
            owned: core::array::from_fn(|_| Shard {
                owner: AtomicU32::new(0),
                value: Lazy::default(),
            }),
            shared: Lazy::default(),
        }
    }
}

/// What is written to a `T` of a [`Sharded`], alone or among others.
pub(crate) trait Write<T> {
    /// Writes it.
    fn write<W: Writer>(&self, to: &T);
}

impl<T: Default + Send + Sync> Sharded<T> {
    /// Writes `what` where the thread with this number, the caller, writes; 0 is a
    /// thread that is not known.
    #[inline]
    pub(crate) fn write(&self, thread: u32, what: &impl Write<T>) {
        let own = |shard: &&Shard<T>| thread != 0 && shard.belongs_to(thread);
        match self.owned.iter().find(own) {
            Some(shard) => what.write::<Alone>(shard.value.get_or_make()),
            None => what.write::<Among>(self.shared.get_or_make()),
        }
    }

    /// Adds what another has, to where anybody writes.
    pub(crate) fn absorb(&self, what: &impl Write<T>) {
        what.write::<Among>(self.shared.get_or_make());
    }

    /// Those that anybody has written.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let owned = self.owned.iter().filter_map(|shard| shard.value.get());
        owned.chain(self.shared.get())
    }
}

impl<T> Shard<T> {
    /// Whether the thread writes here: it does from now on if nobody did.
    #[inline]
    fn belongs_to(&self, thread: u32) -> bool {
        let owner = self.owner.load(Ordering::Relaxed);
        owner == thread || owner == 0 && self.claim(thread)
    }

    #[cold]
    fn claim(&self, thread: u32) -> bool {
        self.owner.compare_exchange(0, thread, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(all(test, not(any(lockscope_loom, lockscope_shuttle))))]
mod tests {
    use super::*;
    use lockscope_core::sync::AtomicU64;

    struct Add(u64);

    impl Write<AtomicU64> for Add {
        fn write<W: Writer>(&self, to: &AtomicU64) {
            W::add(to, self.0);
        }
    }

    fn values(sharded: &Sharded<AtomicU64>) -> Vec<u64> {
        sharded.iter().map(|value| value.load(Ordering::Relaxed)).collect()
    }

    #[test]
    fn the_first_threads_have_places_of_their_own_and_the_others_one() {
        let sharded = Sharded::default();
        for thread in [11, 12, 11, 13, 14, 15, 12, 14] {
            sharded.write(thread, &Add(u64::from(thread)));
        }
        assert_eq!(values(&sharded), [22, 24, 13, 43]);
        sharded.absorb(&Add(7));
        assert_eq!(values(&sharded), [22, 24, 13, 50]);
    }

    #[test]
    fn a_thread_that_is_not_known_takes_no_place() {
        let sharded = Sharded::default();
        for thread in [0, 11, 0, 12, 13, 0] {
            sharded.write(thread, &Add(1));
        }
        assert_eq!(values(&sharded), [1, 1, 1, 3]);
    }

    #[test]
    fn racing_threads_lose_nothing() {
        let sharded = Sharded::default();
        std::thread::scope(|scope| {
            for thread in 1..=6 {
                let sharded = &sharded;
                scope.spawn(move || (0..5_000).for_each(|_| sharded.write(thread, &Add(1))));
            }
        });
        assert_eq!(values(&sharded).iter().sum::<u64>(), 30_000);
    }
}
