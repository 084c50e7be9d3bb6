//! The gate: one cache line that every lock operation reads and nobody writes.

use crate::hooks::HookTable;
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, IS_MODEL, Ordering};

/// What lock operations do at present: the value of [`Gate::state`].
///
/// | value | lock operation |
/// |---|---|
/// | `CLOSED` | the bare lock |
/// | `WATCH` | the bare lock; an acquisition that must wait is recorded |
/// | `OPEN` | as `WATCH`, and one operation in N is sampled |
/// | `UNSEEN` | nothing has happened yet: the probe looks for a host, once |
pub mod state {
    /// Nothing is recorded.
    pub const CLOSED: u32 = 0;
    /// Contended acquisitions alone are recorded.
    pub const WATCH: u32 = 1;
    /// Contended acquisitions are recorded, others are sampled.
    pub const OPEN: u32 = 2;
    /// No lock operation has run yet in this process.
    pub const UNSEEN: u32 = 3;
}

const TSC: u32 = 1;
const EXPEDITED: u32 = 2;
const FILTERED: u32 = 4;
const STACKS: u32 = 8;
/// As `TSC`, where no stacks are kept: one test for both.
const BARE_TSC: u32 = 16;

/// How a session wants the gate to stand: what [`Gate::open`] publishes.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// [`state::WATCH`] or [`state::OPEN`].
    pub state: u32,
    /// The session's generation: greater than that of any session before it,
    /// and less than 2³¹.
    pub generation: u32,
    /// The backend's entries; must stay valid for the life of the process.
    pub hooks: *const HookTable,
    /// Whether ticks are the time-stamp counter.
    pub tsc: bool,
    /// Whether `membarrier` was registered in this process.
    pub expedited: bool,
    /// Of acquisitions that must wait, one in so many is recorded; 1 for all.
    pub contended_period: u32,
}

/// One cache line per probe: the whole cost of a lock while nothing is recorded.
///
/// Written only when a session starts, stops or is retuned. The first word is
/// all that a closed gate costs; the rest of the line is read when it is open.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Gate {
    /// State and session in one, so that one load and one test of the sign tell
    /// what passes, and one subtraction tells a slot of this session from all
    /// others:
    ///
    /// | word | state |
    /// |---|---|
    /// | 0 | `CLOSED` |
    /// | 1 | `UNSEEN` |
    /// | generation in the upper half | `OPEN` |
    /// | the same with the sign bit | `WATCH` |
    word: AtomicU64,
    /// The entries of the session whose generation is even, and of the one whose
    /// generation is odd; null until there was one. Two places, so that one
    /// session can follow another without a moment between: who has seen the
    /// word of the first still finds its entries.
    hooks: [AtomicPtr<HookTable>; 2],
    /// Bits `TSC`, `EXPEDITED`, `FILTERED`, `STACKS` and `BARE_TSC`, fixed while the
    /// gate is open.
    flags: AtomicU32,
    /// The generation of the last session, which stays when the gate closes.
    generation: AtomicU32,
    /// A [`Thinning`]: its period in the lower half, its look in the upper.
    thinning: AtomicU64,
}

/// Which acquisitions that must wait are recorded, as one load has found it.
///
/// One in `period` is drawn when its wait begins, and stands for so many. But a
/// wait during which the host has looked at its session is recorded whatever was
/// drawn, and stands for itself: so a wait that is longer than the time between
/// two looks is never missed. When the host looks does not depend on the wait, so
/// both kinds together are estimated without bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thinning(u64);

impl Thinning {
    /// Of acquisitions that must wait, one in so many is recorded; 1 for all.
    #[inline]
    #[must_use]
    pub fn period(self) -> u32 {
        self.0 as u32
    }

    /// How often the host has looked, counted modulo 2³².
    #[inline]
    #[must_use]
    pub fn look(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// After one more look of the host, with this period.
    fn after(self, period: u32) -> Self {
        Self(u64::from(self.look().wrapping_add(1)) << 32 | u64::from(period.max(1)))
    }
}

const _: () = assert!(IS_MODEL || size_of::<Gate>() == 64);

const CLOSED_WORD: u64 = 0;
const UNSEEN_WORD: u64 = 1;
const WATCH_BIT: u64 = 1 << 63;

/// A gate as one load has found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen(u64);

impl Seen {
    /// Whether an operation that had the lock at once needs no further look.
    #[inline(always)]
    #[must_use]
    pub fn passes(self) -> bool {
        self.0.cast_signed() <= 0
    }

    /// The gate's word: [`Seen::stamp`], if operations are sampled.
    #[inline(always)]
    pub(crate) fn word(self) -> u64 {
        self.0
    }

    /// Whether lock operations are bare.
    #[inline(always)]
    #[must_use]
    pub fn is_closed(self) -> bool {
        self.0 == CLOSED_WORD
    }

    /// Whether nobody has passed it yet.
    #[inline(always)]
    #[must_use]
    pub fn is_unseen(self) -> bool {
        self.0 == UNSEEN_WORD
    }

    /// Whether anything is recorded: the state is `WATCH` or `OPEN`.
    #[inline(always)]
    #[must_use]
    pub fn is_open(self) -> bool {
        self.0 > UNSEEN_WORD
    }

    /// Whether operations are sampled: the state is `OPEN`.
    #[inline(always)]
    #[must_use]
    pub fn is_sampling(self) -> bool {
        self.is_open() && !self.passes()
    }

    /// One of [`state`].
    #[inline]
    #[must_use]
    pub fn state(self) -> u32 {
        match self.0 {
            CLOSED_WORD => state::CLOSED,
            UNSEEN_WORD => state::UNSEEN,
            word if word & WATCH_BIT != 0 => state::WATCH,
            _ => state::OPEN,
        }
    }

    /// The session's generation in the upper half, 0 in the lower; of no meaning
    /// on a gate that is not open.
    #[inline(always)]
    #[must_use]
    pub fn stamp(self) -> u64 {
        self.0 & !WATCH_BIT
    }
}

macro_rules! gate_constructor {
    ($($const:tt)?) => {
        /// A gate that no operation has passed.
        #[must_use]
        pub $($const)? fn new() -> Self {
            Self {
                word: AtomicU64::new(UNSEEN_WORD),
                hooks: [
                    AtomicPtr::new(core::ptr::null_mut()),
                    AtomicPtr::new(core::ptr::null_mut()),
                ],
                flags: AtomicU32::new(0),
                generation: AtomicU32::new(0),
                thinning: AtomicU64::new(1),
            }
        }
    };
}

impl Gate {
    #[cfg(not(lockscope_loom))]
    gate_constructor!(const);
    #[cfg(lockscope_loom)]
    gate_constructor!();

    /// The gate as it is.
    ///
    /// Relaxed: an operation that overlaps the change of the gate may fall on
    /// either side of it. Whoever acts on an open gate asks again, with
    /// acquire, inside the in-hook bracket.
    #[inline(always)]
    #[must_use]
    pub fn look(&self) -> Seen {
        Seen(self.word.load(Ordering::Relaxed))
    }

    /// One of [`state`].
    #[inline]
    #[must_use]
    pub fn state(&self) -> u32 {
        self.look().state()
    }

    /// Whether lock operations are bare.
    #[inline(always)]
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.look().is_closed()
    }

    /// The gate, ordered before everything its opener published.
    ///
    /// Acquire: pairs with the release in [`Gate::open`], so that flags and
    /// hooks are those of the session that was found, or newer.
    /// Model: `start_stop`.
    #[inline]
    #[must_use]
    pub fn look_acquire(&self) -> Seen {
        Seen(self.word.load(Ordering::Acquire))
    }

    /// The generation of the session that runs, or of the last; 0 before the
    /// first.
    #[inline]
    #[must_use]
    pub fn generation(&self) -> u32 {
        // Relaxed: who needs to know of which session has its stamp.
        self.generation.load(Ordering::Relaxed)
    }

    /// Whether ticks are the time-stamp counter.
    #[inline]
    #[must_use]
    pub fn uses_tsc(&self) -> bool {
        // Relaxed: fixed while the gate is open, published by its opening.
        self.flags.load(Ordering::Relaxed) & TSC != 0
    }

    /// Whether [`crate::sync::light_fence`] may be a compiler fence.
    #[inline]
    #[must_use]
    pub fn is_expedited(&self) -> bool {
        // Relaxed: set before the first opening and never cleared while open.
        self.flags.load(Ordering::Relaxed) & EXPEDITED != 0
    }

    /// Whether some locks are excluded from the session.
    #[inline]
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        // Relaxed: as `uses_tsc`.
        self.flags.load(Ordering::Relaxed) & FILTERED != 0
    }

    /// Whether the session keeps the stacks of what it records.
    #[inline]
    #[must_use]
    pub fn keeps_stacks(&self) -> bool {
        // Relaxed: as `uses_tsc`.
        self.flags.load(Ordering::Relaxed) & STACKS != 0
    }

    /// Whether a time is all that one more operation of a kind has of its own: ticks
    /// are the time-stamp counter, and no stacks are kept.
    #[inline]
    pub(crate) fn needs_time_alone(&self) -> bool {
        // Relaxed: as `uses_tsc`.
        self.flags.load(Ordering::Relaxed) & BARE_TSC != 0
    }

    /// Which acquisitions that must wait are recorded.
    #[inline]
    #[must_use]
    pub fn thinning(&self) -> Thinning {
        // Relaxed: whoever draws by the period of a moment ago gives its sample
        // the weight of a moment ago.
        Thinning(self.thinning.load(Ordering::Relaxed))
    }

    /// The entries of the session with this `stamp`, which
    /// [`Gate::look_acquire`] has found.
    #[inline]
    #[must_use]
    pub fn hooks(&self, stamp: u64) -> *const HookTable {
        // Relaxed: published by the release of `word`. Model: `switch`.
        self.hooks[place(stamp >> 32)].load(Ordering::Relaxed)
    }

    /// Closes a gate that nobody has passed; one that was opened meanwhile
    /// stays open.
    pub fn first_pass(&self) {
        // Relaxed: a closed gate publishes nothing.
        let _ = self.word.compare_exchange(
            UNSEEN_WORD,
            CLOSED_WORD,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }

    /// Opens the gate for a session, or for another part of one: all slots are
    /// empty then. It may be open for the generation before.
    ///
    /// # Safety
    ///
    /// - `opening.hooks` points to a table that stays valid for the life of
    ///   the process, and whose context stays valid until the gate was closed,
    ///   or opened anew, and [`quiesce`](crate::thread::quiesce) returned.
    /// - If the gate is open, the generation before this one is even if this one
    ///   is odd, or the other way round, and had the same clock; and `quiesce`
    ///   has returned since the gate was opened for it.
    /// - The caller is the only one who opens or closes.
    pub unsafe fn open(&self, opening: &Opening) {
        let Opening { state, generation, hooks, tsc, expedited, contended_period } = *opening;
        // SAFETY: a table that is valid for the life of the process.
        let hooks_of = unsafe { hooks.as_ref() };
        let filtered = hooks_of.is_some_and(|hooks| hooks.admits.is_some());
        let stacks = hooks_of.is_some_and(|hooks| hooks.stack.is_some());
        let bit = |set: bool, bit: u32| if set { bit } else { 0 };
        let flags = bit(tsc, TSC)
            | bit(expedited, EXPEDITED)
            | bit(filtered, FILTERED)
            | bit(stacks, STACKS)
            | bit(tsc && !stacks, BARE_TSC);
        // Relaxed: published by the release of `word` below.
        self.flags.store(flags, Ordering::Relaxed);
        self.generation.store(generation, Ordering::Relaxed);
        self.set_contended_period(contended_period);
        self.hooks[place(generation.into())].store(hooks.cast_mut(), Ordering::Relaxed);
        let watch = if state == state::WATCH { WATCH_BIT } else { 0 };
        // Release: pairs with `look_acquire`. Models: `start_stop`, `switch`.
        self.word.store(u64::from(generation) << 32 | watch, Ordering::Release);
    }

    /// The host has looked at its session: records one in so many acquisitions
    /// that must wait from now on. The host alone calls this, once at a time.
    pub fn set_contended_period(&self, period: u32) {
        // Relaxed: see `thinning`.
        self.thinning.store(self.thinning().after(period).0, Ordering::Relaxed);
    }

    /// Closes the gate. Hooks that are running go on: see
    /// [`quiesce`](crate::thread::quiesce).
    pub fn close(&self) {
        // Relaxed: the heavy fence in `quiesce` orders it before the look at
        // each thread. Also called in the child of a fork, where nothing but
        // this store is safe to do.
        self.word.store(CLOSED_WORD, Ordering::Relaxed);
    }
}

/// Where the entries of a generation stand.
#[inline]
fn place(generation: u64) -> usize {
    (generation & 1) as usize
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
