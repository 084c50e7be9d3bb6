//! Folded stacks of the waits, for flamegraph.pl, inferno and speedscope.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::charges::charges;
use super::model::{Place, ReportFile};

/// One line per lock, waiter and holder, and the time waited in nanoseconds. If the
/// waiter's stack was kept, it stands before it, from where its thread began:
///
/// ```text
/// mutex accounts;wait at src/bank.rs:40;held at src/bank.rs:52 1200000
/// mutex accounts;main;bank::transfer;wait at src/bank.rs:40;held at src/bank.rs:52 300
/// ```
///
/// Names and paths are escaped as in a URL where the format gives a character
/// a meaning: `%20` for a blank, `%3B` for a semicolon, `%25` for a per cent
/// sign. Equal stacks are one line; lines are in alphabetical order. Waits
/// that round to nothing are left out.
#[must_use]
pub fn render(report: &ReportFile) -> String {
    let mut stacks: BTreeMap<String, f64> = BTreeMap::new();
    for lock in &report.locks {
        let frame = format!("{} {}", escape(&lock.kind), escape(&lock.label()));
        for charge in charges(lock) {
            let waiter = label(charge.waiter);
            let holder = label(charge.holder);
            let calls: String = charge
                .waiter
                .into_iter()
                .flat_map(|waiter| report.stack(waiter).rev())
                .map(|call| format!("{};", escape(&call.function)))
                .collect();
            let stack = format!("{frame};{calls}wait at {waiter};held at {holder}");
            *stacks.entry(stack).or_default() += charge.wait_ns;
        }
    }
    let mut text = String::new();
    for (stack, wait_ns) in stacks {
        let ns = wait_ns.round() as u64;
        if ns > 0 {
            writeln!(text, "{stack} {ns}").expect("a string takes all that is written");
        }
    }
    text
}

fn label(place: Option<&Place>) -> String {
    place.map_or_else(|| "unknown".to_owned(), |place| escape(&place.label()))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() || ";%".contains(character) {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                write!(escaped, "%{byte:02X}").expect("a string takes all that is written");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::sample::{blame, empty, exact, lock, place, populated, site, stacked};
    use super::*;

    #[test]
    fn a_line_for_each_lock_waiter_and_holder() {
        assert_eq!(
            render(&populated()),
            "\
mutex /usr/src/indexer/vendor/worker-queue-2.1.0/src/deque/stealing/steal.rs:1234;\
wait at /usr/src/indexer/vendor/worker-queue-2.1.0/src/deque/stealing/steal.rs:1300;\
held at /usr/src/indexer/vendor/worker-queue-2.1.0/src/deque/stealing/steal.rs:1301 500
mutex src/pool.rs:41;wait at src/pool.rs:57;held at src/pool.rs:57 1000000
mutex src/pool.rs:41;wait at src/pool.rs:57;held at unknown 2000000
rwlock index;wait at src/index.rs:112;held at src/index.rs:88 130000000
rwlock index;wait at src/index.rs:88;held at src/index.rs:112 150000000
rwlock index;wait at src/index.rs:88;held at src/index.rs:88 900000000
rwlock index;wait at src/index.rs:88;held at unknown 50000000
"
        );
    }

    #[test]
    fn what_has_a_meaning_is_escaped() {
        let mut report = empty();
        let at = place("a;b c.rs", 1);
        let mut waits = site(at.clone(), "write");
        waits.wait_ns.total = exact(5.0);
        let mut named = lock(1, "mutex");
        named.name = Some("50 %\n鎖".to_owned());
        named.sites = vec![waits];
        named.blame = vec![blame(Some(at.clone()), Some(at), 5.0)];
        report.locks = vec![named];
        assert_eq!(
            render(&report),
            "mutex 50%20%25%0A鎖;wait at a%3Bb%20c.rs:1;held at a%3Bb%20c.rs:1 5\n"
        );
    }

    #[test]
    fn a_stack_stands_before_the_place_that_it_leads_to() {
        assert_eq!(
            render(&stacked()),
            "\
mutex accounts;(deeper);bank::by%20night;bank::each;bank::transfer;\
wait at src/bank.rs:40;held at unknown 300
mutex accounts;start_thread;bank::by_day;bank::transfer;\
wait at src/bank.rs:40;held at src/bank.rs:52 500
"
        );
    }

    /// What flame graphs read: frames, a blank, a whole number.
    #[test]
    fn every_line_ends_in_its_only_number() {
        for line in render(&populated()).lines() {
            let (stack, ns) = line.rsplit_once(' ').expect("a blank");
            assert_eq!(stack.split(';').count(), 3, "{line}");
            assert!(ns.parse::<u64>().expect("a number") > 0, "{line}");
        }
    }

    #[test]
    fn nothing_waited_is_nothing_to_show() {
        assert_eq!(render(&empty()), "");
    }
}
