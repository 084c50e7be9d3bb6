//! The pads that a thread was lent, found by lock and call site.

use core::ptr;

use crate::event::LockKind;
use crate::pad::Pad;
use crate::site::CallSite;
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, IS_MODEL, Ordering};

/// So many are remembered; each has its place, and takes it from another.
const PLACES: usize = if IS_MODEL { 1 } else { 16 };
const _: () = assert!(PLACES.is_power_of_two());

/// How often a lock without id has ended, by address.
///
/// Whoever comes to another lock at the same address has learnt of it from somebody who
/// has made it after the first had ended, and so sees the count that it had then.
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
static ENDED: [AtomicU32; 256] = [const { AtomicU32::new(0) }; 256];

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
#[inline]
fn count_of(address: usize) -> &'static AtomicU32 {
    &ENDED[(address >> 4 ^ address >> 12) % ENDED.len()]
}

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
#[inline]
fn ended(address: usize) -> u32 {
    // Relaxed: see `ENDED`.
    count_of(address).load(Ordering::Relaxed)
}

/// In a model, locks have ids.
#[cfg(any(lockscope_loom, lockscope_shuttle))]
fn ended(_: usize) -> u32 {
    0
}

/// A lock without id at this address is no more.
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub(crate) fn end_life(address: usize) {
    // Relaxed: see `ENDED`.
    count_of(address).fetch_add(1, Ordering::Relaxed);
}

/// A lock as long as it lives. Ids are never used again, and a lock that is dropped is
/// asked for by nobody; where a lock has none, its address and its kind stand for it
/// until a lock has ended there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    name: u64,
    ended: u32,
}

impl Life {
    /// Of a lock with this id, if it is not 0, or else of this kind at this address.
    #[inline]
    pub(crate) fn of(id: u64, address: usize, kind: LockKind) -> Self {
        if id != 0 {
            return Self { name: id, ended: 0 };
        }
        // No id comes near the complement of an address.
        let name = !(address as u64) ^ u64::from(kind.0) << 48;
        Self { name, ended: ended(address) }
    }
}

/// Written and read by its thread alone; atomic because a thread's state is
/// shared.
#[derive(Debug)]
pub(crate) struct Pads([Place; PLACES]);

#[derive(Debug)]
struct Place {
    /// The lock's name: see [`Life`]. 0 for an empty place.
    lock: AtomicU64,
    /// The rest of its [`Life`].
    ended: AtomicU32,
    site: AtomicUsize,
    /// The session that lent it.
    generation: AtomicU32,
    pad: AtomicPtr<Pad>,
}

impl Pads {
    pub(crate) fn new() -> Self {
        Self(core::array::from_fn(|_| Place {
            lock: AtomicU64::new(0),
            ended: AtomicU32::new(0),
            site: AtomicUsize::new(0),
            generation: AtomicU32::new(0),
            pad: AtomicPtr::new(ptr::null_mut()),
        }))
    }

    #[inline]
    fn place(&self, lock: Life, site: CallSite) -> &Place {
        // Call sites are structures of three words, and addresses of locks are even.
        &self.0[(lock.name as usize ^ lock.name as usize >> 4 ^ site.0 >> 3) & (PLACES - 1)]
    }

    /// Leaves a hold of `lock` on the pad that the session `generation` has lent
    /// for `site`, if it has, and if that has room.
    ///
    /// # Safety
    ///
    /// - The caller is the thread, inside the bracket of that session.
    /// - It owns the lock alone, which lives this life.
    #[inline(always)]
    pub(crate) unsafe fn leave(
        &self,
        generation: u32,
        lock: Life,
        site: CallSite,
        hold_ticks: u64,
    ) -> bool {
        let place = self.place(lock, site);
        if place.lock.load(Ordering::Relaxed) != lock.name
            || place.ended.load(Ordering::Relaxed) != lock.ended
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
    pub(crate) fn remember(&self, generation: u32, lock: Life, site: CallSite, pad: *const Pad) {
        let place = self.place(lock, site);
        place.lock.store(lock.name, Ordering::Relaxed);
        place.ended.store(lock.ended, Ordering::Relaxed);
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

    fn life(id: u64) -> Life {
        Life { name: id, ended: 0 }
    }

    fn leave(pads: &Pads, generation: u32, lock: u64, site: CallSite) -> bool {
        // SAFETY: every pad here lives as long as the test that lends it, which is
        // alone.
        unsafe { pads.leave(generation, life(lock), site, 5) }
    }

    #[test]
    fn a_hold_is_left_where_it_belongs_and_nowhere_else() {
        let (pads, pad) = (Pads::new(), Pad::default());
        assert!(!leave(&pads, 3, 7, SITE), "nothing was lent");
        pads.remember(3, life(7), SITE, &raw const pad);
        assert!(leave(&pads, 3, 7, SITE));
        for (generation, lock, site) in
            [(2, 7, SITE), (4, 7, SITE), (3, 8, SITE), (3, 7 + 256 * PLACES as u64, SITE)]
        {
            assert!(!leave(&pads, generation, lock, site), "{generation} {lock}");
        }
        assert!(!leave(&pads, 3, 7, CallSite(24 + 8 * PLACES)));
        assert_eq!(pad.holds(), 1);
    }

    #[test]
    fn a_full_pad_takes_no_more() {
        let (pads, pad) = (Pads::new(), Pad::default());
        pads.remember(3, life(7), SITE, &raw const pad);
        let left = (0..20).filter(|_| leave(&pads, 3, 7, SITE)).count();
        assert_eq!(left as u64, pad.holds());
        assert!(left < 20);
    }

    #[test]
    fn another_thread_finds_nothing_of_the_one_before() {
        let (pads, pad) = (Pads::new(), Pad::default());
        pads.remember(3, life(7), SITE, &raw const pad);
        pads.forget();
        assert!(!leave(&pads, 3, 7, SITE));
    }

    #[test]
    fn two_that_share_a_place_take_it_from_each_other() {
        let (pads, one, other) = (Pads::new(), Pad::default(), Pad::default());
        pads.remember(3, life(7), SITE, &raw const one);
        pads.remember(3, life(7 + 256 * PLACES as u64), SITE, &raw const other);
        assert!(!leave(&pads, 3, 7, SITE));
        assert!(leave(&pads, 3, 7 + 256 * PLACES as u64, SITE));
        assert_eq!((one.holds(), other.holds()), (0, 1));
    }

    #[test]
    fn a_lock_without_id_is_another_one_when_one_has_ended_at_its_address() {
        let (pads, pad) = (Pads::new(), Pad::default());
        let life = || Life::of(0, 0x7f00_1230, LockKind::MUTEX);
        // SAFETY: as in `leave`.
        let leave = |life| unsafe { pads.leave(3, life, SITE, 5) };
        pads.remember(3, life(), SITE, &raw const pad);
        assert!(leave(life()));
        assert!(!leave(Life::of(0, 0x7f00_1230, LockKind::SPIN)));
        assert!(!leave(Life::of(0, 0x7f00_1260, LockKind::MUTEX)));
        end_life(0x7f00_1230);
        assert!(!leave(life()));
    }
}
