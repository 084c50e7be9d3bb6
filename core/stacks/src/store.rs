//! Stacks, each kept once, under a number that stays.
//!
//! A stack is found by its hash in a table of open addressing: the places that it
//! may have are tried one after the other, from the one that the hash names. A place
//! that is taken stays so, and what stands there never changes. So whoever looks for
//! a stack comes by the same places in the same order, and finds it before the first
//! empty one, if it was kept; and of two who keep one stack at one time, one is
//! refused at that place by the other, looks at it again, and finds the stack there.
//! That is why a stack has one number only (models `store_…`).
//!
//! Nobody waits, nothing is freed, and what does not fit is refused and counted.

use lockscope_core::sync::{AtomicU32, AtomicU64, IS_MODEL, Ordering};

use crate::mapped::Mapped;
use crate::{End, MOST_STACKS};

/// Places for twice as many as are kept, so that few have to be tried.
const PLACES: usize = if IS_MODEL { 2 } else { 2 * MOST_STACKS as usize };
const _: () = assert!(PLACES.is_power_of_two());
/// So many are tried at most.
const TRIES: usize = if IS_MODEL { 2 } else { 128 };
/// Words for all stacks: what 65,536 stacks take of 30 frames each.
const WORDS: usize = if IS_MODEL { 9 } else { 1 << 21 };
/// Before the frames stand the header and the site.
const BEFORE_FRAMES: usize = 2;

const LEN: u64 = 0xff;
const END_SHIFT: u32 = 8;
const EPOCH_SHIFT: u32 = 10;
const EPOCHS: u32 = 1 << 22;

impl End {
    fn bits(self) -> u64 {
        match self {
            Self::Whole => 0,
            Self::Deeper => 1,
            Self::Unknown => 2,
        }
    }

    fn of_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::Whole,
            1 => Self::Deeper,
            _ => Self::Unknown,
        }
    }
}

/// A stack that is to be kept, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stack<'a> {
    /// Where the operation stands, as its probe names places.
    pub(crate) site: usize,
    /// Return addresses, the innermost first; 255 at most.
    pub(crate) frames: &'a [u64],
    pub(crate) end: End,
}

/// A stack that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) site: usize,
    pub(crate) frames: Vec<u64>,
    pub(crate) end: End,
    /// Which objects the program had when it was kept first.
    pub(crate) epoch: u32,
}

#[derive(Debug)]
pub(crate) struct Store {
    /// Where in `words` a stack begins; 0 for an empty place.
    places: Mapped<AtomicU32>,
    /// Stacks one behind the other, from 1: a header, the site, the frames. The
    /// header has the number of frames, the end, the epoch, and half of the hash.
    words: Mapped<AtomicU64>,
    /// The first word that is free; beyond the last once there is none.
    free: AtomicU32,
    /// How many are kept.
    stacks: AtomicU32,
    /// How many may be kept.
    limit: AtomicU32,
}

impl Store {
    /// # Errors
    ///
    /// What the kernel says, if it has no room.
    pub(crate) fn new(limit: u32) -> std::io::Result<Self> {
        Ok(Self {
            places: Mapped::new(PLACES)?,
            words: Mapped::new(WORDS)?,
            free: AtomicU32::new(1),
            stacks: AtomicU32::new(0),
            limit: AtomicU32::new(limit),
        })
    }

    /// So many may be kept from now on. Those that are there stay.
    pub(crate) fn set_limit(&self, limit: u32) {
        // Relaxed: a number.
        self.limit.store(limit.min(MOST_STACKS), Ordering::Relaxed);
    }

    /// How many are kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u32 {
        self.stacks.load(Ordering::Relaxed)
    }

    /// The number of a stack that is kept.
    #[inline]
    pub(crate) fn find(&self, stack: &Stack<'_>) -> Option<u32> {
        let hash = hash(stack);
        for place in tries(hash) {
            // Acquire: pairs with the release in `publish`; the words are written.
            match self.places.as_slice()[place].load(Ordering::Acquire) {
                0 => return None,
                number if self.is(number, hash, stack) => return Some(number),
                _ => {}
            }
        }
        None
    }

    /// Keeps a stack, unless it is kept by now: its number, or `None` if there is
    /// no room for it.
    pub(crate) fn keep(&self, stack: &Stack<'_>, epoch: u32) -> Option<u32> {
        self.keep_by(stack, epoch, publish)
    }

    /// `publish` puts a number into a place unless another is there, which it
    /// returns then.
    pub(crate) fn keep_by(
        &self,
        stack: &Stack<'_>,
        epoch: u32,
        publish: impl Fn(&AtomicU32, u32) -> Result<(), u32>,
    ) -> Option<u32> {
        let hash = hash(stack);
        let mut written = None;
        for place in tries(hash) {
            let place = &self.places.as_slice()[place];
            // Acquire: as in `find`.
            let mut there = place.load(Ordering::Acquire);
            if there == 0 {
                let fresh = match written {
                    Some(fresh) => fresh,
                    None => *written.insert(self.write(hash, stack, epoch)?),
                };
                match publish(place, fresh) {
                    Ok(()) => {
                        self.stacks.fetch_add(1, Ordering::Relaxed);
                        return Some(fresh);
                    }
                    // Somebody was faster, perhaps with this very stack. What was
                    // written for nothing is not used again: that is rare, and no
                    // more than one stack for each thread that comes too late.
                    Err(other) => there = other,
                }
            }
            if self.is(there, hash, stack) {
                return Some(there);
            }
        }
        None
    }

    /// Writes a stack down where nobody looks for it yet.
    fn write(&self, hash: u64, stack: &Stack<'_>, epoch: u32) -> Option<u32> {
        if self.stacks.load(Ordering::Relaxed) >= self.limit.load(Ordering::Relaxed) {
            return None;
        }
        let len = (stack.frames.len() + BEFORE_FRAMES) as u32;
        let is_room = |free: u32| free.checked_add(len).filter(|end| *end <= WORDS as u32);
        // Relaxed: whose words they are, atomicity alone decides.
        let number = self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_room).ok()?;
        let words = &self.words.as_slice()[number as usize..(number + len) as usize];
        let header = header(hash, stack) | u64::from(epoch % EPOCHS) << EPOCH_SHIFT;
        let values = [header, stack.site as u64].into_iter().chain(stack.frames.iter().copied());
        for (word, value) in words.iter().zip(values) {
            // Relaxed: published by the release in `publish`.
            word.store(value, Ordering::Relaxed);
        }
        Some(number)
    }

    /// Whether it is this stack that is kept under `number`.
    #[inline]
    fn is(&self, number: u32, hash: u64, stack: &Stack<'_>) -> bool {
        // Relaxed: whoever has the number has it with acquire.
        let word = |at: usize| self.words.as_slice()[number as usize + at].load(Ordering::Relaxed);
        word(0) & !EPOCH_BITS == header(hash, stack)
            && word(1) == stack.site as u64
            && stack.frames.iter().enumerate().all(|(at, frame)| word(BEFORE_FRAMES + at) == *frame)
    }

    /// The stack that is kept under `number`; `None` if none is.
    pub(crate) fn get(&self, number: usize) -> Option<Found> {
        // Relaxed: the number came by way of somebody who had kept the stack, and of
        // whatever has brought it here from there.
        let word = |at: usize| Some(self.words.as_slice().get(at)?.load(Ordering::Relaxed));
        let header = word(number)?;
        if number == 0 || header == 0 {
            return None;
        }
        let first = number + BEFORE_FRAMES;
        let frames = (first..first + (header & LEN) as usize).map(word).collect::<Option<_>>()?;
        Some(Found {
            site: word(number + 1)? as usize,
            frames,
            end: End::of_bits(header >> END_SHIFT),
            epoch: (header >> EPOCH_SHIFT) as u32 % EPOCHS,
        })
    }
}

const EPOCH_BITS: u64 = ((EPOCHS - 1) as u64) << EPOCH_SHIFT;

/// All of the header but the epoch. Never 0: that is an empty word.
#[inline]
fn header(hash: u64, stack: &Stack<'_>) -> u64 {
    (hash | 1 << 63) & !(u64::MAX >> 32)
        | stack.end.bits() << END_SHIFT
        | stack.frames.len() as u64 & LEN
}

/// The places that a stack with this hash may have, in order.
#[inline]
fn tries(hash: u64) -> impl Iterator<Item = usize> {
    (0..TRIES).map(move |step| (hash as usize).wrapping_add(step) % PLACES)
}

/// Rotates and multiplies word by word, and mixes in the end what a multiplication
/// leaves in the upper bits into the lower ones.
#[inline]
fn hash(stack: &Stack<'_>) -> u64 {
    // The golden ratio's digits (Knuth, The Art of Computer Programming, 6.4).
    let step =
        |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash =
        stack.frames.iter().fold(step(0, stack.site as u64), |hash, frame| step(hash, *frame));
    hash ^ hash >> 32
}

/// Puts `number` into an empty place, or returns what is there.
fn publish(place: &AtomicU32, number: u32) -> Result<(), u32> {
    // Release: publishes the words. Acquire: if another's is there, its words are
    // read. Models: `store_…`.
    place.compare_exchange(0, number, Ordering::Release, Ordering::Acquire).map(drop)
}

#[cfg(all(test, not(any(lockscope_loom, lockscope_shuttle))))]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn stack(site: usize, frames: &[u64]) -> Stack<'_> {
        Stack { site, frames, end: End::Whole }
    }

    #[test]
    fn what_is_kept_is_found_as_it_was() {
        let store = Store::new(10).unwrap();
        let frames = [7, 8, 9];
        let whole = stack(5, &frames);
        assert_eq!(store.find(&whole), None);
        let number = store.keep(&whole, 3).unwrap();
        assert_eq!(store.find(&whole), Some(number));
        assert_eq!(store.keep(&whole, 4), Some(number), "whatever the program has loaded since");
        let found = Found { site: 5, frames: frames.to_vec(), end: End::Whole, epoch: 3 };
        assert_eq!(store.get(number as usize), Some(found));
        for other in [
            stack(6, &frames),
            stack(5, &frames[..2]),
            stack(5, &[7, 8, 10]),
            stack(5, &[]),
            Stack { end: End::Deeper, ..whole },
        ] {
            assert_ne!(store.keep(&other, 3), Some(number), "{other:?}");
        }
        assert_eq!(store.len(), 6);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_what_is_there_stays() {
        let store = Store::new(2).unwrap();
        let numbers: Vec<_> = (0..4).map(|site| store.keep(&stack(site, &[1]), 0)).collect();
        assert!(numbers[0].is_some() && numbers[1].is_some());
        assert_eq!(numbers[2..], [None, None]);
        assert_eq!(store.keep(&stack(1, &[1]), 0), numbers[1]);
        store.set_limit(3);
        assert!(store.keep(&stack(2, &[1]), 0).is_some());
    }

    #[test]
    fn words_run_out_before_places_do() {
        let store = Store::new(MOST_STACKS).unwrap();
        let frames = [3; 128];
        let kept = (0..MOST_STACKS as usize)
            .take_while(|site| store.keep(&stack(*site, &frames), 0).is_some())
            .count();
        assert_eq!(kept, (WORDS - 1) / (128 + BEFORE_FRAMES));
        assert_eq!(store.get(WORDS), None);
        assert_eq!(store.get(0), None);
    }

    #[test]
    fn racing_threads_have_one_number_for_one_stack() {
        let store = Store::new(1_000).unwrap();
        let numbers: Vec<Vec<Option<u32>>> = std::thread::scope(|scope| {
            let keep = || (0..500).map(|site| store.keep(&stack(site, &[1, 2]), 0)).collect();
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(keep)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(numbers[0].iter().all(Option::is_some));
        assert_eq!(numbers[0], numbers[1]);
        assert_eq!(numbers[0], numbers[2]);
        assert_eq!(store.len(), 500);
    }

    proptest! {
        /// Against a map, which is what it stands for.
        #[test]
        fn it_is_a_map(
            all in proptest::collection::vec(
                (0..3_usize, proptest::collection::vec(0..3_u64, 0..4), 0..3_u64),
                0..200,
            ),
            limit in 0..40_u32,
        ) {
            let store = Store::new(limit).unwrap();
            let mut map = HashMap::new();
            for (site, frames, end) in &all {
                let stack = Stack { site: *site, frames, end: End::of_bits(*end) };
                let known = map.get(&stack).copied();
                prop_assert_eq!(store.find(&stack), known);
                let number = store.keep(&stack, 0);
                match (known, number) {
                    (Some(known), number) => prop_assert_eq!(number, Some(known)),
                    (None, Some(number)) => {
                        prop_assert!(map.len() < limit as usize);
                        prop_assert!(map.values().all(|other| *other != number));
                        map.insert(stack, number);
                    }
                    (None, None) => prop_assert_eq!(map.len(), limit as usize),
                }
            }
            for (stack, number) in map {
                let found = store.get(number as usize).unwrap();
                prop_assert_eq!((found.site, &*found.frames, found.end),
                    (stack.site, stack.frames, stack.end));
            }
        }
    }
}
