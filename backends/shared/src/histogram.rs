//! Durations, counted in log-linear buckets.
//!
//! Four buckets to an octave, so a bucket is at most a quarter of its lower
//! end wide, and a percentile read from it is off by at most that. The first
//! four are 4 ticks wide each; the last begins at 7·2³⁶ ticks, some minutes, and
//! has no end. The form is that of HdrHistogram, with two bits of precision.

use lockscope_core::clock::ClockScale;
use lockscope_core::report::Bucket;
use lockscope_core::sync::{AtomicU64, IS_MODEL, Ordering};

use crate::lazy::Lazy;
use crate::writer::{Alone, Writer};

/// Buckets to an octave.
const PER_OCTAVE: usize = 4;
/// Ticks to the first bucket: finer than a clock is true.
const UNIT_SHIFT: u32 = 2;
/// Buckets that are allocated together: four octaves, two cache lines.
const PER_GROUP: usize = 16;
const GROUPS: usize = 9;
const BUCKETS: usize = GROUPS * PER_GROUP;

/// How many durations fell into each bucket, weighted.
///
/// The holds of one lock lie close together, so buckets come in groups, and a
/// group is allocated with its first duration.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    groups: [Lazy<Group>; GROUPS],
}

/// Four octaves.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Group {
    weights: [AtomicU64; PER_GROUP],
}

impl Histogram {
    /// Counts `weight` durations of so many ticks.
    #[inline]
    pub(crate) fn add<W: Writer>(&self, ticks: u64, weight: u64) {
        let index = index(ticks);
        let group = self.groups[index / PER_GROUP].get_or_make();
        W::add(&group.weights[index % PER_GROUP], weight);
    }

    /// Counts each of several durations, alone. What falls into one bucket in a
    /// row, as the holds of one call site do, is written at once.
    pub(crate) fn add_each(&self, durations: impl Iterator<Item = u64>) {
        let (mut begin, mut width, mut place, mut weight) = (0, 0, 0, 0);
        for ticks in durations {
            if ticks.wrapping_sub(begin) >= width {
                self.add_to(place, weight);
                place = index(ticks);
                (begin, weight) = (lower(place), 0);
                width = upper(place).wrapping_sub(begin);
            }
            weight += 1;
        }
        self.add_to(place, weight);
    }

    fn add_to(&self, index: usize, weight: u64) {
        if weight > 0 {
            let group = self.groups[index / PER_GROUP].get_or_make();
            Alone::add(&group.weights[index % PER_GROUP], weight);
        }
    }

    /// Adds all that `other` counts.
    pub(crate) fn absorb<W: Writer>(&self, other: &Self) {
        for (ours, theirs) in self.groups.iter().zip(&other.groups) {
            let Some(theirs) = theirs.get() else { continue };
            for (into, from) in ours.get_or_make().weights.iter().zip(&theirs.weights) {
                W::add(into, from.load(Ordering::Relaxed));
            }
        }
    }
}

/// A histogram as a look has found it.
#[derive(Debug)]
pub(crate) struct Buckets([u64; BUCKETS]);

impl Default for Buckets {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Buckets {
    /// Adds all that `histogram` counts.
    pub(crate) fn add(&mut self, histogram: &Histogram) {
        for (ours, theirs) in self.0.chunks_mut(PER_GROUP).zip(&histogram.groups) {
            let Some(theirs) = theirs.get() else { continue };
            for (into, from) in ours.iter_mut().zip(&theirs.weights) {
                *into += from.load(Ordering::Relaxed);
            }
        }
    }

    /// Counts one duration.
    pub(crate) fn push(&mut self, ticks: u64) {
        self.0[index(ticks)] += 1;
    }

    /// Those that are not empty, ascending, in nanoseconds.
    pub(crate) fn in_ns(&self, clock: ClockScale) -> impl Iterator<Item = Bucket> {
        let filled = self.0.iter().enumerate().filter(|(_, weight)| **weight != 0);
        filled.map(move |(index, weight)| Bucket {
            lower_ns: clock.ns(lower(index)),
            upper_ns: clock.ns(upper(index)),
            weight: *weight as f64,
        })
    }
}

/// The bucket of so many ticks.
#[inline]
fn index(ticks: u64) -> usize {
    let units = ticks >> UNIT_SHIFT;
    if units < PER_OCTAVE as u64 {
        return units as usize;
    }
    let octave = units.ilog2();
    let within = (units >> (octave - PER_OCTAVE.ilog2())) as usize % PER_OCTAVE;
    ((octave as usize - 1) * PER_OCTAVE + within).min(BUCKETS - 1)
}

/// The shortest duration of a bucket.
fn lower(index: usize) -> u64 {
    let (octave, within) = (index / PER_OCTAVE, index % PER_OCTAVE);
    let units = match octave {
        0 => within as u64,
        _ => ((PER_OCTAVE + within) as u64) << (octave - 1),
    };
    units << UNIT_SHIFT
}

/// The shortest duration that is too long for a bucket.
fn upper(index: usize) -> u64 {
    if index == BUCKETS - 1 { u64::MAX } else { lower(index + 1) }
}

const _: () =
    assert!(IS_MODEL || size_of::<Histogram>() == 8 * GROUPS && size_of::<Group>() == 128);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::Among;

    #[test]
    fn buckets_follow_each_other_without_gap() {
        for i in 0..BUCKETS {
            assert_eq!(index(lower(i)), i);
            assert_eq!(index(upper(i) - 1), i, "bucket {i}");
            assert!(lower(i) < upper(i));
        }
        assert_eq!((lower(0), upper(3), lower(BUCKETS - 1)), (0, 16, 7 << 36));
        assert_eq!(index(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn a_bucket_is_at_most_a_quarter_wide() {
        for i in 4..BUCKETS - 1 {
            assert!(upper(i) - lower(i) <= lower(i) / 4);
        }
    }

    #[test]
    fn weights_add_up_in_ascending_buckets() {
        let histogram = Histogram::default();
        histogram.add::<Alone>(1_000_000, 7);
        histogram.add::<Among>(20, 1);
        histogram.add::<Alone>(22, 100);
        let other = Histogram::default();
        other.absorb::<Alone>(&histogram);
        other.absorb::<Alone>(&histogram);
        let mut seen = Buckets::default();
        seen.add(&other);
        let buckets: Vec<_> = seen
            .in_ns(ClockScale::NANOSECONDS)
            .map(|b| (b.lower_ns, b.upper_ns, b.weight))
            .collect();
        assert_eq!(buckets, [(20, 24, 202.0), (917_504, 1_048_576, 14.0)]);
    }

    #[test]
    fn one_duration_allocates_one_group() {
        let histogram = Histogram::default();
        histogram.add::<Alone>(50, 1);
        assert_eq!(histogram.groups.iter().filter(|group| group.get().is_some()).count(), 1);
    }
}
