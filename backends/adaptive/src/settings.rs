//! The backend's configuration keys.

use lockscope_backends::settings::{self, Key, MAX_LOCKS, MAX_SITES};
use lockscope_core::backend::{BackendError, ErrorKind, Setting};

/// How closely a lock is watched when it is met.
pub(crate) const PERIOD: Key = Key {
    default: 16,
    help: "Of a lock that is met, one operation in so many is sampled at first, from 1 (every one) to 1000000, rounded down to a power of two. Can be changed in a running session.",
    ..settings::PERIOD
};

/// How rarely at most.
///
/// At 4096 a sample of some hundred nanoseconds adds a twentieth to what
/// passing an open gate costs each operation anyway. Longer periods would save
/// next to nothing, and tell less.
pub(crate) const MAX_PERIOD: Key = Key {
    name: "max_period",
    default: 4096,
    help: "Unless the budget demands it, no lock is sampled more rarely than one operation in so many, from 1 (every one) to 1000000, rounded down to a power of two. Can be changed in a running session.",
    ..settings::PERIOD
};

/// A share of the processor time.
pub(crate) const BUDGET_PERCENT: Limit = Limit(Key {
    name: "budget_percent",
    default: 1,
    most: 100,
    help: "Profiling may take so many percent of the processor time that the process uses, from 0 (no such limit) to 100; decimals are possible. Can be changed in a running session.",
});

/// A number of samples.
pub(crate) const SAMPLES_PER_SEC: Limit = Limit(Key {
    name: "samples_per_sec",
    default: 0,
    most: 1_000_000_000,
    help: "So many samples are taken in a second, those of contended acquisitions included, from 0 (no such limit) to 1000000000. Can be changed in a running session.",
});

/// A number of operations.
///
/// None by default: how many are too many depends on how many processors they
/// keep busy, and `budget_percent` knows that.
pub(crate) const AUTO_DISABLE: Limit = Limit(Key {
    name: "auto_disable_ops_per_sec",
    default: 0,
    most: 4_000_000_000,
    help: "If there are more lock operations than so many in a second, the session ends, from 0 (no such limit) to 4000000000. Can be changed in a running session.",
});

/// All but the last two can be changed while a session runs.
pub(crate) const KEYS: [&Key; 7] = [
    &PERIOD,
    &MAX_PERIOD,
    &BUDGET_PERCENT.0,
    &SAMPLES_PER_SEC.0,
    &AUTO_DISABLE.0,
    &MAX_LOCKS,
    &MAX_SITES,
];

/// A key whose value is a number, not always a whole one, or 0 for no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(crate) Key);

impl Limit {
    /// The number that `value` says.
    pub(crate) fn parse(&self, value: &str) -> Result<f64, BackendError> {
        let Key { name, most, .. } = self.0;
        match value.trim().parse() {
            Ok(number) if (0.0..=f64::from(most)).contains(&number) => Ok(number),
            _ => Err(BackendError::new(
                ErrorKind::Setting,
                format!(
                    "the key '{name}' must be a number from 0 (no limit) to {most}, and is '{value}'; correct it"
                ),
            )),
        }
    }

    /// The number that `settings` say, or else the default.
    pub(crate) fn value_in(&self, settings: &[Setting]) -> Result<f64, BackendError> {
        let given = settings.iter().find(|setting| setting.key == self.0.name);
        given.map_or(Ok(f64::from(self.0.default)), |setting| self.parse(&setting.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_may_have_decimals_and_be_none() {
        for (text, number) in [("0", 0.0), ("0.5", 0.5), (" 12 ", 12.0), ("100", 100.0)] {
            assert_eq!(BUDGET_PERCENT.parse(text), Ok(number));
        }
        for text in ["", "-1", "100.1", "1 %", "NaN", "inf", "one"] {
            let message = BUDGET_PERCENT.parse(text).unwrap_err().message;
            let expected = format!(
                "the key 'budget_percent' must be a number from 0 (no limit) to 100, and is '{text}'; correct it"
            );
            assert_eq!(message, expected);
        }
    }
}
