//! What `lockscope_core::recorder` does, under the names that it has there.

use lockscope_core::gate::state;
use lockscope_core::slot::{Holder, Tick};
use lockscope_core::{CallSite, Countdown, Event, EventKind, LockRef, Slot};

use super::{Acquisition, NO_EVENT, Operation, Probe};
use crate::lock::Lock;

/// What is known of an acquisition when it begins.
pub(super) struct What {
    pub(super) weight: u32,
    pub(super) contended: u8,
    pub(super) counted: u8,
    pub(super) holder: Holder,
}

impl Probe<'_> {
    #[inline]
    pub(super) fn passes(&mut self, operation: Operation) -> bool {
        if self.gate != state::OPEN {
            return true;
        }
        let stamp = self.stamp();
        let Operation { thread, lock, mode, .. } = operation;
        match &self.locks[lock].slot {
            Some(slot) if !mode.is_shared() => {
                let passes = slot.tick(stamp) == Tick::Pass;
                if passes {
                    slot.set_holder(operation.holder());
                }
                passes
            }
            slot => {
                if let Some(slot) = slot {
                    slot.set_holder(operation.holder());
                }
                !self.threads[thread].tick(stamp)
            }
        }
    }

    pub(super) fn sample(&mut self, operation: Operation) -> usize {
        let stamp = self.stamp();
        let Operation { thread, lock, mode, .. } = operation;
        let slot = self.locks[lock].slot.as_ref();
        let weight = match slot {
            Some(slot) if !mode.is_shared() && slot.is_current(stamp) => {
                slot.set_holder(operation.holder());
                slot.weight()
            }
            slot if self.threads[thread].samples_every(stamp)
                && slot.is_none_or(|slot| slot.is_current(stamp)) =>
            {
                1
            }
            _ => match self.sample_asking(operation) {
                Some(weight) => weight,
                None => return 0,
            },
        };
        let is_own = self.locks[lock].slot.is_some() && !mode.is_shared();
        let counted = u8::from(is_own || weight == 1);
        self.begin(operation, What { weight, contended: 0, counted, holder: Holder::UNKNOWN })
    }

    #[cold]
    fn sample_asking(&mut self, operation: Operation) -> Option<u32> {
        let stamp = self.stamp();
        let lock = &self.locks[operation.lock];
        if let Some(slot) = &lock.slot {
            self.meet(lock, slot);
            slot.set_holder(operation.holder());
            if !operation.mode.is_shared() {
                return (slot.tick(stamp) == Tick::Look).then(|| slot.weight());
            }
        }
        self.thread_countdown(operation.thread)
    }

    fn meet(&self, lock: &Lock, slot: &Slot) {
        let stamp = self.stamp();
        if !slot.is_current(stamp) && slot.claim(stamp) {
            lock.arm(slot, stamp, self.subject.meet(Some(&lock.described())));
        }
    }

    fn thread_countdown(&mut self, thread: usize) -> Option<u32> {
        let (stamp, subject) = (self.stamp(), self.subject);
        let thread = &mut self.threads[thread];
        if !thread.is_armed(stamp) {
            thread.arm(stamp, subject.meet(None));
            if !thread.tick(stamp) {
                return None;
            }
        }
        let weight = thread.weight();
        if weight != 1 {
            thread.arm(stamp, subject.meet(None));
        }
        Some(weight)
    }

    pub(super) fn begin(&mut self, operation: Operation, what: What) -> usize {
        let event = Event {
            lock: self.locks[operation.lock].described(),
            kind: EventKind::RELEASED,
            mode: operation.mode,
            contended: what.contended,
            counted: what.counted,
            weight: what.weight,
            thread: operation.thread as u32 + 1,
            site: CallSite(operation.site),
            holder: what.holder.site(),
            reserved: what.holder.thread().map_or(0, |thread| thread as u16 + 1),
            begin: self.now_ns,
            acquired: self.now_ns,
            ..NO_EVENT
        };
        match self.free.pop() {
            Some(token) => {
                self.records[token] = event;
                token
            }
            None => {
                self.records.push(event);
                self.records.len() - 1
            }
        }
    }

    /// The record of an acquisition that is over.
    pub(super) fn take(&mut self, token: usize) -> Event {
        self.free.push(token);
        self.records[token]
    }

    pub(super) fn release_recorded(&mut self, held: &Acquisition) {
        let Operation { thread, lock, mode, .. } = held.operation;
        let mut event = self.take(held.token);
        if self.seen() != held.generation {
            return;
        }
        let stamp = self.stamp();
        let lock = &self.locks[lock];
        // It may have moved since.
        event.lock = LockRef { state: event.lock.state, ..lock.described() };
        event.end = self.now_ns;
        if event.contended != 0 && event.lock.state != 0 {
            event.lock.slot = core::ptr::null();
            self.subject.event(&event);
            return;
        }
        if let Some(slot) = &lock.slot {
            self.meet(lock, slot);
            event.lock.state = slot.state_in(stamp).unwrap_or_default();
        }
        let countdown = self.subject.event(&event);
        match &lock.slot {
            Some(slot) if !mode.is_shared() => {
                if countdown != Countdown::UNCHANGED {
                    lock.arm(slot, stamp, countdown);
                }
            }
            _ => {
                let thread = &mut self.threads[thread];
                if countdown.own_weight() > 1 && thread.weight() == 1 && thread.is_armed(stamp) {
                    thread.arm(stamp, countdown);
                }
            }
        }
    }

    pub(super) fn instant(&mut self, operation: Operation, kind: EventKind, begin_ns: u64) {
        let event = Event {
            lock: self.locks[operation.lock].described(),
            kind,
            mode: operation.mode,
            weight: 1,
            thread: operation.thread as u32 + 1,
            site: CallSite(operation.site),
            begin: begin_ns,
            acquired: self.now_ns,
            end: self.now_ns,
            ..NO_EVENT
        };
        self.tell(operation, self.seen(), event);
    }

    pub(super) fn tell(&mut self, operation: Operation, generation: u32, mut event: Event) {
        if generation == 0 || generation != self.seen() {
            return;
        }
        let lock = &self.locks[operation.lock];
        event.lock.state = 0;
        if let Some(slot) = &lock.slot {
            if event.kind == EventKind::FAILED {
                event.lock.slot = core::ptr::null();
            } else if !slot.is_current(self.stamp()) {
                self.meet(lock, slot);
                slot.set_holder(Holder::new(event.site, 0));
            }
            event.lock.state = slot.state_in(self.stamp()).unwrap_or_default();
        }
        // Neither of the two kinds that come here has a countdown to arm.
        self.subject.event(&event);
    }

    pub(super) fn dropped(&mut self, lock: usize) {
        if self.gate == state::CLOSED {
            return;
        }
        let lock = &self.locks[lock];
        let mut described = lock.described();
        if let Some(slot) = &lock.slot {
            let Some(state) = slot.state_in(self.stamp()) else { return };
            described.state = state;
        }
        self.subject.dropped(&described);
    }
}
