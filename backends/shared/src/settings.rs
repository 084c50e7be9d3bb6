//! Configuration keys whose values are whole numbers, and those that all
//! backends have.

use lockscope_core::backend::{BackendError, Description, ErrorKind, Setting};

/// Longest period: a sample in a million operations says little enough.
const LONGEST_PERIOD: u32 = 1_000_000;
/// Most locks: their records would take some 5 GB.
const MOST_LOCKS: u32 = 10_000_000;
const MOST_SITES: u32 = 10_000;

/// A key whose value is a whole number.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it is written in the configuration.
    pub name: &'static str,
    /// The value that holds if nobody says otherwise.
    pub default: u32,
    /// The least value.
    pub least: u32,
    /// The greatest value.
    pub most: u32,
    /// One sentence: meaning, unit, and range.
    pub help: &'static str,
}

/// The sampling period.
pub const PERIOD: Key = Key {
    name: "period",
    default: 100,
    least: 1,
    most: LONGEST_PERIOD,
    help: "One operation in so many is sampled, from 1 (every one) to 1000000. Can be changed in a running session.",
};

/// How many locks may have a record.
pub const MAX_LOCKS: Key = Key {
    name: "max_locks",
    default: 100_000,
    least: 1,
    most: MOST_LOCKS,
    help: "So many locks have a record at one time, from 1 to 10000000; each takes about half a kilobyte. What other locks do is counted as lost.",
};

/// How many call sites of one lock are told apart.
pub const MAX_SITES: Key = Key {
    name: "max_sites",
    default: 64,
    least: 1,
    most: MOST_SITES,
    help: "So many call sites of one lock are told apart, from 1 to 10000; the rest are recorded together.",
};

impl Key {
    /// Adds the key to what the backend says of itself.
    #[must_use]
    pub fn describe(&self, description: Description) -> Description {
        description.key(self.name, &self.default.to_string(), self.help)
    }

    /// The number that `value` says.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Setting`] if it says none that the key can have.
    pub fn parse(&self, value: &str) -> Result<u32, BackendError> {
        match value.trim().parse() {
            Ok(number) if (self.least..=self.most).contains(&number) => Ok(number),
            _ => Err(BackendError::new(
                ErrorKind::Setting,
                format!(
                    "the key '{}' must be a whole number from {} to {}, and is '{value}'; correct it",
                    self.name, self.least, self.most
                ),
            )),
        }
    }

    /// The number that `settings` say, or else the default.
    ///
    /// # Errors
    ///
    /// As [`Key::parse`].
    pub fn value_in(&self, settings: &[Setting]) -> Result<u32, BackendError> {
        let given = settings.iter().find(|setting| setting.key == self.name);
        given.map_or(Ok(self.default), |setting| self.parse(&setting.value))
    }
}

/// The error for a key that is none of `keys`, or one of them that a running
/// session cannot change.
#[must_use]
pub fn not_now(key: &str, keys: &[&Key]) -> BackendError {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    not_now_of(key, &names)
}

/// As [`not_now`], where not all values are whole numbers: the keys by name.
#[must_use]
pub fn not_now_of(key: &str, names: &[&str]) -> BackendError {
    let message = if names.contains(&key) {
        format!(
            "the key '{key}' holds for the life of a backend; set it in the configuration and start the program again"
        )
    } else {
        format!("there is no key '{key}'; the keys are {}", names.join(", "))
    };
    BackendError::new(ErrorKind::Setting, message)
}
