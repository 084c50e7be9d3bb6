//! How the kit has a backend record everything, or one operation in N.
//!
//! A backend's keys are its own. These names, though, mean the same wherever they
//! are used, and a backend that has one of them is configured so; what another
//! one needs is said with `--set`.

/// So that it is awake from a session's start on, and stays within its budget.
const AWAKE: [(&str, &str); 3] =
    [("wake_at_start", "1"), ("window_ms", "86400000"), ("budget_percent", "0")];

/// What a check wants a backend to record, beside everything that has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// What it records if nobody says anything.
    Usual,
    /// Every operation.
    Everything,
    /// One operation in so many, at first.
    OneIn(u32),
}

impl Recording {
    /// The keys that say so, if a backend has them.
    #[must_use]
    pub(crate) fn keys(self) -> Vec<(String, String)> {
        let keys = match self {
            Self::Usual => Vec::new(),
            Self::Everything => vec![("period", 1), ("max_period", 1)],
            Self::OneIn(period) => vec![("period", period)],
        };
        keys.into_iter().map(|(key, value)| (key.to_owned(), value.to_string())).collect()
    }

    /// The keys that have a backend be awake, if it is to record anything in
    /// particular.
    pub(crate) fn awake(self) -> Vec<(String, String)> {
        let keys: &[_] = if self == Self::Usual { &[] } else { &AWAKE };
        keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }
}
