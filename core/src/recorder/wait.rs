//! Waiting for a lock that somebody holds.

use super::instant::{instant, tell};
use super::{Owner, Watched, admits, described, enter, stack, whole};
use crate::acquisition::{self, Acquisition, Token};
use crate::clock;
use crate::event::{Beginning, Event, EventKind, LockRef, Mode, What};
use crate::probe::Probe;
use crate::site::CallSite;
use crate::slot::Holder;
use crate::thread::{self, ThreadState};

/// The caller is about to wait for `lock`, which somebody holds.
#[cold]
pub fn wait<L: Watched>(probe: &Probe, lock: &L, mode: Mode, site: CallSite) -> Token {
    let Some(thread) = thread::current() else { return Token::NONE };
    let Some(inside) = thread.enter(&probe.gate) else { return Token::NONE };
    let stamp = inside.stamp();
    let slot = lock.slot();
    let described = described(probe, lock);
    // A lock with slot that was not met yet is looked at by its owner, later.
    let is_excluded = match slot {
        Some(slot) => slot.is_excluded(stamp),
        // SAFETY: inside the bracket of an open gate.
        None => !admits(unsafe { &*probe.gate.hooks(stamp) }, &described),
    };
    if is_excluded {
        return Token::NONE;
    }
    let thinning = probe.gate.thinning();
    // What is not drawn is written down all the same, for as long as the wait
    // lasts: who waits is to be seen, and the wait may be a long one yet.
    let weight = match thinning.period() {
        1 => 1,
        period if thread.draws(period) => period,
        _ => NOT_DRAWN,
    };
    let holder = slot.map_or_else(|| known(lock.owner()), |slot| slot.holder(stamp));
    // Now, because nobody waits for this thread yet; and before the clock is read,
    // because what it takes is no wait.
    let site = if weight == NOT_DRAWN { site } else { whole(probe, thread, site, stamp) };
    acquisition::begin(
        thread,
        (stamp >> 32) as u32,
        &Beginning {
            // The backend's word is not known before the lock is had.
            lock: LockRef { state: thinning.look().into(), ..described },
            what: What {
                kind: EventKind::RELEASED,
                mode,
                contended: 1,
                counted: 0,
                holder_thread: holder.thread().map_or(0, |thread| thread as u16 + 1),
            },
            weight,
            site,
            holder: holder.site(),
            begin: clock::now(probe.gate.uses_tsc()).max(1),
            acquired: 0,
        },
    )
}

/// The owner in the form of a slot's word: its thread by its number among those
/// that are watched.
fn known(owner: Owner) -> Holder {
    let thread = thread::index_of(owner.thread.into()).map_or(0, Holder::thread_bits);
    Holder::new(owner.site, thread)
}

/// The weight of an acquisition that must wait and was not drawn.
const NOT_DRAWN: u32 = 0;

/// The wait that `token` stands for ended with the lock. The caller owns it. The
/// answer is what names the acquisition from now on: nothing, if it is not recorded
/// (see [`Thinning`](crate::gate::Thinning)).
///
/// What is to be known of the lock's slot is read here, where its line has just
/// been fetched: whoever waits next may take it away again before the release.
#[cold]
#[must_use = "the record is never given back without"]
pub fn waited<L: Watched>(probe: &Probe, lock: &L, site: CallSite, token: Token) -> Token {
    let slot = lock.slot();
    let thread = if token.is_some() { thread::current() } else { None };
    let Some(thread) = thread else {
        if let Some(slot) = slot {
            slot.set_reader(site);
        }
        return Token::NONE;
    };
    let record = acquisition::own(thread, token);
    let stamp = u64::from(record.generation()) << 32;
    if let Some(slot) = slot {
        let is_alone = !record.event().what().mode.is_shared();
        let thread = if is_alone { Holder::thread_bits(thread.index()) } else { 0 };
        slot.set_holder(Holder::new(site, thread));
    }
    if record.event().weight() != 1 {
        if record.event().state() != u64::from(probe.gate.thinning().look()) {
            record.event().set_weight(1);
            recorded_after_all(probe, thread, record);
        } else if record.event().weight() == NOT_DRAWN {
            acquisition::free(thread, token);
            return Token::NONE;
        }
    }
    // Without it, the backend is told while the lock is owned: see `release`.
    let state = match slot {
        Some(slot) if !slot.is_asking() => slot.state_in(stamp).unwrap_or_default(),
        _ => 0,
    };
    let now = clock::now(probe.gate.uses_tsc()).max(1);
    acquisition::acquired(thread, token, now, state);
    token
}

/// The caller, whose wait for `lock` seemed to have ended, has not got it, and waits on
/// as if it had not: the acquisition that `token` stands for is one. The answer is what
/// names it from now on, until it is [`waited`] for again: nothing, if it is recorded no
/// more.
#[cold]
#[must_use = "the record is never given back without"]
pub fn waits_on<L: Watched>(probe: &Probe, lock: &L, token: Token) -> Token {
    let thread = if token.is_some() { thread::current() } else { None };
    let address = lock.describe().address;
    match thread.and_then(|thread| acquisition::waits_on(thread, token, address)) {
        Some(record) => {
            record.event().set_state(probe.gate.thinning().look().into());
            token
        }
        None => Token::NONE,
    }
}

/// It was the operation at `holder` that has ended the wait that `token` stands for.
///
/// To be called before [`waited`], where it was not known who held the lock when the
/// wait began.
#[cold]
pub fn ended_by(token: Token, holder: CallSite) {
    if token.is_some()
        && let Some(thread) = thread::current()
    {
        acquisition::own(thread, token).event().set_holder(holder);
    }
}

/// The site of an operation of the caller's that others may be charged with: of its
/// whole stack, if the session keeps stacks.
#[cold]
#[must_use]
pub fn site_of_stack(probe: &Probe, site: CallSite) -> CallSite {
    let Some(thread) = thread::current() else { return site };
    let Some(inside) = thread.enter(&probe.gate) else { return site };
    whole(probe, thread, site, inside.stamp())
}

/// A wait that was not drawn is recorded because it was long: its stack, which is
/// what it was when the wait began, is still to be taken.
fn recorded_after_all(probe: &Probe, thread: &ThreadState, record: &Acquisition) {
    let site = record.event().site();
    if site.is_stack() || !probe.gate.keeps_stacks() {
        return;
    }
    if let Some((inside, _)) = enter(probe, thread, record.generation()) {
        record.event().set_site(stack(probe, thread, site, inside.stamp()));
    }
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
    // Whether it was drawn or not: failures are few, and all are counted.
    let lock_ref = LockRef { state: 0, ..event.lock };
    let event = Event {
        lock: lock_ref,
        kind: EventKind::FAILED,
        weight: 1,
        acquired: now,
        end: now,
        ..event
    };
    tell(probe, thread, lock, generation, event);
}

/// The wait that `token` stands for did not come about: the caller had the lock
/// at once after all, or needs it no more, or learns only now that nobody was in
/// the way. Nothing is reported.
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
