//! From what a backend answers to what a report file says.

use std::collections::BTreeMap;

use lockscope_core::event::{LockKind, Mode};
use lockscope_core::report::{self as core, Bucket, Estimate, LockReport, Report, SiteReport};

use super::model::{
    Blame, FORMAT, Lock, Loss, PendingAcquisition, Place, ReportFile, SessionInfo, Site, Times,
    Total, VERSION, Window,
};

#[cfg(test)]
mod tests;

/// What is known about call sites and probes: only their probe can tell.
#[derive(Clone, Copy)]
struct Names<'a> {
    resolve: &'a dyn Fn(u32, usize) -> Option<Place>,
    probe_name: &'a dyn Fn(u32) -> String,
}

/// Makes a report file of a backend's `report`.
///
/// `session` says who measured what; its `periods` and `samples` are taken
/// from the report. `pending` are the acquisitions that have not ended.
/// `resolve` says what a call site of a probe means, and is not asked about
/// site 0, which stands for "not known"; a site that it does not know is shown
/// as an address. `probe_name` gives the name of a probe.
///
/// The order is by descending wait, and depends on nothing but the content, so
/// that equal reports become equal files. Call sites that resolve to one
/// source location are one site: a compiler may place a location twice.
#[must_use]
pub fn convert(
    report: &Report,
    mut session: SessionInfo,
    mut pending: Vec<PendingAcquisition>,
    resolve: &dyn Fn(u32, usize) -> Option<Place>,
    probe_name: &dyn Fn(u32) -> String,
) -> ReportFile {
    let names = Names { resolve, probe_name };
    session.periods = report.periods.to_vec();
    session.samples = report.samples;
    session.sample_cost_ns = session.sample_cost_ns.map(number);
    let mut notes: Vec<String> = report.notes.iter().map(ToString::to_string).collect();
    let unusable = report.locks.iter().map(unusable).sum::<usize>();
    if unusable > 0 {
        notes.push(format!(
            "the backend gave {unusable} totals that are not numbers; they are shown as 0"
        ));
    }
    // Each with the sums by which it is sorted: to add them up at every comparison takes
    // a third of the time for a million locks.
    let summed = |lock: Lock| (lock.wait_ns(), lock.acquisitions(), lock);
    let mut locks: Vec<(f64, f64, Lock)> =
        report.locks.iter().map(|lock| summed(names.lock(lock))).collect();
    locks.sort_by(|(left_wait, left, a), (right_wait, right, b)| {
        right_wait
            .total_cmp(left_wait)
            .then_with(|| right.total_cmp(left))
            .then_with(|| a.id.cmp(&b.id))
            .then_with(|| (&a.name, &a.created, &a.kind).cmp(&(&b.name, &b.created, &b.kind)))
    });
    let locks = locks.into_iter().map(|(_, _, lock)| lock).collect();
    pending.sort_by(|a, b| {
        (b.waiting, b.for_ns)
            .cmp(&(a.waiting, a.for_ns))
            .then_with(|| (a.thread, a.lock, &a.place).cmp(&(b.thread, b.lock, &b.place)))
    });
    ReportFile {
        format: FORMAT.to_owned(),
        version: VERSION,
        session,
        locks,
        pending,
        windows: report.windows.iter().map(window).collect(),
        losses: report
            .losses
            .iter()
            .map(|loss| Loss { what: loss.what.to_string(), count: loss.count })
            .collect(),
        notes,
        frames: Vec::new(),
    }
}

impl Names<'_> {
    fn place(&self, probe: u32, site: usize) -> Option<Place> {
        if site == 0 {
            return None;
        }
        let (file, stack) = (String::new(), Vec::new());
        let unknown = Place { file, line: 0, column: 0, address: site as u64, stack };
        Some((self.resolve)(probe, site).unwrap_or(unknown))
    }

    fn lock(&self, lock: &LockReport) -> Lock {
        Lock {
            id: lock.id,
            locks: lock.locks,
            kind: LockKind(lock.kind).as_str().to_owned(),
            name: (!lock.name.is_empty()).then(|| lock.name.to_string()),
            created: self.place(lock.probe, lock.created),
            probe: (self.probe_name)(lock.probe),
            sites: self.sites(lock),
            blame: self.blame(lock),
        }
    }

    fn sites(&self, lock: &LockReport) -> Vec<Site> {
        let mut merged: BTreeMap<_, (Option<Place>, SiteReport)> = BTreeMap::new();
        for site in &lock.sites {
            let place = self.place(lock.probe, site.site);
            let mode = Mode(site.mode).as_str();
            merged
                .entry((place.as_ref().map(Place::identity), mode))
                .and_modify(|(_, whole)| *whole += site)
                .or_insert_with(|| (place, site.clone()));
        }
        let mut sites: Vec<Site> = merged
            .into_iter()
            .map(|((_, mode), (place, site))| Site {
                place,
                mode: mode.to_owned(),
                samples: site.samples,
                acquisitions: total(site.acquisitions),
                contentions: total(site.contentions),
                failures: total(site.failures),
                idles: total(site.idles),
                wait_ns: times(&site.wait),
                hold_ns: times(&site.hold),
                idle_ns: times(&site.idle),
            })
            .collect();
        // Stable: what is equal stays in the order of its place.
        sites.sort_by(|a, b| {
            let (left, right) = (a.wait_ns.total.value, b.wait_ns.total.value);
            right
                .total_cmp(&left)
                .then_with(|| b.acquisitions.value.total_cmp(&a.acquisitions.value))
        });
        sites
    }

    fn blame(&self, lock: &LockReport) -> Vec<Blame> {
        let mut merged: BTreeMap<_, (Option<Place>, Option<Place>, core::Blame)> = BTreeMap::new();
        for blame in &lock.blame {
            let holder = self.place(lock.probe, blame.holder);
            let waiter = self.place(lock.probe, blame.waiter);
            let key = (holder.as_ref().map(Place::identity), waiter.as_ref().map(Place::identity));
            merged
                .entry(key)
                .and_modify(|(_, _, whole)| {
                    whole.contentions += blame.contentions;
                    whole.wait_ns += blame.wait_ns;
                })
                .or_insert((holder, waiter, *blame));
        }
        let mut blame: Vec<Blame> = merged
            .into_values()
            .map(|(holder, waiter, blame)| Blame {
                holder,
                waiter,
                contentions: total(blame.contentions),
                wait_ns: total(blame.wait_ns),
            })
            .collect();
        // Stable: what is equal stays in the order of its places.
        blame.sort_by(|a, b| {
            let (left, right) = (a.wait_ns.value, b.wait_ns.value);
            right.total_cmp(&left).then_with(|| b.contentions.value.total_cmp(&a.contentions.value))
        });
        blame
    }
}

fn window(window: &core::Window) -> Window {
    let core::Window { cause, after_ns, length_ns, samples } = window;
    Window {
        cause: cause.to_string(),
        after_ns: *after_ns,
        length_ns: *length_ns,
        samples: *samples,
    }
}

fn times(times: &core::Times) -> Times {
    let mut histogram: BTreeMap<(u64, u64), f64> = BTreeMap::new();
    for Bucket { lower_ns, upper_ns, weight } in times.histogram.iter().copied() {
        *histogram.entry((lower_ns, upper_ns)).or_default() += number(weight);
    }
    Times {
        total: total(times.total_ns),
        max: times.max_ns,
        histogram: histogram
            .into_iter()
            .filter(|(_, weight)| *weight > 0.0)
            .map(|((lower, upper), weight)| (lower, upper, weight))
            .collect(),
    }
}

fn total(estimate: Estimate) -> Total {
    Total { value: number(estimate.value), standard_error: number(estimate.standard_error()) }
}

/// JSON has no infinity and no NaN: a file with one could not be read again.
fn number(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// How many of the lock's totals are not numbers.
fn unusable(lock: &LockReport) -> usize {
    let sites = lock.sites.iter().flat_map(|site| {
        let counts = [site.acquisitions, site.contentions, site.failures, site.idles];
        let times = [&site.wait, &site.hold, &site.idle].map(|times| times.total_ns);
        counts.into_iter().chain(times)
    });
    let blame = lock.blame.iter().flat_map(|blame| [blame.contentions, blame.wait_ns]);
    sites
        .chain(blame)
        .filter(|estimate| !estimate.value.is_finite() || !estimate.standard_error().is_finite())
        .count()
}
