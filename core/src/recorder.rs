//! What a probe does on an open gate: the slow half of every lock operation.
//!
//! A probe's `lock` reads the gate and, if it is closed, is the bare lock. If
//! it is open, it tries the lock first:
//!
//! ```text
//! try succeeded ──► uncontended(…) ──► Token   counts down; a sample when due
//! try failed ─────► wait(…) ─► lock ─► waited(…) ──► Token   always recorded
//! drop of guard ──► Token::is_some? ──► leave(…) or release(…), the bare unlock, parted(…)
//! ```
//!
//! Everything here runs with the lock owned by the caller, except `wait`,
//! `parted` and what fails. Nothing allocates through the program's allocator.

mod again;
mod instant;
mod release;
mod wait;

pub use again::{again_by, leave, leave_by};
pub use instant::{Idle, idle_begin, idle_end};
pub use release::{Parting, dropped, end, parted, release, release_by};
pub use wait::{ended_by, gave_up, refused, site_of_stack, wait, waited, waits_on, withdrawn};

use crate::acquisition::{self, Token};
use crate::clock;
use crate::event::{Beginning, EventKind, LockRef, Mode, What};
use crate::gate::Seen;
use crate::hooks::HookTable;
use crate::probe::Probe;
use crate::site::CallSite;
use crate::slot::{Countdown, Slot, Tick};
use crate::thread::{self, InHook, Shortcut, ThreadState};

/// A lock, as its probe describes it when it is asked to.
pub trait Watched {
    /// Its slot, if it has one.
    fn slot(&self) -> Option<&Slot>;

    /// The lock for the length of a call, without its id.
    fn describe(&self) -> LockRef;

    /// Who holds the lock now, as far as the probe knows by other means than a
    /// slot. Asked on behalf of a waiter, if the lock has none.
    fn owner(&self) -> Owner {
        Owner::UNKNOWN
    }
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Where it was acquired, if known.
    pub site: CallSite,
    /// The kernel's number of the thread that holds it alone; 0 if not known.
    pub thread: u32,
}

impl Owner {
    /// Nobody that is known.
    pub const UNKNOWN: Self = Self { site: CallSite::UNKNOWN, thread: 0 };
}

/// An uncontended acquisition: counts it if the gate is open, and records it if
/// its turn has come. The caller owns `lock` in `mode`.
///
/// Inlined into every lock operation up to the sample, and without a call in
/// it: what a call would clobber costs more than what is done here.
#[inline(always)]
pub fn uncontended<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> Token {
    uncontended_seen(probe, probe.gate.look(), lock, mode, site)
}

/// As [`uncontended`], by an operation that has `seen` the gate before it had the lock.
///
/// Whatever has become of the gate since, nothing is recorded that should not be:
/// an older session's countdown goes on, of which nobody will hear, and all else is
/// looked at again by [`sample`].
#[inline(always)]
pub fn uncontended_seen<L: Watched>(
    probe: &Probe,
    seen: Seen,
    lock: &L,
    mode: Mode,
    site: CallSite,
) -> Token {
    if passes(seen, lock, mode, site) { Token::NONE } else { sample(probe, lock, mode, site) }
}

/// Whether an uncontended acquisition is none to be sampled, by an operation that has
/// `seen` the gate; counts it if that is open. Otherwise [`sample`] is to be called.
///
/// On a gate that nobody has passed the answer is no as well: whoever is first
/// has to look for a host.
#[inline(always)]
fn passes<L: Watched>(seen: Seen, lock: &L, mode: Mode, site: CallSite) -> bool {
    if seen.passes() {
        return true;
    }
    let stamp = seen.stamp();
    match lock.slot() {
        Some(slot) if !mode.is_shared() => {
            let passes = slot.tick(stamp) == Tick::Pass;
            if passes {
                slot.set_holder(thread::holder(site));
            }
            passes
        }
        slot => {
            if let Some(slot) = slot {
                slot.set_reader(site);
            }
            thread::passes(stamp)
        }
    }
}

/// Whether an uncontended acquisition of a lock without slot is none to be sampled;
/// counts it if the gate is open, by the `shortcut` of its thread. Otherwise
/// [`sample_by`] is to be called.
#[inline(always)]
pub fn passes_by(probe: &Probe, shortcut: &Shortcut) -> bool {
    let seen = probe.gate.look();
    shortcut.passes(seen.word()) || seen.passes()
}

/// An uncontended acquisition whose countdown is at its end, or from another
/// session. The caller owns `lock` in `mode`.
#[inline(never)]
pub fn sample<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> Token {
    if mode == Mode::EXCLUSIVE
        && let Some(token) = again::begin(probe, lock, site)
    {
        return token;
    }
    sample_anew(probe, lock, mode, site)
}

#[inline(never)]
fn sample_anew<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> Token {
    thread::current().map_or(Token::NONE, |thread| sample_by(probe, thread, lock, mode, site))
}

/// As [`sample`], of a lock without slot, for a caller that knows its `thread`, after
/// [`again_by`]. A [`Shortcut`] of the thread has to
/// [take over](Shortcut::take_over) its countdown afterwards.
#[inline(always)]
pub fn sample_by<L: Watched>(
    probe: &Probe,
    thread: &ThreadState,
    lock: &L,
    mode: Mode,
    site: CallSite,
) -> Token {
    // The record is made inside the bracket: whoever ends the session sees
    // either that, or that this operation belongs to the next one.
    let Some(inside) = thread.enter(&probe.gate) else { return Token::NONE };
    if inside.seen.passes() {
        return Token::NONE;
    }
    let stamp = inside.stamp();
    let slot = lock.slot();
    let weight = match slot {
        // Due, and not only current: the countdown that has led here may have been
        // that of the session before.
        Some(slot) if !mode.is_shared() && slot.is_due(stamp) && !slot.is_excluded(stamp) => {
            slot.set_holder(thread::holder(site));
            slot.weight()
        }
        slot if thread.samples_every(stamp)
            && slot.map_or(!probe.gate.is_filtered(), |slot| slot.is_watched(stamp)) =>
        {
            1
        }
        _ => match weight_by_asking(probe, thread, lock, mode, site, stamp) {
            Some(weight) => weight,
            None => return Token::NONE,
        },
    };
    let is_own = slot.is_some() && !mode.is_shared();
    let counted = u8::from(is_own || weight == 1);
    // Before the clock is read: what it takes is no part of the hold.
    let site = whole(probe, thread, site, stamp);
    let now = clock::now(probe.gate.uses_tsc()).max(1);
    acquisition::begin(
        thread,
        (stamp >> 32) as u32,
        &Beginning {
            lock: described(probe, lock),
            what: What { kind: EventKind::RELEASED, mode, contended: 0, counted, holder_thread: 0 },
            weight,
            site,
            holder: CallSite::UNKNOWN,
            begin: now,
            acquired: now,
        },
    )
}

/// The site of an operation that is recorded: of its whole stack, if the session
/// with this `stamp` keeps stacks. Inside its bracket.
#[inline(always)]
fn whole(probe: &Probe, thread: &ThreadState, site: CallSite, stamp: u64) -> CallSite {
    if probe.gate.keeps_stacks() { stack(probe, thread, site, stamp) } else { site }
}

#[cold]
#[inline(never)]
fn stack(probe: &Probe, thread: &ThreadState, site: CallSite, stamp: u64) -> CallSite {
    // SAFETY: inside the bracket of an open gate.
    let hooks = unsafe { &*probe.gate.hooks(stamp) };
    // SAFETY: the host's entry, with its own context.
    hooks.stack.map_or(site, |stack| unsafe { stack(hooks.host, site, thread.id() as u32) })
}

/// The lock, with all that the probe adds.
#[inline(always)]
fn described<L: Watched>(probe: &Probe, lock: &L) -> LockRef {
    let mut described = lock.describe();
    described.id = lock_id(probe, lock.slot());
    described.probe = probe.index();
    described
}

/// The backend has to be asked before it is known whether a sample is due, or
/// there is none, because the lock is not watched: the sample's weight, if it
/// is. Inside the bracket.
#[cold]
#[inline(never)]
fn weight_by_asking<L: Watched>(
    probe: &Probe,
    thread: &ThreadState,
    lock: &L,
    mode: Mode,
    site: CallSite,
    stamp: u64,
) -> Option<u32> {
    // SAFETY: inside the bracket of an open gate.
    let hooks = unsafe { &*probe.gate.hooks(stamp) };
    let slot = lock.slot();
    let mut is_admitted = true;
    if let Some(slot) = slot {
        if !slot.is_current(stamp) {
            meet(probe, hooks, slot, stamp, lock);
        }
        is_admitted = !slot.is_excluded(stamp);
        if !mode.is_shared() {
            slot.set_holder(thread::holder(site));
            if !is_admitted {
                // After two thousand million operations it may be at its end.
                slot.arm(stamp, Countdown::EXCLUDED);
            }
            // Newly met, the lock may have been told to wait.
            return (slot.tick(stamp) == Tick::Look).then(|| slot.weight());
        }
        slot.set_reader(site);
    } else if hooks.admits.is_some() {
        is_admitted = admits(hooks, &described(probe, lock));
    }
    // A countdown that ends at a lock that is not watched has ended: who went on
    // to the next that is would sample that more often than one in N.
    let weight = thread_countdown(hooks, thread, stamp)?;
    is_admitted.then_some(weight)
}

/// Claims a slot for this session, and asks the backend when to look next.
#[cold]
#[inline(never)]
fn meet<L: Watched>(probe: &Probe, hooks: &HookTable, slot: &Slot, stamp: u64, lock: &L) {
    if slot.claim(stamp) {
        let lock = described(probe, lock);
        let countdown = if admits(hooks, &lock) {
            // SAFETY: inside the bracket; `lock` is owned by the caller.
            unsafe { (hooks.meet)(hooks.context, &raw const lock) }
        } else {
            Countdown::EXCLUDED
        };
        slot.arm(stamp, countdown);
    }
}

/// Whether the session watches `lock` at all. Inside the bracket.
fn admits(hooks: &HookTable, lock: &LockRef) -> bool {
    // SAFETY: the host's entry, with its own context; the lock lives for the call.
    hooks.admits.is_none_or(|admits| unsafe { admits(hooks.host, lock) })
}

/// Ends this thread's own countdown and starts the next; the weight of the
/// sample that is due, or `None` if none is.
///
/// A countdown that samples every operation stands at its end, and nobody is
/// asked: see [`rearm_thread`].
fn thread_countdown(hooks: &HookTable, thread: &ThreadState, stamp: u64) -> Option<u32> {
    let next = || {
        // SAFETY: inside the bracket; null stands for the thread.
        let countdown = unsafe { (hooks.meet)(hooks.context, core::ptr::null()) };
        thread.arm(stamp, countdown);
    };
    if !thread.is_armed(stamp) {
        next();
        if !thread.tick(stamp) {
            return None;
        }
    }
    let weight = thread.weight();
    if weight != 1 {
        next();
    }
    Some(weight)
}

/// The id that a slot has for life; 0 for a lock without slot.
#[inline]
fn lock_id(probe: &Probe, slot: Option<&Slot>) -> u64 {
    slot.map_or(0, |slot| slot.id(|| probe.next_lock_id()))
}

/// Enters the bracket if the session `generation` is running.
#[inline]
fn enter<'a>(
    probe: &Probe,
    thread: &'a ThreadState,
    generation: u32,
) -> Option<(InHook<'a>, &'static HookTable)> {
    let inside = thread.enter(&probe.gate)?;
    if (inside.stamp() >> 32) as u32 != generation {
        return None;
    }
    // SAFETY: inside the bracket of an open gate, whose table lives for ever.
    let hooks = unsafe { &*probe.gate.hooks(inside.stamp()) };
    Some((inside, hooks))
}

/// Arms the lock's countdown as the backend has answered to its owner.
#[inline]
fn rearm(slot: &Slot, stamp: u64, countdown: Countdown) {
    // A countdown that samples every operation stands at its end already, and
    // stores are what a sample costs.
    let stands = countdown == Countdown::EVERY && slot.is_every() && slot.is_due(stamp);
    if countdown != Countdown::UNCHANGED && !stands {
        slot.arm(stamp, countdown);
    }
}

/// Arms the thread's countdown as the backend has answered, if that is at its
/// end for good: any other was started anew with its sample.
#[inline]
fn rearm_thread(thread: &ThreadState, stamp: u64, countdown: Countdown) {
    if countdown.own_weight() > 1 && thread.weight() == 1 && thread.is_armed(stamp) {
        thread.arm(stamp, countdown);
    }
}
