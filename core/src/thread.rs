//! What each thread keeps: its in-hook flag, its countdown, and the
//! acquisitions that it has begun and not yet ended.

pub(crate) mod pads;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod table;

#[cfg(all(feature = "control", not(any(lockscope_loom, lockscope_shuttle))))]
pub(crate) use table::is_inside;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub use table::{Shortcut, current, for_each_pending, forked, lost, quiesce, unfinished};
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub(crate) use table::{await_parting, get, holder, index_of, introduced, passes};

/// In a model, threads have no state that is found by who they are.
#[cfg(all(feature = "control", any(lockscope_loom, lockscope_shuttle)))]
pub(crate) const fn is_inside() -> bool {
    false
}

use self::pads::Pads;
use crate::acquisition::{Acquisition, PER_THREAD};
use crate::gate::{Gate, Seen};
use crate::site::CallSite;
use crate::slot::{self, Countdown, Holder};
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering, light_fence};

/// The count in [`ThreadState::cut`].
const COUNT: u64 = u32::MAX as u64;

/// One thread's part of the probe. Never freed: an ended thread's is taken
/// over by the next new one, so that a snapshot can look at all of them at any
/// time, and so that a guard may be given back after its thread has gone.
///
/// Aligned to two lines, for the adjacent-line prefetcher.
#[repr(align(128))]
#[derive(Debug)]
pub struct ThreadState {
    /// 1 while this thread is inside a hook. Written by the thread, read by
    /// whoever stops the session: see [`quiesce`].
    in_hook: AtomicU32,
    /// Position in the table of all states; part of every token.
    index: u32,
    /// Id of the lock that this thread has given back and is still telling the
    /// backend about; 0 for none. See [`ThreadState::part_from`].
    parting: AtomicU64,
    /// Stamp and operations until the next sample of this thread's own
    /// countdown, in the form of a slot's word. Written by the thread alone.
    countdown: AtomicU64,
    /// The weight that belongs to `countdown`. Written by the thread alone.
    weight: AtomicU32,
    /// Generation whose acquisitions are in `acquisitions`; the thread's alone.
    generation: AtomicU32,
    /// Bit i: `acquisitions[i]` is free. The thread's alone.
    free: AtomicU32,
    /// Whether a living thread owns this.
    taken: AtomicBool,
    /// The kernel's number of the owner.
    id: AtomicU64,
    /// Samples that found no free acquisition, since the process began.
    lost: AtomicU64,
    /// Generation in the upper half, and in the lower how many of its operations
    /// ended too late to be told: see [`unfinished`]. Written by the thread alone.
    cut: AtomicU64,
    /// State of the generator that [`ThreadState::draws`] draws from. The
    /// thread's alone.
    random: AtomicU64,
    /// Where holds are left instead of being told.
    pub(crate) pads: Pads,
    pub(crate) acquisitions: [Acquisition; PER_THREAD],
}

/// A thread that is inside the bracket in which hooks may run.
///
/// While one of these exists, [`quiesce`] does not return.
#[derive(Debug)]
pub struct InHook<'a> {
    thread: &'a ThreadState,
    /// The gate, open.
    pub seen: Seen,
}

impl InHook<'_> {
    /// The session that is open: see [`Seen::stamp`].
    #[inline]
    #[must_use]
    pub fn stamp(&self) -> u64 {
        self.seen.stamp()
    }

    /// Stays inside beyond this value, until [`ThreadState::leave`].
    #[inline]
    pub(crate) fn stay(self) {
        core::mem::forget(self);
    }
}

impl Drop for InHook<'_> {
    #[inline]
    fn drop(&mut self) {
        self.thread.leave();
    }
}

impl ThreadState {
    pub(crate) fn new(index: u32) -> Self {
        Self {
            in_hook: AtomicU32::new(0),
            index,
            parting: AtomicU64::new(0),
            countdown: AtomicU64::new(0),
            weight: AtomicU32::new(0),
            generation: AtomicU32::new(0),
            free: AtomicU32::new((u64::MAX >> (64 - PER_THREAD)) as u32),
            taken: AtomicBool::new(true),
            id: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            random: AtomicU64::new(u64::from(index)),
            pads: Pads::new(),
            acquisitions: core::array::from_fn(|_| Acquisition::new()),
        }
    }

    /// Position in the table of all states.
    #[inline]
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// The thread, which acquires a lock alone at `site`.
    #[inline]
    pub(crate) fn as_holder(&self, site: CallSite) -> Holder {
        Holder::new(site, Holder::thread_bits(self.index))
    }

    /// The kernel's number of the thread.
    #[inline]
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    /// Whether the thread is inside a hook.
    #[inline]
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.in_hook.load(Ordering::Relaxed) != 0
    }

    /// Enters the bracket if the gate is open and this thread is not inside
    /// already: code that runs inside a hook may itself lock, and those
    /// operations are plain.
    ///
    /// The store of the flag and the load of the gate are the two sides of a
    /// Dekker handshake with [`quiesce`], which closes the gate and then looks
    /// at the flag: one of the two sees the other. Model: `start_stop`.
    #[inline]
    pub fn enter(&self, gate: &Gate) -> Option<InHook<'_>> {
        if self.is_inside() {
            return None;
        }
        self.in_hook.store(1, Ordering::Relaxed);
        light_fence(gate.is_expedited());
        let seen = gate.look_acquire();
        let inside = InHook { thread: self, seen };
        seen.is_open().then_some(inside)
    }

    /// Leaves the bracket.
    #[inline]
    pub(crate) fn leave(&self) {
        // Release: what the hook wrote happens before `quiesce` sees the 0.
        // Pairs with the acquire there. Model: `start_stop`.
        self.in_hook.store(0, Ordering::Release);
    }

    /// Says whose operations this thread's records are.
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    fn set_id(&self, id: u64) {
        // Relaxed, all: the thread is its own, or the only one after a fork.
        self.id.store(id, Ordering::Relaxed);
        self.acquisitions.iter().for_each(|record| record.event().set_thread(id as u32));
    }

    /// The thread, inside the bracket, owns the lock with this id, and will tell
    /// the backend of it once it has given it back.
    ///
    /// Relaxed: giving the lock back publishes it to the next owner, and so to
    /// the last, who drops the lock and waits for us. Model: `parting`.
    #[inline]
    pub(crate) fn part_from(&self, lock: u64) {
        self.parting.store(lock, Ordering::Relaxed);
    }

    /// The backend was told.
    #[inline]
    pub(crate) fn parted(&self) {
        // Release: what the backend did happens before the lock's end. Pairs
        // with the acquire in `await_parting`.
        self.parting.store(0, Ordering::Release);
    }

    /// Waits until this thread does not tell of the lock with this id. The
    /// caller owns the lock alone and for the last time.
    pub(crate) fn await_parting(&self, lock: u64) {
        // Acquire: pairs with the release in `parted`.
        while self.parting.load(Ordering::Acquire) == lock {
            crate::sync::pause();
        }
    }

    /// In the child of a fork: forgets that this thread was inside a hook, and
    /// that it lives if it is not the one with this `id`.
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    fn forked(&self, id: Option<u64>) {
        // Relaxed, all: the child has one thread.
        self.in_hook.store(0, Ordering::Relaxed);
        self.parting.store(0, Ordering::Relaxed);
        match id {
            Some(id) => self.set_id(id),
            None => {
                // What is left of its countdown may have been with the thread.
                self.countdown.store(0, Ordering::Relaxed);
                self.taken.store(false, Ordering::Relaxed);
            }
        }
    }

    /// Counts one operation that has no countdown of its own; true if it is
    /// due, or if the countdown is from another session.
    #[inline]
    pub(crate) fn tick(&self, stamp: u64) -> bool {
        let word = self.countdown.load(Ordering::Relaxed);
        if !slot::passes(word, stamp) {
            return true;
        }
        self.countdown.store(word - 1, Ordering::Relaxed);
        false
    }

    /// Whether the countdown belongs to the session with this `stamp`.
    #[inline]
    pub(crate) fn is_armed(&self, stamp: u64) -> bool {
        let word = self.countdown.load(Ordering::Relaxed);
        word != 0 && word >> 32 == stamp >> 32
    }

    /// Whether this thread samples every operation that it counts down itself.
    #[inline]
    pub(crate) fn samples_every(&self, stamp: u64) -> bool {
        self.countdown.load(Ordering::Relaxed) == stamp | 1 && self.weight() == 1
    }

    #[inline]
    pub(crate) fn arm(&self, stamp: u64, countdown: Countdown) {
        self.weight.store(countdown.own_weight(), Ordering::Relaxed);
        self.countdown.store(stamp | u64::from(countdown.operations.max(1)), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }

    /// True once in `period` times, at random: whether this acquisition, which
    /// has to wait, is recorded.
    pub(crate) fn draws(&self, period: u32) -> bool {
        // SplitMix64 (Steele, Lea and Flood 2014).
        let state = self.random.load(Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.store(state, Ordering::Relaxed);
        let bits = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = bits ^ bits >> 31;
        // The upper half of the product is uniform in 0..period.
        ((u128::from(bits) * u128::from(period)) >> 64) as u64 == 0
    }

    /// An acquisition of the session `generation`, which stands for `weight`
    /// operations, has ended too late to be told; `free` gives its record back.
    ///
    /// Both happen inside the bracket, so that [`ThreadState::unfinished`] counts
    /// it once: among those on their way, or here. Model: `unfinished`.
    #[cold]
    pub(crate) fn cut_short(&self, generation: u32, weight: u32, free: impl FnOnce()) {
        let was_inside = self.is_inside();
        self.in_hook.store(1, Ordering::Relaxed);
        let cut = self.cut.load(Ordering::Relaxed);
        let before = if cut >> 32 == u64::from(generation) { cut & COUNT } else { 0 };
        // What is of an older session than the last was counted with that.
        if cut >> 32 <= u64::from(generation) {
            let count = (before + u64::from(weight)).min(COUNT);
            // Release: who sees this sees that the thread is inside. Pairs with
            // the acquire in `unfinished`.
            self.cut.store(u64::from(generation) << 32 | count, Ordering::Release);
        }
        free();
        if !was_inside {
            self.leave();
        }
    }

    /// How many operations of the session `generation`, which is over, this
    /// thread has begun and will never tell.
    pub(crate) fn unfinished(&self, generation: u32) -> u64 {
        loop {
            // Acquire: pairs with the release in `cut_short`.
            let cut = self.cut.load(Ordering::Acquire);
            // What is counted there has given its record back.
            wait_outside(self);
            let on_their_way: u64 =
                self.acquisitions.iter().map(|record| record.unfinished(generation)).sum();
            // What had given its record back is counted there: pairs with the
            // release in `acquisition::free`.
            if self.cut.load(Ordering::Acquire) == cut {
                let is_its = cut >> 32 == u64::from(generation);
                return on_their_way + if is_its { cut & COUNT } else { 0 };
            }
        }
    }

    /// The acquisition that is taken next, if one is free and those of older
    /// sessions were taken back.
    #[inline]
    pub(crate) fn next_acquisition(&self, generation: u32) -> Option<usize> {
        let free = self.free.load(Ordering::Relaxed);
        let is_ready = free != 0 && self.generation.load(Ordering::Relaxed) == generation;
        is_ready.then(|| free.trailing_zeros() as usize)
    }

    /// Takes what [`ThreadState::next_acquisition`] has shown.
    #[inline]
    pub(crate) fn take_next_acquisition(&self) {
        let free = self.free.load(Ordering::Relaxed);
        self.free.store(free & free.wrapping_sub(1), Ordering::Relaxed);
    }

    /// Takes a free acquisition, or counts a loss.
    ///
    /// What an older session left is taken back first; a token that was handed
    /// out for it no longer fits.
    #[inline]
    pub(crate) fn take_acquisition(&self, generation: u32) -> Option<usize> {
        if self.generation.load(Ordering::Relaxed) != generation {
            self.reclaim(generation);
        }
        let mut free = self.free.load(Ordering::Relaxed);
        if free == 0 {
            free = self.collect_returned();
            if free == 0 {
                self.lost.store(self.lost.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                return None;
            }
        }
        let index = free.trailing_zeros();
        self.free.store(free & (free - 1), Ordering::Relaxed);
        Some(index as usize)
    }

    /// Puts one of this thread's own acquisitions back.
    #[inline]
    pub(crate) fn put_acquisition(&self, index: usize) {
        let free = self.free.load(Ordering::Relaxed);
        self.free.store(free | 1 << index, Ordering::Relaxed);
    }

    #[cold]
    fn reclaim(&self, generation: u32) {
        let mut free = self.free.load(Ordering::Relaxed);
        for (index, acquisition) in self.acquisitions.iter().enumerate() {
            if free & 1 << index == 0 && acquisition.reclaim() {
                free |= 1 << index;
            }
        }
        self.free.store(free, Ordering::Relaxed);
        self.generation.store(generation, Ordering::Relaxed);
    }

    /// This thread is about to end, and waits no more. What it holds, another may give
    /// back by the token, unless there are none (`is_alone`).
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    fn end_all(&self, is_alone: bool) {
        for (index, record) in self.acquisitions.iter().enumerate() {
            let free = || {
                record.end();
                self.put_acquisition(index);
            };
            if record.is_waiting() {
                free();
            } else if is_alone && record.is_held() {
                self.cut_short(record.generation(), record.event().weight(), free);
            }
        }
    }

    #[cold]
    fn collect_returned(&self) -> u32 {
        let mut free = 0;
        for (index, acquisition) in self.acquisitions.iter().enumerate() {
            if acquisition.take_returned() {
                free |= 1 << index;
            }
        }
        free
    }
}

/// Waits until `thread` is outside.
pub(crate) fn wait_outside(thread: &ThreadState) {
    // Acquire: pairs with the release in `InHook::drop`.
    while thread.in_hook.load(Ordering::Acquire) != 0 {
        crate::sync::pause();
    }
}
