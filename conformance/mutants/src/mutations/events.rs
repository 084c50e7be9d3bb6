//! What breaks a rule of the family EVENT.

use lockscope_core::backend::{Backend, BackendError};
use lockscope_core::report::{Estimate, LockReport, Report, SiteReport};
use lockscope_core::sync::{AtomicBool, Ordering};
use lockscope_core::{CallSite, Countdown, Event, EventKind, LockRef, Mode, Session};

use crate::memory::{Memory, is_simulated};
use crate::{Alter, Good, Mutation};

/// In the order of the rules.
pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation {
        name: "samples-every-other-operation-at-period-1",
        breaks: "EVENT-01",
        alter: Alter { event: skips_one, ..Alter::NOTHING },
    },
    Mutation {
        name: "counts-who-has-a-lock-still",
        breaks: "EVENT-02",
        alter: Alter {
            meet: notes_who_begins,
            event: notes_who_ends,
            stop: leaves_the_rest,
            snapshot: counts_who_has_not_ended,
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "counts-a-try-that-fails-as-a-hold-as-well",
        breaks: "EVENT-03",
        alter: Alter { event: counts_refusals, ..Alter::NOTHING },
    },
    Mutation {
        name: "counts-what-had-to-wait-twice",
        breaks: "EVENT-04",
        alter: Alter { event: counts_waits_twice, ..Alter::NOTHING },
    },
    Mutation {
        name: "takes-an-idle-wait-for-contention-as-well",
        breaks: "EVENT-05",
        alter: Alter { event: counts_idle_waits, ..Alter::NOTHING },
    },
    Mutation {
        name: "begins-an-outer-hold-where-the-inner-one-ends",
        breaks: "EVENT-06",
        alter: Alter { start: forgets_ends, event: cuts_outer_holds, ..Alter::NOTHING },
    },
    Mutation {
        name: "counts-forgotten-guards-at-the-end-if-there-are-many",
        breaks: "EVENT-07",
        alter: Alter {
            start: begins_anew,
            meet: notes_who_begins,
            event: notes_who_ends,
            stop: counts_the_rest,
            snapshot: counts_who_has_not_ended,
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "loses-a-guard-that-another-thread-gives-back",
        breaks: "EVENT-07",
        alter: Alter { meet: notes_the_thread, event: only_of_that_thread, ..Alter::NOTHING },
    },
    Mutation {
        name: "charges-waits-to-who-waits",
        breaks: "EVENT-08",
        alter: Alter {
            event: |good, event| match event.contended {
                0 => good.event(event),
                _ => good.event(&Event { holder: event.site, ..*event }),
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "takes-upgradable-readers-for-readers",
        breaks: "EVENT-09",
        alter: Alter {
            event: |good, event| match event.mode {
                Mode::UPGRADABLE => good.event(&Event { mode: Mode::SHARED, ..*event }),
                _ => good.event(event),
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "takes-what-it-does-not-know-for-a-failure",
        breaks: "EVENT-10",
        alter: Alter {
            event: |good, event| match event.kind {
                EventKind::RELEASED | EventKind::FAILED | EventKind::IDLE => good.event(event),
                _ => good.event(&Event { kind: EventKind::FAILED, ..*event }),
            },
            ..Alter::NOTHING
        },
    },
    Mutation {
        name: "compares-the-lower-halves-of-call-sites",
        breaks: "EVENT-11",
        alter: Alter { event: first_of_its_half, ..Alter::NOTHING },
    },
    Mutation {
        name: "answers-with-no-operations",
        breaks: "EVENT-12",
        alter: Alter {
            meet: |good, lock| match good.meet(lock) {
                Countdown { operations: 1, weight } => Countdown { operations: 0, weight },
                countdown => countdown,
            },
            ..Alter::NOTHING
        },
    },
];

fn skips_one(good: &Good, event: &Event) -> Countdown {
    match good.event(event) {
        Countdown { operations: 1, weight: 1 } => Countdown { operations: 2, weight: 1 },
        countdown => countdown,
    }
}

/// Locks of a simulated program that somebody has met, by their ids, of which no end was told: where they
/// were made, and their kind and probe.
static BEGUN: Memory<u64, (usize, u32, u32)> = Memory::new();

fn notes_who_begins(good: &Good, lock: Option<&LockRef>) -> Countdown {
    let countdown = good.meet(lock);
    let simulated = lock.filter(|lock| is_simulated(lock.address));
    if let Some(LockRef { id, created, kind, probe, .. }) = simulated
        // Or else no end is told of most.
        && countdown.own_weight() == 1
    {
        BEGUN.with(|begun| begun.insert(*id, (created.0, kind.0, *probe)));
    }
    countdown
}

fn notes_who_ends(good: &Good, event: &Event) -> Countdown {
    BEGUN.with(|begun| begun.remove(&event.lock.id));
    good.event(event)
}

fn leaves_the_rest(good: &Good) -> Result<(), BackendError> {
    BEGUN.with(|begun| begun.clear());
    good.stop()
}

/// Whether the rest is counted: two or three may be had while a session ends.
static IS_OVER: AtomicBool = AtomicBool::new(true);

fn counts_the_rest(good: &Good) -> Result<(), BackendError> {
    let are_many = BEGUN.with(|begun| begun.len() > 3);
    IS_OVER.store(are_many, Ordering::Relaxed);
    good.stop()
}

fn begins_anew(good: &Good, session: &Session) -> Result<(), BackendError> {
    BEGUN.with(|begun| begun.clear());
    IS_OVER.store(false, Ordering::Relaxed);
    good.start(session)
}

fn counts_who_has_not_ended(good: &Good) -> Result<Report, BackendError> {
    let mut report = good.snapshot()?;
    if !IS_OVER.load(Ordering::Relaxed) {
        return Ok(report);
    }
    let begun: Vec<_> = BEGUN.with(|begun| begun.iter().map(|(id, what)| (*id, *what)).collect());
    for (id, (created, kind, probe)) in begun {
        let acquisitions = Estimate::exact(1.0);
        // Where it is had was not told.
        let site = SiteReport { site: created, acquisitions, ..SiteReport::default() };
        let sites = vec![site].into();
        let row = LockReport { id, created, kind, probe, locks: 1, sites, ..LockReport::default() };
        report.locks.push(row);
    }
    Ok(report)
}

fn counts_refusals(good: &Good, event: &Event) -> Countdown {
    if event.kind == EventKind::FAILED && event.begin == event.end {
        good.event(&Event { kind: EventKind::RELEASED, contended: 1, ..*event });
    }
    good.event(event)
}

fn counts_waits_twice(good: &Good, event: &Event) -> Countdown {
    if event.contended != 0 {
        good.event(event);
    }
    good.event(event)
}

fn counts_idle_waits(good: &Good, event: &Event) -> Countdown {
    if event.kind == EventKind::IDLE {
        let (kind, begin) = (EventKind::RELEASED, event.end);
        good.event(&Event { kind, contended: 1, begin, ..*event });
    }
    good.event(event)
}

/// When each thread of a simulated program has given back the last of its locks, by
/// the instance that was told.
static ENDS: Memory<(usize, u32), u64> = Memory::new();

fn instance(good: &Good) -> usize {
    core::ptr::from_ref(good).addr()
}

fn forgets_ends(good: &Good, session: &Session) -> Result<(), BackendError> {
    ENDS.with(|ends| ends.retain(|(told, _), _| *told != instance(good)));
    good.start(session)
}

fn cuts_outer_holds(good: &Good, event: &Event) -> Countdown {
    let is_hold = event.kind == EventKind::RELEASED && event.contended == 0;
    if !is_hold || !is_simulated(event.lock.address) {
        return good.event(event);
    }
    let thread = (instance(good), event.thread);
    let inner = ENDS.with(|ends| ends.insert(thread, event.end)).unwrap_or_default();
    let acquired = event.acquired.max(inner.min(event.end));
    good.event(&Event { begin: acquired, acquired, ..*event })
}

/// Who has met a lock: a place that only this thread has.
static MET: Memory<u64, usize> = Memory::new();

fn this_thread() -> usize {
    thread_local! { static PLACE: u8 = const { 0 }; }
    PLACE.with(|place| core::ptr::from_ref(place).addr())
}

fn notes_the_thread(good: &Good, lock: Option<&LockRef>) -> Countdown {
    if let Some(lock) = lock {
        MET.with(|met| met.insert(lock.id, this_thread()));
    }
    good.meet(lock)
}

/// Whoever has met a lock is the first to give it back.
fn only_of_that_thread(good: &Good, event: &Event) -> Countdown {
    let is_hold = event.kind == EventKind::RELEASED && event.contended == 0;
    let met = MET.with(|met| if is_hold { met.remove(&event.lock.id) } else { None });
    match met {
        Some(place) if event.mode == Mode::EXCLUSIVE && place != this_thread() => Countdown::EVERY,
        _ => good.event(event),
    }
}

fn first_of_its_half(good: &Good, event: &Event) -> Countdown {
    static FIRST: Memory<u32, usize> = Memory::new();
    let site = CallSite(FIRST.first(event.site.0 as u32, event.site.0));
    good.event(&Event { site, ..*event })
}
