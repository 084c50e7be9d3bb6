//! Waiting for a lock that somebody holds.

use super::instant::{instant, tell};
use super::{Owner, Watched, admits, described};
use crate::acquisition::{self, Token};
use crate::clock;
use crate::event::{Beginning, Event, EventKind, Mode, What};
use crate::probe::Probe;
use crate::site::CallSite;
use crate::slot::Holder;
use crate::thread;

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
    let weight = probe.gate.contended_period();
    if is_excluded || weight > 1 && !thread.draws(weight) {
        return Token::NONE;
    }
    let holder = slot.map_or_else(|| known(lock.owner()), |slot| slot.holder(stamp));
    acquisition::begin(
        thread,
        (stamp >> 32) as u32,
        &Beginning {
            lock: described,
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

/// The wait that `token` stands for ended with the lock. The caller owns it.
///
/// What is to be known of the lock's slot is read here, where its line has just
/// been fetched: whoever waits next may take it away again before the release.
#[cold]
pub fn waited<L: Watched>(probe: &Probe, lock: &L, site: CallSite, token: Token) {
    let slot = lock.slot();
    let thread = if token.is_some() { thread::current() } else { None };
    let Some(thread) = thread else {
        if let Some(slot) = slot {
            slot.set_reader(site);
        }
        return;
    };
    let record = acquisition::own(thread, token);
    let stamp = u64::from(record.generation()) << 32;
    if let Some(slot) = slot {
        let is_alone = !record.event().what().mode.is_shared();
        let thread = if is_alone { Holder::thread_bits(thread.index()) } else { 0 };
        slot.set_holder(Holder::new(site, thread));
    }
    // Without it, the backend is told while the lock is owned: see `release`.
    let state = match slot {
        Some(slot) if !slot.is_asking() => slot.state_in(stamp).unwrap_or_default(),
        _ => 0,
    };
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
