//! What one call site did with one lock.

use lockscope_core::report::{Estimate, Times};
use lockscope_core::sync::{AtomicU64, Ordering};

use crate::histogram::Histogram;
use crate::lazy::Lazy;
use crate::writer::{Writer, read_f64};

/// A sum over samples: Σ w·x, and the variance of that estimate, Σ w·(w−1)·x².
#[derive(Debug, Default)]
pub(crate) struct Sum {
    total: AtomicU64,
    /// An `f64` by its bits: the square of a second's nanoseconds, weighted,
    /// leaves 64 bits of integer soon.
    variance: AtomicU64,
}

impl Sum {
    /// Adds a sample of `x` that stands for `weight` of its like.
    #[inline]
    pub(crate) fn add<W: Writer>(&self, x: u64, weight: u32) {
        W::add(&self.total, x.wrapping_mul(u64::from(weight)));
        if weight > 1 {
            let (x, w) = (x as f64, f64::from(weight));
            W::add_f64(&self.variance, w * (w - 1.0) * x * x);
        }
    }

    fn absorb<W: Writer>(&self, other: &Self) {
        W::add(&self.total, other.total.load(Ordering::Relaxed));
        let variance = read_f64(&other.variance);
        if variance > 0.0 {
            W::add_f64(&self.variance, variance);
        }
    }

    pub(crate) fn estimate(&self) -> Estimate {
        Estimate {
            value: self.total.load(Ordering::Relaxed) as f64,
            variance: read_f64(&self.variance),
        }
    }
}

/// Durations of one sort, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    sum: Sum,
    max_ns: AtomicU64,
    histogram: Histogram,
}

impl Durations {
    #[inline]
    fn add<W: Writer>(&self, ns: u64, weight: u32) {
        self.sum.add::<W>(ns, weight);
        W::raise(&self.max_ns, ns);
        self.histogram.add::<W>(ns, u64::from(weight));
    }

    fn absorb<W: Writer>(&self, other: &Self) {
        self.sum.absorb::<W>(&other.sum);
        W::raise(&self.max_ns, other.max_ns.load(Ordering::Relaxed));
        self.histogram.absorb::<W>(&other.histogram);
    }

    pub(crate) fn times(&self) -> Times {
        Times {
            total_ns: self.sum.estimate(),
            max_ns: self.max_ns.load(Ordering::Relaxed),
            histogram: self.histogram.buckets().collect(),
        }
    }
}

/// How often something happened, and how long it took.
#[derive(Debug, Default)]
pub(crate) struct Timed {
    pub(crate) count: Sum,
    pub(crate) durations: Durations,
}

impl Timed {
    pub(crate) fn add<W: Writer>(&self, ns: u64, weight: u32) {
        self.count.add::<W>(1, weight);
        self.durations.add::<W>(ns, weight);
    }

    pub(crate) fn absorb<W: Writer>(&self, other: &Self) {
        self.count.absorb::<W>(&other.count);
        self.durations.absorb::<W>(&other.durations);
    }
}

/// What one call site did with one lock, in one mode.
///
/// What most call sites never do has its place when they do it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    samples: AtomicU64,
    acquisitions: Sum,
    hold: Durations,
    waits: Lazy<Timed>,
    rare: Lazy<Rare>,
}

/// Tries without success, and times without anything to do.
#[derive(Debug, Default)]
struct Rare {
    failures: Sum,
    idle: Timed,
}

impl Tally {
    /// An acquisition that stands for `weight` of its like has ended.
    #[inline]
    pub(crate) fn released<W: Writer>(&self, hold_ns: u64, weight: u32) {
        W::add(&self.samples, 1);
        self.acquisitions.add::<W>(1, weight);
        self.hold.add::<W>(hold_ns, weight);
    }

    /// It had to wait.
    pub(crate) fn waited<W: Writer>(&self, wait_ns: u64, weight: u32) {
        self.waits.get_or_make().add::<W>(wait_ns, weight);
    }

    /// A try was in vain.
    pub(crate) fn failed<W: Writer>(&self, weight: u32) {
        self.rare.get_or_make().failures.add::<W>(1, weight);
    }

    /// A thread had nothing to do.
    pub(crate) fn idled<W: Writer>(&self, idle_ns: u64, weight: u32) {
        self.rare.get_or_make().idle.add::<W>(idle_ns, weight);
    }

    /// Adds all that `other` counts.
    pub(crate) fn absorb<W: Writer>(&self, other: &Self) {
        W::add(&self.samples, other.samples());
        self.acquisitions.absorb::<W>(&other.acquisitions);
        self.hold.absorb::<W>(&other.hold);
        if let Some(waits) = other.waits.get() {
            self.waits.get_or_make().absorb::<W>(waits);
        }
        if let Some(rare) = other.rare.get() {
            let ours = self.rare.get_or_make();
            ours.failures.absorb::<W>(&rare.failures);
            ours.idle.absorb::<W>(&rare.idle);
        }
    }

    pub(crate) fn samples(&self) -> u64 {
        self.samples.load(Ordering::Relaxed)
    }

    pub(crate) fn acquisitions(&self) -> Estimate {
        self.acquisitions.estimate()
    }

    pub(crate) fn hold(&self) -> Times {
        self.hold.times()
    }

    pub(crate) fn waits(&self) -> Option<&Timed> {
        self.waits.get()
    }

    pub(crate) fn failures(&self) -> Estimate {
        self.rare.get().map(|rare| rare.failures.estimate()).unwrap_or_default()
    }

    pub(crate) fn idle(&self) -> Option<&Timed> {
        self.rare.get().map(|rare| &rare.idle)
    }
}

const _: () = assert!(size_of::<Sum>() == 16 && size_of::<Durations>() == 96);
const _: () = assert!(size_of::<Tally>() == 136);
