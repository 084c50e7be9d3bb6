//! The naive backend: writes everything down, and adds it up when it is asked.

use core::fmt;
use std::collections::BTreeMap;

use lockscope_core::EventKind;
use lockscope_core::report::{Estimate, LockReport, Report, SiteReport, Times};

use super::step::Happening;
use crate::inside::probe::GIVEN;

/// Creation sites of locks without slot are not less.
pub(super) const SLOTLESS: usize = 100;

/// By creation site, id (see [`Naive::shown_id`]), call site and mode.
pub(super) type Lines = BTreeMap<(usize, u64, usize, u8), Known>;
/// By creation site, id, holder and waiter.
pub(super) type Charges = BTreeMap<(usize, u64, usize, usize), Charge>;

/// How often, and how long in all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Charge {
    contentions: f64,
    wait_ns: f64,
}

impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} times, {} ns in all", self.contentions, self.wait_ns)
    }
}

/// What is known of a line: all that [`SiteReport`] says of a call site.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Known {
    samples: u64,
    acquisitions: Estimate,
    contentions: Estimate,
    failures: Estimate,
    idles: Estimate,
    wait: Sums,
    hold: Sums,
    idle: Sums,
}

/// Total, longest, and how many there are.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sums {
    total: Estimate,
    max_ns: u64,
    weight: f64,
}

/// What there is of it.
impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "samples {}", self.samples)?;
        for (name, estimate) in [
            ("acquisitions", self.acquisitions),
            ("contentions", self.contentions),
            ("failures", self.failures),
            ("idle times", self.idles),
        ] {
            if estimate != Estimate::default() {
                write!(f, "; {name} {}", Told(estimate))?;
            }
        }
        for (name, sums) in [("wait", &self.wait), ("hold", &self.hold), ("idle", &self.idle)] {
            if *sums != Sums::default() {
                let Sums { total, max_ns, weight } = sums;
                write!(
                    f,
                    "; {name} {} ns, at most {max_ns} ns, {weight} in buckets",
                    Told(*total)
                )?;
            }
        }
        Ok(())
    }
}

/// An estimate in words.
struct Told(Estimate);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate { value, variance } = self.0;
        write!(f, "{value}")?;
        if variance == 0.0 { Ok(()) } else { write!(f, " (variance {variance})") }
    }
}

impl Sums {
    fn add(&mut self, ns: u64, weight: u32) {
        self.total += estimate(ns as f64, weight);
        self.max_ns = self.max_ns.max(ns);
        self.weight += f64::from(weight);
    }

    fn of(times: &Times) -> Self {
        Self {
            total: times.total_ns,
            max_ns: times.max_ns,
            weight: times.histogram.iter().map(|bucket| bucket.weight).sum(),
        }
    }

    fn absorb(&mut self, other: &Self) {
        self.total += other.total;
        self.max_ns = self.max_ns.max(other.max_ns);
        self.weight += other.weight;
    }
}

/// A sample of `x` in a total, and in its variance: see `docs/sampling.md`.
fn estimate(x: f64, weight: u32) -> Estimate {
    let w = f64::from(weight);
    Estimate { value: w * x, variance: w * (w - 1.0) * x * x }
}

impl Known {
    fn of(site: &SiteReport) -> Self {
        Self {
            samples: site.samples,
            acquisitions: site.acquisitions,
            contentions: site.contentions,
            failures: site.failures,
            idles: site.idles,
            wait: Sums::of(&site.wait),
            hold: Sums::of(&site.hold),
            idle: Sums::of(&site.idle),
        }
    }

    fn add(&mut self, happening: &Happening) {
        let Happening { weight, hold_ns, .. } = *happening;
        let one = estimate(1.0, weight);
        match happening.kind {
            EventKind::FAILED => self.failures += one,
            EventKind::IDLE => {
                self.idles += one;
                self.idle.add(happening.wait.map_or(0, |(_, ns)| ns), weight);
            }
            EventKind::RELEASED => {
                self.samples += 1;
                self.acquisitions += one;
                self.hold.add(hold_ns, weight);
                if let Some((_, wait_ns)) = happening.wait {
                    self.contentions += one;
                    self.wait.add(wait_ns, weight);
                }
            }
            // Made after this backend.
            _ => {}
        }
    }

    fn absorb(&mut self, other: &Self) {
        self.samples += other.samples;
        self.acquisitions += other.acquisitions;
        self.contentions += other.contentions;
        self.failures += other.failures;
        self.idles += other.idles;
        self.wait.absorb(&other.wait);
        self.hold.absorb(&other.hold);
        self.idle.absorb(&other.idle);
    }
}

/// Everything that a session was told.
#[derive(Default)]
pub(super) struct Naive {
    /// Creation site and id of the lock, and what happened with it.
    pub(super) log: Vec<(usize, u64, Happening)>,
    pub(super) dropped: Vec<u64>,
}

impl Naive {
    /// Who is dropped has no id any more; who has no slot, one of the host's.
    fn shown_id(&self, created: usize, id: u64) -> u64 {
        match id {
            id if self.dropped.contains(&id) => 0,
            _ if created >= SLOTLESS => GIVEN,
            id => id,
        }
    }

    pub(super) fn lines(&self) -> Lines {
        let mut lines = Lines::new();
        for (created, id, happening) in &self.log {
            let line = (*created, self.shown_id(*created, *id), happening.site, happening.mode.0);
            lines.entry(line).or_default().add(happening);
        }
        without_zeros(lines)
    }

    pub(super) fn charges(&self) -> Charges {
        let mut charges = Charges::new();
        for (created, id, happening) in &self.log {
            let Some((holder, wait_ns)) = happening.wait else { continue };
            if happening.kind == EventKind::RELEASED {
                let key = (*created, self.shown_id(*created, *id), holder, happening.site);
                let charge = charges.entry(key).or_default();
                charge.contentions += f64::from(happening.weight);
                charge.wait_ns += wait_ns as f64 * f64::from(happening.weight);
            }
        }
        charges
    }

    /// By what id a line of a report is known here: a backend may fold dropped
    /// locks by their origin, which then have none, or keep them as they were.
    fn told_id(&self, report: &Report, lock: &LockReport) -> u64 {
        if lock.id < GIVEN {
            return if self.dropped.contains(&lock.id) { 0 } else { lock.id };
        }
        // Of all that were at this place only the last can be alive: ids are
        // given in ascending order.
        let is_later = |other: &&LockReport| other.created == lock.created && other.id > lock.id;
        let lives = self
            .log
            .iter()
            .any(|(created, id, _)| *created == lock.created && !self.dropped.contains(id));
        if lives && !report.locks.iter().any(|other| is_later(&other)) { GIVEN } else { 0 }
    }

    /// The lines of a report; what stands there twice is an error.
    pub(super) fn lines_of(&self, report: &Report) -> Result<Lines, String> {
        let mut lines = Lines::new();
        for lock in &report.locks {
            let id = self.told_id(report, lock);
            for site in &lock.sites {
                let line = (lock.created, id, site.site, site.mode);
                let known = Known::of(site);
                if id != 0 && lines.contains_key(&line) {
                    return Err(format!("a line of lock {id} is there twice: {site:?}"));
                }
                lines.entry(line).or_default().absorb(&known);
            }
        }
        Ok(without_zeros(lines))
    }

    pub(super) fn charges_of(&self, report: &Report) -> Charges {
        let mut charges = Charges::new();
        for lock in &report.locks {
            let id = self.told_id(report, lock);
            for blame in &lock.blame {
                let key = (lock.created, id, blame.holder, blame.waiter);
                let charge = charges.entry(key).or_default();
                charge.contentions += blame.contentions.value;
                charge.wait_ns += blame.wait_ns.value;
            }
        }
        charges
    }
}

/// A line that says nothing is as good as none.
fn without_zeros(mut lines: Lines) -> Lines {
    lines.retain(|_, known| *known != Known::default());
    lines
}
