//! What breaks a rule of the family EXCL.

use std::time::Duration;

use lockscope_core::backend::Backend;
use lockscope_core::sync::{AtomicU32, Ordering};
use lockscope_core::{Countdown, Event, LockKind, LockRef};

use crate::{Alter, Good, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[Mutation {
    name: "frees-a-mutex-before-its-owner-does",
    breaks: "EXCL-01",
    alter: Alter { event: frees_the_mutex, ..Alter::NOTHING },
}];

/// Unlocks a `lockscope::sync::Mutex` for which somebody waits, so that two have it
/// when its owner unlocks it, too.
fn frees_the_mutex(good: &Good, event: &Event) -> Countdown {
    /// std's state of a mutex that is had, and for which somebody waits. That of
    /// parking_lot is another.
    const CONTENDED: u32 = 2;
    let countdown = good.event(event);
    if let Some(word) = lock_word(&event.lock)
        && word.compare_exchange(CONTENDED, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    {
        let wake = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: the word is a futex, and valid for the call.
        unsafe { libc::syscall(libc::SYS_futex, core::ptr::from_ref(word), wake, 1) };
        // So that it is had by another one when its owner unlocks it.
        std::thread::sleep(Duration::from_micros(100));
    }
    countdown
}

/// What stands behind the slot of a mutex of a real program. The address of a
/// simulated lock is not that of its slot.
fn lock_word(lock: &LockRef) -> Option<&AtomicU32> {
    let is_real = lock.address == lock.slot.addr() && lock.kind == LockKind::MUTEX;
    let behind = lock.slot.wrapping_add(1).cast::<AtomicU32>();
    // SAFETY: what stands there is the state of the lock.
    is_real.then(|| unsafe { &*behind })
}
