//! A pad: where the holds of an exclusive lock are left, to be added up later.
//!
//! Where every operation is recorded, what a sample costs is not the clock alone
//! but telling: the event, the call, the way to the numbers, and the histogram,
//! for whose bucket the unlock waits because it follows from the time that has
//! just been read. So a backend may lend a probe a pad for what one thread does
//! with one lock at one call site. While it has room, the end of an acquisition
//! is one word there and nothing is told; when it is full, the next one is told
//! as any other, and the backend adds up.

use core::ptr::NonNull;

use crate::sync::{AtomicU64, IS_MODEL, Ordering, fence, pause};

/// How many holds: with the word before them, two cache lines.
const ROOM: usize = if IS_MODEL { 1 } else { 15 };
/// How often a look is repeated that was overtaken. Each takes as long as a few
/// operations of the lock.
const PATIENCE: u32 = 1_000;

const LEN: u64 = 0xff;
/// Set while what is here is being added up, when it is in two places.
const SETTLING: u64 = 1 << 8;
/// The version counts how often they were added up.
const VERSION: u64 = 1 << 9;

/// Holds in ticks, each standing for itself. Its layout is part of the ABI.
///
/// A sequence lock: one at a time writes, the lock's owner, anybody may look.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Pad {
    /// [`LEN`], [`SETTLING`], and the version above them.
    word: AtomicU64,
    ticks: [AtomicU64; ROOM],
}

const _: () = assert!(IS_MODEL || size_of::<Pad>() == 128);

/// A pad that a probe may write to.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Lent(NonNull<Pad>);

#[cfg(feature = "control")]
impl Lent {
    pub(crate) fn as_ptr(self) -> *const Pad {
        self.0.as_ptr()
    }
}

impl Default for Pad {
    fn default() -> Self {
        Self { word: AtomicU64::new(0), ticks: core::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

/// Holds that are being added up, in ticks.
#[derive(Debug)]
pub struct Settled<'a>(core::slice::Iter<'a, AtomicU64>);

impl Iterator for Settled<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        self.0.next().map(|place| place.load(Ordering::Relaxed))
    }
}

impl Pad {
    /// Lends the pad to the probe that has told of an event: see
    /// [`Backend::pad`](crate::backend::Backend::pad).
    ///
    /// # Safety
    ///
    /// - The pad lives until no hook of this generation runs any more, or the
    ///   event's lock was [dropped](crate::hooks::HookTable::dropped).
    /// - Until then nobody writes to it but owners of that lock: the probe, and
    ///   the backend while it is told of an exclusive acquisition of it that did
    ///   not wait.
    #[inline]
    #[must_use]
    pub unsafe fn lend(&self) -> Lent {
        Lent(NonNull::from(self))
    }

    /// Writes one down; false if there is no room. The caller is the only one
    /// who writes.
    #[inline]
    pub fn push(&self, ticks: u64) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        let Some(place) = self.ticks.get((word & LEN) as usize) else { return false };
        place.store(ticks, Ordering::Relaxed);
        // Release: who sees the length sees what it counts. Pairs with the
        // acquire in `read_with`.
        self.word.store(word + 1, Ordering::Release);
        true
    }

    /// How many holds are left here.
    #[must_use]
    pub fn holds(&self) -> u64 {
        self.word.load(Ordering::Relaxed) & LEN
    }

    /// Hands all of them to `add`, and forgets them. The caller is the only one
    /// who writes.
    pub fn settle(&self, add: impl FnOnce(Settled<'_>)) {
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
    pub fn read_with<T>(&self, read: impl Fn() -> T) -> (T, Vec<u64>) {
        for _ in 0..PATIENCE {
            if let Some(found) = self.try_read_with(&read) {
                return found;
            }
            pause();
        }
        (read(), Vec::new())
    }

    /// As [`Pad::read_with`]; `None` if it was overtaken.
    pub fn try_read_with<T>(&self, read: impl Fn() -> T) -> Option<(T, Vec<u64>)> {
        // Acquire: pairs with the releases in `push` and `settle`.
        let before = self.word.load(Ordering::Acquire);
        if before & SETTLING != 0 {
            return None;
        }
        let found = read();
        let places = &self.ticks[..(before & LEN) as usize];
        let newest = places.iter().map(|place| place.load(Ordering::Relaxed)).collect();
        // The reading side of a sequence lock: keeps the loads above before the
        // one below. Model: `pad`.
        fence(Ordering::Acquire);
        let after = self.word.load(Ordering::Relaxed);
        (after / VERSION == before / VERSION && after & SETTLING == 0).then_some((found, newest))
    }
}

/// The twin of the model: the code above with a bug seeded into it.
#[cfg(all(test, lockscope_loom))]
impl Pad {
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

    fn held(pad: &Pad, sum: &AtomicU64) -> u64 {
        let (settled, newest) = pad.read_with(|| sum.load(Ordering::Relaxed));
        settled + newest.iter().sum::<u64>()
    }

    #[test]
    fn what_is_pushed_is_seen_before_and_after_it_is_settled() {
        let (pad, sum) = (Pad::default(), AtomicU64::new(0));
        for ticks in 1..=ROOM as u64 {
            assert!(pad.push(ticks));
            assert_eq!(held(&pad, &sum), ticks * (ticks + 1) / 2);
        }
        assert!(!pad.push(7), "there is no room");
        let all = held(&pad, &sum);
        for _ in 0..3 {
            pad.settle(|ticks| {
                sum.fetch_add(ticks.sum(), Ordering::Relaxed);
            });
            assert_eq!((held(&pad, &sum), sum.load(Ordering::Relaxed)), (all, all));
        }
        assert!(pad.push(5));
        assert_eq!(held(&pad, &sum), all + 5);
    }

    #[test]
    fn a_look_meanwhile_sees_each_once() {
        let (pad, sum) = (Pad::default(), AtomicU64::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..100_000 {
                    if !pad.push(1) {
                        pad.settle(|ticks| {
                            sum.fetch_add(ticks.sum(), Ordering::Relaxed);
                        });
                        assert!(pad.push(1));
                    }
                }
            });
            let mut before = 0;
            while before < 90_000 {
                let now = held(&pad, &sum);
                assert!(now + ROOM as u64 >= before, "{before} then {now}");
                before = before.max(now);
            }
        });
        assert_eq!(held(&pad, &sum), 100_000);
    }
}
