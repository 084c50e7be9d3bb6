//! Where a value stood.

use std::fmt;
use std::path::PathBuf;

/// Where a value stood.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Nobody gave it.
    BuiltIn,
    /// A line of a configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command.
    Flag(&'static str),
    /// The argument of one of the command's verbs.
    Argument(&'static str),
    /// A call of the builder.
    Builder(&'static str),
    /// A command to a running process.
    Command(&'static str),
}

impl Place {
    /// `path` as it is meant here: paths in a file are seen from its folder.
    pub(crate) fn anchor(&self, path: &str) -> String {
        match self {
            Self::File { path: file, .. } => match file.parent() {
                Some(folder) => super::anchored(folder, path),
                None => path.to_owned(),
            },
            _ => path.to_owned(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("the built-in default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::Flag(flag) => write!(f, "the flag {flag}"),
            Self::Argument(verb) => write!(f, "the argument of {verb}"),
            Self::Command(verb) => write!(f, "the command ctl {verb}"),
            Self::Builder(call) => write!(f, "the builder's {call}"),
        }
    }
}

/// A value, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stood.
    pub place: Place,
}

impl<T> Placed<T> {
    /// A value that nobody gave.
    #[must_use]
    pub fn built_in(value: T) -> Self {
        Self { value, place: Place::BuiltIn }
    }
}
