//! The gates of this process, closable at any moment: inside a hook, and in
//! the child of a fork, where nothing may be locked or allocated.

use core::ffi::c_void;
use std::sync::{Mutex, Once, PoisonError};

use lockscope_core::Probe;
use lockscope_core::gate::state;
use lockscope_core::sync::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// How many probes a process can have: one per copy of a probe's crate.
pub(super) const MAX_PROBES: usize = 64;
const LONGEST_REASON: usize = 1024;

/// Probes that this host holds, in the order of their numbers.
static PROBES: [AtomicPtr<Probe>; MAX_PROBES] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; MAX_PROBES];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Probes that have arrived while the engine was busy.
static HANDED_IN: [AtomicPtr<Probe>; MAX_PROBES] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; MAX_PROBES];
/// Generation of the session that a backend has abandoned; 0 for none.
static ABANDONED: AtomicU32 = AtomicU32::new(0);
/// Why. Held for the length of a copy, by a thread inside a hook or by the
/// host; never while waiting for anything.
static REASON: Mutex<Reason> = Mutex::new(Reason { len: 0, text: [0; LONGEST_REASON] });

struct Reason {
    len: usize,
    text: [u8; LONGEST_REASON],
}

/// The probes that this host holds.
pub(super) fn probes() -> impl Iterator<Item = &'static Probe> {
    // Acquire: pairs with the release in `add`.
    let count = COUNT.load(Ordering::Acquire);
    PROBES[..count].iter().filter_map(|probe| {
        // SAFETY: probes are statics.
        unsafe { probe.load(Ordering::Relaxed).as_ref() }
    })
}

/// Adds a probe that the host has taken under the number [`next_number`]. The
/// caller is the only one who adds.
pub(super) fn add(probe: &'static Probe) {
    let count = COUNT.load(Ordering::Relaxed);
    PROBES[count].store(core::ptr::from_ref(probe).cast_mut(), Ordering::Relaxed);
    // Release: whoever counts the probe sees it.
    COUNT.store(count + 1, Ordering::Release);
}

/// The number that the next probe gets; `None` if there is no room for one.
pub(super) fn next_number() -> Option<u32> {
    let count = COUNT.load(Ordering::Relaxed);
    (count < MAX_PROBES).then_some(count as u32)
}

/// Takes the probe under this number; false if another host has it.
pub(super) fn take(probe: &Probe, number: u32) -> bool {
    // The address of the engine tells this host from all others here.
    probe.occupy(core::ptr::from_ref(&super::ENGINE) as usize, number)
}

/// Leaves a probe for whoever holds the engine; false if there is no room.
///
/// A probe may arrive from anywhere, even from within the allocator while the
/// host allocates, so this neither waits nor allocates.
pub(super) fn hand_in(probe: &'static Probe) -> bool {
    let probe = core::ptr::from_ref(probe).cast_mut();
    HANDED_IN.iter().any(|place| {
        // Release: pairs with the acquire in `take_handed_in`.
        let taken = Ordering::Release;
        place.compare_exchange(core::ptr::null_mut(), probe, taken, Ordering::Relaxed).is_ok()
    })
}

/// The probes that were left.
pub(super) fn take_handed_in() -> impl Iterator<Item = &'static Probe> {
    HANDED_IN.iter().filter_map(|place| {
        // SAFETY: probes are statics.
        unsafe { place.swap(core::ptr::null_mut(), Ordering::Acquire).as_ref() }
    })
}

/// Whether probes were left.
pub(super) fn any_handed_in() -> bool {
    HANDED_IN.iter().any(|place| !place.load(Ordering::Relaxed).is_null())
}

/// Closes all gates: nothing but stores.
pub(super) fn close_all() {
    probes().for_each(close);
}

/// Closes the probe's gate. One that nobody has passed stays as it is: the
/// probe's first operation is still to look for a host.
pub(super) fn close(probe: &Probe) {
    if probe.gate.state() != state::UNSEEN {
        probe.gate.close();
    }
}

/// [`Session::abandon`](lockscope_core::Session::abandon) of every session;
/// the context is the session's generation.
///
/// Runs inside a hook, on a thread of the program: it closes the gates, keeps
/// the reason, and leaves everything else to whoever looks next.
pub(super) unsafe extern "C" fn abandon(context: *const c_void, reason: *const u8, len: usize) {
    // SAFETY: the caller gave both for the length of the call.
    let reason = unsafe { core::slice::from_raw_parts(reason, len) };
    let mut kept = REASON.lock().unwrap_or_else(PoisonError::into_inner);
    let len = reason.len().min(LONGEST_REASON);
    kept.text[..len].copy_from_slice(&reason[..len]);
    kept.len = len;
    drop(kept);
    // Release: whoever sees the number sees the reason.
    ABANDONED.store(context as usize as u32, Ordering::Release);
    close_all();
}

/// Whether the session of this generation was abandoned.
pub(super) fn is_abandoned(generation: u32) -> bool {
    // Acquire: pairs with the release in `abandon`.
    ABANDONED.load(Ordering::Acquire) == generation
}

/// Why it was.
pub(super) fn reason() -> String {
    let kept = REASON.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&kept.text[..kept.len]).into_owned()
}

/// Sees to it that the child of a fork starts with closed gates, and as if
/// there had never been a session.
pub(super) fn close_in_forked_children() {
    static REGISTERED: Once = Once::new();
    extern "C" fn child() {
        for probe in probes() {
            (probe.forked)(probe);
        }
        lockscope_stacks::forked();
        super::ENGINE.forget();
    }
    REGISTERED.call_once(|| {
        // SAFETY: the handler only stores to statics. If there is no memory to
        // register it, a child profiles into the void; nothing breaks.
        unsafe { libc::pthread_atfork(None, None, Some(child)) };
    });
}
