//! A build, and what it made, as cargo tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::Call;
use crate::error::Error;
use crate::metadata;

/// What a build made, and of what.
#[derive(Debug, Default, PartialEq)]
pub struct Built {
    executables: BTreeMap<String, PathBuf>,
    /// The folders of all packages that were compiled, now or before, sorted.
    pub folders: BTreeSet<PathBuf>,
}

/// Builds packages of the workspace, optimised.
///
/// # Errors
///
/// The build fails.
pub fn release(packages: &[&str]) -> Result<Built, Error> {
    let packages = packages.iter().flat_map(|package| ["-p", package]);
    let build = ["build", "--release", "--message-format", "json-render-diagnostics"];
    let messages = Call::cargo().args(build).args(packages).output()?;
    Ok(Built::read(&String::from_utf8_lossy(&messages)))
}

impl Built {
    /// Reads cargo's messages, one a line.
    fn read(messages: &str) -> Self {
        let mut built = Self::default();
        for line in messages.lines() {
            // What else stands there was printed by a build script.
            let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
            let manifest = message["manifest_path"].as_str().map(Path::new);
            built.folders.extend(manifest.and_then(Path::parent).map(Path::to_owned));
            let names = (message["target"]["name"].as_str(), message["executable"].as_str());
            if let (Some(name), Some(path)) = names {
                built.executables.insert(name.to_owned(), path.into());
            }
        }
        built
    }

    /// The program of this name.
    ///
    /// # Errors
    ///
    /// There is none among what was built.
    pub fn executable(&self, name: &str) -> Result<&Path, Error> {
        let missing = || Error::Metadata(format!("nothing of a program {name} when it built it"));
        self.executables.get(name).map(PathBuf::as_path).ok_or_else(missing)
    }

    /// The folders of packages that are not of this workspace; if there are
    /// none, of those that are.
    #[must_use]
    pub fn sources(&self) -> Vec<&Path> {
        let root = metadata::root();
        let (ours, theirs): (Vec<&Path>, Vec<&Path>) =
            self.folders.iter().map(PathBuf::as_path).partition(|dir| dir.starts_with(&root));
        if theirs.is_empty() { ours } else { theirs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_sources_are_taken_from_cargos_messages() {
        let ours = metadata::root().join("demo");
        let own = format!(
            r#"{{"manifest_path":"{}/Cargo.toml","target":{{"name":"a"}},"executable":"/t/a"}}"#,
            ours.display()
        );
        let theirs =
            r#"{"manifest_path":"/r/b-1.0/Cargo.toml","target":{"name":"b"},"executable":null}"#;
        let end = r#"{"reason":"build-finished","success":true}"#;

        let built = Built::read(&format!("{own}\nnot of cargo\n{theirs}\n{theirs}\n{end}\n"));
        assert_eq!(built.executable("a").expect("built"), Path::new("/t/a"));
        assert!(built.executable("b").expect_err("a library").to_string().contains("program b"));
        assert_eq!(built.sources(), [Path::new("/r/b-1.0")]);
        assert_eq!(Built::read(&own).sources(), [ours]);
    }
}
