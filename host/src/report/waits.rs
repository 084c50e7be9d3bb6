//! Waits that were in progress: who waits for which lock, and who has it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::model::{Lock, PendingAcquisition, ReportFile};
use super::text::clean;
use super::units::{duration, plural};

/// The waits of a report, longest first, with what is known of their locks.
pub(crate) struct Waits<'a> {
    locks: HashMap<u64, &'a Lock>,
    holders: HashMap<u64, Vec<&'a PendingAcquisition>>,
    waiting: Vec<&'a PendingAcquisition>,
}

impl<'a> Waits<'a> {
    pub(crate) fn of(report: &'a ReportFile) -> Self {
        let mut holders: HashMap<u64, Vec<&PendingAcquisition>> = HashMap::new();
        for held in report.pending.iter().filter(|pending| !pending.waiting) {
            // Locks without an id cannot be told from one another.
            if held.lock != 0 {
                holders.entry(held.lock).or_default().push(held);
            }
        }
        let mut waiting: Vec<_> = report.pending.iter().filter(|wait| wait.waiting).collect();
        waiting.sort_by_key(|wait| (std::cmp::Reverse(wait.for_ns), wait.thread));
        let locks = report.locks.iter().map(|lock| (lock.id, lock));
        Self { locks: locks.filter(|(id, _)| *id != 0).collect(), holders, waiting }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// A sentence per wait, longest first.
    pub(crate) fn sentences(&self) -> impl Iterator<Item = String> {
        self.waiting.iter().map(|wait| {
            let place = wait
                .place
                .as_ref()
                .map_or_else(String::new, |place| format!(" at {}", clean(&place.label())));
            format!(
                "thread {} has waited {} for {}{place}; {}",
                wait.thread,
                duration(wait.for_ns as f64),
                self.lock(wait.lock),
                self.holder(wait),
            )
        })
    }

    fn lock(&self, id: u64) -> String {
        match self.locks.get(&id) {
            Some(lock) => format!("{} ({})", clean(&lock.label()), clean(&lock.kind)),
            None if id == 0 => "a lock".to_owned(),
            None => format!("lock {id}"),
        }
    }

    fn holder(&self, wait: &PendingAcquisition) -> String {
        let held = self.holders.get(&wait.lock).map_or(&[][..], Vec::as_slice);
        // An upgrade waits for the other readers, and holds the lock itself.
        let others = held.iter().filter(|held| held.thread != wait.thread).count();
        let longest = held
            .iter()
            .filter(|held| others == 0 || held.thread != wait.thread)
            .max_by_key(|held| (held.for_ns, std::cmp::Reverse(held.thread)));
        let thread = wait.holder_thread.filter(|_| longest.is_none());
        if let (Some(thread), Some(place)) = (thread, &wait.holder) {
            let place = clean(&place.label());
            return format!("held by thread {thread}, which acquired it at {place}");
        }
        match (longest, &wait.holder) {
            (Some(held), _) if others > 0 || self.is_exclusive(wait.lock) => {
                let among = if others > 1 {
                    format!("{}, for the longest time ", plural(others as u64, "thread"))
                } else {
                    String::new()
                };
                let place = held.place.as_ref().map_or_else(String::new, |place| {
                    format!(", which acquired it at {}", clean(&place.label()))
                });
                let ago = duration(held.for_ns as f64);
                format!("held by {among}thread {}{place} {ago} ago", held.thread)
            }
            (_, Some(place)) => {
                format!("held by {} when the wait began", clean(&place.label()))
            }
            (_, None) => "who holds it is not known".to_owned(),
        }
    }

    /// Whether a thread that waits for this lock and holds it has stopped
    /// itself.
    fn is_exclusive(&self, id: u64) -> bool {
        self.locks.get(&id).is_some_and(|lock| lock.kind == "mutex" || lock.kind == "spin")
    }

    /// Threads that wait for each other, each circle once: a sentence each.
    pub(crate) fn circles(&self) -> Vec<String> {
        let mut next = self.successors();
        // Threads that wait for nobody in a circle are taken away until none
        // is left; from all others every way leads into a circle.
        loop {
            let stuck: BTreeSet<u64> = next.keys().copied().collect();
            for threads in next.values_mut() {
                threads.retain(|thread| stuck.contains(thread));
            }
            next.retain(|_, threads| !threads.is_empty());
            if next.len() == stuck.len() {
                break;
            }
        }
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for &start in next.keys() {
            let mut path: Vec<u64> = Vec::new();
            let mut thread = start;
            while seen.insert(thread) {
                path.push(thread);
                thread = next[&thread][0];
            }
            if let Some(first) = path.iter().position(|other| *other == thread) {
                circles.push(circle(&path[first..]));
            }
        }
        circles
    }

    /// For each waiting thread, those that hold the lock it waits for.
    fn successors(&self) -> BTreeMap<u64, Vec<u64>> {
        let mut next: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for wait in &self.waiting {
            let holders = self.holders.get(&wait.lock).map_or(&[][..], Vec::as_slice);
            // Whose hold was not sampled is known by what the waiter found.
            let found = wait.holder_thread.filter(|_| holders.is_empty());
            let threads = holders
                .iter()
                .map(|held| held.thread)
                .chain(found)
                .filter(|thread| *thread != wait.thread || self.is_exclusive(wait.lock));
            next.entry(wait.thread).or_default().extend(threads);
        }
        next
    }
}

fn circle(threads: &[u64]) -> String {
    const UNLESS: &str = "a deadlock, unless one of the waits is timed";
    match threads {
        [] => String::new(),
        [one] => format!("Thread {one} waits for a lock that it holds itself: {UNLESS}."),
        [one, other] => format!("Threads {one} and {other} wait for each other: {UNLESS}."),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(ToString::to_string).collect();
            let most = most.join(", ");
            format!("Threads {most} and {last} wait for one another in a circle: {UNLESS}.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{deadlock, empty, holding, lock, place, waiting};
    use super::*;

    const END: &str = "a deadlock, unless one of the waits is timed.";

    /// A report of a lock 1, 2, … of these kinds, and what is pending: who
    /// waits (`true`) or holds, for which lock.
    fn report(kinds: &[&str], pending: &[(u64, bool, u64)]) -> ReportFile {
        let mut report = empty();
        report.locks = (1..).zip(kinds).map(|(id, kind)| lock(id, kind)).collect();
        let at = |line: u64| place("a.rs", line as u32);
        let pending = pending.iter().map(|&(thread, waits, lock)| {
            if waits {
                waiting(thread, lock, at(thread))
            } else {
                holding(thread, lock, at(thread))
            }
        });
        report.pending = pending.collect();
        report
    }

    fn circles(kinds: &[&str], pending: &[(u64, bool, u64)]) -> Vec<String> {
        Waits::of(&report(kinds, pending)).circles()
    }

    fn sentences(report: &ReportFile) -> Vec<String> {
        Waits::of(report).sentences().collect()
    }

    #[test]
    fn who_waits_for_whom_the_longest_first() {
        assert_eq!(
            sentences(&deadlock()),
            [
                "thread 13 has waited 1.20 s for accounts (mutex) at src/audit.rs:7; held by thread 11, which acquired it at src/bank.rs:39 1.50 s ago",
                "thread 12 has waited 1.20 s for accounts (mutex) at src/bank.rs:40; held by thread 11, which acquired it at src/bank.rs:39 1.50 s ago",
                "thread 11 has waited 1.20 s for journal (mutex) at src/bank.rs:52; held by thread 12, which acquired it at src/bank.rs:51 1.50 s ago",
            ]
        );
    }

    #[test]
    fn what_is_known_of_a_holder() {
        // Nobody holds it now that anybody saw: it was taken unsampled.
        let mut seen = report(&["mutex"], &[(5, true, 1)]);
        assert_eq!(
            sentences(&seen),
            [
                "thread 5 has waited 1.20 s for lock 1 (mutex) at a.rs:5; held by src/index.rs:112 when the wait began"
            ]
        );
        seen.pending[0].holder = None;
        seen.pending[0].place = None;
        assert_eq!(
            sentences(&seen),
            ["thread 5 has waited 1.20 s for lock 1 (mutex); who holds it is not known"]
        );
    }

    #[test]
    fn a_lock_without_number_may_be_any() {
        // The holder of some lock without number is not that of every other.
        let seen = report(&[], &[(5, true, 0), (6, false, 0), (6, true, 0), (5, false, 0)]);
        let [first, _] = &sentences(&seen)[..] else { panic!("two waits") };
        assert!(first.contains("for a lock at a.rs:6; held by src/index.rs:112"), "{first}");
        assert!(Waits::of(&seen).circles().is_empty());
    }

    #[test]
    fn readers_hold_together() {
        let seen = report(&["rwlock"], &[(5, true, 1), (6, false, 1), (7, false, 1)]);
        assert_eq!(
            sentences(&seen),
            [
                "thread 5 has waited 1.20 s for lock 1 (rwlock) at a.rs:5; held by 2 threads, for the longest time thread 7, which acquired it at a.rs:7 1.50 s ago"
            ]
        );
    }

    #[test]
    fn circles_of_one_two_and_three() {
        assert_eq!(
            circles(&["mutex"], &[(5, true, 1), (5, false, 1)]),
            [format!("Thread 5 waits for a lock that it holds itself: {END}")]
        );
        let two = [(5, true, 1), (6, true, 2), (5, false, 2), (6, false, 1), (9, true, 1)];
        let wait_for_each_other = format!("Threads 5 and 6 wait for each other: {END}");
        assert_eq!(circles(&["mutex", "mutex"], &two), [wait_for_each_other]);
        let three =
            [1, 2, 3].map(|thread| [(thread, true, thread), (thread % 3 + 1, false, thread)]);
        assert_eq!(
            circles(&["mutex"; 3], three.as_flattened()),
            [format!("Threads 1, 2 and 3 wait for one another in a circle: {END}")]
        );
    }

    #[test]
    fn each_circle_is_told_once() {
        let pairs = [(1, 2), (3, 4)].map(|(one, other)| {
            [(one, true, one), (other, false, one), (other, true, other), (one, false, other)]
        });
        assert_eq!(circles(&["mutex"; 4], pairs.as_flattened()).len(), 2);
    }

    #[test]
    fn a_circle_of_holds_that_were_not_sampled() {
        let mut seen = report(&["mutex", "mutex"], &[(5, true, 1), (6, true, 2)]);
        assert!(Waits::of(&seen).circles().is_empty());
        seen.pending[0].holder_thread = Some(6);
        seen.pending[1].holder_thread = Some(5);
        assert_eq!(
            Waits::of(&seen).circles(),
            [format!("Threads 5 and 6 wait for each other: {END}")]
        );
        let [first, _] = &sentences(&seen)[..] else { panic!("two waits") };
        assert!(
            first.ends_with("held by thread 5, which acquired it at src/index.rs:112"),
            "{first}"
        );
    }

    #[test]
    fn a_chain_is_no_circle() {
        let chain = [(1, true, 1), (2, false, 1), (2, true, 2), (3, false, 2)];
        assert!(circles(&["mutex", "mutex"], &chain).is_empty());
    }

    #[test]
    fn an_upgrade_waits_for_the_other_readers() {
        let upgrade = [(5, true, 1), (5, false, 1)];
        assert!(circles(&["rwlock"], &upgrade).is_empty());
        let of_two = [(5, true, 1), (5, false, 1), (6, false, 1)];
        let [sentence] = &sentences(&report(&["rwlock"], &of_two))[..] else { panic!("one wait") };
        assert!(sentence.ends_with("held by thread 6, which acquired it at a.rs:6 1.50 s ago"));
    }
}
