//! Who waits where, and who has woken them: so that a wait is charged to the operation
//! that has ended it, and that is looked for only while somebody waits.

use lockscope_core::CallSite;
use lockscope_core::sync::{AtomicU32, AtomicUsize, Ordering};

const PLACES: usize = 1 << 10;

/// What is known of the words that belong here.
///
/// Relaxed, where nothing else is said: the word that is waited at is ordered by its own
/// lock, whose owner has changed it before it wakes; the kernel compares it before a
/// thread sleeps. Who is missed, is charged to nobody.
#[repr(align(64))]
struct Place {
    /// How many threads wait at them.
    threads: AtomicU32,
    /// Which of them was woken last.
    word: AtomicUsize,
    /// And from where. Of another word, if two were woken at one moment from two threads:
    /// then that is charged with this wait.
    waker: AtomicUsize,
}

static WAITING: [Place; PLACES] = [const {
    Place { threads: AtomicU32::new(0), word: AtomicUsize::new(0), waker: AtomicUsize::new(0) }
}; PLACES];

fn place_of(word: usize) -> &'static Place {
    // Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4).
    let hash = (word as u64 >> 2).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    &WAITING[(hash >> (64 - PLACES.ilog2())) as usize]
}

/// The caller is about to wait at `word`.
pub(crate) fn begin(word: usize) {
    place_of(word).threads.fetch_add(1, Ordering::Relaxed);
}

/// The caller waits no more.
pub(crate) fn end(word: usize) {
    place_of(word).threads.fetch_sub(1, Ordering::Relaxed);
}

/// Whether a thread may wait at `word`.
pub(crate) fn is_waited_at(word: usize) -> bool {
    place_of(word).threads.load(Ordering::Relaxed) != 0
}

/// Whoever waits at `word` is about to be woken from `site`.
pub(crate) fn note_waker(word: usize, site: CallSite) {
    let place = place_of(word);
    place.waker.store(site.0, Ordering::Relaxed);
    // Release: pairs with the acquire below.
    place.word.store(word, Ordering::Release);
}

/// From where the threads were woken last that waited at `word`.
pub(crate) fn waker_of(word: usize) -> CallSite {
    let place = place_of(word);
    // Acquire: pairs with the release above.
    if place.word.load(Ordering::Acquire) == word {
        CallSite(place.waker.load(Ordering::Relaxed))
    } else {
        CallSite::UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waker_is_that_of_its_word() {
        let [word, other] = [0x5000, 0x5004];
        assert!(!is_waited_at(word));
        begin(word);
        assert!(is_waited_at(word));
        note_waker(word, CallSite(7));
        assert_eq!(waker_of(word), CallSite(7));
        assert_eq!(waker_of(other), CallSite::UNKNOWN);
        end(word);
        assert!(!is_waited_at(word));
    }
}
