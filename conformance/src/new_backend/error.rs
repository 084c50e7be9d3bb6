//! Why no backend was written.

use std::path::PathBuf;

/// A sentence that ends in what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NewBackendError {
    /// The name is not a word that can be used everywhere a backend's name is.
    #[error(
        "'{name}' cannot be the name of a backend: {why}; choose a word of small letters, digits and '_' that begins with a letter, such as '{instead}'"
    )]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: String,
        /// One that can be used.
        instead: String,
    },
    /// The name means something else already.
    #[error("'{name}' cannot be the name of a backend: {what}; choose another")]
    NameTaken {
        /// The name.
        name: String,
        /// What has it.
        what: &'static str,
    },
    /// There is something in the folder.
    #[error(
        "the folder {} is there already and is not empty; name another by --path, or remove it", path.display()
    )]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// No checkout is where one was named.
    #[error(
        "{} is no checkout of lockscope: expected {} there; name the folder that has it, or leave out --lockscope to depend on published versions",
        path.display(), expected
    )]
    NoCheckout {
        /// The folder that was named.
        path: PathBuf,
        /// The file that is missing, or what it is not.
        expected: &'static str,
    },
    /// A file cannot be read or written.
    #[error("{} cannot be written: {source}; see to the folder's permissions and room, or name another by --path", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
