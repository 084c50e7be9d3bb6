//! The table of all threads' states, and each thread's way to its own.

use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};

use super::{ThreadState, wait_outside};
use crate::event::Pending;
use crate::gate::Gate;
use crate::site::CallSite;
use crate::slot::{self, Holder};
use crate::sync::{AtomicPtr, AtomicU32, Ordering, heavy_fence};

/// Threads that can be watched at one time: as many as a token can name.
const MAX_THREADS: usize = 1 << 16;
const CHUNK: usize = 256;

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

/// In the child of a fork: the threads that were not forked are gone, and the
/// one that was may have been inside a hook of a session that is not its own.
///
/// Stores only, so it may run in a handler of `pthread_atfork`.
pub fn forked() {
    let own = CURRENT.with(Cell::get);
    for thread in all() {
        thread.forked(core::ptr::eq(thread, own).then(kernel_thread_id));
    }
}

/// Waits until no thread tells a backend of the lock with this id any more.
pub(crate) fn await_parting(lock: u64) {
    all().for_each(|thread| thread.await_parting(lock));
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
            if let Some(mut pending) = acquisition.pending(thread.id()) {
                let holder = (pending.holder_thread as u32).checked_sub(1).and_then(get);
                pending.holder_thread = holder.map_or(0, ThreadState::id);
                visit(&pending);
            }
        }
    }
}

/// How many operations of the session `generation` are never told to its
/// backend, because they had not ended when it did. The session is over, and
/// [`quiesce`] has returned.
#[must_use]
pub fn unfinished(generation: u32) -> u64 {
    all().map(|thread| thread.unfinished(generation)).sum()
}

thread_local! {
    /// This thread's state; null before its first slow operation and after
    /// its thread-local values are torn down. No destructor: it can be asked
    /// at any time.
    static CURRENT: Cell<*const ThreadState> = const { Cell::new(core::ptr::null()) };
    /// This thread as a part of a [`Holder`]; 0 while `CURRENT` is null.
    static HOLDER: Cell<u64> = const { Cell::new(0) };
    /// Gives the state back when the thread ends.
    static LEASE: Lease = const { Lease(Cell::new(false)) };
    /// Where else this thread's state is found, if anywhere.
    static SHORTCUT: Cell<*const Shortcut> = const { Cell::new(core::ptr::null()) };
    /// Set once the lease has ended: what is still to come is plain.
    static ENDED: Cell<bool> = const { Cell::new(false) };
}

struct Lease(Cell<bool>);

impl Drop for Lease {
    fn drop(&mut self) {
        ENDED.with(|ended| ended.set(true));
        let state = CURRENT.with(|current| current.replace(core::ptr::null()));
        HOLDER.with(|holder| holder.set(0));
        // SAFETY: who gave it has promised that it lives as long as the thread.
        let shortcut = unsafe { SHORTCUT.with(Cell::get).as_ref() };
        // SAFETY: states are never freed.
        if let Some(state) = unsafe { state.as_ref() } {
            if let Some(shortcut) = shortcut {
                shortcut.part_from(state);
            }
            // glibc cancels a thread in the middle of a wait. Whoever has a shortcut has
            // its tokens there as well, and not in guards.
            state.end_all(shortcut.is_some());
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

/// A thread's own countdown and the way to its state, in memory of the thread's that a
/// probe reaches without a call, as a preloaded library does.
///
/// All zeros is one that leads nowhere yet.
#[repr(C)]
#[derive(Debug)]
pub struct Shortcut {
    /// The countdown of the state, which stands at its end meanwhile, so that whoever
    /// comes to the end of this one finds that one there: see [`Shortcut::take_over`].
    countdown: Cell<u64>,
    state: Cell<*const ThreadState>,
}

impl Shortcut {
    /// This thread's state, if the shortcut leads to it already, and the thread is not
    /// being torn down.
    #[inline]
    #[must_use]
    pub fn get(&self) -> Option<&'static ThreadState> {
        // SAFETY: states are never freed.
        unsafe { self.state.get().as_ref() }
    }

    /// As [`current`], after which the shortcut leads there as well.
    ///
    /// # Safety
    ///
    /// - The shortcut is the calling thread's, which gives no other, and lives as long
    ///   as the thread.
    #[cold]
    #[inline(never)]
    pub unsafe fn introduce(&self) -> Option<&'static ThreadState> {
        let state = current()?;
        SHORTCUT.with(|shortcut| shortcut.set(self));
        self.state.set(state);
        self.take_over(state);
        Some(state)
    }

    /// Counts an operation; false if it is due, or if the countdown is not one of an
    /// open gate that says `word`.
    #[inline(always)]
    pub(crate) fn passes(&self, word: u64) -> bool {
        let countdown = self.countdown.get();
        // The same generation in the upper half, and more than one operation left.
        let passes = slot::passes(countdown, word);
        if passes {
            self.countdown.set(countdown - 1);
        }
        passes
    }

    /// Takes over what `state`, which is this thread's, was armed with, if it was.
    #[inline]
    pub fn take_over(&self, state: &ThreadState) {
        let armed = state.countdown.load(Ordering::Relaxed);
        let end = armed >> 32 << 32 | 1;
        if armed != end || self.countdown.get() >> 32 != end >> 32 {
            self.countdown.set(armed);
            state.countdown.store(end, Ordering::Relaxed);
        }
    }

    /// Gives the countdown back to `state`, and leads nowhere any more.
    fn part_from(&self, state: &ThreadState) {
        self.state.set(core::ptr::null());
        let countdown = self.countdown.replace(0);
        if countdown >> 32 == state.countdown.load(Ordering::Relaxed) >> 32 {
            // Whoever takes the state over goes on where this thread has stopped.
            state.countdown.store(countdown, Ordering::Relaxed);
        }
    }
}

/// This thread's state, if it has one.
#[inline]
pub(crate) fn introduced() -> Option<&'static ThreadState> {
    // SAFETY: states are never freed.
    unsafe { CURRENT.with(Cell::get).as_ref() }
}

/// Counts an operation on this thread's own countdown; false if it is due, or
/// if the thread has none of the session with this `stamp`.
#[inline]
pub(crate) fn passes(stamp: u64) -> bool {
    let state = CURRENT.with(Cell::get);
    // SAFETY: states are never freed.
    unsafe { state.as_ref() }.is_some_and(|state| !state.tick(stamp))
}

/// This thread, which acquires a lock alone at `site`.
///
/// Whoever is to be named in a deadlock may never be sampled before it, so a
/// thread is introduced by its first operation.
#[inline]
pub(crate) fn holder(site: CallSite) -> Holder {
    let bits = HOLDER.with(Cell::get);
    if bits == 0 {
        return introduce(site);
    }
    Holder::new(site, bits)
}

#[cold]
#[inline(never)]
fn introduce(site: CallSite) -> Holder {
    let bits = current().map_or(0, |state| Holder::thread_bits(state.index()));
    Holder::new(site, bits)
}

/// Whether this thread is inside a hook.
#[cfg(feature = "control")]
pub(crate) fn is_inside() -> bool {
    let state = CURRENT.with(Cell::get);
    // SAFETY: states are never freed.
    unsafe { state.as_ref() }.is_some_and(ThreadState::is_inside)
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
    state.pads.forget();
    state.set_id(kernel_thread_id());
    CURRENT.with(|current| current.set(state));
    HOLDER.with(|holder| holder.set(Holder::thread_bits(state.index())));
    Some(state)
}

fn kernel_thread_id() -> u64 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as u64 }
}

/// The table of all states: chunks that are made when needed.
static TABLE: [AtomicPtr<[AtomicPtr<ThreadState>; CHUNK]>; MAX_THREADS / CHUNK] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; MAX_THREADS / CHUNK];
/// How many states exist: those below are in the table or about to be.
static COUNT: AtomicU32 = AtomicU32::new(0);

fn all() -> impl Iterator<Item = &'static ThreadState> {
    (0..COUNT.load(Ordering::Acquire).min(MAX_THREADS as u32)).filter_map(get)
}

/// The number of the thread that the kernel knows by `id`, if it is watched.
///
/// Looks at all threads, whose own lines they write to: for those who are about to
/// wait, and only where an owner is known.
pub(crate) fn index_of(id: u64) -> Option<u32> {
    // 0 stands for a thread that is not known.
    if id == 0 {
        return None;
    }
    let is_it = |state: &&ThreadState| state.id() == id && state.taken.load(Ordering::Relaxed);
    all().find(is_it).map(ThreadState::index)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::Countdown;

    const STAMP: u64 = 7 << 32;

    #[test]
    fn a_shortcut_counts_down_what_its_state_was_armed_with() {
        let shortcut = Shortcut { countdown: Cell::new(0), state: Cell::new(core::ptr::null()) };
        let state = ThreadState::new(0);
        assert!(!shortcut.passes(STAMP));
        state.arm(STAMP, Countdown { operations: 3, weight: 9 });
        shortcut.take_over(&state);
        assert!(state.is_armed(STAMP) && state.tick(STAMP), "it is due for who looks there");
        assert!(shortcut.passes(STAMP));
        shortcut.take_over(&state);
        assert!(shortcut.passes(STAMP), "what was not armed is not taken over");
        for word in [0, STAMP, STAMP + (1 << 32), STAMP | 1 << 63] {
            assert!(!shortcut.passes(word), "{word:#x}");
        }
    }

    #[test]
    fn whoever_takes_a_state_over_goes_on_where_its_thread_has_stopped() {
        let shortcut = Shortcut { countdown: Cell::new(0), state: Cell::new(core::ptr::null()) };
        let state = ThreadState::new(0);
        state.arm(STAMP, Countdown { operations: 5, weight: 9 });
        shortcut.take_over(&state);
        assert!(shortcut.passes(STAMP));
        shortcut.part_from(&state);
        assert!(!shortcut.passes(STAMP) && shortcut.get().is_none());
        let left = (0..9).take_while(|_| !state.tick(STAMP)).count();
        assert_eq!(left, 3);
    }
}
