//! The gate: one cache line that every lock operation reads and nobody writes.

use crate::hooks::HookTable;
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

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

/// How a session wants the gate to stand: what [`Gate::open`] publishes.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// [`state::WATCH`] or [`state::OPEN`].
    pub state: u32,
    /// The session's generation: greater than that of any session before it.
    pub generation: u32,
    /// The backend's entries; must stay valid for the life of the process.
    pub hooks: *const HookTable,
    /// Whether ticks are the time-stamp counter.
    pub tsc: bool,
    /// Whether `membarrier` was registered in this process.
    pub expedited: bool,
}

/// One cache line per probe: the whole cost of a lock while nothing is recorded.
///
/// Written only when a session starts, stops or is retuned. The first word is
/// all that a closed gate costs; the rest of the line is read when it is open.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Gate {
    /// One of [`state`].
    state: AtomicU32,
    /// Bits `TSC` and `EXPEDITED`, fixed while the gate is open.
    flags: AtomicU32,
    /// The generation in the upper half, so that it can be compared with a
    /// slot's countdown word by one subtraction; see [`crate::slot::Slot::tick`].
    stamp: AtomicU64,
    /// The active backend's entries; null until the first session.
    hooks: AtomicPtr<HookTable>,
}

const _: () = assert!(cfg!(lockscope_loom) || size_of::<Gate>() == 64);

impl Gate {
    /// A gate that no operation has passed.
    #[cfg(not(lockscope_loom))]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: AtomicU32::new(state::UNSEEN),
            flags: AtomicU32::new(0),
            stamp: AtomicU64::new(0),
            hooks: AtomicPtr::new(core::ptr::null_mut()),
        }
    }

    /// A gate that no operation has passed.
    #[cfg(lockscope_loom)]
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: AtomicU32::new(state::UNSEEN),
            flags: AtomicU32::new(0),
            stamp: AtomicU64::new(0),
            hooks: AtomicPtr::new(core::ptr::null_mut()),
        }
    }

    /// One of [`state`].
    ///
    /// Relaxed: an operation that overlaps the change of the gate may fall on
    /// either side of it. Whoever acts on an open gate asks again, with
    /// acquire, inside the in-hook bracket.
    #[inline]
    #[must_use]
    pub fn state(&self) -> u32 {
        self.state.load(Ordering::Relaxed)
    }

    /// Whether lock operations are bare.
    #[inline]
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state() == state::CLOSED
    }

    /// The state, ordered before everything its opener published.
    ///
    /// Acquire: pairs with the release in [`Gate::open`], so that stamp, flags
    /// and hooks are those of the session whose state was read, or newer.
    /// Model: `start_stop`.
    #[inline]
    #[must_use]
    pub fn state_acquire(&self) -> u32 {
        self.state.load(Ordering::Acquire)
    }

    /// The session's generation in the upper half, 0 in the lower.
    ///
    /// Relaxed: a stale stamp only sends a slot to the slow path, which asks
    /// again after [`Gate::state_acquire`].
    #[inline]
    #[must_use]
    pub fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Relaxed)
    }

    /// The session's generation; 0 before the first.
    #[inline]
    #[must_use]
    pub fn generation(&self) -> u32 {
        (self.stamp() >> 32) as u32
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

    /// The active backend's entries; valid after [`Gate::state_acquire`]
    /// returned an open state.
    #[inline]
    #[must_use]
    pub fn hooks(&self) -> *const HookTable {
        // Relaxed: published by the release of `state`.
        self.hooks.load(Ordering::Relaxed)
    }

    /// Closes a gate that nobody had passed; true for the one caller who did.
    ///
    /// That caller goes on to look for a host; all others see a closed gate.
    pub fn first_pass(&self) -> bool {
        // Relaxed: the winner is chosen by atomicity; what it does next
        // publishes itself.
        self.state
            .compare_exchange(state::UNSEEN, state::CLOSED, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// Opens the gate for a session.
    ///
    /// # Safety
    ///
    /// - `opening.hooks` points to a table that stays valid for the life of
    ///   the process, and whose context stays valid until the gate was closed
    ///   and [`quiesce`](crate::thread::quiesce) returned.
    /// - The gate is closed, and the caller is the only one who opens or closes.
    pub unsafe fn open(&self, opening: &Opening) {
        let flags =
            if opening.tsc { TSC } else { 0 } | if opening.expedited { EXPEDITED } else { 0 };
        // Relaxed: published by the release of `state` below.
        self.flags.store(flags, Ordering::Relaxed);
        self.stamp.store(u64::from(opening.generation) << 32, Ordering::Relaxed);
        self.hooks.store(opening.hooks.cast_mut(), Ordering::Relaxed);
        // Release: pairs with `state_acquire`. Model: `start_stop`.
        self.state.store(opening.state, Ordering::Release);
    }

    /// Switches an open gate between [`state::WATCH`] and [`state::OPEN`].
    pub fn retune(&self, open_state: u32) {
        // Release: as in `open`, for a reader who first sees this value.
        self.state.store(open_state, Ordering::Release);
    }

    /// Closes the gate. Hooks that are running go on: see
    /// [`quiesce`](crate::thread::quiesce).
    pub fn close(&self) {
        // Relaxed: the heavy fence in `quiesce` orders it before the look at
        // each thread. Also called in the child of a fork, where nothing but
        // this store is safe to do.
        self.state.store(state::CLOSED, Ordering::Relaxed);
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
