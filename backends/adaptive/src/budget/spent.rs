//! What was done in some time, and what that has cost.

use super::SECOND_NS;
use crate::meter::{Done, PASSING_NS, Prices};

/// How things stand at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// Of a clock that never goes back.
    pub(crate) at_ns: u64,
    /// Processor time that the process has used.
    pub(crate) cpu_ns: u64,
    /// What was done in the session.
    pub(crate) done: Done,
    pub(crate) prices: Prices,
}

/// What was done and spent in some time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) wall_ns: f64,
    pub(crate) cpu_ns: f64,
    pub(crate) samples: f64,
    pub(crate) waits: f64,
    pub(crate) operations: f64,
    pub(crate) rest: f64,
    /// On each of these.
    pub(crate) sampling_ns: f64,
    pub(crate) waiting_ns: f64,
    pub(crate) passing_ns: f64,
    pub(crate) rest_ns: f64,
}

impl Spent {
    pub(super) fn between(from: &Reading, to: &Reading) -> Self {
        let since = |from: u64, to: u64| to.saturating_sub(from) as f64;
        let samples = since(from.done.samples, to.done.samples);
        let waits = since(from.done.waits, to.done.waits);
        let rest = since(from.done.rest, to.done.rest);
        let operations = since(from.done.operations, to.done.operations);
        Self {
            wall_ns: since(from.at_ns, to.at_ns),
            cpu_ns: since(from.cpu_ns, to.cpu_ns),
            samples,
            waits,
            operations,
            rest,
            sampling_ns: samples * to.prices.sample_ns,
            waiting_ns: waits * to.prices.wait_ns,
            passing_ns: operations * PASSING_NS,
            rest_ns: rest * to.prices.rest_ns,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.wall_ns += other.wall_ns;
        self.cpu_ns += other.cpu_ns;
        self.samples += other.samples;
        self.waits += other.waits;
        self.operations += other.operations;
        self.rest += other.rest;
        self.sampling_ns += other.sampling_ns;
        self.waiting_ns += other.waiting_ns;
        self.passing_ns += other.passing_ns;
        self.rest_ns += other.rest_ns;
    }

    /// What nothing makes rarer.
    pub(super) fn fixed_ns(&self) -> f64 {
        self.passing_ns + self.rest_ns
    }

    /// All that profiling has taken.
    pub(crate) fn own_ns(&self) -> f64 {
        self.sampling_ns + self.waiting_ns + self.fixed_ns()
    }

    /// The part of the processor time that went to profiling, in percent.
    pub(crate) fn own_percent(&self) -> f64 {
        100.0 * self.own_ns() / self.used_ns().max(1.0)
    }

    /// Processor time, which the kernel may not have counted yet.
    pub(super) fn used_ns(&self) -> f64 {
        self.cpu_ns.max(self.own_ns())
    }

    pub(crate) fn operations_per_sec(&self) -> f64 {
        self.operations * SECOND_NS / self.wall_ns.max(1.0)
    }
}
