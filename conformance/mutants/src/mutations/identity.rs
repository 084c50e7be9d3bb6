//! What breaks a rule of the family IDENT.

use std::collections::HashMap;

use lockscope_core::backend::{Backend, BackendError};
use lockscope_core::report::{LockReport, Loss, Report};
use lockscope_core::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use lockscope_core::{CallSite, Countdown, Event, EventKind, LockKind, LockRef, Session};

use crate::memory::{Memory, is_simulated};
use crate::{Alter, Good, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "gives-each-thread-a-row-of-its-own",
        breaks: "IDENT-01",
        alter: Alter { event: a_row_for_each_thread, ..Alter::NOTHING },
    },
    Mutation {
        name: "gives-locks-of-one-line-one-id",
        breaks: "IDENT-02",
        alter: Alter { snapshot: one_id_for_a_line, ..Alter::NOTHING },
    },
    Mutation {
        name: "numbers-locks-without-slot-itself",
        breaks: "IDENT-03",
        alter: Alter { start: gives_ids_itself, ..Alter::NOTHING },
    },
    Mutation {
        name: "does-not-hear-that-locks-without-slot-are-dropped",
        breaks: "IDENT-04",
        alter: Alter { dropped: if_it_had_a_slot, ..Alter::NOTHING },
    },
    Mutation {
        name: "takes-a-lock-that-moved-for-another",
        breaks: "IDENT-05",
        alter: Alter { event: elsewhere_is_another, ..Alter::NOTHING },
    },
    Mutation {
        name: "takes-locks-in-one-cache-line-for-one",
        breaks: "IDENT-06",
        alter: Alter { event: one_for_a_cache_line, ..Alter::NOTHING },
    },
    Mutation {
        name: "takes-locks-of-two-kinds-at-one-address-for-one",
        breaks: "IDENT-06",
        alter: Alter { event: whatever_is_there, ..Alter::NOTHING },
    },
    Mutation {
        name: "gives-up-what-rests-while-others-come-and-go",
        breaks: "IDENT-07",
        alter: Alter {
            event: notes_when,
            dropped: counts_drops,
            snapshot: gives_up_what_rests,
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "remembers-who-held-a-lock-in-the-session-before",
        breaks: "IDENT-08",
        alter: Alter { start: goes_on, event: remembers_holders, ..Alter::NOTHING },
    },
    Mutation {
        name: "clears-the-slot-of-a-dropped-lock",
        breaks: "IDENT-09",
        alter: Alter { dropped: clears_the_holder, ..Alter::NOTHING },
    },
    Mutation {
        name: "writes-to-a-slot-that-is-shown-no-more",
        breaks: "IDENT-09",
        alter: Alter { meet: keeps_the_slot, event: writes_to_kept_slots, ..Alter::NOTHING },
    },
    Mutation {
        name: "cuts-names-at-a-hundred-bytes",
        breaks: "IDENT-10",
        alter: Alter { snapshot: cuts_names, ..Alter::NOTHING },
    },
    Mutation {
        name: "takes-a-kind-that-it-does-not-know-for-a-mutex",
        breaks: "IDENT-10",
        alter: Alter { snapshot: only_known_kinds, ..Alter::NOTHING },
    },
    Mutation {
        name: "writes-a-byte-of-its-own-behind-the-lock-word",
        breaks: "IDENT-11",
        alter: Alter { event: counts_behind_the_lock, ..Alter::NOTHING },
    },
];

/// The event as if another lock were meant: by its id alone, for the way to a
/// record that its slot knows leads to the right one.
fn of(lock: LockRef, event: &Event) -> Event {
    Event { lock: LockRef { slot: core::ptr::null(), state: 0, ..lock }, ..*event }
}

/// Of simulated locks alone, which are few: others are for other rules to count.
fn a_row_for_each_thread(good: &Good, event: &Event) -> Countdown {
    static FIRST: Memory<(u64, usize), u32> = Memory::new();
    let lock = event.lock;
    if !is_simulated(lock.address) {
        return good.event(event);
    }
    let name = (lock.id, if lock.id == 0 { lock.address } else { 0 });
    if FIRST.first(name, event.thread) == event.thread {
        return good.event(event);
    }
    let apart = u64::from(event.thread) << 32;
    let other = if lock.id == 0 {
        LockRef { address: lock.address ^ apart as usize, ..lock }
    } else {
        LockRef { id: lock.id ^ apart, ..lock }
    };
    good.event(&of(other, event))
}

fn one_id_for_a_line(good: &Good) -> Result<Report, BackendError> {
    let mut report = good.snapshot()?;
    let mut of_line = HashMap::new();
    for row in report.locks.iter_mut().filter(|row| row.id != 0 && row.created != 0) {
        row.id = *of_line.entry(row.created).or_insert(row.id);
    }
    Ok(report)
}

fn gives_ids_itself(good: &Good, session: &Session) -> Result<(), BackendError> {
    extern "C" fn next_lock_id() -> u64 {
        static LAST: AtomicU64 = AtomicU64::new(1 << 40);
        LAST.fetch_add(1, Ordering::Relaxed)
    }
    good.start(&Session { next_lock_id, ..*session })
}

fn if_it_had_a_slot(good: &Good, lock: &LockRef) {
    if lock.id != 0 {
        good.dropped(lock);
    }
}

fn elsewhere_is_another(good: &Good, event: &Event) -> Countdown {
    static MADE: Memory<u64, usize> = Memory::new();
    let lock = event.lock;
    if lock.id == 0 || MADE.first(lock.id, lock.address) == lock.address {
        return good.event(event);
    }
    good.event(&of(LockRef { id: lock.id | 1 << 62, ..lock }, event))
}

fn one_for_a_cache_line(good: &Good, event: &Event) -> Countdown {
    let lock = event.lock;
    if lock.id != 0 {
        return good.event(event);
    }
    good.event(&Event { lock: LockRef { address: lock.address & !63, ..lock }, ..*event })
}

fn whatever_is_there(good: &Good, event: &Event) -> Countdown {
    static FIRST: Memory<usize, LockKind> = Memory::new();
    let lock = event.lock;
    if lock.id != 0 {
        return good.event(event);
    }
    let kind = FIRST.first(lock.address, lock.kind);
    good.event(&Event { lock: LockRef { kind, ..lock }, ..*event })
}

/// Locks of a simulated program that were dropped; and so below.
static DROPS: AtomicU64 = AtomicU64::new(0);
/// How many there were when a lock was used last.
static USED: Memory<u64, u64> = Memory::new();

fn notes_when(good: &Good, event: &Event) -> Countdown {
    if is_simulated(event.lock.address) {
        let drops = DROPS.load(Ordering::Relaxed);
        USED.with(|used| used.insert(event.lock.id, drops));
    }
    good.event(event)
}

fn counts_drops(good: &Good, lock: &LockRef) {
    if is_simulated(lock.address) {
        DROPS.fetch_add(1, Ordering::Relaxed);
    }
    good.dropped(lock);
}

/// And says so, as losses: they are in the report no more.
fn gives_up_what_rests(good: &Good) -> Result<Report, BackendError> {
    let mut report = good.snapshot()?;
    let drops = DROPS.load(Ordering::Relaxed);
    let rests = |row: &LockReport| {
        let used = USED.with(|used| used.get(&row.id).copied());
        row.id != 0 && used.is_some_and(|used| drops - used > 500)
    };
    let sites = report.locks.iter().filter(|row| rests(row)).flat_map(|row| row.sites.iter());
    let count = sites.map(|site| site.acquisitions.value as u64).sum();
    report.locks.retain(|row| !rests(row));
    if count > 0 {
        report.losses.push(Loss { what: "operations of locks that rest".into(), count });
    }
    Ok(report)
}

/// Who has used a lock of a simulated program last, by its id, and in which session.
static LAST: Memory<u64, (CallSite, u32)> = Memory::new();
static GENERATION: AtomicU32 = AtomicU32::new(0);
/// The end of the latest event.
static LATEST: AtomicU64 = AtomicU64::new(0);

fn goes_on(good: &Good, session: &Session) -> Result<(), BackendError> {
    if session.started < LATEST.load(Ordering::Relaxed) {
        // Time begins anew: another simulated program, with locks of its own.
        LAST.with(|last| last.clear());
    }
    LATEST.store(session.started, Ordering::Relaxed);
    GENERATION.store(session.generation, Ordering::Relaxed);
    good.start(session)
}

fn remembers_holders(good: &Good, event: &Event) -> Countdown {
    LATEST.fetch_max(event.end, Ordering::Relaxed);
    if event.kind != EventKind::RELEASED || !is_simulated(event.lock.address) {
        return good.event(event);
    }
    let now = GENERATION.load(Ordering::Relaxed);
    let before = LAST.with(|last| last.insert(event.lock.id, (event.site, now)));
    let is_unknown =
        event.contended != 0 && event.lock.id != 0 && event.holder == CallSite::UNKNOWN;
    match before {
        Some((holder, session)) if is_unknown && session != now => {
            good.event(&Event { holder, ..*event })
        }
        _ => good.event(event),
    }
}

/// The word of a slot that says who has the lock.
fn holder_of(lock: &LockRef) -> Option<&AtomicU64> {
    const PLACE: usize = 40;
    let word = lock.slot.cast::<u8>().wrapping_add(PLACE).cast::<AtomicU64>();
    // SAFETY: it is one of the words of a slot that is shown.
    (!lock.slot.is_null()).then(|| unsafe { &*word })
}

fn clears_the_holder(good: &Good, lock: &LockRef) {
    good.dropped(lock);
    if let Some(word) = holder_of(lock) {
        word.store(0, Ordering::Relaxed);
    }
}

/// Slots by the ids of their locks.
static SLOTS: Memory<u64, usize> = Memory::new();

fn keeps_the_slot(good: &Good, lock: Option<&LockRef>) -> Countdown {
    if let Some(lock) = lock {
        SLOTS.with(|slots| slots.insert(lock.id, lock.slot.expose_provenance()));
    }
    good.meet(lock)
}

/// Only where nothing can come of it but that somebody sees it: a lock of a kind
/// that the backend does not know is no lock of a real program.
fn writes_to_kept_slots(good: &Good, event: &Event) -> Countdown {
    let lock = event.lock;
    let is_known = LockKind::MUTEX.0..=LockKind::FUTEX.0;
    if lock.slot.is_null() && lock.id != 0 && !is_known.contains(&lock.kind.0) {
        let kept = SLOTS.with(|slots| slots.get(&lock.id).copied());
        let slot = core::ptr::with_exposed_provenance(kept.unwrap_or_default());
        if let Some(word) = holder_of(&LockRef { slot, ..lock }) {
            word.store(0x7777, Ordering::Relaxed);
        }
    }
    good.event(event)
}

fn cuts_names(good: &Good) -> Result<Report, BackendError> {
    let mut report = good.snapshot()?;
    for row in &mut report.locks {
        let name: String = row.name.chars().take(100).collect();
        row.name = name.into();
    }
    Ok(report)
}

fn only_known_kinds(good: &Good) -> Result<Report, BackendError> {
    let mut report = good.snapshot()?;
    for row in report.locks.iter_mut().filter(|row| row.kind > LockKind::FUTEX.0) {
        row.kind = LockKind::MUTEX.0;
    }
    Ok(report)
}

/// The last byte of the word that a mutex of a real program has behind its slot,
/// which is padding for most values, but not for small ones.
fn counts_behind_the_lock(good: &Good, event: &Event) -> Countdown {
    let lock = event.lock;
    if lock.kind == LockKind::MUTEX && lock.address == lock.slot.addr() {
        let byte = lock.slot.cast::<u8>().wrapping_add(63).cast::<AtomicU8>();
        // SAFETY: a mutex with a slot is 64 bytes at least.
        unsafe { &*byte }.fetch_add(1, Ordering::Relaxed);
    }
    good.event(event)
}
