//! The data plane of a backend: plain function pointers, frozen as version 1.

use core::ffi::c_void;

use crate::clock::ClockScale;
use crate::event::{Event, LockRef};
use crate::pad::Pad;
use crate::site::CallSite;
use crate::slot::Countdown;

/// The version of everything that crosses the ABI.
///
/// Version 1 is frozen. What comes later is asked for by id, through
/// `LockProfilerBackend::query`, so that an old plugin runs under a new host
/// and a new plugin can say what an old host lacks.
pub const ABI_VERSION: u32 = 1;

/// The entries of a backend that probes call.
///
/// The gate points to one of these while a session is open. Every entry may be
/// called from any thread, but only between start and the return of stop, and
/// never from within itself on one thread. An entry must not unwind, must not
/// take the program's locks, and should not block.
///
/// No entry may allocate through the program's allocator: the lock may be the
/// allocator's.
///
/// # Who calls
///
/// | call | the caller | others in `event` for the same lock | `lock.slot` |
/// |---|---|---|---|
/// | `meet` | owns the lock | none | shown |
/// | `RELEASED`, exclusive, not contended | owns the lock alone | contended, failed ones | shown |
/// | `RELEASED`, shared | owns the lock among others | all | shown |
/// | `RELEASED`, contended | has given the lock back, if its slot had a state and was not [asking](Countdown::asking); else owns it | all | null, or shown |
/// | `FAILED` | owns nothing | all | null |
/// | `IDLE` | owns nothing, and has met the lock | all | shown |
/// | `dropped` | owns the lock alone, for the last time | none, and none is on its way | shown |
///
/// So what an uncontended exclusive release writes needs no synchronisation of
/// its own, unless others write it as well. A contended acquisition is told
/// after the lock is free, because whoever waits should not wait for that too:
/// all that is still to be known of the lock is in [`LockRef::state`].
#[repr(C)]
#[derive(Debug)]
pub struct HookTable {
    /// `size_of::<HookTable>()` of whoever built the table.
    pub size: u32,
    /// [`ABI_VERSION`] of whoever built the table.
    pub version: u32,
    /// Passed to every entry.
    pub context: *const c_void,
    /// The session meets a lock for the first time (`lock` not null, its slot
    /// freshly claimed), or a thread's own countdown has ended (`lock` null:
    /// shared acquisitions, and locks without slot, are counted by thread).
    ///
    /// The answer arms the countdown: [`Countdown::EVERY`] samples at once.
    pub meet: unsafe extern "C" fn(context: *const c_void, lock: *const LockRef) -> Countdown,
    /// One recorded operation, complete. For a [`counted`](Event::counted)
    /// event the answer re-arms the lock's countdown; for any other it may do
    /// so, or be [`Countdown::UNCHANGED`].
    pub event: unsafe extern "C" fn(context: *const c_void, event: *const Event) -> Countdown,
    /// A lock that the session has met is dropped. The caller owns it alone.
    pub dropped: unsafe extern "C" fn(context: *const c_void, lock: *const LockRef),
    /// A [`Pad`] for the lock, call site and thread of an event that has just been
    /// told, if the backend lends one; null if not. Asked where the event was an
    /// exclusive acquisition that did not wait and stood for itself, and every
    /// operation of the lock is sampled: by its slot, or if it has none, by the
    /// thread.
    ///
    /// From then on, and as long as every operation is sampled and the session
    /// goes on, the end of such an acquisition may be left there and told only
    /// when the pad is full. None if the backend lends none.
    pub pad:
        Option<unsafe extern "C" fn(context: *const c_void, event: *const Event) -> *const Pad>,
    /// The host's: whether the session watches a lock at all. Null in a
    /// backend's own table; the host puts it into a copy. Asked when a lock is
    /// met, before `meet`, and for a lock without slot before each event: a lock
    /// that is not admitted never reaches the backend.
    pub admits: Option<Admits>,
    /// The host's, as `admits`: names the caller's stack, which led to `site`, by
    /// another site, that of the stack: see [`CallSite::is_stack`]. Null where a
    /// session keeps no stacks. Asked by the thread that acquires, waits or tries,
    /// with the kernel's number of it, once for each operation that is recorded,
    /// before the lock is waited for or once it is owned. The answer is `site`
    /// itself if there is no room for the stack.
    pub stack: Option<Stack>,
    /// Passed to `admits` and to `stack`.
    pub host: *const c_void,
}

/// See [`HookTable::admits`].
pub type Admits = unsafe extern "C" fn(host: *const c_void, lock: *const LockRef) -> bool;

/// See [`HookTable::stack`].
pub type Stack = unsafe extern "C" fn(host: *const c_void, site: CallSite, thread: u32) -> CallSite;

// SAFETY: the table is immutable; what `context` points to is shared between
// threads by the contract above.
unsafe impl Send for HookTable {}
// SAFETY: as above.
unsafe impl Sync for HookTable {}

/// What a backend learns when a session starts.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// The session's number, greater than any before it.
    pub generation: u32,
    #[doc(hidden)]
    pub reserved: u32,
    /// How ticks become nanoseconds.
    pub clock: ClockScale,
    /// When the session started, in ticks.
    pub started: u64,
    /// Seed for everything random, so that a run can be repeated.
    pub seed: u64,
    /// Gives an id to a lock without slot.
    pub next_lock_id: extern "C" fn() -> u64,
    /// Ends the session from within, once: the host closes the gate and
    /// reports `reason` (UTF-8, `len` bytes). Callable from any entry.
    pub abandon: unsafe extern "C" fn(context: *const c_void, reason: *const u8, len: usize),
    /// Passed to `abandon`.
    pub context: *const c_void,
}

// SAFETY: `context` belongs to the host, whose `abandon` may be called from
// any thread.
unsafe impl Send for Session {}
// SAFETY: as above.
unsafe impl Sync for Session {}

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<HookTable>() == 72);
    assert!(size_of::<Session>() == 64);
    assert!(size_of::<Countdown>() == 8);
};
