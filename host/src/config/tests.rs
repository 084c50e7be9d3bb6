//! Which of several says the last word, and what is said of a wrong one.

mod messages;
mod precedence;

use std::path::Path;

use lockscope_core::backend::Description;
use tempfile::TempDir;

use super::{Config, FILE_NAME, Overrides, Sources};
use crate::error::HostError;

/// A folder with a `lockscope.toml` of this text; it vanishes with its owner.
fn folder(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
    folder
}

/// A process that was started in `folder` with these variables.
fn sources(folder: &Path, variables: &[(&str, &str)]) -> Sources {
    Sources {
        variables: variables.iter().map(|(name, value)| (name.into(), value.into())).collect(),
        folder: Some(folder.to_owned()),
    }
}

/// The configuration of such a process without flags.
fn resolve(folder: &Path, variables: &[(&str, &str)]) -> Result<Config, HostError> {
    Config::resolve(&sources(folder, variables), &Overrides::default())
}

fn backend() -> Description {
    Description::new("wrapper", "0.1.0", "for tests")
        .key("period", "100", "One operation in this many is sampled.")
        .key("max_locks", "5", "Locks that are kept.")
}
