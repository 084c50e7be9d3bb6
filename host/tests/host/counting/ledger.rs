//! What a script did with a lock, and whether a report says the same.

use std::collections::BTreeMap;
use std::time::Duration;

use lockscope_host::report::model::{self, Place, Times, Total};

use crate::locks::Mode;

/// The session's clock and the script's need not tick quite alike: a kernel
/// may slew its own by 500 millionths, and the scale of the other is measured.
const RATE: f64 = 0.002;
/// Nor are two readings that follow each other taken in that order, quite.
const READING_NS: f64 = 500.0;

/// A duration, by two that the script has measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) at_least: Duration,
    pub(super) at_most: Duration,
}

impl Span {
    fn shortest_ns(self) -> f64 {
        (self.at_least.as_nanos() as f64 * (1.0 - RATE) - READING_NS).max(0.0)
    }

    fn longest_ns(self) -> f64 {
        self.at_most.as_nanos() as f64 * (1.0 + RATE) + READING_NS
    }
}

/// What was done at one line, in one mode.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) acquisitions: u64,
    pub(super) failures: u64,
    /// Of the acquisitions that had to wait.
    pub(super) waits: Vec<Span>,
    pub(super) holds: Vec<Span>,
    pub(super) idles: Vec<Span>,
}

/// What was done with one lock.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    sites: BTreeMap<(u32, Mode), Done>,
    /// By the lines of holder and waiter; a holder is not known of a lock
    /// without slot.
    blame: BTreeMap<(Option<u32>, u32), Vec<Span>>,
}

impl Ledger {
    pub(super) fn at(&mut self, line: u32, mode: Mode) -> &mut Done {
        self.sites.entry((line, mode)).or_default()
    }

    pub(super) fn charge(&mut self, holder: Option<u32>, waiter: u32, wait: Span) {
        self.blame.entry((holder, waiter)).or_default().push(wait);
    }

    /// The report of the lock says all of this, and nothing else.
    pub(super) fn check_exact(&self, lock: &model::Lock) {
        let lines: Vec<_> = self.sites.keys().map(|(line, mode)| (*line, mode.as_str())).collect();
        assert_eq!(lines_of(lock), lines, "{}", lock.label());
        for (done, site) in self.pairs(lock) {
            same(site.acquisitions, done.acquisitions);
            check_times(&site.hold_ns, &done.holds);
        }
        self.check_certain(lock);
    }

    /// The report of the lock says all of this that is no estimate.
    pub(super) fn check_certain(&self, lock: &model::Lock) {
        for (done, site) in self.pairs(lock) {
            same(site.contentions, done.waits.len() as u64);
            same(site.failures, done.failures);
            same(site.idles, done.idles.len() as u64);
            check_times(&site.wait_ns, &done.waits);
            check_times(&site.idle_ns, &done.idles);
        }
        let charged: usize = self.sites.values().map(|done| done.waits.len()).sum();
        let told: f64 = lock.sites.iter().map(|site| site.contentions.value).sum();
        assert_eq!(told, charged as f64, "{}", lock.label());
        self.check_blame(lock);
    }

    /// What was done at a line, with what is said of it.
    fn pairs<'a>(
        &'a self,
        lock: &'a model::Lock,
    ) -> impl Iterator<Item = (&'a Done, &'a model::Site)> {
        lock.sites.iter().map(|site| {
            let done = self.sites.iter().find(|((line, mode), _)| {
                Some(*line) == line_of(site.place.as_ref()) && mode.as_str() == site.mode
            });
            (done.unwrap_or_else(|| panic!("nothing was done at {:?}", site.place)).1, site)
        })
    }

    fn check_blame(&self, lock: &model::Lock) {
        let mut told: Vec<_> = lock.blame.iter().map(|blame| (encounter(blame), blame)).collect();
        told.sort_unstable_by_key(|(encounter, _)| *encounter);
        let encounters: Vec<_> = told.iter().map(|(encounter, _)| *encounter).collect();
        assert_eq!(encounters, self.blame.keys().copied().collect::<Vec<_>>(), "{}", lock.label());
        for ((_, blame), waits) in told.iter().zip(self.blame.values()) {
            same(blame.contentions, waits.len() as u64);
            check_total(blame.wait_ns, waits);
        }
    }
}

fn encounter(blame: &model::Blame) -> (Option<u32>, u32) {
    (line_of(blame.holder.as_ref()), line_of(blame.waiter.as_ref()).unwrap())
}

fn line_of(place: Option<&Place>) -> Option<u32> {
    let place = place?;
    assert!(place.file.contains("tests/host/counting"), "{place:?}");
    Some(place.line)
}

fn lines_of(lock: &model::Lock) -> Vec<(u32, &str)> {
    let lines = lock.sites.iter().map(|site| line_of(site.place.as_ref()).unwrap());
    let mut lines: Vec<_> = lines.zip(lock.sites.iter().map(|site| site.mode.as_str())).collect();
    // As the ledger has them: a write before a read.
    lines.sort_unstable_by_key(|(line, mode)| (*line, *mode != Mode::Write.as_str()));
    lines
}

fn same(told: Total, counted: u64) {
    assert_eq!(told, Total { value: counted as f64, standard_error: 0.0 });
}

fn check_total(total: Total, spans: &[Span]) {
    let shortest: f64 = spans.iter().map(|span| span.shortest_ns()).sum();
    let longest: f64 = spans.iter().map(|span| span.longest_ns()).sum();
    assert!((shortest..=longest).contains(&total.value), "{total:?} is not of {spans:?}");
    assert_eq!(total.standard_error, 0.0);
}

fn check_times(times: &Times, spans: &[Span]) {
    check_total(times.total, spans);
    let greatest = |of: fn(Span) -> f64| spans.iter().map(|span| of(*span)).fold(0.0, f64::max);
    let longest = greatest(Span::shortest_ns)..=greatest(Span::longest_ns);
    assert!(longest.contains(&(times.max as f64)), "{} is not the longest of {spans:?}", times.max);
    check_percentiles(times, spans);
}

/// So many durations end before a bucket does as can, and no fewer than must:
/// then every percentile lies where it should.
fn check_percentiles(times: &Times, spans: &[Span]) {
    let mut below = 0.0;
    for &(_, upper, weight) in &times.histogram {
        below += weight;
        let before = |of: fn(Span) -> f64| {
            spans.iter().filter(|span| of(**span) < upper as f64).count() as f64
        };
        let possible = before(Span::longest_ns)..=before(Span::shortest_ns);
        assert!(possible.contains(&below), "{below} of {spans:?} are below {upper} ns");
    }
    assert_eq!(below, spans.len() as f64);
}
