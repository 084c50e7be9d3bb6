//! Readers and writers of one lock, apart: a row adds them up, and a writer
//! that starves among many readers would not be seen in it.

use std::collections::BTreeMap;

use super::super::model::{Lock, ReportFile, Site, Total};
use super::super::text::clean;
use super::super::units::{count, duration};

/// How many locks are told of.
const MOST: usize = 5;

/// What one mode did with the locks of one label.
#[derive(Default)]
struct Side {
    acquisitions: Total,
    contentions: Total,
    wait_ns: f64,
    longest_ns: u64,
}

impl Side {
    fn add(&mut self, site: &Site) {
        self.acquisitions += site.acquisitions;
        self.contentions += site.contentions;
        self.wait_ns += site.wait_ns.total.value;
        self.longest_ns = self.longest_ns.max(site.wait_ns.max);
    }

    fn told(&self, who: &str) -> String {
        let all = count(self.acquisitions.value);
        if self.contentions.value <= 0.0 {
            return format!("none of {all} {who} waited");
        }
        let waited = count(self.contentions.value);
        let total = duration(self.wait_ns);
        let longest = duration(self.longest_ns as f64);
        format!("{waited} of {all} {who} waited, {total} in all, {longest} at most")
    }
}

/// A sentence for each lock that has readers and writers, and writers that had
/// to wait; those whose writers waited longest first.
pub(super) fn sentences(report: &ReportFile) -> Vec<String> {
    let mut locks: BTreeMap<String, [Side; 2]> = BTreeMap::new();
    let has_modes = |lock: &&Lock| lock.kind == "rwlock";
    for lock in report.locks.iter().filter(has_modes) {
        let [write, read] = locks.entry(lock.label()).or_default();
        for site in &lock.sites {
            if site.mode == "write" { &mut *write } else { &mut *read }.add(site);
        }
    }
    let mut told: Vec<(String, [Side; 2])> = locks
        .into_iter()
        .filter(|(_, [write, read])| write.contentions.value > 0.0 && read.acquisitions.value > 0.0)
        .collect();
    told.sort_by(|(_, [a, _]), (_, [b, _])| b.wait_ns.total_cmp(&a.wait_ns));
    told.truncate(MOST);
    let sentence = |(label, [write, read]): (String, [Side; 2])| {
        format!("{}: {}; {}.", clean(&label), write.told("writers"), read.told("readers"))
    };
    told.into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::model::Times;
    use super::super::super::sample::{empty, lock, place, site};
    use super::*;

    fn used(mode: &str, acquisitions: f64, contentions: f64, wait_ns: f64, max: u64) -> Site {
        let exact = |value| Total { value, standard_error: 0.0 };
        Site {
            acquisitions: exact(acquisitions),
            contentions: exact(contentions),
            wait_ns: Times { total: exact(wait_ns), max, histogram: Vec::new() },
            ..site(place("a.rs", 1), mode)
        }
    }

    fn told(sites: Vec<Site>, kind: &str) -> Vec<String> {
        let mut report = empty();
        report.locks = vec![Lock { name: Some("map".to_owned()), sites, ..lock(1, kind) }];
        sentences(&report)
    }

    #[test]
    fn a_writer_that_starves_is_seen() {
        let sites =
            vec![used("write", 3.0, 3.0, 6e9, 4_000_000_000), used("read", 50_000.0, 0.0, 0.0, 0)];
        assert_eq!(
            told(sites, "rwlock"),
            [
                "map: 3 of 3 writers waited, 6.00 s in all, 4.00 s at most; none of 50,000 readers waited."
            ]
        );
    }

    #[test]
    fn where_no_writer_waits_nothing_is_told() {
        let readers = used("read", 9.0, 9.0, 1e6, 1_000);
        assert!(told(vec![used("write", 5.0, 0.0, 0.0, 0), readers.clone()], "rwlock").is_empty());
        assert!(told(vec![readers], "rwlock").is_empty());
        assert!(told(vec![used("write", 5.0, 5.0, 1e6, 1_000)], "mutex").is_empty());
    }
}
