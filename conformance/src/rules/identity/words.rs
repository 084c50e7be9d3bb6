//! What a hook writes.

use lockscope_core::slot::Holder;
use lockscope_core::sync::{AtomicU64, Ordering};
use lockscope_core::{
    CallSite, Countdown, Event, EventKind, LockKind, LockRef, Mode, Session, Slot,
};

use crate::keys::Recording;
use crate::probe::NO_EVENT;
use crate::simulation::session;
use crate::subject::Subject;
use crate::trial::Trial;
use crate::verdict::Failure;

/// So many words of the program's on each side.
const WALL: usize = 8;
/// What stands in them.
const BRICK: u64 = 0x5afe_c0de_5afe_c0de;

/// A slot, and what lies around it.
#[repr(C)]
struct Walled {
    before: [AtomicU64; WALL],
    slot: Slot,
    after: [AtomicU64; WALL],
}

const WORDS: usize = size_of::<Walled>() / 8;
const _: () = assert!(WORDS == 2 * WALL + size_of::<Slot>() / 8);

/// A lock that is shown by hand.
struct Shown<'w> {
    walled: &'w Walled,
    lock: LockRef,
    stamp: u64,
}

pub(super) fn only_the_state_word_is_written(trial: &mut Trial) -> Result<(), Failure> {
    let subject = trial.subject(Recording::Everything)?;
    for round in 0..3 {
        let session = session(trial.seed() ^ round);
        subject.start(&session)?;
        for kind in [LockKind::MUTEX, LockKind::RWLOCK, LockKind::CONDVAR, LockKind(77)] {
            with_slot(&subject, &session, kind)?;
            without_slot(&subject, kind)?;
        }
        subject.stop()?;
    }
    Ok(())
}

fn walled() -> Walled {
    let wall = || core::array::from_fn(|_| AtomicU64::new(BRICK));
    Walled { before: wall(), slot: Slot::new(None).named("ident-walled"), after: wall() }
}

impl Walled {
    /// All of it, as words: a hook may have written anywhere.
    fn words(&self) -> [u64; WORDS] {
        let first = core::ptr::from_ref(self).cast::<u64>();
        // SAFETY: so many initialised words stand there; volatile, because who has
        // written to them had no right to.
        core::array::from_fn(|place| unsafe { first.add(place).read_volatile() })
    }

    /// The place of the backend's word among them.
    fn state(&self) -> usize {
        (core::ptr::from_ref(self.slot.state()).addr() - core::ptr::from_ref(self).addr()) / 8
    }
}

fn with_slot(subject: &Subject, session: &Session, kind: LockKind) -> Result<(), Failure> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let walled = walled();
    let (name, name_len) = walled.slot.name_parts();
    let lock = LockRef {
        slot: &raw const walled.slot,
        address: core::ptr::from_ref(&walled.slot).addr(),
        id: walled.slot.id(|| NEXT.fetch_add(1, Ordering::Relaxed)),
        created: CallSite(kind.0 as usize),
        name,
        name_len,
        kind,
        ..NO_EVENT.lock
    };
    let shown = Shown { walled: &walled, lock, stamp: u64::from(session.generation) << 32 };
    // By one who waits in vain, before the session has met it.
    shown.tell(subject, "a failed try", hidden(Event { kind: EventKind::FAILED, ..NO_EVENT }))?;
    walled.slot.claim(shown.stamp);
    let countdown = shown.call("meet", true, |lock| subject.meet(Some(lock)))?;
    walled.slot.arm(shown.stamp, countdown);
    walled.slot.set_holder(Holder::new(CallSite(3), Holder::thread_bits(6)));
    for (what, event) in events() {
        shown.tell(subject, what, event)?;
    }
    shown.call("dropped", true, |lock| {
        subject.dropped(lock);
        Countdown::UNCHANGED
    })?;
    Ok(())
}

/// Everything that is told of a lock, in an order in which it may be.
fn events() -> [(&'static str, Event); 8] {
    let shared = Event { mode: Mode::SHARED, ..NO_EVENT };
    let contended = Event { contended: 1, holder: CallSite(9), ..NO_EVENT };
    [
        ("an acquisition", Event { counted: 1, ..NO_EVENT }),
        ("one by a reader", shared),
        ("one that had to wait, told by the owner", contended),
        ("one that had to wait, told once the lock was given back", hidden(contended)),
        ("a failed try", hidden(Event { kind: EventKind::FAILED, ..NO_EVENT })),
        ("an idle wait", Event { kind: EventKind::IDLE, ..shared }),
        ("something of an unknown kind", hidden(Event { kind: EventKind(99), ..NO_EVENT })),
        ("another acquisition", Event { counted: 1, site: CallSite(4), ..NO_EVENT }),
    ]
}

/// The same, but the slot is not shown: its word is in the event.
fn hidden(event: Event) -> Event {
    // Who shows the event puts the slot in, unless this stands here.
    Event { lock: LockRef { probe: HIDDEN, ..event.lock }, ..event }
}

const HIDDEN: u32 = u32::MAX;

impl Shown<'_> {
    fn tell(&self, subject: &Subject, what: &str, event: Event) -> Result<(), Failure> {
        let shows = event.lock.probe != HIDDEN;
        let site = if event.site.is_known() { event.site } else { CallSite(3) };
        let times = (2_000_000_000, 2_000_000_100, 2_000_000_900);
        let (begin, acquired, end) = match (event.kind, event.contended) {
            (EventKind::RELEASED, 0) => (times.1, times.1, times.2),
            (EventKind::RELEASED, _) => times,
            _ => (times.0, times.2, times.2),
        };
        let told =
            |lock: &LockRef| Event { lock: *lock, site, begin, acquired, end, thread: 7, ..event };
        let countdown = self.call(what, shows, |lock| subject.event(&told(lock)))?;
        if event.counted != 0 {
            self.walled.slot.arm(self.stamp, countdown);
            let pad = subject.table().pad;
            self.call("the pad for it", shows, |lock| {
                let event = told(lock);
                if let Some(pad) = pad {
                    // SAFETY: the table's own context; the event, which was just
                    // told, is valid for the call.
                    unsafe { pad(subject.table().context, &raw const event) };
                }
                Countdown::UNCHANGED
            })?;
        }
        Ok(())
    }

    /// Calls a hook, and looks at what it has written.
    fn call(
        &self,
        what: &str,
        shows: bool,
        hook: impl FnOnce(&LockRef) -> Countdown,
    ) -> Result<Countdown, Failure> {
        let slot = if shows { self.lock.slot } else { core::ptr::null() };
        let state = self.walled.slot.state_in(self.stamp).unwrap_or_default();
        let before = self.walled.words();
        let countdown = hook(&LockRef { slot, state, ..self.lock });
        let after = self.walled.words();
        for (place, (was, is)) in before.into_iter().zip(after).enumerate() {
            if was != is && !(shows && place == self.walled.state()) {
                return Err(written(place, was, is).after([format!(
                    "a {} is told of: {what}, {}",
                    self.lock.kind.as_str(),
                    if shows { "with its slot shown" } else { "without its slot" }
                )]));
            }
        }
        Ok(countdown)
    }
}

fn written(place: usize, was: u64, is: u64) -> Failure {
    let bytes = place as i64 * 8 - WALL as i64 * 8;
    let what = match bytes {
        ..0 => format!("the word {} bytes before the slot", -bytes),
        0..56 => format!("the slot's word at byte {bytes}"),
        _ => format!("the word {} bytes behind the slot", bytes - size_of::<Slot>() as i64),
    };
    Failure::new(format!("{what} as it was: {was:#x}"), format!("{is:#x}"))
}

/// A lock without slot is the program's altogether.
fn without_slot(subject: &Subject, kind: LockKind) -> Result<(), Failure> {
    let memory: [AtomicU64; 2 * WALL] = core::array::from_fn(|_| AtomicU64::new(BRICK));
    let address = core::ptr::from_ref(&memory[WALL]).addr();
    let lock = LockRef { address, kind, ..NO_EVENT.lock };
    for (what, event) in events() {
        let (site, begin, end) = (CallSite(3), 2_000_000_000, 2_000_000_900);
        subject.event(&Event { lock, site, begin, acquired: begin, end, ..event });
        unchanged(&memory, kind, what)?;
    }
    subject.dropped(&lock);
    unchanged(&memory, kind, "dropped")
}

fn unchanged(memory: &[AtomicU64], kind: LockKind, what: &str) -> Result<(), Failure> {
    let Some(place) = memory.iter().position(|word| word.load(Ordering::Relaxed) != BRICK) else {
        return Ok(());
    };
    let observed = format!("the word at {} bytes from it has changed", place as i64 * 8 - 64);
    let expected = "nothing written at the address of a lock without slot";
    let history = format!("a {} is told of: {what}", kind.as_str());
    Err(Failure::new(expected, observed).after([history]))
}
