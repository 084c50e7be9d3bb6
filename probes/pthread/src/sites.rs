//! A table of call sites by the addresses of locks: one place for many locks, in which
//! the last one stands.

use core::ops::Deref;

use lockscope_core::CallSite;
use lockscope_core::sync::{AtomicU64, Ordering};

const SITE_BITS: u32 = 48;

/// A word on a line to itself, so that two locks that two threads use do not share one.
#[repr(align(64))]
pub(crate) struct OwnLine(AtomicU64);

impl OwnLine {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Deref for OwnLine {
    type Target = AtomicU64;

    #[inline(always)]
    fn deref(&self) -> &AtomicU64 {
        &self.0
    }
}

/// The table: a power of two of places, no more than 2¹⁶.
///
/// The word in a place is the call site, and above it 16 bits that tell its locks
/// apart, so that it can be written without any order. Whoever asks for a lock whose
/// place another has taken is told nothing; or once in 2¹⁶ times, of that other.
pub(crate) struct Sites<T, const PLACES: usize>(pub(crate) [T; PLACES]);

impl<T: Deref<Target = AtomicU64>, const PLACES: usize> Sites<T, PLACES> {
    #[inline(always)]
    fn place_of(&self, address: usize) -> (&AtomicU64, u64) {
        // Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4): the upper
        // bits depend on all of the address. The tag is the address's own lower bits, but
        // for those that are always 0, in which locks that share a place differ.
        let hash = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = (hash >> (64 - PLACES.ilog2())) as usize % PLACES;
        (&self.0[place], address as u64 >> 3 << SITE_BITS)
    }

    /// Of the lock at `address`, it is `site` from now on.
    #[inline(always)]
    pub(crate) fn note(&self, address: usize, site: CallSite) {
        let (place, tag) = self.place_of(address);
        // Relaxed: one word, which says of which lock it is.
        place.store(site.0 as u64 ^ tag, Ordering::Relaxed);
    }

    /// Of the lock at `address`, it is none.
    pub(crate) fn forget(&self, address: usize) {
        if self.of(address).is_known() {
            self.note(address, CallSite::UNKNOWN);
        }
    }

    /// That of the lock at `address`.
    #[inline(always)]
    pub(crate) fn of(&self, address: usize) -> CallSite {
        let (place, tag) = self.place_of(address);
        let site = place.load(Ordering::Relaxed) ^ tag;
        if site >> SITE_BITS == 0 { CallSite(site as usize) } else { CallSite::UNKNOWN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Sites<OwnLine, 4096> = Sites([const { OwnLine::new() }; 4096]);

    #[test]
    fn the_last_that_was_noted_is_found() {
        let places: Vec<usize> = (0..8).map(|place| 0x7fff_0000_1000 + place * 40).collect();
        for address in &places {
            TABLE.note(*address, CallSite(*address + 1));
        }
        for address in &places {
            assert_eq!(TABLE.of(*address), CallSite(*address + 1));
        }
        assert_eq!(TABLE.of(0x1234_5678), CallSite::UNKNOWN);
        TABLE.forget(places[0]);
        assert_eq!(TABLE.of(places[0]), CallSite::UNKNOWN);
    }
}
