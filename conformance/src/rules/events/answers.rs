//! What a backend answers.

use lockscope_core::gate::state;
use lockscope_core::{CallSite, Countdown, Event, EventKind, LockKind, LockRef, Mode, Slot};

use crate::keys::Recording;
use crate::probe::NO_EVENT;
use crate::simulation::session;
use crate::subject::Subject;
use crate::trial::Trial;
use crate::verdict::Failure;

const RECORDINGS: [Recording; 5] = [
    Recording::Usual,
    Recording::Everything,
    Recording::OneIn(2),
    Recording::OneIn(1_000),
    Recording::OneIn(1_000_000),
];

pub(super) fn answers_can_be_armed(trial: &mut Trial) -> Result<(), Failure> {
    for recording in RECORDINGS {
        let subject = trial.subject(recording)?;
        let session = session(trial.seed());
        subject.start(&session)?;
        // One that sleeps is not asked.
        if subject.pace(0)?.gate == state::OPEN {
            answers(&subject, u64::from(session.generation) << 32)
                .map_err(|failure| failure.after([format!("the backend records {recording:?}")]))?;
        }
        subject.stop()?;
    }
    Ok(())
}

fn answers(subject: &Subject, stamp: u64) -> Result<(), Failure> {
    for number in 0..60 {
        fits("meet, for a thread", subject.meet(None))?;
        let slot = Slot::new(None);
        let created = CallSite(1 + number as usize % 5);
        let kind = if number % 2 == 0 { LockKind::MUTEX } else { LockKind::RWLOCK };
        let lock = LockRef {
            slot: &raw const slot,
            id: slot.id(|| number + 1),
            // No lock stands behind this slot.
            address: 0xe000,
            created,
            kind,
            ..NO_EVENT.lock
        };
        slot.claim(stamp);
        let countdown = subject.meet(Some(&lock));
        fits("meet, for a lock", countdown)?;
        slot.arm(stamp, countdown);
        let slotless = LockRef { slot: core::ptr::null(), id: 0, address: 0xd000, created, ..lock };
        for (what, event) in events(countdown) {
            // Who has given the lock back, or never had it, does not show its slot.
            let shown = event.kind == EventKind::RELEASED && event.contended == 0;
            let pointer = if shown { lock.slot } else { core::ptr::null() };
            let state = slot.state_in(stamp).unwrap_or_default();
            let lock = LockRef { slot: pointer, state, ..lock };
            let answer = subject.event(&Event { lock, ..event });
            is_answer(what, event.counted, answer)?;
            if event.counted != 0 {
                slot.arm(stamp, answer);
            }
            let answer = subject.event(&Event { lock: slotless, counted: 0, ..event });
            is_answer(what, 0, answer)?;
        }
        subject.dropped(&LockRef { state: slot.state_in(stamp).unwrap_or_default(), ..lock });
        subject.dropped(&slotless);
    }
    Ok(())
}

fn events(countdown: Countdown) -> [(&'static str, Event); 6] {
    let times =
        Event { begin: 2_000_000_000, acquired: 2_000_000_000, end: 2_000_000_500, ..NO_EVENT };
    let event = Event { site: CallSite(3), thread: 1, ..times };
    let weight = countdown.own_weight().max(1);
    let drawn = Event { counted: 1, weight, ..event };
    let waited = Event { contended: 1, begin: 1_999_999_000, ..event };
    let at_once = Event { acquired: event.end, ..event };
    [
        ("an acquisition that ends a countdown", drawn),
        ("an acquisition that had to wait", waited),
        ("a failed try", Event { kind: EventKind::FAILED, ..at_once }),
        ("an idle wait", Event { kind: EventKind::IDLE, mode: Mode::SHARED, ..at_once }),
        ("something of an unknown kind", Event { kind: EventKind(99), ..at_once }),
        ("another that ends a countdown", drawn),
    ]
}

fn is_answer(what: &str, counted: u8, answer: Countdown) -> Result<(), Failure> {
    if counted == 0 && answer == Countdown::UNCHANGED { Ok(()) } else { fits(what, answer) }
}

/// Whether it can be armed as it is.
fn fits(what: &str, answer: Countdown) -> Result<(), Failure> {
    let longest = Countdown::NEVER.operations;
    let weight = answer.own_weight();
    let has_weight = match answer.operations {
        0 => false,
        operations if operations < longest => (1..(1 << 31) - 1).contains(&weight),
        // A sample that does not come stands for nothing.
        operations => operations == longest && weight < (1 << 31) - 1,
    };
    if has_weight {
        return Ok(());
    }
    let expected =
        format!("to {what}: 1 to {longest} operations, of a weight of 1 to {}", (1_u32 << 31) - 2);
    Err(Failure::new(
        expected,
        format!("{} operations, of a weight of {weight}", answer.operations),
    ))
}
