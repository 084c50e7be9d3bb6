//! What can go wrong, and what to do then.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a command of xtask ended early. Each message ends in what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The command line is not understood.
    Usage {
        /// What is not understood.
        found: String,
        /// What would be.
        known: String,
    },
    /// A program could not be started.
    Start {
        /// The command as one would type it.
        command: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A program ended with another status than 0.
    Failed {
        /// The command as one would type it.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A step of `cargo xtask test` failed.
    Step {
        /// The step.
        name: &'static str,
        /// What went wrong in it.
        source: Box<Error>,
    },
    /// A file or folder could not be written or read.
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A program says otherwise of itself than what was seen of it.
    Differs {
        /// In what, a line each.
        what: String,
        /// The command as one would type it.
        command: String,
    },
    /// `cargo metadata` printed something else than expected.
    Metadata(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage { found, known } => {
                write!(f, "{found:?} is not known here; these are:\n{}", known.trim_end())
            }
            Self::Start { command, source } => {
                write!(f, "`{command}` could not be started: {source}; is it installed?")
            }
            Self::Failed { command, status } => write!(
                f,
                "`{command}` ended with {status}; what it printed above says why, and the same \
                 command repeats it."
            ),
            Self::Step { name, source } => write!(
                f,
                "the step {name} failed: {source}\nTo repeat the step: cargo xtask test --only {name}"
            ),
            Self::File { path, source } => {
                write!(f, "{}: {source}; make it accessible and try again.", path.display())
            }
            Self::Differs { what, command } => write!(
                f,
                "what the program says of itself and what was seen of it differ:\n{what}\n\
                 `{command}` repeats the run; look into its report."
            ),
            Self::Metadata(what) => write!(
                f,
                "`cargo metadata` said {what}; run it by hand to see, and `cargo --version`: \
                 1.95 or later is expected."
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start { source, .. } | Self::File { source, .. } => Some(source),
            Self::Step { source, .. } => Some(source),
            _ => None,
        }
    }
}
