//! What a backend answers when it is asked what it saw.
//!
//! Call sites stay opaque here; the host asks the probe what they mean. Every
//! total is an [`Estimate`], so that a report can say how true it is.

use abi_stable::StableAbi;
use abi_stable::std_types::{RString, RVec};

/// A total with its uncertainty.
///
/// `value` is the Horvitz–Thompson estimator Σ w·x over the samples, and
/// `variance` the unbiased estimator of its variance under Poisson sampling,
/// Σ w·(w−1)·x² (Särndal, Swensson and Wretman, *Model Assisted Survey
/// Sampling*, 1992, eq. 2.8.5 and 3.5.3, with inclusion probability 1/w). Both
/// add up over independent parts, so the estimate of a sum is the sum of the
/// estimates. What was counted for certain has weight 1 and variance 0.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// The total.
    pub value: f64,
    /// The variance of the total, in its unit squared.
    pub variance: f64,
}

impl Estimate {
    /// A number that is known for certain.
    #[must_use]
    pub fn exact(value: f64) -> Self {
        Self { value, variance: 0.0 }
    }

    /// The standard error, in the unit of the total.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        self.variance.sqrt()
    }
}

impl core::ops::AddAssign for Estimate {
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        self.variance += other.variance;
    }
}

impl core::iter::Sum for Estimate {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |mut total, part| {
            total += part;
            total
        })
    }
}

/// A range of a histogram: durations in `lower_ns..upper_ns`.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Shortest duration counted here, in nanoseconds.
    pub lower_ns: u64,
    /// Shortest duration no longer counted here, in nanoseconds.
    pub upper_ns: u64,
    /// How many, weighted.
    pub weight: f64,
}

/// Durations: of waits, holds, or idle times.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// Their sum, in nanoseconds.
    pub total_ns: Estimate,
    /// The longest that was seen, in nanoseconds.
    pub max_ns: u64,
    /// Their distribution: ascending, without empty buckets.
    pub histogram: RVec<Bucket>,
}

/// What one call site did with one lock, in one mode.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, Default, PartialEq)]
pub struct SiteReport {
    /// The call site, as the lock's probe names it.
    pub site: usize,
    /// A [`Mode`](crate::event::Mode).
    pub mode: u8,
    /// Samples behind the numbers.
    pub samples: u64,
    /// Acquisitions, contended or not.
    pub acquisitions: Estimate,
    /// Acquisitions that had to wait.
    pub contentions: Estimate,
    /// Tries and timed acquisitions that ended without the lock.
    pub failures: Estimate,
    /// Waits of the acquisitions that had to wait.
    pub wait: Times,
    /// Holds.
    pub hold: Times,
    /// Times in which a thread had nothing to do: condition variables, barriers.
    pub idle: Times,
    /// How many idle times there were.
    pub idles: Estimate,
}

impl core::ops::AddAssign<&Self> for SiteReport {
    /// Adds what was recorded apart of the same call site, in the same mode.
    fn add_assign(&mut self, other: &Self) {
        self.samples += other.samples;
        self.acquisitions += other.acquisitions;
        self.contentions += other.contentions;
        self.failures += other.failures;
        self.idles += other.idles;
        self.wait += &other.wait;
        self.hold += &other.hold;
        self.idle += &other.idle;
    }
}

impl core::ops::AddAssign<&Self> for Times {
    fn add_assign(&mut self, other: &Self) {
        self.total_ns += other.total_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
        self.histogram = merged(&self.histogram, &other.histogram);
    }
}

/// Two ascending lists of buckets as one, in which none stands twice.
fn merged(left: &[Bucket], right: &[Bucket]) -> RVec<Bucket> {
    let mut all: Vec<Bucket> = left.iter().chain(right).copied().collect();
    all.sort_by_key(|bucket| (bucket.lower_ns, bucket.upper_ns));
    all.dedup_by(|next, kept| {
        let is_same = (next.lower_ns, next.upper_ns) == (kept.lower_ns, kept.upper_ns);
        if is_same {
            kept.weight += next.weight;
        }
        is_same
    });
    all.into()
}

/// Who made whom wait.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct Blame {
    /// Call site that held the lock when the wait began; 0 if not known.
    pub holder: usize,
    /// Call site that waited.
    pub waiter: usize,
    /// How often.
    pub contentions: Estimate,
    /// How long, in nanoseconds: each wait is charged whole to the holder
    /// that it found.
    pub wait_ns: Estimate,
}

/// One lock, or all the dropped locks of one origin folded into one.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, Default, PartialEq)]
pub struct LockReport {
    /// The lock's id; 0 if several are folded.
    pub id: u64,
    /// The probe that saw it.
    pub probe: u32,
    /// A [`LockKind`](crate::event::LockKind).
    pub kind: u32,
    /// Where it was made, as its probe names places; 0 if not known.
    pub created: usize,
    /// Its name; empty if it has none.
    pub name: RString,
    /// How many locks stand here: more than 1 if dropped ones are folded.
    pub locks: u64,
    /// By call site and mode, in no order.
    pub sites: RVec<SiteReport>,
    /// Who made whom wait, in no order.
    pub blame: RVec<Blame>,
}

/// A time in which a session that sleeps was awake.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// What woke it: a phrase.
    pub cause: RString,
    /// When it began, in nanoseconds since the session did.
    pub after_ns: u64,
    /// How long it was awake, in nanoseconds; up to now if it is.
    pub length_ns: u64,
    /// Samples taken in it.
    pub samples: u64,
}

/// Something that was seen and not recorded.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq)]
pub struct Loss {
    /// What, and why: a phrase.
    pub what: RString,
    /// How many.
    pub count: u64,
}

/// Everything a session has recorded so far.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Locks, in no order.
    pub locks: RVec<LockReport>,
    /// Samples taken.
    pub samples: u64,
    /// The sampling periods that were in force, oldest first.
    pub periods: RVec<u32>,
    /// When it was awake, oldest first; none for a backend that never sleeps.
    pub windows: RVec<Window>,
    /// What is missing. A report never hides loss.
    pub losses: RVec<Loss>,
    /// Sentences that a reader should know.
    pub notes: RVec<RString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(lower_ns: u64, weight: f64) -> Bucket {
        Bucket { lower_ns, upper_ns: lower_ns + 4, weight }
    }

    fn times(total: f64, max_ns: u64, histogram: Vec<Bucket>) -> Times {
        let total_ns = Estimate { value: total, variance: total };
        Times { total_ns, max_ns, histogram: histogram.into() }
    }

    #[test]
    fn lines_of_one_call_site_add_up() {
        let count = Estimate { value: 2.0, variance: 3.0 };
        let mut line = SiteReport {
            site: 5,
            samples: 2,
            acquisitions: count,
            hold: times(12.0, 8, vec![bucket(4, 1.0), bucket(8, 1.0)]),
            ..SiteReport::default()
        };
        let other = SiteReport {
            samples: 3,
            acquisitions: count,
            failures: count,
            hold: times(30.0, 20, vec![bucket(0, 1.0), bucket(8, 2.0), bucket(20, 1.0)]),
            ..SiteReport::default()
        };
        line += &other;
        let twice = Estimate { value: 4.0, variance: 6.0 };
        let hold = vec![bucket(0, 1.0), bucket(4, 1.0), bucket(8, 3.0), bucket(20, 1.0)];
        let expected = SiteReport {
            site: 5,
            samples: 5,
            acquisitions: twice,
            failures: count,
            hold: times(42.0, 20, hold),
            ..SiteReport::default()
        };
        assert_eq!(line, expected);
    }
}
