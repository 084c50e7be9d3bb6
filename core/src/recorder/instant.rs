//! What is told at once, by a thread that owns nothing: idle waits that are
//! over, tries that were in vain.

use super::{Watched, admits, described, enter, meet, rearm, whole};
use crate::clock;
use crate::event::{Event, EventKind, Mode};
use crate::probe::Probe;
use crate::site::CallSite;
use crate::thread::{self, ThreadState};

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
pub(super) fn instant<L: Watched>(
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
pub(super) fn tell<L: Watched>(
    probe: &Probe,
    thread: &ThreadState,
    lock: &L,
    generation: u32,
    mut event: Event,
) {
    let Some((inside, hooks)) = enter(probe, thread, generation) else {
        if event.kind == EventKind::RELEASED {
            thread.cut_short(generation, event.weight, || ());
        }
        return;
    };
    let stamp = inside.stamp();
    let slot = lock.slot();
    if let Some(slot) = slot {
        // A slot is met by an owner, or by whoever has waited where nobody owns
        // anything and nothing is counted.
        let is_met = slot.is_current(stamp);
        if event.kind == EventKind::FAILED {
            event.lock.slot = core::ptr::null();
        } else if !is_met {
            meet(probe, hooks, slot, stamp, lock);
            slot.set_reader(event.site);
        }
        if slot.is_excluded(stamp) || !is_met && !admits(hooks, &event.lock) {
            return;
        }
        event.lock.state = slot.state_in(stamp).unwrap_or_default();
    } else if !admits(hooks, &event.lock) {
        return;
    }
    // An acquisition whose guard was sent has its stack from the thread that began it.
    if event.kind != EventKind::RELEASED && !event.site.is_stack() {
        event.site = whole(probe, thread, event.site, stamp);
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
