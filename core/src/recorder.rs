//! What a probe does on an open gate: the slow half of every lock operation.
//!
//! A probe's `lock` reads the gate and, if it is closed, is the bare lock. If
//! it is open, it tries the lock first:
//!
//! ```text
//! try succeeded ──► uncontended(…) ──► Token   counts down; a sample when due
//! try failed ─────► wait(…) ─► lock ─► waited(…) ──► Token   always recorded
//! drop of guard ──► Token::is_some? ──► release(…), the bare unlock, parted(…)
//! ```
//!
//! Everything here runs with the lock owned by the caller, except `wait`,
//! `parted` and what fails. Nothing allocates through the program's allocator.

use crate::acquisition::{self, Token};
use crate::clock;
use crate::event::{Beginning, Event, EventKind, LockRef, Mode, What};
use crate::gate::Gate;
use crate::hooks::HookTable;
use crate::probe::Probe;
use crate::site::CallSite;
use crate::slot::{Countdown, Slot, Tick};
use crate::thread::{self, InHook, ThreadState};

/// A lock, as its probe describes it when it is asked to.
pub trait Watched {
    /// Its slot, if it has one.
    fn slot(&self) -> Option<&Slot>;

    /// The lock for the length of a call, without its id.
    fn describe(&self) -> LockRef;
}

/// An uncontended acquisition: counts it if the gate is open, and records it if
/// its turn has come. The caller owns `lock` in `mode`.
///
/// Inlined into every lock operation up to the sample, and without a call in
/// it: what a call would clobber costs more than what is done here.
#[inline(always)]
pub fn uncontended<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> Token {
    if passes(probe, lock, mode, site) { Token::NONE } else { sample(probe, lock, mode, site) }
}

/// Whether an uncontended acquisition is none to be sampled; counts it if the
/// gate is open. Otherwise [`sample`] is to be called.
///
/// On a gate that nobody has passed the answer is no as well: whoever is first
/// has to look for a host.
#[inline(always)]
pub fn passes<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> bool {
    let seen = probe.gate.look();
    if seen.passes() {
        return true;
    }
    let stamp = seen.stamp();
    match lock.slot() {
        Some(slot) if !mode.is_shared() => {
            let passes = slot.tick(stamp) == Tick::Pass;
            if passes {
                slot.set_holder(site);
            }
            passes
        }
        slot => {
            if let Some(slot) = slot {
                slot.set_holder(site);
            }
            thread::passes(stamp)
        }
    }
}

/// An uncontended acquisition whose countdown is at its end, or from another
/// session. The caller owns `lock` in `mode`.
#[inline(never)]
pub fn sample<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> Token {
    let seen = probe.gate.look();
    if !seen.is_sampling() {
        return Token::NONE;
    }
    let Some(thread) = thread::current() else { return Token::NONE };
    let stamp = seen.stamp();
    let slot = lock.slot();
    let (stamp, weight) = match slot {
        // The common case calls nothing, so it needs no bracket: if the
        // session ends meanwhile, the release finds another generation.
        Some(slot) if !mode.is_shared() && slot.is_current(stamp) && !thread.is_inside() => {
            slot.set_holder(site);
            (stamp, slot.weight())
        }
        slot if thread.samples_every(stamp) && slot.is_none_or(|slot| slot.is_current(stamp)) => {
            (stamp, 1)
        }
        _ => match sample_asking(probe, thread, lock, mode, site) {
            Some(due) => due,
            None => return Token::NONE,
        },
    };
    let is_own = slot.is_some() && !mode.is_shared();
    let counted = u8::from(is_own || weight == 1);
    let now = clock::now(probe.gate.uses_tsc()).max(1);
    acquisition::begin(
        thread,
        (stamp >> 32) as u32,
        &Beginning {
            lock: described(probe, lock),
            what: What { kind: EventKind::RELEASED, mode, contended: 0, counted },
            weight,
            site,
            holder: CallSite::UNKNOWN,
            begin: now,
            acquired: now,
        },
    )
}

/// The lock, with all that the probe adds.
#[inline(always)]
fn described<L: Watched>(probe: &Probe, lock: &L) -> LockRef {
    let mut described = lock.describe();
    described.id = lock_id(probe, lock.slot());
    described.probe = probe.index();
    described
}

/// The backend has to be asked before it is known whether a sample is due:
/// the session's stamp and the sample's weight, if it is.
#[cold]
#[inline(never)]
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
            meet(probe, hooks, slot, stamp, lock);
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
#[inline(never)]
fn meet<L: Watched>(probe: &Probe, hooks: &HookTable, slot: &Slot, stamp: u64, lock: &L) {
    if slot.claim(stamp) {
        let lock = described(probe, lock);
        // SAFETY: inside the bracket; `lock` is owned by the caller.
        let countdown = unsafe { (hooks.meet)(hooks.context, &raw const lock) };
        slot.arm(stamp, countdown);
    }
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

/// The caller is about to wait for `lock`, which somebody holds.
#[cold]
pub fn wait<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> Token {
    let Some(thread) = thread::current() else { return Token::NONE };
    let Some(inside) = thread.enter(&probe.gate) else { return Token::NONE };
    let stamp = inside.stamp;
    let holder = lock.slot().map_or(CallSite::UNKNOWN, |slot| slot.holder(stamp));
    acquisition::begin(
        thread,
        (stamp >> 32) as u32,
        &Beginning {
            lock: described(probe, lock),
            what: What { kind: EventKind::RELEASED, mode, contended: 1, counted: 0 },
            weight: 1,
            site,
            holder,
            begin: clock::now(probe.gate.uses_tsc()).max(1),
            acquired: 0,
        },
    )
}

/// The wait that `token` stands for ended with the lock. The caller owns it.
///
/// What is to be known of the lock's slot is read here, where its line has just
/// been fetched: whoever waits next may take it away again before the release.
#[cold]
pub fn waited<L: Watched>(probe: &Probe, lock: &L, site: CallSite, token: Token) {
    let slot = lock.slot();
    if let Some(slot) = slot {
        slot.set_holder(site);
    }
    if !token.is_some() {
        return;
    }
    let Some(thread) = thread::current() else { return };
    let stamp = u64::from(acquisition::own(thread, token).generation()) << 32;
    let state = slot.and_then(|slot| slot.state_in(stamp)).unwrap_or_default();
    let now = clock::now(probe.gate.uses_tsc()).max(1);
    acquisition::acquired(thread, token, now, state);
}

/// The wait that `token` stands for ended without the lock.
#[cold]
pub fn gave_up<L: Watched>(probe: &Probe, lock: &L, token: Token) {
    if !token.is_some() {
        return;
    }
    let Some(thread) = thread::current() else { return };
    let record = acquisition::own(thread, token);
    let (generation, event) = (record.generation(), record.event().read());
    acquisition::free(thread, token);
    let now = clock::now(probe.gate.uses_tsc()).max(event.begin);
    let event = Event { kind: EventKind::FAILED, acquired: now, end: now, ..event };
    tell(probe, thread, lock, generation, event);
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
        acquisition::free(thread, token);
    }
}

/// The wait that `token` stands for did not come about: the caller had the lock
/// at once after all, or needs it no more. Nothing is reported.
pub fn withdrawn(token: Token) {
    if token.is_some()
        && let Some(thread) = thread::current()
    {
        acquisition::free(thread, token);
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
    let seen = probe.gate.look();
    if !seen.is_open() {
        return Idle::NONE;
    }
    Idle {
        generation: (seen.stamp() >> 32) as u32,
        begin: clock::now(probe.gate.uses_tsc()).max(1),
    }
}

/// An idle wait on `lock` has ended, and is recorded if its session has not.
#[inline]
pub fn idle_end<L: Watched>(probe: &Probe, lock: &L, site: CallSite, idle: Idle) {
    if idle.begin != 0 {
        instant(probe, lock, EventKind::IDLE, Mode::SHARED, site, Some(idle));
    }
}

/// Tells of something that is over as soon as it is known.
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
        idle.unwrap_or_else(|| Idle { generation: probe.gate.generation(), begin: now });
    let now = now.max(begin);
    let event = Event {
        lock: described(probe, lock),
        kind,
        mode,
        contended: 0,
        counted: 0,
        stack_len: 0,
        reserved: 0,
        weight: 1,
        thread: thread.id() as u32,
        site,
        holder: CallSite::UNKNOWN,
        begin,
        acquired: now,
        end: now,
        stack: core::ptr::null(),
    };
    tell(probe, thread, lock, generation, event);
}

/// Tells the backend of a complete event of the session `generation`, if that
/// is running: what failed, an idle wait, or an acquisition whose guard was
/// sent here.
#[cold]
fn tell<L: Watched>(
    probe: &Probe,
    thread: &ThreadState,
    lock: &L,
    generation: u32,
    mut event: Event,
) {
    let Some((inside, hooks)) = enter(probe, thread, generation) else { return };
    let stamp = inside.stamp;
    let slot = lock.slot();
    if let Some(slot) = slot {
        // A slot is met by an owner, or by whoever has waited where nobody owns
        // anything and nothing is counted.
        if event.kind == EventKind::FAILED {
            event.lock.slot = core::ptr::null();
        } else if !slot.is_current(stamp) {
            meet(probe, hooks, slot, stamp, lock);
            slot.set_holder(event.site);
        }
        event.lock.state = slot.state_in(stamp).unwrap_or_default();
    }
    // SAFETY: inside the bracket; the event lives for the call.
    let countdown = unsafe { (hooks.event)(hooks.context, &raw const event) };
    if let Some(slot) = slot
        && event.kind == EventKind::RELEASED
        && !event.mode.is_shared()
    {
        rearm(slot, stamp, countdown);
    }
}

/// Enters the bracket if the session `generation` is running.
#[inline]
fn enter<'a>(
    probe: &Probe,
    thread: &'a ThreadState,
    generation: u32,
) -> Option<(InHook<'a>, &'static HookTable)> {
    let inside = thread.enter(&probe.gate)?;
    if (inside.stamp >> 32) as u32 != generation {
        return None;
    }
    // SAFETY: inside the bracket of an open gate, whose table lives for ever.
    Some((inside, unsafe { &*probe.gate.hooks() }))
}

/// Arms the lock's countdown as the backend has answered to its owner.
#[inline]
fn rearm(slot: &Slot, stamp: u64, countdown: Countdown) {
    // A countdown that samples every operation stands at its end already, and
    // stores are what a sample costs.
    let stands = countdown == Countdown::EVERY && slot.weight() == 1 && slot.is_due(stamp);
    if countdown != Countdown::UNCHANGED && !stands {
        slot.arm(stamp, countdown);
    }
}

/// Arms the thread's countdown as the backend has answered, if that is at its
/// end for good: any other was started anew with its sample.
#[inline]
fn rearm_thread(thread: &ThreadState, stamp: u64, countdown: Countdown) {
    if countdown.weight > 1 && thread.weight() == 1 && thread.is_armed(stamp) {
        thread.arm(stamp, countdown);
    }
}

/// What is still to be told of a lock that is about to be given back: to be
/// handed to [`parted`] on the same thread, once it was.
#[derive(Debug)]
#[must_use = "what is still to be told is lost, and the session can never end"]
pub struct Parting(Token);

/// The caller, who owns `lock` by the acquisition that `token` stands for, is
/// about to give it back.
///
/// A sampled acquisition is told now, because the answer arms the countdown of
/// the lock. A contended one is told by [`parted`]: others wait for the lock.
///
/// To be called in a function of its own, which the bare unlock follows.
#[inline(always)]
pub fn release<L: Watched>(probe: &Probe, lock: &L, token: Token) -> Parting {
    const TOLD: Parting = Parting(Token::NONE);
    let now = clock::now(probe.gate.uses_tsc());
    let current = thread::current();
    if acquisition::is_sent(current, token) {
        release_sent(probe, current, lock, token, now);
        return TOLD;
    }
    let Some(thread) = current else { return TOLD };
    // None: the session is over, and its record was taken back.
    let address = lock.describe().address;
    let Some(record) = acquisition::held(thread, token, address) else { return TOLD };
    let Some((inside, hooks)) = enter(probe, thread, record.generation()) else {
        acquisition::free(thread, token);
        return TOLD;
    };
    let (stamp, slot, event) = (inside.stamp, lock.slot(), record.event());
    let what = event.what();
    event.end(now);
    if what.contended != 0 && event.state() != 0 {
        event.hide_slot();
        thread.part_from(event.id());
        inside.stay();
        return Parting(token);
    }
    if let Some(slot) = slot {
        let state = slot.state_in(stamp).unwrap_or_else(|| {
            meet(probe, hooks, slot, stamp, lock);
            0
        });
        event.set_state(state);
    }
    // SAFETY:
    // - inside the bracket;
    // - nobody writes the record before it is freed below.
    let countdown = unsafe { (hooks.event)(hooks.context, event.as_event()) };
    match slot {
        Some(slot) if !what.mode.is_shared() => rearm(slot, stamp, countdown),
        _ => rearm_thread(thread, stamp, countdown),
    }
    drop(inside);
    acquisition::free(thread, token);
    TOLD
}

/// The guard was sent to this thread: ends the record of another.
#[cold]
#[inline(never)]
fn release_sent<L: Watched>(
    probe: &Probe,
    current: Option<&'static ThreadState>,
    lock: &L,
    token: Token,
    now: u64,
) {
    let address = lock.describe().address;
    let Some((generation, event)) = acquisition::end_sent(token, address) else { return };
    let Some(thread) = current else { return };
    let acquired = event.acquired.max(event.begin);
    tell(probe, thread, lock, generation, Event { acquired, end: now.max(acquired), ..event });
}

/// The lock was given back: tells what is still to be told of it. Touches
/// nothing of the lock, which may be gone.
#[inline]
pub fn parted(probe: &Probe, parting: Parting) {
    if parting.0.is_some() {
        tell_parted(probe, parting.0);
    }
}

#[cold]
fn tell_parted(probe: &Probe, token: Token) {
    // Inside the bracket since `release`, on this thread.
    let Some(thread) = thread::current() else { return };
    let record = acquisition::own(thread, token);
    // SAFETY: inside the bracket, whose session is the record's.
    let hooks = unsafe { &*probe.gate.hooks() };
    // SAFETY:
    // - inside the bracket;
    // - nobody writes the record before it is freed below.
    unsafe { (hooks.event)(hooks.context, record.event().as_event()) };
    thread.parted();
    thread.leave();
    acquisition::free(thread, token);
}

/// `lock` is being dropped: tells the backend, if its session has met it.
#[inline]
pub fn dropped<L: Watched>(probe: &Probe, lock: &L) {
    if probe.gate.is_closed() {
        return;
    }
    let generation = u64::from(probe.gate.generation());
    if lock.slot().is_some_and(|slot| !slot.is_current(generation << 32)) {
        return;
    }
    tell_dropped(probe, lock);
}

#[cold]
fn tell_dropped<L: Watched>(probe: &Probe, lock: &L) {
    let Some(thread) = thread::current() else { return };
    let Some(inside) = thread.enter(&probe.gate) else { return };
    // SAFETY: inside the bracket of an open gate.
    let hooks = unsafe { &*probe.gate.hooks() };
    let mut described = described(probe, lock);
    if let Some(slot) = lock.slot() {
        let Some(state) = slot.state_in(inside.stamp) else { return };
        described.state = state;
        // Who has given the lock back may be telling of it still.
        if described.state != 0 {
            thread::await_parting(described.id);
        }
    }
    // SAFETY: inside the bracket; the caller owns the lock alone.
    unsafe { (hooks.dropped)(hooks.context, &raw const described) };
}

/// Whether an operation must look closer: the one test of a closed gate.
#[inline]
#[must_use]
pub fn is_open(gate: &Gate) -> bool {
    !gate.is_closed()
}
