//! Programs, run from the root of the workspace unless it is said otherwise.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::metadata;

/// A program with arguments and variables, which can be shown as one types it.
#[derive(Clone, Debug)]
pub struct Call {
    program: OsString,
    args: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    folder: PathBuf,
}

impl Call {
    /// A call of `program`.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            variables: Vec::new(),
            folder: metadata::root(),
        }
    }

    /// A call of the cargo that runs this.
    #[must_use]
    pub fn cargo() -> Self {
        Self::new("cargo")
    }

    /// With these arguments after those there are.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// With these lists of arguments, one after the other.
    #[must_use]
    pub fn arg_lists(self, lists: &[&[&str]]) -> Self {
        self.args(lists.concat())
    }

    /// With this environment variable.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name, value.as_ref().to_owned()));
        self
    }

    /// Run from this folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    /// The command as one would type it at the workspace's root.
    #[must_use]
    pub fn shown(&self) -> String {
        let root = metadata::root();
        let in_root = |path: &OsStr| {
            let path = Path::new(path);
            path.strip_prefix(&root).unwrap_or(path).display().to_string()
        };
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| format!("{name}={}", quoted(&in_root(value))));
        let words = std::iter::once(&self.program).chain(&self.args).map(|word| in_root(word));
        variables.chain(words.map(|word| quoted(&word))).collect::<Vec<_>>().join(" ")
    }

    /// Runs it, with the output where ours goes.
    ///
    /// # Errors
    ///
    /// It cannot be started, or ends with another status than 0.
    pub fn run(&self) -> Result<(), Error> {
        let status = self.prepared().status().map_err(|source| self.not_started(source))?;
        if status.success() { Ok(()) } else { Err(Error::Failed { command: self.shown(), status }) }
    }

    /// Runs it, and returns what it wrote to its standard output.
    ///
    /// # Errors
    ///
    /// As [`Call::run`].
    pub fn output(&self) -> Result<Vec<u8>, Error> {
        let mut command = self.prepared();
        let output =
            command.stderr(Stdio::inherit()).output().map_err(|source| self.not_started(source))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(Error::Failed { command: self.shown(), status: output.status })
        }
    }

    fn prepared(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    fn not_started(&self, source: std::io::Error) -> Error {
        Error::Start { command: self.shown(), source }
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@+%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    match word.split_once('=') {
        Some((name, value)) if name.chars().all(is_plain) => format!("{name}='{value}'"),
        _ => format!("'{word}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_shown_as_one_types_it() {
        let target = metadata::root().join("target/loom");
        let call = Call::cargo()
            .args(["test", "-p", "a b"])
            .variable("RUSTFLAGS", "--cfg x")
            .variable("CARGO_TARGET_DIR", target);
        assert_eq!(
            call.shown(),
            "RUSTFLAGS='--cfg x' CARGO_TARGET_DIR=target/loom cargo test -p 'a b'"
        );
    }

    #[test]
    fn a_failure_names_the_command() {
        let call = Call::new("false").args(["--now"]);
        let failed = call.run().expect_err("false fails").to_string();
        assert!(failed.starts_with("`false --now` ended with exit status: 1; "), "{failed}");
        let missing = Call::new("no-such-program").run().expect_err("missing").to_string();
        assert!(missing.starts_with("`no-such-program` could not be started: "), "{missing}");
    }
}
