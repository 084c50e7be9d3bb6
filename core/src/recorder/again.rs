//! A thread that comes back to a lock and a call site, where every operation is
//! recorded.
//!
//! Its next free record is the one that it had used there, and says already all
//! but the time; and the backend has lent it a pad. So its acquisition is a time
//! in that record, and its end a word on the pad: nothing is told, and nothing is
//! called. Whatever is not as simple as that goes the usual way, as if nothing had
//! been tried. Both halves stand in functions without any call, because what would
//! have to be kept over a call is a third of what is done here.

use super::Watched;
use crate::acquisition::{self, Token};
use crate::clock;
use crate::probe::Probe;
use crate::site::CallSite;
use crate::thread::{self, ThreadState};

/// The acquisition of `lock`, alone and without wait, if it is one more of those
/// that this thread's next record is of.
#[inline(always)]
pub(super) fn begin<L: Watched>(probe: &Probe, lock: &L, site: CallSite) -> Option<Token> {
    let slot = lock.slot()?;
    let thread = thread::introduced()?;
    if !probe.gate.needs_time_alone() {
        return None;
    }
    let inside = thread.enter(&probe.gate)?;
    let stamp = inside.stamp();
    if inside.seen.passes() || !slot.is_due(stamp) || !slot.is_every() {
        return None;
    }
    slot.set_holder(thread.as_holder(site));
    let (generation, id) = ((stamp >> 32) as u32, slot.known_id());
    acquisition::begin_again(thread, generation, id, &lock.describe(), site, || clock::now(true))
}

/// The acquisition of `lock`, which has no slot, alone and without wait, if every
/// operation is recorded and this is one more of those that the next record of
/// `thread`, which is the caller's own, is of. Otherwise nothing has changed.
///
/// To be called in a function without a frame, which needs none for this.
#[inline(always)]
pub fn again_by<L: Watched>(
    probe: &Probe,
    thread: &ThreadState,
    lock: &L,
    site: CallSite,
) -> Option<Token> {
    let inside = thread.enter(&probe.gate)?;
    let stamp = inside.stamp();
    let is_plain = probe.gate.needs_time_alone() && !probe.gate.is_filtered();
    if !thread.samples_every(stamp) || !is_plain {
        return None;
    }
    let generation = (stamp >> 32) as u32;
    acquisition::begin_again(thread, generation, 0, &lock.describe(), site, || clock::now(true))
}

/// The caller, who owns `lock` by the acquisition that `token` stands for, is
/// about to give it back: leaves that on the pad that this thread was lent for it.
///
/// To be called before [`release`](super::release), in a function of its own that
/// ends with the bare unlock.
///
/// # Errors
///
/// The time, if it cannot be left: it is to be told, by
/// [`release`](super::release).
#[inline(always)]
pub fn leave<L: Watched>(probe: &Probe, lock: &L, token: Token) -> Result<(), u64> {
    leave_by(probe, thread::introduced(), lock, token)
}

/// As [`leave`], for a caller that knows its `thread`.
///
/// # Errors
///
/// As of [`leave`].
#[inline(always)]
pub fn leave_by<L: Watched>(
    probe: &Probe,
    thread: Option<&ThreadState>,
    lock: &L,
    token: Token,
) -> Result<(), u64> {
    let now = clock::now(probe.gate.uses_tsc());
    if is_left(probe, thread, lock, token, now) { Ok(()) } else { Err(now) }
}

#[inline(always)]
fn is_left<L: Watched>(
    probe: &Probe,
    thread: Option<&ThreadState>,
    lock: &L,
    token: Token,
    now: u64,
) -> bool {
    let Some(thread) = thread else { return false };
    let address = lock.describe().address;
    let Some(record) = acquisition::held(thread, token, address) else { return false };
    let event = record.event();
    if !event.is_plain() {
        return false;
    }
    let Some(inside) = thread.enter(&probe.gate) else { return false };
    let generation = record.generation();
    if (inside.stamp() >> 32) as u32 != generation {
        return false;
    }
    // SAFETY:
    // - this is the thread, inside the bracket of the record's session;
    // - a plain acquisition is of the owner alone, and the record is this lock's.
    let is_left =
        unsafe { thread.pads.leave(generation, event.life(), event.site(), event.held_ticks(now)) };
    if is_left {
        // Still inside: see `release`.
        acquisition::free(thread, token);
    }
    is_left
}
