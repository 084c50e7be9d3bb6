//! What breaks a rule of the family EXCL.

use lockscope_core::backend::Backend;
use lockscope_core::sync::{AtomicU8, Ordering};
use lockscope_core::{Countdown, Event, LockKind, LockRef, Slot};

use crate::{Alter, Good, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[Mutation {
    name: "frees-a-mutex-before-its-owner-does",
    breaks: "EXCL-01",
    alter: Alter { event: frees_the_mutex, ..Alter::NOTHING },
}];

fn frees_the_mutex(good: &Good, event: &Event) -> Countdown {
    let countdown = good.event(event);
    if let Some(word) = lock_word(&event.lock) {
        // 1 is a mutex that is had, and for which nobody waits. Nothing else, so that
        // nobody waits for ever.
        let _ = word.compare_exchange(1, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
    countdown
}

/// The first byte of a mutex of a real program, which stands behind its slot. The
/// address of a simulated lock is not that of its slot.
fn lock_word(lock: &LockRef) -> Option<&AtomicU8> {
    let is_real = lock.address == lock.slot.addr() && lock.kind == LockKind::MUTEX;
    let behind = lock.slot.cast::<u8>().wrapping_add(size_of::<Slot>());
    // SAFETY: what stands there is the state of a mutex of a real program.
    is_real.then(|| unsafe { &*behind.cast::<AtomicU8>() })
}
