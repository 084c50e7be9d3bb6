//! Locks that are used and replaced whether it sleeps or not: it says what a
//! naive backend would, which writes down whom it has seen, and when.

use std::collections::BTreeMap;

use lockscope_conformance::inside::probe::{Lock, event, snapshot, started, tell};
use lockscope_core::Mode;
use lockscope_core::backend::Backend;
use lockscope_core::report::Report;
use lockscope_lazy::Lazy;
use proptest::prelude::*;

use crate::pace::{sleep, wake};

const LOCKS: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    Used(usize),
    /// A lock is dropped, and another one made at the same line and place.
    Replaced(usize),
    FallsAsleep,
    WakesUp,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0..LOCKS).prop_map(Step::Used),
        4 => (0..LOCKS).prop_map(Step::Replaced),
        1 => Just(Step::FallsAsleep),
        1 => Just(Step::WakesUp),
    ]
}

/// The last two have no slot.
fn make(index: usize, serial: u64) -> Lock {
    if index < LOCKS / 2 { Lock::new(serial, 7) } else { Lock::slotless(64 * index) }
}

/// A lock, as far as it can be told from others: without slot, only for the
/// length of a window.
type Life = (u64, Option<u32>);

struct Run {
    lazy: Lazy,
    locks: Vec<(u64, Lock)>,
    next_serial: u64,
    is_awake: bool,
    window: u32,
    seen: BTreeMap<Life, u64>,
    /// Who was dropped before everybody's eyes.
    dropped: Vec<Life>,
}

impl Run {
    fn new() -> Self {
        Self {
            lazy: started(&[("period", "1")]),
            locks: (0..LOCKS)
                .map(|index| (index as u64 + 1, make(index, index as u64 + 1)))
                .collect(),
            next_serial: LOCKS as u64 + 1,
            is_awake: true,
            window: 1,
            seen: BTreeMap::new(),
            dropped: Vec::new(),
        }
    }

    fn life(&self, index: usize) -> Life {
        let (serial, lock) = &self.locks[index];
        (*serial, lock.slot.is_none().then_some(self.window))
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Used(index) if self.is_awake => {
                let lock = &self.locks[index].1;
                lock.meet(&self.lazy, self.window);
                tell(&self.lazy, event(lock, 1, Mode::EXCLUSIVE));
                *self.seen.entry(self.life(index)).or_default() += 1;
            }
            Step::Used(_) => {}
            Step::Replaced(index) => {
                let life = self.life(index);
                let fresh = (self.next_serial, make(index, self.next_serial));
                self.next_serial += 1;
                let (_, gone) = core::mem::replace(&mut self.locks[index], fresh);
                let stamp = u64::from(self.window) << 32;
                let is_met = gone.slot.as_ref().is_none_or(|slot| slot.is_current(stamp));
                if self.is_awake && is_met {
                    self.lazy.dropped(&gone.as_ref());
                    self.dropped.push(life);
                }
            }
            Step::FallsAsleep if self.is_awake => {
                sleep(&self.lazy);
                self.is_awake = false;
            }
            Step::WakesUp if !self.is_awake => {
                wake(&self.lazy, "the test");
                self.is_awake = true;
                self.window += 1;
            }
            Step::FallsAsleep | Step::WakesUp => {}
        }
    }

    /// Acquisitions of each lock, with the id of one that has its own.
    fn expected(&self) -> Vec<(u64, u64)> {
        let living = self.seen.iter().filter(|(life, _)| !self.dropped.contains(life));
        let mut lines: Vec<_> = living
            .map(|((serial, window), number)| (window.map_or(*serial, |_| u64::MAX), *number))
            .collect();
        for is_slotless in [false, true] {
            let gone: Vec<u64> = self
                .seen
                .iter()
                .filter(|(life, _)| life.1.is_some() == is_slotless && self.dropped.contains(life))
                .map(|(_, number)| *number)
                .collect();
            if !gone.is_empty() {
                lines.push((0, gone.iter().sum()));
            }
        }
        lines.sort_unstable();
        lines
    }
}

fn lines(report: &Report) -> Vec<(u64, u64)> {
    let line = |lock: &lockscope_core::report::LockReport| {
        let own: f64 = lock.sites.iter().map(|site| site.acquisitions.value).sum();
        // Ids that the host gave are as they come.
        let id =
            if lock.id >= lockscope_conformance::inside::probe::GIVEN { u64::MAX } else { lock.id };
        (id, own as u64)
    };
    let mut lines: Vec<_> = report.locks.iter().map(line).collect();
    lines.sort_unstable();
    lines
}

proptest! {
    #[test]
    fn agrees_with_the_naive_backend_asleep_and_awake(
        steps in proptest::collection::vec(step(), 0..120),
    ) {
        let mut run = Run::new();
        steps.iter().for_each(|step| run.take(step));
        let report = snapshot(&run.lazy);
        prop_assert_eq!(lines(&report), run.expected());
        prop_assert_eq!(report.samples, run.seen.values().sum::<u64>());
        let told: u64 = report.windows.iter().map(|window| window.samples).sum();
        prop_assert_eq!(told, report.samples);
        prop_assert_eq!(report.windows.len(), run.window as usize);
    }
}
