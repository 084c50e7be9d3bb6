//! The newest holds of an exclusive lock, not yet added up.
//!
//! Where every operation is recorded, adding up is what a sample costs most:
//! the place of a hold in the histogram follows from the time that has just
//! been read, and the unlock waits for it. Written down first and added up
//! fifteen at a time, that wait is gone.

use lockscope_core::sync::{AtomicU64, IS_MODEL, Ordering, fence, pause};

/// How many: with the word before them, two cache lines.
const ROOM: usize = if IS_MODEL { 1 } else { 15 };
/// How often a look is repeated that was overtaken. Each takes as long as a few
/// operations of the lock.
const PATIENCE: u32 = 1_000;

const LEN: u64 = 0xff;
/// Set while what is here is being added up, when it is in two places.
const SETTLING: u64 = 1 << 8;
/// The version counts how often they were added up.
const VERSION: u64 = 1 << 9;

/// Holds in ticks, each standing for itself.
///
/// A sequence lock: its owner writes, anybody may look.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Recent {
    /// [`LEN`], [`SETTLING`], and the version above them.
    word: AtomicU64,
    ticks: [AtomicU64; ROOM],
}

impl Default for Recent {
    fn default() -> Self {
        Self { word: AtomicU64::new(0), ticks: core::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

/// Holds that are being added up, in ticks.
pub(crate) struct Settled<'a>(core::slice::Iter<'a, AtomicU64>);

impl Iterator for Settled<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0.next().map(|place| place.load(Ordering::Relaxed))
    }
}

impl Recent {
    /// Writes one down; false if there is no room. The caller is the only one
    /// who writes.
    #[inline]
    pub(crate) fn push(&self, ticks: u64) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        let Some(place) = self.ticks.get((word & LEN) as usize) else { return false };
        place.store(ticks, Ordering::Relaxed);
        // Release: who sees the length sees what it counts. Pairs with the
        // acquire in `read_with`.
        self.word.store(word + 1, Ordering::Release);
        true
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.word.load(Ordering::Relaxed) & LEN
    }

    /// Hands all of them to `add`, and forgets them. The caller is the only one
    /// who writes.
    pub(crate) fn settle(&self, add: impl FnOnce(Settled<'_>)) {
        let word = self.word.load(Ordering::Relaxed);
        self.word.store(word | SETTLING, Ordering::Relaxed);
        // Release: who reads a sum as `add` has left it reads the mark as well.
        // Pairs with the acquire fence in `read_with`.
        fence(Ordering::Release);
        let places = &self.ticks[..(word & LEN) as usize];
        add(Settled(places.iter()));
        // Release: who sees the new version sees the sums.
        self.word.store((word / VERSION + 1) * VERSION, Ordering::Release);
    }

    /// What `read` finds, and those that are not in it, at one time.
    ///
    /// After a thousand attempts, on a lock that is taken all the while, the
    /// newest are left out: they are younger than this look.
    pub(crate) fn read_with<T>(&self, read: impl Fn() -> T) -> (T, Vec<u64>) {
        for _ in 0..PATIENCE {
            if let Some(found) = self.try_read_with(&read) {
                return found;
            }
            pause();
        }
        (read(), Vec::new())
    }

    /// As [`Recent::read_with`]; `None` if it was overtaken.
    pub(crate) fn try_read_with<T>(&self, read: impl Fn() -> T) -> Option<(T, Vec<u64>)> {
        // Acquire: pairs with the releases in `push` and `settle`.
        let before = self.word.load(Ordering::Acquire);
        if before & SETTLING != 0 {
            return None;
        }
        let found = read();
        let places = &self.ticks[..(before & LEN) as usize];
        let newest = places.iter().map(|place| place.load(Ordering::Relaxed)).collect();
        // The reading side of a sequence lock: keeps the loads above before the
        // one below. Model: `recent`.
        fence(Ordering::Acquire);
        let after = self.word.load(Ordering::Relaxed);
        (after / VERSION == before / VERSION && after & SETTLING == 0).then_some((found, newest))
    }
}

/// The twin of the model: the code above with a bug seeded into it.
#[cfg(all(test, lockscope_loom))]
impl Recent {
    /// Adds up without saying so.
    pub(crate) fn settle_with_a_bug(&self, add: impl FnOnce(Settled<'_>)) {
        let word = self.word.load(Ordering::Relaxed);
        add(Settled(self.ticks[..(word & LEN) as usize].iter()));
        self.word.store(word & !LEN, Ordering::Release);
    }
}

#[cfg(all(test, not(any(lockscope_loom, lockscope_shuttle))))]
mod tests {
    use super::*;

    fn held(recent: &Recent, sum: &AtomicU64) -> u64 {
        let (settled, newest) = recent.read_with(|| sum.load(Ordering::Relaxed));
        settled + newest.iter().sum::<u64>()
    }

    #[test]
    fn what_is_pushed_is_seen_before_and_after_it_is_settled() {
        let (recent, sum) = (Recent::default(), AtomicU64::new(0));
        for ticks in 1..=ROOM as u64 {
            assert!(recent.push(ticks));
            assert_eq!(held(&recent, &sum), ticks * (ticks + 1) / 2);
        }
        assert!(!recent.push(7), "there is no room");
        let all = held(&recent, &sum);
        for _ in 0..3 {
            recent.settle(|ticks| {
                sum.fetch_add(ticks.sum(), Ordering::Relaxed);
            });
            assert_eq!((held(&recent, &sum), sum.load(Ordering::Relaxed)), (all, all));
        }
        assert!(recent.push(5));
        assert_eq!(held(&recent, &sum), all + 5);
    }

    #[test]
    fn a_look_meanwhile_sees_each_once() {
        let (recent, sum) = (Recent::default(), AtomicU64::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..100_000 {
                    if !recent.push(1) {
                        recent.settle(|ticks| {
                            sum.fetch_add(ticks.sum(), Ordering::Relaxed);
                        });
                        assert!(recent.push(1));
                    }
                }
            });
            let mut before = 0;
            while before < 90_000 {
                let now = held(&recent, &sum);
                assert!(now + ROOM as u64 >= before, "{before} then {now}");
                before = before.max(now);
            }
        });
        assert_eq!(held(&recent, &sum), 100_000);
    }
}
