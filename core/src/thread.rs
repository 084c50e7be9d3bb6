//! What each thread keeps: its in-hook flag, its countdown, and the
//! acquisitions that it has begun and not yet ended.

use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};

use crate::acquisition::{Acquisition, PER_THREAD};
use crate::event::Pending;
use crate::gate::{Gate, state};
use crate::sync::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering, heavy_fence, light_fence,
};

/// Threads that can be watched at one time.
pub(crate) const MAX_THREADS: usize = 1 << 16;
const CHUNK: usize = 256;

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
    pub(crate) acquisitions: [Acquisition; PER_THREAD],
}

/// A thread that is inside the bracket in which hooks may run.
///
/// While one of these exists, [`quiesce`] does not return.
#[derive(Debug)]
pub struct InHook<'a> {
    thread: &'a ThreadState,
    /// The session that is open, as a stamp.
    pub stamp: u64,
}

impl Drop for InHook<'_> {
    #[inline]
    fn drop(&mut self) {
        // Release: what the hook wrote happens before `quiesce` sees the 0.
        // Pairs with the acquire there. Model: `start_stop`.
        self.thread.in_hook.store(0, Ordering::Release);
    }
}

impl ThreadState {
    pub(crate) fn new(index: u32) -> Self {
        Self {
            in_hook: AtomicU32::new(0),
            index,
            countdown: AtomicU64::new(0),
            weight: AtomicU32::new(0),
            generation: AtomicU32::new(0),
            free: AtomicU32::new(u32::MAX),
            taken: AtomicBool::new(true),
            id: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            acquisitions: core::array::from_fn(|_| Acquisition::new()),
        }
    }

    /// Position in the table of all states.
    #[inline]
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// The kernel's number of the thread.
    #[inline]
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
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
        if self.in_hook.load(Ordering::Relaxed) != 0 {
            return None;
        }
        self.in_hook.store(1, Ordering::Relaxed);
        light_fence(gate.is_expedited());
        let open = gate.state_acquire();
        let inside = InHook { thread: self, stamp: gate.stamp() };
        if open == state::OPEN || open == state::WATCH { Some(inside) } else { None }
    }

    /// Counts one operation that has no countdown of its own; true if it is
    /// due, or if the countdown is from another session.
    #[inline]
    pub(crate) fn tick(&self, stamp: u64) -> bool {
        let word = self.countdown.load(Ordering::Relaxed);
        if word.wrapping_sub(stamp).wrapping_sub(2) >= u64::from(u32::MAX) {
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

    #[inline]
    pub(crate) fn arm(&self, stamp: u64, operations: u32, weight: u32) {
        self.weight.store(weight, Ordering::Relaxed);
        self.countdown.store(stamp | u64::from(operations.max(1)), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
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

/// Waits until no thread is inside a hook of the session that `gate` was
/// closed on. The caller has closed the gate.
///
/// It never waits for a lock's holder, only for hooks, which do not block.
pub fn quiesce(gate: &Gate) {
    // The flag of this thread may be set, if a hook abandons the session.
    let own = CURRENT.with(Cell::get);
    heavy_fence(gate.is_expedited());
    for thread in all() {
        if core::ptr::eq(thread, own) {
            continue;
        }
        wait_outside(thread);
    }
}

/// Waits until `thread` is outside.
pub(crate) fn wait_outside(thread: &ThreadState) {
    // Acquire: pairs with the release in `InHook::drop`.
    while thread.in_hook.load(Ordering::Acquire) != 0 {
        crate::sync::pause();
    }
}

/// Samples that found no free acquisition, of all threads.
#[must_use]
pub fn lost() -> u64 {
    all().map(|thread| thread.lost.load(Ordering::Relaxed)).sum()
}

/// Calls `visit` for every acquisition that is waiting or held now.
pub fn for_each_pending(mut visit: impl FnMut(&Pending)) {
    for thread in all() {
        for acquisition in &thread.acquisitions {
            if let Some(pending) = acquisition.pending(thread.id()) {
                visit(&pending);
            }
        }
    }
}

thread_local! {
    /// This thread's state; null before its first slow operation and after
    /// its thread-local values are torn down. No destructor: it can be asked
    /// at any time.
    static CURRENT: Cell<*const ThreadState> = const { Cell::new(core::ptr::null()) };
    /// Gives the state back when the thread ends.
    static LEASE: Lease = const { Lease(Cell::new(false)) };
    /// Set once the lease has ended: what is still to come is plain.
    static ENDED: Cell<bool> = const { Cell::new(false) };
}

struct Lease(Cell<bool>);

impl Drop for Lease {
    fn drop(&mut self) {
        ENDED.with(|ended| ended.set(true));
        let state = CURRENT.with(|current| current.replace(core::ptr::null()));
        // SAFETY: states are never freed.
        if let Some(state) = unsafe { state.as_ref() } {
            // Release: the next owner sees this thread's last writes. Pairs
            // with the acquire in `adopt`.
            state.taken.store(false, Ordering::Release);
        }
    }
}

/// This thread's state, made at its first use; `None` while the thread is
/// being torn down, or when there are too many threads.
#[inline]
#[must_use]
pub fn current() -> Option<&'static ThreadState> {
    let state = CURRENT.with(Cell::get);
    if state.is_null() {
        return first_use();
    }
    // SAFETY: states are never freed.
    Some(unsafe { &*state })
}

#[cold]
fn first_use() -> Option<&'static ThreadState> {
    if ENDED.with(Cell::get) {
        return None;
    }
    // Registering a destructor may allocate, and the program's allocator may
    // lock: with `CURRENT` still null that would lead here again.
    if LEASE.try_with(|lease| lease.0.replace(true)).ok()? {
        return None;
    }
    let state = adopt().or_else(create)?;
    // SAFETY: the call takes nothing and cannot fail.
    let id = unsafe { libc::syscall(libc::SYS_gettid) };
    state.id.store(id as u64, Ordering::Relaxed);
    CURRENT.with(|current| current.set(state));
    Some(state)
}

/// The table of all states: chunks that are made when needed.
static TABLE: [AtomicPtr<[AtomicPtr<ThreadState>; CHUNK]>; MAX_THREADS / CHUNK] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; MAX_THREADS / CHUNK];
/// How many states exist: those below are in the table or about to be.
static COUNT: AtomicU32 = AtomicU32::new(0);

fn all() -> impl Iterator<Item = &'static ThreadState> {
    (0..COUNT.load(Ordering::Acquire).min(MAX_THREADS as u32)).filter_map(get)
}

/// The state at `index`, if there is one.
pub(crate) fn get(index: u32) -> Option<&'static ThreadState> {
    // Acquire, twice: pairs with the releases in `create`.
    let chunk = TABLE[index as usize / CHUNK].load(Ordering::Acquire);
    // SAFETY: chunks and states are never freed.
    let state = unsafe { chunk.as_ref()?[index as usize % CHUNK].load(Ordering::Acquire) };
    // SAFETY: as above.
    unsafe { state.as_ref() }
}

/// Takes over the state of a thread that has ended.
fn adopt() -> Option<&'static ThreadState> {
    all().find(|state| {
        !state.taken.load(Ordering::Relaxed)
            // Acquire: pairs with the release in `Lease::drop`.
            && state
                .taken
                .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
    })
}

/// Makes a new state. From the system's allocator: the program's may be built
/// of the very locks that are being watched.
fn create() -> Option<&'static ThreadState> {
    let index = COUNT.fetch_add(1, Ordering::Relaxed);
    if index as usize >= MAX_THREADS {
        COUNT.fetch_sub(1, Ordering::Relaxed);
        return None;
    }
    let chunk = chunk(index as usize / CHUNK)?;
    let state = system_box(ThreadState::new(index))?;
    // Release: pairs with the acquire in `get`, so that the state is whole.
    chunk[index as usize % CHUNK].store(state, Ordering::Release);
    // SAFETY: never freed.
    Some(unsafe { &*state })
}

fn chunk(index: usize) -> Option<&'static [AtomicPtr<ThreadState>; CHUNK]> {
    let place = &TABLE[index];
    // Acquire: pairs with the release below.
    let mut chunk = place.load(Ordering::Acquire);
    if chunk.is_null() {
        let fresh = system_box([const { AtomicPtr::new(core::ptr::null_mut()) }; CHUNK])?;
        // Release: whoever sees the chunk sees it empty, not undefined.
        match place.compare_exchange(
            core::ptr::null_mut(),
            fresh,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(_) => chunk = fresh,
            Err(other) => {
                // SAFETY: `fresh` came from `System` with this layout, and
                // nobody else has seen it.
                unsafe { System.dealloc(fresh.cast(), Layout::for_value(&*fresh)) };
                chunk = other;
            }
        }
    }
    // SAFETY: chunks are never freed.
    Some(unsafe { &*chunk })
}

fn system_box<T>(value: T) -> Option<*mut T> {
    // SAFETY: no caller passes a zero-sized type.
    let place = unsafe { System.alloc(Layout::new::<T>()) }.cast::<T>();
    if place.is_null() {
        return None;
    }
    // SAFETY: freshly allocated for a `T`.
    unsafe { place.write(value) };
    Some(place)
}
