//! The backend's configuration keys.

use lockscope_backends::settings::{self, Key, MAX_LOCKS, MAX_SITES};
use lockscope_core::backend::{BackendError, Description, ErrorKind, Setting};

use crate::budget::Ending;

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
pub(crate) const BUDGET_PERCENT: Limit = Limit {
    name: "budget_percent",
    default: "1",
    most: 100,
    help: "Profiling may take so many percent of the processor time that the process uses, from 0 (no such limit) to 100; decimals are possible. Can be changed in a running session.",
};

/// A number of samples.
pub(crate) const SAMPLES_PER_SEC: Limit = Limit {
    name: "samples_per_sec",
    default: "0",
    most: 1_000_000_000,
    help: "So many samples are taken in a second, those of contended acquisitions included, from 0 (no such limit) to 1000000000. Can be changed in a running session.",
};

/// A number of operations.
pub(crate) const AUTO_DISABLE: Limit = Limit {
    name: "auto_disable_ops_per_sec",
    default: BY_BUDGET,
    most: 4_000_000_000,
    help: "When there are more lock operations than so many in a second, the session ends, from 1 to 4000000000; 0 for never; 'budget' for when just to let them pass takes more than budget_percent. Can be changed in a running session.",
};

/// In place of a number of operations: how many are too many depends on how
/// many processors they keep busy, and the budget knows that.
const BY_BUDGET: &str = "budget";

/// A key whose value is a number, not always a whole one, or 0 for no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) name: &'static str,
    default: &'static str,
    most: u32,
    help: &'static str,
}

impl Limit {
    fn describe(&self, description: Description) -> Description {
        description.key(self.name, self.default, self.help)
    }

    /// The number that `value` says.
    pub(crate) fn parse(&self, value: &str) -> Result<f64, BackendError> {
        self.number(value).ok_or_else(|| self.wrong(value, ""))
    }

    /// The number that `settings` say, or else the default.
    pub(crate) fn value_in(&self, settings: &[Setting]) -> Result<f64, BackendError> {
        self.parse(self.text_in(settings))
    }

    fn number(&self, value: &str) -> Option<f64> {
        let number = value.trim().parse().ok()?;
        (0.0..=f64::from(self.most)).contains(&number).then_some(number)
    }

    fn text_in<'a>(&self, settings: &'a [Setting]) -> &'a str {
        let given = settings.iter().find(|setting| setting.key == self.name);
        given.map_or(self.default, |setting| setting.value.as_str())
    }

    fn wrong(&self, value: &str, or: &str) -> BackendError {
        let Self { name, most, .. } = self;
        let message = format!(
            "the key '{name}' must be a number from 0 (no limit) to {most}{or}, and is '{value}'; correct it"
        );
        BackendError::new(ErrorKind::Setting, message)
    }
}

/// What `value` says of when a session ends: [`AUTO_DISABLE`].
pub(crate) fn parse_ending(value: &str) -> Result<Ending, BackendError> {
    match AUTO_DISABLE.number(value) {
        Some(0.0) => Ok(Ending::Never),
        Some(number) => Ok(Ending::Beyond(number)),
        None if value.trim() == BY_BUDGET => Ok(Ending::ByBudget),
        None => Err(AUTO_DISABLE.wrong(value, &format!(", or '{BY_BUDGET}'"))),
    }
}

/// What `settings` say of it, or else the default.
pub(crate) fn ending_in(settings: &[Setting]) -> Result<Ending, BackendError> {
    parse_ending(AUTO_DISABLE.text_in(settings))
}

/// Adds all keys to what the backend says of itself.
pub(crate) fn describe(description: Description) -> Description {
    let description = MAX_PERIOD.describe(PERIOD.describe(description));
    let limits = [BUDGET_PERCENT, SAMPLES_PER_SEC, AUTO_DISABLE];
    let description = limits.iter().fold(description, |all, limit| limit.describe(all));
    MAX_SITES.describe(MAX_LOCKS.describe(description))
}

/// The names of all keys. All but the last two can be changed while a session
/// runs.
pub(crate) const NAMES: [&str; 7] = [
    PERIOD.name,
    MAX_PERIOD.name,
    BUDGET_PERCENT.name,
    SAMPLES_PER_SEC.name,
    AUTO_DISABLE.name,
    MAX_LOCKS.name,
    MAX_SITES.name,
];

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

    #[test]
    fn a_session_ends_by_a_number_by_the_budget_or_never() {
        for (text, ending) in
            [("budget", Ending::ByBudget), ("0", Ending::Never), (" 2.5e6", Ending::Beyond(2.5e6))]
        {
            assert_eq!(parse_ending(text), Ok(ending));
        }
        assert_eq!(ending_in(&[]), Ok(Ending::ByBudget));
        assert_eq!(
            parse_ending("often").unwrap_err().message,
            "the key 'auto_disable_ops_per_sec' must be a number from 0 (no limit) to 4000000000, or 'budget', and is 'often'; correct it"
        );
    }
}
