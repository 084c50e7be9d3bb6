//! What one call site did with one lock.

use lockscope_core::clock::ClockScale;
use lockscope_core::report::{Estimate, SiteReport, Times};
use lockscope_core::sync::{AtomicU64, Ordering};

use crate::histogram::Histogram;
use crate::lazy::Lazy;
use crate::sharded::Sharded;
use crate::writer::{Alone, Among, Writer, read_f64};

/// A sum over samples: Σ w·x, and the variance of that estimate, Σ w·(w−1)·x².
#[derive(Debug, Default)]
struct Sum {
    total: AtomicU64,
    /// An `f64` by its bits: the square of a second's ticks, weighted,
    /// leaves 64 bits of integer soon.
    variance: AtomicU64,
}

impl Sum {
    /// Adds a sample of `x` that stands for `weight` of its like.
    #[inline]
    fn add<W: Writer>(&self, x: u64, weight: u32) {
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

    fn estimate(&self) -> Estimate {
        Estimate {
            value: self.total.load(Ordering::Relaxed) as f64,
            variance: read_f64(&self.variance),
        }
    }
}

/// Durations of one sort, in ticks: they become nanoseconds when they are read.
#[derive(Debug, Default)]
struct Durations {
    sum: Sum,
    max: AtomicU64,
    histogram: Histogram,
}

impl Durations {
    #[inline]
    fn add<W: Writer>(&self, ticks: u64, weight: u32) {
        self.sum.add::<W>(ticks, weight);
        W::raise(&self.max, ticks);
        self.histogram.add::<W>(ticks, u64::from(weight));
    }

    fn absorb<W: Writer>(&self, other: &Self) {
        self.sum.absorb::<W>(&other.sum);
        W::raise(&self.max, other.max.load(Ordering::Relaxed));
        self.histogram.absorb::<W>(&other.histogram);
    }

    fn times(&self, clock: ClockScale) -> Times {
        Times {
            total_ns: in_ns(self.sum.estimate(), clock),
            max_ns: clock.ns(self.max.load(Ordering::Relaxed)),
            histogram: self.histogram.buckets(clock).collect(),
        }
    }
}

fn in_ns(ticks: Estimate, clock: ClockScale) -> Estimate {
    let ns_per_tick = clock.ns_per_tick();
    Estimate {
        value: ticks.value * ns_per_tick,
        variance: ticks.variance * ns_per_tick * ns_per_tick,
    }
}

/// How often something happened, and how long it took.
#[derive(Debug, Default)]
struct Timed {
    count: Sum,
    durations: Durations,
}

impl Timed {
    fn add<W: Writer>(&self, ticks: u64, weight: u32) {
        self.count.add::<W>(1, weight);
        self.durations.add::<W>(ticks, weight);
    }

    fn absorb(&self, other: &Self) {
        self.count.absorb::<Among>(&other.count);
        self.durations.absorb::<Among>(&other.durations);
    }
}

/// What one call site did with one lock, in one mode.
///
/// What an owner alone writes, and what is written among others, are fields
/// apart: see [`Writer`]. What most call sites never do has its place when they
/// do it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Acquisitions that did not wait: one in N.
    uncontended: Uncontended,
    /// Acquisitions that waited: all of them.
    contended: Sharded<Contended>,
    rare: Lazy<Rare>,
}

/// Acquisitions that did not wait, by their samples.
#[derive(Debug, Default)]
struct Uncontended {
    samples: AtomicU64,
    count: Sum,
    hold: Durations,
}

/// Acquisitions that had to wait.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Contended {
    samples: AtomicU64,
    wait: Timed,
    hold: Durations,
}

/// Tries without success, and times without anything to do.
#[derive(Debug, Default)]
struct Rare {
    failures: Sum,
    idle: Timed,
}

impl Tally {
    /// An acquisition that was held for so many ticks, did not wait, and stands
    /// for `weight` of its like, has ended.
    #[inline]
    pub(crate) fn released<W: Writer>(&self, hold: u64, weight: u32) {
        W::add(&self.uncontended.samples, 1);
        self.uncontended.count.add::<W>(1, weight);
        self.uncontended.hold.add::<W>(hold, weight);
    }

    /// One that had to wait has ended.
    pub(crate) fn waited(&self, thread: u32, wait: u64, hold: u64, weight: u32) {
        let contended = self.contended.of_thread(thread);
        Among::add(&contended.samples, 1);
        contended.wait.add::<Among>(wait, weight);
        contended.hold.add::<Among>(hold, weight);
    }

    /// A try was in vain.
    #[cold]
    #[inline(never)]
    pub(crate) fn failed(&self, weight: u32) {
        self.rare.get_or_make().failures.add::<Among>(1, weight);
    }

    /// A thread had nothing to do.
    #[cold]
    #[inline(never)]
    pub(crate) fn idled(&self, idle: u64, weight: u32) {
        self.rare.get_or_make().idle.add::<Among>(idle, weight);
    }

    /// Adds all that `other` counts.
    pub(crate) fn absorb(&self, other: &Self) {
        self.uncontended.absorb(&other.uncontended);
        for (ours, theirs) in self.contended.pairs(&other.contended) {
            ours.absorb(theirs);
        }
        if let Some(theirs) = other.rare.get() {
            let ours = self.rare.get_or_make();
            ours.failures.absorb::<Among>(&theirs.failures);
            ours.idle.absorb(&theirs.idle);
        }
    }

    /// What it says in a report, the call site apart; ticks are `clock`'s.
    pub(crate) fn report(&self, clock: ClockScale) -> SiteReport {
        let total = Self::default();
        total.uncontended.absorb(&self.uncontended);
        let waited = Contended::default();
        self.contended.iter().for_each(|shard| waited.absorb(shard));
        total.uncontended.hold.absorb::<Alone>(&waited.hold);
        let contentions = waited.wait.count.estimate();
        let mut acquisitions = total.uncontended.count.estimate();
        acquisitions += contentions;
        let mut report = SiteReport {
            samples: load(&total.uncontended.samples) + load(&waited.samples),
            acquisitions,
            contentions,
            wait: waited.wait.durations.times(clock),
            hold: total.uncontended.hold.times(clock),
            ..SiteReport::default()
        };
        if let Some(Rare { failures, idle }) = self.rare.get() {
            report.failures = failures.estimate();
            report.idles = idle.count.estimate();
            report.idle = idle.durations.times(clock);
        }
        report
    }
}

impl Uncontended {
    fn absorb(&self, other: &Self) {
        Among::add(&self.samples, load(&other.samples));
        self.count.absorb::<Among>(&other.count);
        self.hold.absorb::<Among>(&other.hold);
    }
}

impl Contended {
    fn absorb(&self, other: &Self) {
        Among::add(&self.samples, load(&other.samples));
        self.wait.absorb(&other.wait);
        self.hold.absorb::<Among>(&other.hold);
    }
}

/// Who made whom wait: how often, and how long in all.
#[derive(Debug, Default)]
pub(crate) struct Charge(Sharded<Charged>);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Charged {
    contentions: Sum,
    wait: Sum,
}

impl Charge {
    /// Charges one wait of so many ticks.
    pub(crate) fn add(&self, thread: u32, wait: u64, weight: u32) {
        let charged = self.0.of_thread(thread);
        charged.contentions.add::<Among>(1, weight);
        charged.wait.add::<Among>(wait, weight);
    }

    /// Adds all that `other` charges.
    pub(crate) fn absorb(&self, other: &Self) {
        for (ours, theirs) in self.0.pairs(&other.0) {
            ours.contentions.absorb::<Among>(&theirs.contentions);
            ours.wait.absorb::<Among>(&theirs.wait);
        }
    }

    /// How often, and how long in nanoseconds; ticks are `clock`'s.
    pub(crate) fn estimates(&self, clock: ClockScale) -> (Estimate, Estimate) {
        let contentions = self.0.iter().map(|shard| shard.contentions.estimate()).sum();
        let wait: Estimate = self.0.iter().map(|shard| shard.wait.estimate()).sum();
        (contentions, in_ns(wait, clock))
    }
}

fn load(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

const _: () = assert!(size_of::<Sum>() == 16 && size_of::<Durations>() == 96);
const _: () = assert!(size_of::<Tally>() == 160);
