//! Waiting for a lock that somebody holds.

use super::instant::{instant, tell};
use super::{Watched, described};
use crate::acquisition::{self, Token};
use crate::clock;
use crate::event::{Beginning, Event, EventKind, Mode, What};
use crate::probe::Probe;
use crate::site::CallSite;
use crate::thread;

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
