//! What can be wrong with the command line or the folders it names.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why nothing was indexed. Each message ends in what to do.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum Error {
    /// A flag that does not exist.
    UnknownFlag(String),
    /// A flag that needs a number has none, or something else.
    NotANumber {
        /// The flag.
        flag: &'static str,
        /// What stood there; `None` at the end of the line.
        found: Option<String>,
    },
    /// No folder was named.
    NoFolder,
    /// A folder that cannot be listed.
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A list of folders that cannot be read.
    List {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Folders without a single text file.
    NoText,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFlag(flag) => {
                write!(f, "there is no flag {flag}; `lockscope-demo --help` lists those that are.")
            }
            Self::NotANumber { flag, found: Some(found) } => {
                write!(f, "{flag} needs a number from 1, not {found:?}; for example `{flag} 4`.")
            }
            Self::NotANumber { flag, found: None } => {
                write!(f, "{flag} needs a number from 1 after it; for example `{flag} 4`.")
            }
            Self::NoFolder => write!(
                f,
                "no folder to index was named; name one or more, or let `cargo xtask demo` choose."
            ),
            Self::Folder { path, source } => {
                write!(
                    f,
                    "cannot list the folder {}: {source}; name one that can be.",
                    path.display()
                )
            }
            Self::List { path, source } => {
                write!(
                    f,
                    "cannot read the list {} of folders: {source}; name a text file with one \
                     folder a line.",
                    path.display()
                )
            }
            Self::NoText => {
                write!(f, "there is no .rs, .md, .txt or .toml file to index; name other folders.")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Folder { source, .. } | Self::List { source, .. } => Some(source),
            _ => None,
        }
    }
}
