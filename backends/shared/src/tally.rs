//! What one call site did with one lock.

use lockscope_core::clock::ClockScale;
use lockscope_core::pad::{Lent, Pad};
use lockscope_core::report::{Estimate, SiteReport, Times};
use lockscope_core::sync::{AtomicU64, IS_MODEL, Ordering};

use crate::histogram::{Buckets, Histogram};
use crate::lazy::Lazy;
use crate::sharded::{Sharded, Write};
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

    /// Adds durations that stand for themselves, alone; how many they were.
    fn add_exact(&self, durations: impl Iterator<Item = u64>) -> u64 {
        let (mut number, mut total, mut max) = (0, 0_u64, 0);
        self.histogram.add_each(durations.inspect(|ticks| {
            number += 1;
            total = total.wrapping_add(*ticks);
            max = max.max(*ticks);
        }));
        Alone::add(&self.sum.total, total);
        Alone::raise(&self.max, max);
        number
    }

    fn absorb<W: Writer>(&self, other: &Self) {
        self.sum.absorb::<W>(&other.sum);
        W::raise(&self.max, other.max.load(Ordering::Relaxed));
        self.histogram.absorb::<W>(&other.histogram);
    }

    fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        seen.add(self);
        seen
    }
}

/// Durations as a look has found them, in ticks.
#[derive(Debug, Default)]
struct Seen {
    total: Estimate,
    max: u64,
    buckets: Buckets,
}

impl Seen {
    fn add(&mut self, durations: &Durations) {
        self.total += durations.sum.estimate();
        self.max = self.max.max(load(&durations.max));
        self.buckets.add(&durations.histogram);
    }

    /// Adds one duration that stands for itself.
    fn push(&mut self, ticks: u64) {
        self.total += Estimate::exact(ticks as f64);
        self.max = self.max.max(ticks);
        self.buckets.push(ticks);
    }

    fn times(&self, clock: ClockScale) -> Times {
        Times {
            total_ns: in_ns(self.total, clock),
            max_ns: clock.ns(self.max),
            histogram: self.buckets.in_ns(clock).collect(),
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

    fn absorb<W: Writer>(&self, other: &Self) {
        self.count.absorb::<W>(&other.count);
        self.durations.absorb::<W>(&other.durations);
    }
}

/// What one call site did with one lock, in one mode.
///
/// What an owner alone writes, and what is written among others, are fields
/// apart: see `Writer`. What most call sites never do has its place when they
/// do it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Acquisitions that did not wait: one in N.
    uncontended: Uncontended,
    /// Acquisitions that waited: all of them.
    contended: Lazy<Sharded<Contended>>,
    rare: Lazy<Rare>,
}

/// Acquisitions that did not wait, by their samples.
#[derive(Debug, Default)]
struct Uncontended {
    samples: AtomicU64,
    count: Sum,
    hold: Durations,
    /// The newest, where every operation is one.
    recent: Lazy<Pad>,
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
    /// The owner's acquisition, which was held for so many ticks, did not wait,
    /// and stands for `weight` of its like, has ended.
    #[inline]
    pub fn released(&self, hold: u64, weight: u32) {
        let recent = &self.uncontended.recent;
        if weight > 1 {
            self.uncontended.add::<Alone>(hold, weight);
        } else if !recent.get_or_make().push(hold) {
            self.settle();
            recent.get_or_make().push(hold);
        }
    }

    /// Where the owner's acquisitions that stand for themselves may be left.
    ///
    /// # Safety
    ///
    /// - The tally lives until no hook of this generation runs any more, or its
    ///   lock was dropped.
    /// - Until then [`Tally::released`] is called for owners of that lock alone.
    #[must_use]
    pub unsafe fn lend(&self) -> Lent {
        // SAFETY: the pad lives as long as the tally, and `released` alone writes
        // to it, and `absorb` when the lock was dropped.
        unsafe { self.uncontended.recent.get_or_make().lend() }
    }

    /// A reader's has ended.
    #[inline]
    pub fn released_among(&self, hold: u64, weight: u32) {
        self.uncontended.add::<Among>(hold, weight);
    }

    /// Adds up what is recent. The caller is the only one who writes it.
    #[inline(never)]
    fn settle(&self) {
        if let Some(recent) = self.uncontended.recent.get() {
            recent.settle(|holds| {
                let number = self.uncontended.hold.add_exact(holds);
                Alone::add(&self.uncontended.samples, number);
                Alone::add(&self.uncontended.count.total, number);
            });
        }
    }

    /// One that had to wait has ended.
    pub fn waited(&self, thread: u32, wait: u64, hold: u64, weight: u32) {
        self.contended.get_or_make().write(thread, &Waited { wait, hold, weight });
    }

    /// A try was in vain.
    #[cold]
    #[inline(never)]
    pub fn failed(&self, weight: u32) {
        self.rare.get_or_make().failures.add::<Among>(1, weight);
    }

    /// A thread had nothing to do.
    #[cold]
    #[inline(never)]
    pub fn idled(&self, idle: u64, weight: u32) {
        self.rare.get_or_make().idle.add::<Among>(idle, weight);
    }

    /// Adds all that `other` counts, which nobody writes any more.
    pub fn absorb(&self, other: &Self) {
        other.settle();
        self.uncontended.absorb(&other.uncontended);
        if let Some(theirs) = other.contended.get() {
            theirs.iter().for_each(|shard| self.contended.get_or_make().absorb(shard));
        }
        if let Some(theirs) = other.rare.get() {
            let ours = self.rare.get_or_make();
            ours.failures.absorb::<Among>(&theirs.failures);
            ours.idle.absorb::<Among>(&theirs.idle);
        }
    }

    /// How many samples it is made of.
    pub(crate) fn samples(&self) -> u64 {
        let recent = self.uncontended.recent.get().map_or(0, Pad::holds);
        let shards = self.contended.get().into_iter().flat_map(Sharded::iter);
        let contended: u64 = shards.map(|shard| load(&shard.samples)).sum();
        load(&self.uncontended.samples) + recent + contended
    }

    /// What it says in a report, the call site apart; ticks are `clock`'s.
    pub fn report(&self, clock: ClockScale) -> SiteReport {
        let (samples, count, mut hold) = self.uncontended.seen();
        let mut report = SiteReport { samples, acquisitions: count, ..SiteReport::default() };
        if let Some(shards) = self.contended.get() {
            let mut wait = Seen::default();
            for shard in shards.iter() {
                report.samples += load(&shard.samples);
                report.contentions += shard.wait.count.estimate();
                wait.add(&shard.wait.durations);
                hold.add(&shard.hold);
            }
            report.acquisitions += report.contentions;
            report.wait = wait.times(clock);
        }
        report.hold = hold.times(clock);
        if let Some(Rare { failures, idle }) = self.rare.get() {
            report.failures = failures.estimate();
            report.idles = idle.count.estimate();
            report.idle = idle.durations.seen().times(clock);
        }
        report
    }
}

impl Uncontended {
    #[inline]
    fn add<W: Writer>(&self, hold: u64, weight: u32) {
        W::add(&self.samples, 1);
        self.count.add::<W>(1, weight);
        self.hold.add::<W>(hold, weight);
    }

    fn absorb(&self, other: &Self) {
        Among::add(&self.samples, load(&other.samples));
        self.count.absorb::<Among>(&other.count);
        self.hold.absorb::<Among>(&other.hold);
    }

    /// Samples, acquisitions, and holds, those that are recent included.
    fn seen(&self) -> (u64, Estimate, Seen) {
        let read = || (load(&self.samples), self.count.estimate(), self.hold.seen());
        let Some(recent) = self.recent.get() else { return read() };
        let ((mut samples, mut count, mut hold), newest) = recent.read_with(read);
        for ticks in newest {
            samples += 1;
            count += Estimate::exact(1.0);
            hold.push(ticks);
        }
        (samples, count, hold)
    }
}

/// An acquisition that had to wait, in ticks.
struct Waited {
    wait: u64,
    hold: u64,
    weight: u32,
}

impl Write<Contended> for Waited {
    #[inline]
    fn write<W: Writer>(&self, to: &Contended) {
        W::add(&to.samples, 1);
        to.wait.add::<W>(self.wait, self.weight);
        to.hold.add::<W>(self.hold, self.weight);
    }
}

impl Write<Self> for Contended {
    fn write<W: Writer>(&self, to: &Self) {
        W::add(&to.samples, load(&self.samples));
        to.wait.absorb::<W>(&self.wait);
        to.hold.absorb::<W>(&self.hold);
    }
}

/// Who made whom wait: how often, and how long in all.
#[derive(Debug, Default)]
pub struct Charge(Sharded<Charged>);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Charged {
    contentions: Sum,
    wait: Sum,
}

impl Charge {
    /// Charges one wait of so many ticks.
    pub fn add(&self, thread: u32, wait: u64, weight: u32) {
        self.0.write(thread, &Wait { wait, weight });
    }

    /// Adds all that `other` charges.
    pub fn absorb(&self, other: &Self) {
        other.0.iter().for_each(|shard| self.0.absorb(shard));
    }

    /// How often, and how long in nanoseconds; ticks are `clock`'s.
    pub fn estimates(&self, clock: ClockScale) -> (Estimate, Estimate) {
        let contentions = self.0.iter().map(|shard| shard.contentions.estimate()).sum();
        let wait: Estimate = self.0.iter().map(|shard| shard.wait.estimate()).sum();
        (contentions, in_ns(wait, clock))
    }
}

/// A wait, in ticks.
struct Wait {
    wait: u64,
    weight: u32,
}

impl Write<Charged> for Wait {
    #[inline]
    fn write<W: Writer>(&self, to: &Charged) {
        to.contentions.add::<W>(1, self.weight);
        to.wait.add::<W>(self.wait, self.weight);
    }
}

impl Write<Self> for Charged {
    fn write<W: Writer>(&self, to: &Self) {
        to.contentions.absorb::<W>(&self.contentions);
        to.wait.absorb::<W>(&self.wait);
    }
}

fn load(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

const _: () = assert!(IS_MODEL || size_of::<Sum>() == 16 && size_of::<Durations>() == 96);
const _: () = assert!(IS_MODEL || size_of::<Tally>() == 144);
