//! The slot: a few words inside a probe's lock, for whoever watches it.

use core::panic::Location;

use crate::site::CallSite;
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, IS_MODEL, Ordering, fence};

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
    /// A `&'static Location`, or null; see [`Slot::originate`].
    created: AtomicPtr<Location<'static>>,
    name: *const u8,
    name_len: u32,
    /// How many operations the sample at the end of the countdown stands for:
    ///
    /// | word | meaning |
    /// |---|---|
    /// | 0 to 2³¹ − 2 | that number |
    /// | the same with the top bit | and see [`Countdown::asking`] |
    /// | `EXCLUDED` | the session does not watch this lock |
    weight: AtomicU32,
    /// The lock's id; 0 until somebody asks.
    id: AtomicU64,
    /// The backend's word; 0 when a session first meets the lock.
    state: AtomicU64,
    /// The last acquisition that an open gate saw: a [`Holder`].
    holder: AtomicU64,
    /// Generation in the upper half, operations until the next sample,
    /// itself included, in the lower.
    countdown: AtomicU64,
}

const _: () = assert!(IS_MODEL || size_of::<Slot>() == 56);

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
                holder: AtomicU64::new(0),
                state: AtomicU64::new(0),
                id: AtomicU64::new(0),
                weight: AtomicU32::new(0),
                name_len: 0,
                name: core::ptr::null(),
                created: AtomicPtr::new(match created {
                    Some(created) => core::ptr::from_ref(created).cast_mut(),
                    None => core::ptr::null_mut(),
                }),
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
        // Relaxed: what it points to is part of the program.
        CallSite(self.created.load(Ordering::Relaxed) as usize)
    }

    /// Says that the lock comes from `place`, unless that was said before.
    ///
    /// For probes whose constructors cannot know who calls them: they say it at
    /// the first operation, before anybody is told of the lock.
    #[inline]
    pub fn originate(&self, place: &'static Location<'static>) {
        if self.created.load(Ordering::Relaxed).is_null() {
            self.originate_first(place);
        }
    }

    #[cold]
    fn originate_first(&self, place: &'static Location<'static>) {
        let place = core::ptr::from_ref(place).cast_mut();
        // Relaxed: atomicity alone decides whose place stands.
        let _ = self.created.compare_exchange(
            core::ptr::null_mut(),
            place,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }

    /// The lock's name as its parts; null if it has none.
    #[must_use]
    pub fn name_parts(&self) -> (*const u8, u32) {
        (self.name, self.name_len)
    }

    /// Counts one uncontended operation of the session with this `stamp`.
    ///
    /// The caller owns the lock exclusively.
    #[inline]
    pub fn tick(&self, stamp: u64) -> Tick {
        let word = self.countdown.load(Ordering::Relaxed);
        if !passes(word, stamp) {
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
        let left = countdown.operations.clamp(1, LONGEST);
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
        self.weight.load(Ordering::Relaxed) & !ASKING
    }

    /// The lock's id; 0 if nobody has asked for it.
    #[inline]
    pub(crate) fn known_id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    /// Whether every operation is sampled, and nothing else was asked for.
    #[inline]
    pub(crate) fn is_every(&self) -> bool {
        self.weight.load(Ordering::Relaxed) == 1
    }

    /// Whether the backend wants to hear of the next contended acquisition
    /// while the lock is owned.
    #[inline]
    pub(crate) fn is_asking(&self) -> bool {
        self.weight.load(Ordering::Relaxed) & ASKING != 0
    }

    /// Whether the session with this `stamp` has met the lock and watches it.
    #[inline]
    pub(crate) fn is_watched(&self, stamp: u64) -> bool {
        self.weight.load(Ordering::Relaxed) != EXCLUDED && self.is_current(stamp)
    }

    /// Whether the session with this `stamp` has met the lock and does not watch
    /// it.
    #[inline]
    pub(crate) fn is_excluded(&self, stamp: u64) -> bool {
        self.weight.load(Ordering::Relaxed) == EXCLUDED && self.is_current(stamp)
    }

    /// Notes who holds the lock now, alone.
    ///
    /// Not compared first: where threads take turns at random, half of the
    /// comparisons are guessed wrong, and that costs more than the store.
    #[inline]
    pub fn set_holder(&self, holder: Holder) {
        self.holder.store(holder.0, Ordering::Relaxed);
    }

    /// Notes who holds the lock now, among others.
    ///
    /// Written only if it says something else, so that readers at one call site
    /// can share the line.
    #[inline]
    pub fn set_reader(&self, site: CallSite) {
        let holder = Holder::new(site, 0);
        if self.holder.load(Ordering::Relaxed) != holder.0 {
            self.set_holder(holder);
        }
    }

    /// Who held the lock last, as far as the session with this `stamp` saw.
    #[must_use]
    pub fn holder(&self, stamp: u64) -> Holder {
        if self.is_current(stamp) {
            Holder(self.holder.load(Ordering::Relaxed))
        } else {
            Holder::UNKNOWN
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

/// The longest countdown. A processor compares with a number of so many bits in one
/// instruction, and needs two and a register for a longer one.
const LONGEST: u32 = i32::MAX as u32;
/// Countdown value of a slot that somebody is arming.
const CLAIMED: u32 = u32::MAX;

/// Whether the next operation of the session with this `stamp` is counted by `word`,
/// a countdown with its session's stamp, and is no sample.
///
/// One test covers all reasons to look closer: the subtraction leaves the bare
/// countdown if the generations agree, and a number far above 32 bits if they do not.
#[inline(always)]
pub(crate) fn passes(word: u64, stamp: u64) -> bool {
    word.wrapping_sub(stamp).wrapping_sub(2) <= u64::from(LONGEST - 2)
}

/// Bit of a weight: see [`Countdown::asking`].
const ASKING: u32 = 1 << 31;
/// The weight of a lock that the session does not watch.
const EXCLUDED: u32 = !ASKING;

/// Who has a lock: a call site, and the thread if it has the lock alone.
///
/// The site in the lower 48 bits: addresses of a program's own constants have
/// no more. Above it the thread's number among those that are watched, plus one;
/// 0 for a thread that is not known, or for readers, of whom the last to come
/// says nothing.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(u64);

impl Holder {
    const SITE_BITS: u32 = 48;

    /// Nobody that is known.
    pub const UNKNOWN: Self = Self(0);

    /// The holder at `site`; `thread` is a word that [`Holder::thread_bits`] made,
    /// or 0.
    #[inline]
    #[must_use]
    pub fn new(site: CallSite, thread: u64) -> Self {
        Self(site.0 as u64 | thread)
    }

    /// The thread with this number, as a part of a holder.
    #[must_use]
    pub fn thread_bits(index: u32) -> u64 {
        // The last of 65,536 threads has no number here: it is not known.
        (u64::from(index) + 1) << Self::SITE_BITS
    }

    /// Where the lock was acquired.
    #[must_use]
    pub fn site(self) -> CallSite {
        CallSite((self.0 & ((1 << Self::SITE_BITS) - 1)) as usize)
    }

    /// The thread's number, if it is known.
    #[must_use]
    pub fn thread(self) -> Option<u32> {
        ((self.0 >> Self::SITE_BITS) as u32).checked_sub(1)
    }
}

/// When the next sample is due, and what it will stand for.
///
/// A backend answers with one of these; `operations` 0 means "as it was".
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Countdown {
    /// Operations until the next sample, that one included; 1 samples the next.
    pub operations: u32,
    /// How many operations that sample stands for: the sampling period, less
    /// than 2³¹ − 1.
    pub weight: u32,
}

impl Countdown {
    /// Leave the countdown as it is.
    pub const UNCHANGED: Self = Self { operations: 0, weight: 0 };
    /// Sample every operation.
    pub const EVERY: Self = Self { operations: 1, weight: 1 };
    /// Look again after two thousand million operations.
    pub const NEVER: Self = Self { operations: LONGEST, weight: 0 };
    /// The session does not watch this lock: what the recorder answers itself.
    pub(crate) const EXCLUDED: Self = Self { operations: LONGEST, weight: EXCLUDED };

    /// The same countdown; and the next acquisition of the lock that has to wait
    /// is told while it is owned, so that the answer can end this countdown.
    ///
    /// Usually such an acquisition is told after the lock was given back, when
    /// nobody may touch it any more. A backend that rarely looks at a lock uses
    /// this to be there when it becomes contended. Of no meaning for locks
    /// without slot.
    #[must_use]
    pub const fn asking(self) -> Self {
        Self { weight: self.weight | ASKING, ..self }
    }

    /// The weight, whether it is asking or not.
    #[must_use]
    pub const fn own_weight(self) -> u32 {
        self.weight & !ASKING
    }
}

#[cfg(all(test, not(any(lockscope_loom, lockscope_shuttle))))]
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
        let holder = Holder::new(CallSite(8), Holder::thread_bits(5));
        slot.set_holder(holder);
        assert_eq!(slot.holder(STAMP), holder);
        for other in [6 << 32, 8 << 32, 1 << 63] {
            assert_eq!(slot.tick(other), Tick::Look);
            assert_eq!(slot.holder(other), Holder::UNKNOWN);
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
    fn a_lock_is_excluded_from_one_session() {
        let slot = Slot::new(None);
        slot.arm(STAMP, Countdown::EXCLUDED);
        assert!(slot.is_excluded(STAMP) && !slot.is_excluded(8 << 32));
        assert!(!slot.is_asking());
        assert_eq!(slot.tick(STAMP), Tick::Pass);
    }

    #[test]
    fn asking_leaves_the_countdown_as_it_is() {
        let slot = Slot::new(None);
        slot.arm(STAMP, Countdown { operations: 2, weight: 7 }.asking());
        assert!(slot.is_asking());
        assert_eq!(
            (slot.weight(), slot.tick(STAMP), slot.tick(STAMP)),
            (7, Tick::Pass, Tick::Look)
        );
    }

    #[test]
    fn a_holder_is_a_site_and_perhaps_a_thread() {
        let site = CallSite(0x7fff_ffff_fff8);
        for index in [0, 1, 0xfffe] {
            let holder = Holder::new(site, Holder::thread_bits(index));
            assert_eq!((holder.site(), holder.thread()), (site, Some(index)));
        }
        let unknown = Holder::new(site, Holder::thread_bits(0xffff));
        assert_eq!((unknown.site(), unknown.thread()), (site, None));
    }

    #[test]
    fn a_countdown_that_is_too_long_is_cut() {
        let slot = Slot::new(None);
        assert!(slot.claim(STAMP));
        assert!(!passes(slot.countdown.load(Ordering::Relaxed), STAMP), "nobody has armed it");
        slot.arm(STAMP, Countdown { operations: u32::MAX, weight: 7 });
        assert_eq!(slot.tick(STAMP), Tick::Pass);
        assert_eq!(slot.countdown.load(Ordering::Relaxed), STAMP | u64::from(LONGEST - 1));
    }

    #[test]
    fn an_id_is_drawn_once() {
        let slot = Slot::new(None);
        assert_eq!(slot.id(|| 5), 5);
        assert_eq!(slot.id(|| unreachable!()), 5);
    }
}
