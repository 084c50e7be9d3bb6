//! What a probe does on an open gate: the slow half of every lock operation.
//!
//! A probe's `lock` reads the gate and, if it is closed, is the bare lock. If
//! it is open, it tries the lock first:
//!
//! ```text
//! try succeeded ──► uncontended(…) ──► Token   counts down; a sample when due
//! try failed ─────► wait(…) ─► lock ─► waited(…) ──► Token   always recorded
//! drop of guard ──► Token::is_some? ──► release(…), then the bare unlock
//! ```
//!
//! Everything here runs with the lock owned by the caller, except `wait` and
//! what fails. Nothing allocates through the program's allocator.

use crate::acquisition::{self, Beginning, CONTENDED, COUNTED, Ended, Token};
use crate::clock;
use crate::event::{Event, EventKind, LockRef, Mode};
use crate::gate::{Gate, state};
use crate::hooks::HookTable;
use crate::probe::Probe;
use crate::site::CallSite;
use crate::slot::{Countdown, Slot, Tick};
use crate::thread::{self, ThreadState};

/// A lock, as its probe describes it when it is asked to.
pub trait Watched {
    /// Its slot, if it has one.
    fn slot(&self) -> Option<&Slot>;

    /// The lock for the length of a call, without its id.
    fn describe(&self) -> LockRef;
}

/// An uncontended acquisition on an open gate: counts it, and records it if
/// its turn has come. The caller owns `lock` in `mode`.
#[inline]
pub fn uncontended<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> Token {
    if probe.gate.state() == state::WATCH {
        return Token::NONE;
    }
    let stamp = probe.gate.stamp();
    match lock.slot() {
        Some(slot) if !mode.is_shared() => {
            if slot.tick(stamp) == Tick::Pass {
                slot.set_holder(site);
                return Token::NONE;
            }
        }
        slot => {
            if let Some(slot) = slot {
                slot.set_holder(site);
            }
            match thread::current() {
                Some(thread) if thread.tick(stamp) => {}
                _ => return Token::NONE,
            }
        }
    }
    sample(probe, lock, mode, site)
}

/// The countdown is at its end, or from another session.
#[inline(never)]
fn sample<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> Token {
    let Some(thread) = thread::current() else { return Token::NONE };
    let stamp = probe.gate.stamp();
    let slot = lock.slot();
    let (stamp, weight) = match slot {
        // The common case calls nothing, so it needs no bracket: if the
        // session ends meanwhile, the release finds another generation.
        Some(slot) if !mode.is_shared() && slot.is_current(stamp) && !thread.is_inside() => {
            slot.set_holder(site);
            (stamp, slot.weight())
        }
        _ => match sample_asking(probe, thread, lock, mode, site) {
            Some(due) => due,
            None => return Token::NONE,
        },
    };
    let counted = if slot.is_some() && !mode.is_shared() { COUNTED } else { 0 };
    let now = clock::now(probe.gate.uses_tsc()).max(1);
    acquisition::begin(
        thread,
        &Beginning {
            generation: (stamp >> 32) as u32,
            weight,
            flags: u32::from(mode.0) | counted,
            lock: lock_id(probe, slot),
            address: lock.describe().address,
            site,
            holder: CallSite::UNKNOWN,
            begin: now,
            acquired: now,
        },
    )
}

/// The backend has to be asked before it is known whether a sample is due:
/// the session's stamp and the sample's weight, if it is.
#[cold]
fn sample_asking<L: Watched>(
    probe: &Probe,
    thread: &ThreadState,
    lock: &L,
    mode: Mode,
    site: CallSite,
) -> Option<(u64, u32)> {
    let inside = thread.enter(&probe.gate)?;
    let stamp = inside.stamp;
    // SAFETY: inside the bracket of an open gate.
    let hooks = unsafe { &*probe.gate.hooks() };
    let slot = lock.slot();
    if let Some(slot) = slot {
        if !slot.is_current(stamp) {
            meet(probe, hooks, slot, stamp, lock.describe());
        }
        slot.set_holder(site);
        if !mode.is_shared() {
            // Newly met, the lock may have been told to wait.
            return (slot.tick(stamp) == Tick::Look).then(|| (stamp, slot.weight()));
        }
    }
    thread_countdown(hooks, thread, stamp).map(|weight| (stamp, weight))
}

/// Claims a slot for this session, and asks the backend when to look next.
#[cold]
fn meet(probe: &Probe, hooks: &HookTable, slot: &Slot, stamp: u64, mut lock: LockRef) {
    if slot.claim(stamp) {
        lock.id = lock_id(probe, Some(slot));
        lock.probe = probe.index();
        // SAFETY: inside the bracket; `lock` is owned by the caller.
        let countdown = unsafe { (hooks.meet)(hooks.context, &raw const lock) };
        slot.arm(stamp, countdown);
    }
}

/// Ends this thread's own countdown and starts the next; the weight of the
/// sample that is due, or `None` if none is.
fn thread_countdown(hooks: &HookTable, thread: &ThreadState, stamp: u64) -> Option<u32> {
    let next = || {
        // SAFETY: inside the bracket; null stands for the thread.
        let countdown = unsafe { (hooks.meet)(hooks.context, core::ptr::null()) };
        thread.arm(stamp, countdown.operations, countdown.weight);
    };
    if !thread.is_armed(stamp) {
        next();
        if !thread.tick(stamp) {
            return None;
        }
    }
    let weight = thread.weight();
    next();
    Some(weight)
}

/// The id that a slot has for life; 0 for a lock without slot.
#[inline]
fn lock_id(probe: &Probe, slot: Option<&Slot>) -> u64 {
    slot.map_or(0, |slot| slot.id(|| probe.next_lock_id()))
}

/// The caller is about to wait for `lock`, which somebody holds.
#[cold]
pub fn wait<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> Token {
    let Some(thread) = thread::current() else { return Token::NONE };
    let Some(inside) = thread.enter(&probe.gate) else { return Token::NONE };
    let stamp = inside.stamp;
    let slot = lock.slot();
    let holder = slot.map_or(CallSite::UNKNOWN, |slot| slot.holder(stamp));
    acquisition::begin(
        thread,
        &Beginning {
            generation: (stamp >> 32) as u32,
            weight: 1,
            flags: u32::from(mode.0) | CONTENDED,
            lock: lock_id(probe, slot),
            address: lock.describe().address,
            site,
            holder,
            begin: clock::now(probe.gate.uses_tsc()).max(1),
            acquired: 0,
        },
    )
}

/// The wait that `token` stands for ended with the lock. The caller owns it.
#[cold]
pub fn waited<L: Watched>(probe: &Probe, lock: &L, site: CallSite, token: Token) {
    if let Some(slot) = lock.slot() {
        slot.set_holder(site);
    }
    if !token.is_some() {
        return;
    }
    let Some(thread) = thread::current() else { return };
    acquisition::acquired(thread, token, clock::now(probe.gate.uses_tsc()).max(1));
}

/// The wait that `token` stands for ended without the lock.
#[cold]
pub fn gave_up<L: Watched>(probe: &Probe, lock: &L, token: Token) {
    if !token.is_some() {
        return;
    }
    let Some(thread) = thread::current() else { return };
    let ended = acquisition::give_up(thread, token);
    let now = clock::now(probe.gate.uses_tsc());
    report(probe, thread, lock, &ended, EventKind::FAILED, now, now);
}

/// The wait that `token` stands for was none: nobody was in the way.
///
/// For a probe that learns only afterwards whether it had to wait, as at a
/// one-time initialisation that it ends up running itself.
#[cold]
pub fn never_waited(token: Token) {
    if token.is_some()
        && let Some(thread) = thread::current()
    {
        acquisition::give_up(thread, token);
    }
}

/// The wait that `token` stands for did not come about: the caller had the lock
/// at once after all, or needs it no more. Nothing is reported.
pub fn withdrawn(token: Token) {
    if token.is_some()
        && let Some(thread) = thread::current()
    {
        acquisition::give_up(thread, token);
    }
}

/// A try failed at once.
#[cold]
pub fn refused<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) {
    instant(probe, lock, EventKind::FAILED, mode, site, None);
}

/// An idle wait that has begun, in the session that saw it begin.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    generation: u32,
    /// In ticks; 0 if nothing is recorded.
    begin: u64,
}

impl Idle {
    /// An idle wait that nobody looks at.
    pub const NONE: Self = Self { generation: 0, begin: 0 };
}

/// The caller is about to wait idly; [`Idle::NONE`] if nothing is recorded.
#[inline]
#[must_use]
pub fn idle_begin(probe: &Probe) -> Idle {
    match probe.gate.state() {
        state::WATCH | state::OPEN => Idle {
            generation: probe.gate.generation(),
            begin: clock::now(probe.gate.uses_tsc()).max(1),
        },
        _ => Idle::NONE,
    }
}

/// An idle wait on `lock` has ended, and is recorded if its session has not.
#[inline]
pub fn idle_end<L: Watched>(probe: &Probe, lock: &L, site: CallSite, idle: Idle) {
    if idle.begin != 0 {
        instant(probe, lock, EventKind::IDLE, Mode::SHARED, site, Some(idle));
    }
}

#[cold]
fn instant<L: Watched>(
    probe: &Probe,
    lock: &L,
    kind: EventKind,
    mode: Mode,
    site: CallSite,
    idle: Option<Idle>,
) {
    let Some(thread) = thread::current() else { return };
    let now = clock::now(probe.gate.uses_tsc());
    let Idle { generation, begin } =
        idle.unwrap_or(Idle { generation: probe.gate.generation(), begin: now });
    let ended = Ended {
        generation,
        weight: 1,
        flags: u32::from(mode.0),
        site,
        holder: CallSite::UNKNOWN,
        begin,
        acquired: now.max(begin),
        thread: thread.id(),
    };
    report(probe, thread, lock, &ended, kind, now, now);
}

/// The caller, who owns `lock` by the acquisition that `token` stands for, is
/// about to give it back.
#[inline(never)]
pub fn release<L: Watched>(probe: &Probe, lock: &L, token: Token) {
    let now = clock::now(probe.gate.uses_tsc());
    let current = thread::current();
    let Some(ended) = acquisition::end(current, token, lock.describe().address) else { return };
    let Some(thread) = current else { return };
    report(probe, thread, lock, &ended, EventKind::RELEASED, ended.acquired, now);
}

/// Hands one complete operation to the backend, and arms the lock's countdown
/// with the answer.
#[inline]
fn report<L: Watched>(
    probe: &Probe,
    thread: &ThreadState,
    lock: &L,
    ended: &Ended,
    kind: EventKind,
    acquired: u64,
    now: u64,
) {
    let Some(inside) = thread.enter(&probe.gate) else { return };
    let stamp = inside.stamp;
    if (stamp >> 32) as u32 != ended.generation {
        return;
    }
    // SAFETY: inside the bracket of an open gate.
    let hooks = unsafe { &*probe.gate.hooks() };
    let slot = lock.slot();
    let owned = kind == EventKind::RELEASED;
    // A slot is met by an owner, who alone counts it down, or by whoever has
    // waited where nobody owns anything and nothing is counted.
    if let Some(slot) = slot
        && (owned || kind == EventKind::IDLE)
        && !slot.is_current(stamp)
    {
        meet(probe, hooks, slot, stamp, lock.describe());
        slot.set_holder(ended.site);
    }
    // Time stamps of two cores may differ by less than a tick's worth of
    // order; an event's never do.
    let acquired = acquired.max(ended.begin);
    // Written field by field where it stands: a `LockRef` that is built apart
    // and copied costs more than all the rest of this function, because the
    // copy's wide loads wait for the narrow stores before them.
    let mut event = Event {
        lock: lock.describe(),
        kind,
        weight: ended.weight,
        mode: Mode(ended.flags as u8),
        contended: u8::from(ended.flags & CONTENDED != 0),
        counted: u8::from(ended.flags & COUNTED != 0),
        reserved: 0,
        stack_len: 0,
        site: ended.site,
        holder: ended.holder,
        begin: ended.begin,
        acquired,
        end: now.max(acquired),
        thread: ended.thread,
        stack: core::ptr::null(),
    };
    event.lock.id = lock_id(probe, slot);
    event.lock.probe = probe.index();
    // SAFETY: inside the bracket; the event lives for the call.
    let countdown = unsafe { (hooks.event)(hooks.context, &raw const event) };
    if countdown != Countdown::UNCHANGED
        && owned
        && !event.mode.is_shared()
        && let Some(slot) = slot
    {
        slot.arm(stamp, countdown);
    }
}

/// `lock` is being dropped: tells the backend, if its session has met it.
#[inline]
pub fn dropped<L: Watched>(probe: &Probe, lock: &L) {
    if probe.gate.is_closed() {
        return;
    }
    if lock.slot().is_some_and(|slot| !slot.is_current(probe.gate.stamp())) {
        return;
    }
    tell_dropped(probe, lock);
}

#[cold]
fn tell_dropped<L: Watched>(probe: &Probe, lock: &L) {
    let Some(thread) = thread::current() else { return };
    let Some(inside) = thread.enter(&probe.gate) else { return };
    let slot = lock.slot();
    if slot.is_some_and(|slot| !slot.is_current(inside.stamp)) {
        return;
    }
    // SAFETY: inside the bracket of an open gate.
    let hooks = unsafe { &*probe.gate.hooks() };
    let lock = LockRef { id: lock_id(probe, slot), probe: probe.index(), ..lock.describe() };
    // SAFETY: inside the bracket; the caller owns the lock alone.
    unsafe { (hooks.dropped)(hooks.context, &raw const lock) };
}

/// Whether an operation must look closer: the one test of a closed gate.
#[inline]
#[must_use]
pub fn is_open(gate: &Gate) -> bool {
    !gate.is_closed()
}
