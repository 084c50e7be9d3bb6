//! Values as people write them.

use core::ops::RangeInclusive;
use std::time::Duration;

use super::{Given, PATTERNS, Placed};
use crate::error::{HostError, nearest};
use crate::filter::LockPattern;
use lockscope_stacks::{MOST_FRAMES, MOST_STACKS};

const BOOLEANS: [(&str, bool); 8] = [
    ("true", true),
    ("false", false),
    ("1", true),
    ("0", false),
    ("yes", true),
    ("no", false),
    ("on", true),
    ("off", false),
];

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
const DURATION: &str = "a time longer than 0 with its unit, as in 500ms, 10s or 1m";

pub(super) fn boolean(given: &Given) -> Result<bool, HostError> {
    const EXPECTED: &str = "true or false";
    let text = given.one(EXPECTED)?.to_ascii_lowercase();
    let known = BOOLEANS.iter().find(|(name, _)| *name == text);
    known.map(|(_, value)| *value).ok_or_else(|| {
        let near = nearest(&text, BOOLEANS.iter().map(|(name, _)| *name).take(2));
        given.bad(&text, EXPECTED, near)
    })
}

pub(super) fn duration(given: &Given) -> Result<Duration, HostError> {
    let text = given.one(DURATION)?;
    parse_duration(&text).ok_or_else(|| {
        let bare = text.parse::<u64>().ok().filter(|number| *number > 0);
        given.bad(&text, DURATION, bare.map(|number| format!("{number}s")))
    })
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, ms) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    let ms = number.parse::<u64>().ok()?.checked_mul(*ms)?;
    (ms > 0).then(|| Duration::from_millis(ms))
}

const FRAMES: &str = "a number of frames from 0 to 128, where 0 keeps no stacks";
const _: () = assert!(MOST_FRAMES == 128);
const STACKS: &str = "a number of stacks from 1 to 65536";
const _: () = assert!(MOST_STACKS == 65_536);

pub(super) fn frames(given: &Given) -> Result<u32, HostError> {
    number(given, 0..=MOST_FRAMES as u32, FRAMES)
}

pub(super) fn max_stacks(given: &Given) -> Result<u32, HostError> {
    number(given, 1..=MOST_STACKS, STACKS)
}

fn number(
    given: &Given,
    valid: RangeInclusive<u32>,
    expected: &'static str,
) -> Result<u32, HostError> {
    let text = given.one(expected)?;
    let number = text.trim().parse().ok().filter(|number| valid.contains(number));
    number.ok_or_else(|| given.bad(&text, expected, None))
}

pub(super) fn patterns(given: &Given) -> Result<Vec<Placed<LockPattern>>, HostError> {
    let parse = |text: &String| {
        let value = LockPattern::parse(text)
            .map_err(|error| given.bad(text, error.expected, error.nearest))?;
        Ok(Placed { value, place: given.place.clone() })
    };
    given.all(PATTERNS)?.iter().map(parse).collect()
}

/// A duration in the form that the configuration takes.
pub(crate) fn duration_text(duration: Duration) -> String {
    format!("{}ms", duration.as_millis().max(1))
}
