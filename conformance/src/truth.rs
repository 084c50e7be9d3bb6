//! What has happened, and what a report says of it, line by line.

use std::collections::BTreeMap;

use core::iter::Sum;
use core::ops::AddAssign;

use lockscope_core::Mode;
use lockscope_core::report::{Estimate, Report, SiteReport};

/// A line of a report: what one call site does with the locks of one origin,
/// in one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line {
    /// Where the lock was made.
    pub created: usize,
    /// Where the operation stands.
    pub site: usize,
    /// How the lock is held, or asked for.
    pub mode: Mode,
}

/// Totals of a line: the truth if they are numbers, or what a report states if
/// they are estimates. Counts of operations; times in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals<T> {
    /// Acquisitions, contended or not.
    pub acquisitions: T,
    /// Acquisitions that had to wait.
    pub contentions: T,
    /// Tries and timed acquisitions without success.
    pub failures: T,
    /// Idle waits.
    pub idles: T,
    /// Waits of the acquisitions that had to wait.
    pub wait_ns: T,
    /// Holds.
    pub hold_ns: T,
    /// Idle waits.
    pub idle_ns: T,
}

impl<T: Copy> Totals<T> {
    /// Each of them, with its name.
    #[must_use]
    pub fn each(&self) -> [(&'static str, T); 7] {
        [
            ("acquisitions", self.acquisitions),
            ("contentions", self.contentions),
            ("failures", self.failures),
            ("idles", self.idles),
            ("wait_ns", self.wait_ns),
            ("hold_ns", self.hold_ns),
            ("idle_ns", self.idle_ns),
        ]
    }
}

impl<T: AddAssign> AddAssign for Totals<T> {
    fn add_assign(&mut self, other: Self) {
        self.acquisitions += other.acquisitions;
        self.contentions += other.contentions;
        self.failures += other.failures;
        self.idles += other.idles;
        self.wait_ns += other.wait_ns;
        self.hold_ns += other.hold_ns;
        self.idle_ns += other.idle_ns;
    }
}

impl<T: AddAssign + Default> Sum for Totals<T> {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |mut sum, part| {
            sum += part;
            sum
        })
    }
}

impl From<&SiteReport> for Totals<Estimate> {
    fn from(site: &SiteReport) -> Self {
        Self {
            acquisitions: site.acquisitions,
            contentions: site.contentions,
            failures: site.failures,
            idles: site.idles,
            wait_ns: site.wait.total_ns,
            hold_ns: site.hold.total_ns,
            idle_ns: site.idle.total_ns,
        }
    }
}

/// What `report` states of each line.
#[must_use]
pub fn stated(report: &Report) -> BTreeMap<Line, Totals<Estimate>> {
    let mut lines = BTreeMap::<Line, Totals<Estimate>>::new();
    for lock in &report.locks {
        for site in &lock.sites {
            let line = Line { created: lock.created, site: site.site, mode: Mode(site.mode) };
            // A lock that lives, and others of its origin that were dropped.
            *lines.entry(line).or_default() += site.into();
        }
    }
    lines
}

/// What has happened at each line while the gate let it be seen: nothing while
/// it was closed, contended operations alone while it watched for those.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    lines: Vec<(Line, Totals<u64>)>,
}

impl Truth {
    /// The place of a line that has none yet.
    pub(crate) fn place(&mut self, line: Line) -> usize {
        self.lines.push((line, Totals::default()));
        self.lines.len() - 1
    }

    #[inline]
    pub(crate) fn at(&mut self, place: usize) -> &mut Totals<u64> {
        &mut self.lines[place].1
    }

    /// Every line at which anything has happened.
    #[must_use]
    pub fn lines(&self) -> BTreeMap<Line, Totals<u64>> {
        self.lines.iter().copied().collect()
    }

    /// All of it.
    #[must_use]
    pub fn sum(&self) -> Totals<u64> {
        self.lines.iter().map(|(_, totals)| *totals).sum()
    }
}
