//! The backend's configuration keys.

use lockscope_core::backend::{BackendError, Description, ErrorKind};

/// Longest period: a sample in a million operations says little enough.
const LONGEST_PERIOD: u32 = 1_000_000;
/// Most locks: their records would take some 5 GB.
const MOST_LOCKS: u32 = 10_000_000;
const MOST_SITES: u32 = 10_000;

/// A key whose value is a whole number.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) default: u32,
    pub(crate) most: u32,
    help: &'static str,
}

pub(crate) const PERIOD: Key = Key {
    name: "period",
    default: 100,
    most: LONGEST_PERIOD,
    help: "One operation in so many is sampled, from 1 (every one) to 1000000. Can be changed in a running session.",
};

pub(crate) const MAX_LOCKS: Key = Key {
    name: "max_locks",
    default: 100_000,
    most: MOST_LOCKS,
    help: "So many locks have a record at one time, from 1 to 10000000; each takes about half a kilobyte. What other locks do is counted as lost.",
};

pub(crate) const MAX_SITES: Key = Key {
    name: "max_sites",
    default: 64,
    most: MOST_SITES,
    help: "So many call sites of one lock are told apart, from 1 to 10000; the rest are recorded together.",
};

pub(crate) const KEYS: [&Key; 3] = [&PERIOD, &MAX_LOCKS, &MAX_SITES];

impl Key {
    /// Adds the key to what the backend says of itself.
    pub(crate) fn describe(&self, description: Description) -> Description {
        description.key(self.name, &self.default.to_string(), self.help)
    }

    /// The number that `value` says.
    pub(crate) fn parse(&self, value: &str) -> Result<u32, BackendError> {
        match value.trim().parse() {
            Ok(number) if (1..=self.most).contains(&number) => Ok(number),
            _ => Err(BackendError::new(
                ErrorKind::Setting,
                format!(
                    "the key '{}' must be a whole number from 1 to {}, and is '{value}'; correct it",
                    self.name, self.most
                ),
            )),
        }
    }
}

/// The key is none of ours, or one that a running session cannot change.
pub(crate) fn not_now(key: &str) -> BackendError {
    let message = if KEYS.iter().any(|known| known.name == key) {
        format!(
            "the key '{key}' holds for the life of a backend; set it in the configuration and start the program again"
        )
    } else {
        let known: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        format!("there is no key '{key}'; the keys are {}", known.join(", "))
    };
    BackendError::new(ErrorKind::Setting, message)
}
