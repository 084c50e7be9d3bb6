//! The slot: a few words inside a probe's lock, for whoever watches it.

use core::panic::Location;

use crate::site::CallSite;
use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

/// The words that a lock carries for profiling.
///
/// All of them but `id` and the origin belong to the session whose generation
/// stands in `countdown`; a later session finds a generation that is not its
/// own and starts anew, so no lock has to be visited when a session begins.
///
/// Who may write, for a lock whose session words are current:
///
/// | word | exclusive owner | shared owners | others |
/// |---|---|---|---|
/// | `countdown` | plain load and store | compare-and-swap, only to claim a stale slot | nobody |
/// | `weight` | plain | the claimant | nobody |
/// | `holder` | plain | plain, the last one stands | nobody |
/// | `state` | as the backend likes: it is only called for owners | likewise | nobody |
///
/// Words are atomic because waiters and snapshots read them at any time; no
/// reader relies on their order, so every access is relaxed. What one owner
/// wrote is visible to the next through the lock itself.
///
/// What every operation of an open gate touches comes last, beside the lock
/// word that follows: a lock that goes from core to core takes one line along
/// and not two, wherever it lies.
#[repr(C)]
#[derive(Debug)]
pub struct Slot {
    created: Option<&'static Location<'static>>,
    name: *const u8,
    name_len: u32,
    /// How many operations the sample at the end of the countdown stands for.
    weight: AtomicU32,
    /// The lock's id; 0 until somebody asks.
    id: AtomicU64,
    /// The backend's word; 0 when a session first meets the lock.
    state: AtomicU64,
    /// Call site of the last acquisition that an open gate saw.
    holder: AtomicUsize,
    /// Generation in the upper half, operations until the next sample,
    /// itself included, in the lower.
    countdown: AtomicU64,
}

const _: () = assert!(cfg!(lockscope_loom) || size_of::<Slot>() == 56);

// SAFETY: `name` and `name_len` are the parts of a `&'static str`, never
// written after construction; every other field is Send and Sync.
unsafe impl Send for Slot {}
// SAFETY: as above.
unsafe impl Sync for Slot {}

/// What [`Slot::tick`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// This operation is not sampled, and has been counted.
    Pass,
    /// This operation ends the countdown, or the slot is from another session.
    Look,
}

macro_rules! slot_constructor {
    ($($const:tt)?) => {
        /// An empty slot of a lock that was made at `created`.
        #[must_use]
        pub $($const)? fn new(created: Option<&'static Location<'static>>) -> Self {
            Self {
                countdown: AtomicU64::new(0),
                holder: AtomicUsize::new(0),
                state: AtomicU64::new(0),
                id: AtomicU64::new(0),
                weight: AtomicU32::new(0),
                name_len: 0,
                name: core::ptr::null(),
                created,
            }
        }
    };
}

impl Slot {
    #[cfg(not(lockscope_loom))]
    slot_constructor!(const);
    #[cfg(lockscope_loom)]
    slot_constructor!();

    /// The same slot with a name; names beyond 4 GiB are cut.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = name.as_ptr();
        self.name_len = name.len() as u32;
        self
    }

    /// Where the lock was made.
    #[must_use]
    pub fn created(&self) -> CallSite {
        self.created.map_or(CallSite::UNKNOWN, CallSite::of)
    }

    /// The lock's name as its parts; null if it has none.
    #[must_use]
    pub fn name_parts(&self) -> (*const u8, u32) {
        (self.name, self.name_len)
    }

    /// Counts one uncontended operation of the session with this `stamp`.
    ///
    /// One test covers both reasons to look closer: the subtraction leaves the
    /// bare countdown if the generations agree, and a number far above 32 bits
    /// if they do not.
    ///
    /// The caller owns the lock exclusively.
    #[inline]
    pub fn tick(&self, stamp: u64) -> Tick {
        let word = self.countdown.load(Ordering::Relaxed);
        let left = word.wrapping_sub(stamp);
        if left.wrapping_sub(2) >= u64::from(u32::MAX) {
            return Tick::Look;
        }
        self.countdown.store(word.wrapping_sub(1), Ordering::Relaxed);
        Tick::Pass
    }

    /// Whether the session words belong to the session with this `stamp`.
    #[inline]
    #[must_use]
    pub fn is_current(&self, stamp: u64) -> bool {
        let word = self.countdown.load(Ordering::Relaxed);
        word != 0 && word >> 32 == stamp >> 32 && word as u32 != CLAIMED
    }

    /// Whether the next operation of the session with this `stamp` is a sample.
    #[inline]
    pub(crate) fn is_due(&self, stamp: u64) -> bool {
        self.countdown.load(Ordering::Relaxed) == stamp | 1
    }

    /// Arms the countdown: the caller owns the lock exclusively, or holds the
    /// claim that [`Slot::claim`] gave.
    #[inline]
    pub fn arm(&self, stamp: u64, countdown: Countdown) {
        let left = countdown.operations.clamp(1, CLAIMED - 1);
        self.weight.store(countdown.weight, Ordering::Relaxed);
        // Release: a shared owner that sees the slot current may read `state`
        // as the claimant left it. Pairs with the acquire in `claim`.
        self.countdown.store(stamp | u64::from(left), Ordering::Release);
    }

    /// Takes a slot from another session for the one with this `stamp`.
    ///
    /// True for the one owner who is to arm it; false once it is current.
    /// Owners that come while another arms it wait: that takes one call of the
    /// backend.
    pub fn claim(&self, stamp: u64) -> bool {
        loop {
            // Acquire: pairs with the release in `arm`.
            let word = self.countdown.load(Ordering::Acquire);
            let current = word != 0 && word >> 32 == stamp >> 32;
            if current && word as u32 != CLAIMED {
                return false;
            }
            if current {
                crate::sync::pause();
                continue;
            }
            // Acquire: nothing of this session's words may be read earlier.
            // Model: `claim`.
            if self
                .countdown
                .compare_exchange(
                    word,
                    stamp | u64::from(CLAIMED),
                    Ordering::Acquire,
                    Ordering::Relaxed,
                )
                .is_ok()
            {
                self.state.store(0, Ordering::Relaxed);
                self.holder.store(0, Ordering::Relaxed);
                return true;
            }
        }
    }

    /// The weight of the sample at the end of the countdown.
    #[inline]
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }

    /// Notes who holds the lock now.
    ///
    /// Written only if it says something else: a load is cheaper than one more
    /// store that the unlock has to wait for, and readers at one call site can
    /// share the line.
    #[inline]
    pub fn set_holder(&self, site: CallSite) {
        if self.holder.load(Ordering::Relaxed) != site.0 {
            self.holder.store(site.0, Ordering::Relaxed);
        }
    }

    /// Who held the lock last, as far as the session with this `stamp` saw.
    #[must_use]
    pub fn holder(&self, stamp: u64) -> CallSite {
        if self.is_current(stamp) {
            CallSite(self.holder.load(Ordering::Relaxed))
        } else {
            CallSite::UNKNOWN
        }
    }

    /// The backend's word: 0 when the session first meets the lock, then as
    /// the backend left it.
    #[inline]
    #[must_use]
    pub fn state(&self) -> &AtomicU64 {
        &self.state
    }

    /// The backend's word in the session with this `stamp`; `None` if that has
    /// not met the lock. For those who do not own the lock, too.
    #[inline]
    #[must_use]
    pub fn state_in(&self, stamp: u64) -> Option<u64> {
        if !self.is_current(stamp) {
            return None;
        }
        // Acquire: pairs with the release in `arm`, by which the claimant has
        // published that the last session's word is gone. Model: `claim`.
        fence(Ordering::Acquire);
        Some(self.state.load(Ordering::Acquire))
    }

    /// The lock's id, drawn from `next` the first time anybody asks.
    #[inline]
    pub fn id(&self, next: impl FnOnce() -> u64) -> u64 {
        match self.id.load(Ordering::Relaxed) {
            0 => self.draw_id(next()),
            id => id,
        }
    }

    #[cold]
    #[inline(never)]
    fn draw_id(&self, fresh: u64) -> u64 {
        // Relaxed: atomicity alone decides whose number stands; the loser's is
        // never used again.
        match self.id.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => fresh,
            Err(id) => id,
        }
    }
}

/// Countdown value of a slot that somebody is arming.
const CLAIMED: u32 = u32::MAX;

/// When the next sample is due, and what it will stand for.
///
/// A backend answers with one of these; `operations` 0 means "as it was".
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Countdown {
    /// Operations until the next sample, that one included; 1 samples the next.
    pub operations: u32,
    /// How many operations that sample stands for: the sampling period.
    pub weight: u32,
}

impl Countdown {
    /// Leave the countdown as it is.
    pub const UNCHANGED: Self = Self { operations: 0, weight: 0 };
    /// Sample every operation.
    pub const EVERY: Self = Self { operations: 1, weight: 1 };
    /// Look again after four thousand million operations.
    pub const NEVER: Self = Self { operations: CLAIMED - 1, weight: 0 };
}

#[cfg(all(test, not(lockscope_loom)))]
mod tests {
    use super::*;

    const STAMP: u64 = 7 << 32;

    #[test]
    fn a_countdown_passes_until_its_last_operation() {
        let slot = Slot::new(None);
        slot.arm(STAMP, Countdown { operations: 3, weight: 3 });
        assert_eq!(slot.tick(STAMP), Tick::Pass);
        assert_eq!(slot.tick(STAMP), Tick::Pass);
        assert_eq!(slot.tick(STAMP), Tick::Look);
        assert_eq!(slot.tick(STAMP), Tick::Look);
    }

    #[test]
    fn a_slot_of_another_session_is_empty() {
        let slot = Slot::new(None);
        assert_eq!(slot.tick(STAMP), Tick::Look);
        assert!(slot.claim(STAMP));
        slot.arm(STAMP, Countdown { operations: 100, weight: 100 });
        slot.set_holder(CallSite(8));
        assert_eq!(slot.holder(STAMP), CallSite(8));
        for other in [6 << 32, 8 << 32, 1 << 63] {
            assert_eq!(slot.tick(other), Tick::Look);
            assert_eq!(slot.holder(other), CallSite::UNKNOWN);
        }
        assert!(!slot.claim(STAMP));
        assert!(slot.claim(8 << 32));
    }

    #[test]
    fn never_counts_down_without_becoming_a_claim() {
        let slot = Slot::new(None);
        slot.arm(STAMP, Countdown::NEVER);
        assert_eq!(slot.tick(STAMP), Tick::Pass);
        assert!(slot.is_current(STAMP));
    }

    #[test]
    fn an_id_is_drawn_once() {
        let slot = Slot::new(None);
        assert_eq!(slot.id(|| 5), 5);
        assert_eq!(slot.id(|| unreachable!()), 5);
    }
}
