//! Locks, and a thread's readers, as a policy sees them: without a probe, so
//! that a test can do a million operations for each sample that is due.

use lockscope_conformance::inside::probe;
use lockscope_core::{
    CallSite, Countdown, Event, EventKind, LockKind, LockRef, Mode, Session, Slot,
};

use crate::policy::{Attention, Policy};

/// A session with this number and seed, in which ticks are nanoseconds.
pub(crate) fn session(generation: u32, seed: u64) -> Session {
    Session { seed, ..probe::session(generation) }
}

/// An acquisition that did not wait, of a lock that shows its slot.
pub(crate) fn event(slot: &Slot, mode: Mode, weight: u32) -> Event {
    Event {
        lock: LockRef {
            slot,
            address: 0,
            id: 1,
            created: CallSite::UNKNOWN,
            name: core::ptr::null(),
            state: 0,
            name_len: 0,
            kind: LockKind::RWLOCK,
            probe: 0,
            reserved: 0,
        },
        kind: EventKind::RELEASED,
        mode,
        contended: 0,
        counted: u8::from(mode == Mode::EXCLUSIVE || weight == 1),
        stack_len: 0,
        reserved: 0,
        weight,
        thread: 1,
        site: CallSite::UNKNOWN,
        holder: CallSite::UNKNOWN,
        begin: 0,
        acquired: 0,
        end: 0,
        stack: core::ptr::null(),
    }
}

/// What is counted down by itself: a lock that one thread at a time owns, or
/// the readers of one thread.
pub(crate) struct Counted {
    mode: Mode,
    slot: Slot,
    attention: Attention,
    countdown: Countdown,
}

impl Counted {
    pub(crate) fn lock(policy: &Policy) -> Self {
        let slot = Slot::new(None);
        let countdown = policy.first(Some(&event(&slot, Mode::EXCLUSIVE, 1).lock));
        Self { mode: Mode::EXCLUSIVE, slot, attention: Attention::default(), countdown }
    }

    pub(crate) fn readers(policy: &Policy) -> Self {
        let (slot, countdown) = (Slot::new(None), policy.first(None));
        Self { mode: Mode::SHARED, slot, attention: Attention::default(), countdown }
    }

    /// So many acquisitions that do not wait; tells the weight of each sample.
    pub(crate) fn pass(
        &mut self,
        policy: &Policy,
        mut operations: u64,
        mut sampled: impl FnMut(u32),
    ) {
        while operations >= u64::from(self.countdown.operations) {
            operations -= u64::from(self.countdown.operations);
            let weight = self.countdown.own_weight();
            sampled(weight);
            self.sampled(policy, weight);
        }
        self.countdown.operations -= operations as u32;
    }

    /// As the recorder does it: a thread's next countdown begins with its sample.
    fn sampled(&mut self, policy: &Policy, weight: u32) {
        if self.mode == Mode::SHARED && weight > 1 {
            self.countdown = policy.first(None);
        }
        let answer = policy.next(&event(&self.slot, self.mode, weight), Some(&self.attention));
        if answer != Countdown::UNCHANGED {
            self.countdown = answer;
        }
    }

    /// An acquisition that has to wait is recorded: told to its owner if the lock
    /// asks, and else when it was given back.
    pub(crate) fn wait(&mut self, policy: &Policy, weight: u32) {
        let mut event = Event { contended: 1, counted: 0, ..event(&self.slot, self.mode, weight) };
        let is_asking = self.countdown.weight != self.countdown.own_weight();
        if !is_asking {
            event.lock.slot = core::ptr::null();
        }
        let answer = policy.next(&event, Some(&self.attention));
        if is_asking && self.mode == Mode::EXCLUSIVE {
            assert_ne!(answer, Countdown::UNCHANGED, "it was asked for");
            self.countdown = answer;
        }
    }

    /// A reader of the lock has to wait, which is told while it reads.
    pub(crate) fn reader_waits(&mut self, policy: &Policy) {
        let event = Event { contended: 1, counted: 0, ..event(&self.slot, Mode::SHARED, 1) };
        assert_eq!(policy.next(&event, Some(&self.attention)), Countdown::UNCHANGED);
    }

    /// In how many operations its next sample is due.
    pub(crate) fn due(&self) -> u32 {
        self.countdown.operations
    }

    /// What its next sample stands for.
    pub(crate) fn weight(&self) -> u32 {
        self.countdown.own_weight()
    }
}
