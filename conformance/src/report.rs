//! What is printed of a run.
//!
//! Whatever the format, a rule that is broken is explained by the same lines: see
//! [`explanation`].

mod explanation;
mod json;
mod junit;
mod tally;
mod tap;
#[cfg(test)]
mod tests;
pub mod text;

use clap::ValueEnum;

use crate::runner::{Kit, Run};

pub use explanation::{Part, explanation, replay};
pub use tally::{Tally, tallies};

/// A format for what was found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// Test Anything Protocol, version 14.
    Tap,
    /// One JSON object.
    Json,
    /// JUnit's XML, as CI systems read it.
    Junit,
}

impl Format {
    /// What was found out, in this format.
    #[must_use]
    pub fn render(self, kit: &Kit, run: &Run) -> String {
        match self {
            Self::Text => text::run(kit, run),
            Self::Tap => tap::run(kit, run),
            Self::Json => json::run(kit, run),
            Self::Junit => junit::run(kit, run),
        }
    }
}
