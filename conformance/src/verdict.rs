//! What is found out about a plugin and a rule.

use lockscope_core::backend::BackendError;
use lockscope_host::HostError;
use serde::{Deserialize, Serialize};

/// How the check of a rule ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The plugin keeps the rule, as far as was looked.
    Passed,
    /// It does not.
    Failed(Failure),
    /// The check could not be made, because another rule is broken.
    NotRun {
        /// The other rule.
        because: String,
        /// What was observed.
        why: String,
    },
}

/// A rule that is broken, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What should have been: a phrase.
    pub expected: String,
    /// What was.
    pub observed: String,
    /// What led there, step by step: as short as it could be made.
    pub history: Vec<String>,
    /// The rule that is to be seen to first, if this one could not be checked.
    pub blocked_by: Option<String>,
    /// What the process wrote, if anything.
    #[serde(default)]
    pub output: String,
}

impl Failure {
    /// Something else was observed than expected.
    pub fn new(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self { expected: expected.into(), observed: observed.into(), ..Self::default() }
    }

    /// The same, with the steps that led there.
    #[must_use]
    pub fn after<S: Into<String>>(self, history: impl IntoIterator<Item = S>) -> Self {
        Self { history: history.into_iter().map(Into::into).collect(), ..self }
    }

    /// The check cannot go on, because of something that is another rule's
    /// matter: then it counts as not run.
    pub fn blocked_by(rule: &str, why: impl core::fmt::Display) -> Self {
        let blocked_by = Some(rule.to_owned());
        Self { observed: why.to_string(), blocked_by, ..Self::default() }
    }

    /// Compares two things that should be the same.
    ///
    /// # Errors
    ///
    /// The failure, if they are not: `what` says of what.
    pub fn unless_equal<T: PartialEq + core::fmt::Debug>(
        what: &str,
        expected: &T,
        observed: &T,
    ) -> Result<(), Self> {
        if expected == observed {
            return Ok(());
        }
        Err(Self::new(format!("{what}: {expected:?}"), format!("{observed:?}")))
    }

    pub(crate) fn into_verdict(self) -> Verdict {
        match self.blocked_by {
            Some(because) => Verdict::NotRun { because, why: self.observed },
            None => Verdict::Failed(self),
        }
    }
}

/// A simulated session that should go on: what the backend says instead.
impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::new("no error", format!("an error of kind {:?}: {error}", error.kind))
    }
}

/// A real session that should go on: what the host says instead.
impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::new("no error", format!("an error: {error}"))
    }
}
