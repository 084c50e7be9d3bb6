//! A thread that wakes others: it has just given a lock back, or has something to do for
//! them.

use core::ffi::c_long;

use lockscope_core::recorder;

use crate::real::{Call, errno, set_errno};
use crate::wait::Caller;
use crate::watch::{Lock, PROBE};
use crate::{held, waiting, way};

/// `FUTEX_WAKE` and `FUTEX_WAKE_BITSET`, called from `caller`.
///
/// # Safety
///
/// - The arguments are those that the program hands the kernel.
pub(crate) unsafe extern "C-unwind" fn wakes(
    caller: usize,
    word: usize,
    operation: usize,
    value: usize,
    timeout: usize,
    other: usize,
    bits: usize,
) -> c_long {
    let call = Call { word, operation, value, timeout, other, bits };
    let before = errno();
    let ended = held::with(|held| held.take(PROBE.gate.generation(), word));
    let is_waited_at = waiting::is_waited_at(word);
    if ended.is_none() && !is_waited_at {
        // SAFETY: as the caller promises, here and below.
        return unsafe { call.make() };
    }
    let Some(Caller { map, thread }) = Caller::at(caller) else {
        set_errno(before);
        // SAFETY: as above.
        return unsafe { call.make() };
    };
    // First the time, since nothing of what follows is a part of the hold.
    let ended = ended.filter(|token| token.is_some()).map(|token| {
        let lock = Lock::mutex(word);
        (lock, token, recorder::leave_by(&PROBE, Some(thread), &lock, token))
    });
    if is_waited_at {
        let way = way::to(map, caller, thread.id() as u32);
        waiting::note_waker(word, recorder::site_of_stack(&PROBE, way.site));
    }
    set_errno(before);
    // SAFETY: as above.
    let status = unsafe { call.make() };
    let after = errno();
    // Now, because nobody waits for this thread any more.
    if let Some((lock, token, Err(now))) = ended {
        let parting = recorder::release_by(&PROBE, Some(thread), &lock, token, now);
        recorder::parted(&PROBE, parting);
    }
    set_errno(after);
    status
}
