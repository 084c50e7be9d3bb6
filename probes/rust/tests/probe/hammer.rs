//! Four threads on one lock, whatever the gate does.

use lockscope_core::gate::state;

use crate::backend::{Backend, RELEASED};

const THREADS: usize = 4;
const ROUNDS: usize = 500;
/// Rounds of one [`hammer`], over all threads and gates.
pub(crate) const TOTAL: u64 = (THREADS * ROUNDS * 4) as u64;

/// Two words that only an exclusive owner may see differ.
#[derive(Default)]
pub(crate) struct Pair(u64, u64);

impl Pair {
    pub(crate) fn step(&mut self) {
        self.check();
        self.0 += 1;
        std::hint::black_box(&mut *self);
        self.1 += 1;
    }

    /// How often it was stepped.
    pub(crate) fn steps(&self) -> u64 {
        self.check();
        self.1
    }

    pub(crate) fn check(&self) {
        assert_eq!(self.0, self.1, "somebody else is at it");
    }
}

/// Runs `round` often in each thread, on each state of the gate; at period 1
/// there are `records` records of each round.
pub(crate) fn hammer(records: usize, round: impl Fn() + Sync) {
    let backend = Backend::closed();
    for (state, period) in
        [(state::CLOSED, 1), (state::WATCH, 1), (state::OPEN, 7), (state::OPEN, 1)]
    {
        if state != state::CLOSED {
            backend.start(state, period);
        }
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..ROUNDS).for_each(|_| round()));
            }
        });
        backend.stop();
    }
    let seen = backend.seen();
    assert!(seen.iter().all(|seen| seen.kind == RELEASED && seen.weight == 1));
    assert_eq!(seen.len(), THREADS * ROUNDS * records, "records at period 1");
}
