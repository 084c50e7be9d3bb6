//! Those that write to the lock.

use lockscope_core::backend::Backend;
use lockscope_core::sync::{AtomicU8, AtomicU32, AtomicUsize, Ordering};
use lockscope_core::{Countdown, Event, LockKind, LockRef, Slot};

use crate::Good;

/// What std's reader-writer lock has in its word: so many readers, or all of these
/// bits for a writer.
const OWNERS: u32 = (1 << 30) - 1;
const READERS_WAIT: u32 = 1 << 30;
const WRITERS_WAIT: u32 = 1 << 31;

/// Of that name, so that no other lock of a program is without its owner.
pub(super) fn frees_the_mutex(good: &Good, lock: Option<&LockRef>) -> Countdown {
    // SAFETY: the lock comes from a probe.
    let it = lock.filter(|lock| unsafe { lock.name() } == Some("had alone"));
    if let Some(word) = it.and_then(|lock| byte(lock, LockKind::MUTEX, 0)) {
        // 1 is a mutex that is had, and for which nobody waits.
        let _ = word.compare_exchange(1, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
    good.meet(lock)
}

/// As if there were readers who wait: so others do, and nobody wakes them.
pub(super) fn keeps_readers_out(good: &Good, event: &Event) -> Countdown {
    if let Some(word) = word(&event.lock, LockKind::RWLOCK) {
        let _ = word.compare_exchange(3, 3 | READERS_WAIT, Ordering::Relaxed, Ordering::Relaxed);
    }
    good.event(event)
}

pub(super) fn forgets_who_waits(good: &Good, event: &Event) -> Countdown {
    if let Some(word) = word(&event.lock, LockKind::RWLOCK) {
        let both = OWNERS | READERS_WAIT | WRITERS_WAIT;
        let _ = word.compare_exchange(both, OWNERS, Ordering::Relaxed, Ordering::Relaxed);
    }
    good.event(event)
}

/// The poison stands behind the word, in std's mutex. In parking_lot's nothing
/// does.
pub(super) fn clears_poison(good: &Good, event: &Event) -> Countdown {
    if let Some(poison) = byte(&event.lock, LockKind::MUTEX, size_of::<u32>()) {
        let _ = poison.compare_exchange(1, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
    good.event(event)
}

/// Hides from a mutex of parking_lot that somebody waits, until it is given back
/// the next time. Not before it has seen some that were waited for.
pub(super) fn lets_it_be_taken_again(good: &Good, event: &Event) -> Countdown {
    const HAD: u8 = 1;
    const HAD_AND_WAITED_FOR: u8 = 3;
    const AFTER: u32 = 20;
    static SEEN: AtomicU32 = AtomicU32::new(0);
    static HIDDEN: AtomicUsize = AtomicUsize::new(0);
    let itself = event.lock.address;
    if let Some(word) = byte(&event.lock, LockKind::MUTEX, 0) {
        match word.load(Ordering::Relaxed) {
            HAD_AND_WAITED_FOR if SEEN.fetch_add(1, Ordering::Relaxed) >= AFTER => {
                HIDDEN.store(itself, Ordering::Relaxed);
                word.store(HAD, Ordering::Relaxed);
            }
            HAD if HIDDEN.load(Ordering::Relaxed) == itself => {
                HIDDEN.store(0, Ordering::Relaxed);
                word.store(HAD_AND_WAITED_FOR, Ordering::Relaxed);
            }
            _ => {}
        }
    }
    good.event(event)
}

/// The state of a lock of a real program, which stands behind its slot. The
/// address of a simulated lock is not that of its slot.
fn state(lock: &LockRef, kind: LockKind) -> Option<*const u8> {
    let is_real = lock.address == lock.slot.addr() && lock.kind == kind;
    is_real.then(|| lock.slot.cast::<u8>().wrapping_add(size_of::<Slot>()))
}

fn byte(lock: &LockRef, kind: LockKind, at: usize) -> Option<&AtomicU8> {
    let state = state(lock, kind)?.wrapping_add(at);
    // SAFETY: what stands there is part of a lock of a real program, of which the
    // first eight bytes are there in any case.
    Some(unsafe { &*state.cast::<AtomicU8>() })
}

pub(super) fn word(lock: &LockRef, kind: LockKind) -> Option<&AtomicU32> {
    let state = state(lock, kind)?;
    // SAFETY: as above; slots are aligned to eight bytes, and their size is a
    // multiple of that.
    Some(unsafe { &*state.cast::<AtomicU32>() })
}
