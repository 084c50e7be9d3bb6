//! The pads that a thread was lent, found by lock and call site.

use core::ptr;

use crate::pad::Pad;
use crate::site::CallSite;
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, IS_MODEL, Ordering};

/// So many are remembered; each has its place, and takes it from another.
const PLACES: usize = if IS_MODEL { 1 } else { 16 };
const _: () = assert!(PLACES.is_power_of_two());

/// Written and read by its thread alone; atomic because a thread's state is
/// shared.
#[derive(Debug)]
pub(crate) struct Pads([Place; PLACES]);

#[derive(Debug)]
struct Place {
    /// The lock's id: ids are never reused, and a lock that is dropped is asked
    /// for by nobody. 0 for an empty place.
    lock: AtomicU64,
    site: AtomicUsize,
    /// The session that lent it.
    generation: AtomicU32,
    pad: AtomicPtr<Pad>,
}

impl Pads {
    pub(crate) fn new() -> Self {
        Self(core::array::from_fn(|_| Place {
            lock: AtomicU64::new(0),
            site: AtomicUsize::new(0),
            generation: AtomicU32::new(0),
            pad: AtomicPtr::new(ptr::null_mut()),
        }))
    }

    #[inline]
    fn place(&self, lock: u64, site: CallSite) -> &Place {
        // Call sites are structures of three words.
        &self.0[(lock as usize ^ site.0 >> 3) & (PLACES - 1)]
    }

    /// Leaves a hold of `lock` on the pad that the session `generation` has lent
    /// for `site`, if it has, and if that has room.
    ///
    /// # Safety
    ///
    /// - The caller is the thread, inside the bracket of that session.
    /// - It owns the lock alone, which has this id and was not dropped.
    #[inline]
    pub(crate) unsafe fn leave(
        &self,
        generation: u32,
        lock: u64,
        site: CallSite,
        hold_ticks: u64,
    ) -> bool {
        let place = self.place(lock, site);
        if place.lock.load(Ordering::Relaxed) != lock
            || place.site.load(Ordering::Relaxed) != site.0
            || place.generation.load(Ordering::Relaxed) != generation
        {
            return false;
        }
        // SAFETY: who lent it in this session has promised that it lives until the
        // session is over, or the lock was dropped, and that nobody but the lock's
        // owners write to it.
        unsafe { &*place.pad.load(Ordering::Relaxed) }.push(hold_ticks)
    }

    /// Remembers what the session `generation` has lent.
    pub(crate) fn remember(&self, generation: u32, lock: u64, site: CallSite, pad: *const Pad) {
        let place = self.place(lock, site);
        place.lock.store(lock, Ordering::Relaxed);
        place.site.store(site.0, Ordering::Relaxed);
        place.generation.store(generation, Ordering::Relaxed);
        place.pad.store(pad.cast_mut(), Ordering::Relaxed);
    }

    /// Forgets all: the thread is another one.
    pub(crate) fn forget(&self) {
        self.0.iter().for_each(|place| place.lock.store(0, Ordering::Relaxed));
    }
}

#[cfg(all(test, not(any(lockscope_loom, lockscope_shuttle))))]
mod tests {
    use super::*;

    const SITE: CallSite = CallSite(24);

    fn leave(pads: &Pads, generation: u32, lock: u64, site: CallSite) -> bool {
        // SAFETY: every pad here lives as long as the test that lends it, which is
        // alone.
        unsafe { pads.leave(generation, lock, site, 5) }
    }

    #[test]
    fn a_hold_is_left_where_it_belongs_and_nowhere_else() {
        let (pads, pad) = (Pads::new(), Pad::default());
        assert!(!leave(&pads, 3, 7, SITE), "nothing was lent");
        pads.remember(3, 7, SITE, &raw const pad);
        assert!(leave(&pads, 3, 7, SITE));
        for (generation, lock, site) in
            [(2, 7, SITE), (4, 7, SITE), (3, 8, SITE), (3, 7 + PLACES as u64, SITE)]
        {
            assert!(!leave(&pads, generation, lock, site), "{generation} {lock}");
        }
        assert!(!leave(&pads, 3, 7, CallSite(24 + 8 * PLACES)));
        assert_eq!(pad.holds(), 1);
    }

    #[test]
    fn a_full_pad_takes_no_more() {
        let (pads, pad) = (Pads::new(), Pad::default());
        pads.remember(3, 7, SITE, &raw const pad);
        let left = (0..20).filter(|_| leave(&pads, 3, 7, SITE)).count();
        assert_eq!(left as u64, pad.holds());
        assert!(left < 20);
    }

    #[test]
    fn another_thread_finds_nothing_of_the_one_before() {
        let (pads, pad) = (Pads::new(), Pad::default());
        pads.remember(3, 7, SITE, &raw const pad);
        pads.forget();
        assert!(!leave(&pads, 3, 7, SITE));
    }

    #[test]
    fn two_that_share_a_place_take_it_from_each_other() {
        let (pads, one, other) = (Pads::new(), Pad::default(), Pad::default());
        pads.remember(3, 7, SITE, &raw const one);
        pads.remember(3, 7 + PLACES as u64, SITE, &raw const other);
        assert!(!leave(&pads, 3, 7, SITE));
        assert!(leave(&pads, 3, 7 + PLACES as u64, SITE));
        assert_eq!((one.holds(), other.holds()), (0, 1));
    }
}
