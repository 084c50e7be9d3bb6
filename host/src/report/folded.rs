//! Folded stacks of the waits, for flamegraph.pl, inferno and speedscope.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::charges::charges;
use super::model::{Place, ReportFile};

/// One line per lock, waiter and holder, and the time waited in nanoseconds:
///
/// ```text
/// mutex accounts;wait at src/bank.rs:40;held at src/bank.rs:52 1200000
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
            let stack = format!("{frame};wait at {waiter};held at {holder}");
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
