//! The end of an acquisition, and of a lock.

use super::again::leave;
use super::instant::tell;
use super::{Watched, described, enter, meet, rearm, rearm_thread};
use crate::acquisition::{self, Token};
use crate::event::Event;
use crate::probe::Probe;
use crate::thread::pads::end_life;
use crate::thread::{self, ThreadState};

/// What is still to be told of a lock that is about to be given back: to be
/// handed to [`parted`] on the same thread, once it was.
#[derive(Debug)]
#[must_use = "what is still to be told is lost, and the session can never end"]
pub struct Parting(Token);

/// The acquisition that `token` stands for ends now, while the caller still owns
/// `lock`.
#[inline]
pub fn end<L: Watched>(probe: &Probe, lock: &L, token: Token) {
    if let Err(now) = leave(probe, lock, token) {
        parted(probe, release(probe, lock, token, now));
    }
}

/// The caller, who owns `lock` by the acquisition that `token` stands for, is
/// about to give it back, `now`, which [`leave`] has read.
///
/// A sampled acquisition is told now, because the answer arms the countdown of
/// the lock. A contended one is told by [`parted`]: others wait for the lock.
///
/// To be called in a function of its own, which the bare unlock follows.
#[inline(always)]
pub fn release<L: Watched>(probe: &Probe, lock: &L, token: Token, now: u64) -> Parting {
    release_by(probe, thread::current(), lock, token, now)
}

/// As [`release`], for a caller that knows its thread, `current`.
#[inline(always)]
pub fn release_by<L: Watched>(
    probe: &Probe,
    current: Option<&'static ThreadState>,
    lock: &L,
    token: Token,
    now: u64,
) -> Parting {
    const TOLD: Parting = Parting(Token::NONE);
    if acquisition::is_sent(current, token) {
        release_sent(probe, current, lock, token, now);
        return TOLD;
    }
    let Some(thread) = current else { return TOLD };
    // None: the session is over, and its record was taken back.
    let address = lock.describe().address;
    let Some(record) = acquisition::held(thread, token, address) else { return TOLD };
    let Some((inside, hooks)) = enter(probe, thread, record.generation()) else {
        let weight = record.event().weight();
        thread.cut_short(record.generation(), weight, || acquisition::free(thread, token));
        return TOLD;
    };
    let (stamp, slot, event) = (inside.stamp(), lock.slot(), record.event());
    event.end(now);
    let is_plain = event.is_plain();
    let what = event.what();
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
        if slot.is_excluded(stamp) {
            acquisition::free(thread, token);
            return TOLD;
        }
        event.set_state(state);
    }
    // SAFETY:
    // - inside the bracket;
    // - nobody writes the record before it is freed below.
    let countdown = unsafe { (hooks.event)(hooks.context, event.as_event()) };
    let is_every = match slot {
        Some(slot) if !what.mode.is_shared() => {
            rearm(slot, stamp, countdown);
            slot.is_every()
        }
        _ => {
            rearm_thread(thread, stamp, countdown);
            thread.samples_every(stamp)
        }
    };
    if is_plain
        && is_every
        && let Some(pad) = hooks.pad
    {
        // SAFETY: inside the bracket; nobody writes the record before it is freed
        // below.
        let pad = unsafe { pad(hooks.context, event.as_event()) };
        if !pad.is_null() {
            thread.pads.remember(record.generation(), event.life(), event.site(), pad);
        }
    }
    // Still inside: once the session's end has waited for us, what is on its
    // way was not told.
    acquisition::free(thread, token);
    drop(inside);
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
    // A backend may keep what each thread writes apart, so it must not take two
    // for one.
    let teller = thread.id() as u32;
    let event = Event { acquired, end: now.max(acquired), thread: teller, ..event };
    tell(probe, thread, lock, generation, event);
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
    let hooks = unsafe { &*probe.gate.hooks(u64::from(record.generation()) << 32) };
    // SAFETY:
    // - inside the bracket;
    // - nobody writes the record before it is freed below.
    unsafe { (hooks.event)(hooks.context, record.event().as_event()) };
    thread.parted();
    acquisition::free(thread, token);
    thread.leave();
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
    let hooks = unsafe { &*probe.gate.hooks(inside.stamp()) };
    let mut described = described(probe, lock);
    if let Some(slot) = lock.slot() {
        let Some(state) = slot.state_in(inside.stamp()) else { return };
        if slot.is_excluded(inside.stamp()) {
            return;
        }
        described.state = state;
        // Who has given the lock back may be telling of it still.
        if described.state != 0 {
            thread::await_parting(described.id);
        }
    }
    if described.id == 0 {
        end_life(described.address);
    }
    // SAFETY: inside the bracket; the caller owns the lock alone.
    unsafe { (hooks.dropped)(hooks.context, &raw const described) };
}
