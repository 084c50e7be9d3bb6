//! What can go wrong with a report: sentences that end in what to do.

use std::path::PathBuf;

use super::model::VERSION;

/// An error of reading, writing or printing a report.
///
/// Every message says what was expected, what was found, where, and what to
/// do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file does not exist.
    #[error("the report {} does not exist; check the path, or make one with `lockscope run -o {} -- PROGRAM`", path.display(), path.display())]
    Missing {
        /// The report's file.
        path: PathBuf,
    },
    /// The path names a folder.
    #[error("{} is a folder, not a report; name a file in it that `lockscope run` wrote", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("the report {} cannot be read: {source}; name a file that the user who runs lockscope has the right to read", path.display())]
    Unreadable {
        /// The report's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file has no content.
    #[error("the report {} is an empty file; lockscope writes reports whole or not at all, so something else made it: copy it again, or profile the program again", path.display())]
    Empty {
        /// The report's file.
        path: PathBuf,
    },
    /// The file's JSON ends too early.
    #[error("the report {} is not whole: it ends at byte {bytes}, within the report; lockscope writes reports whole or not at all, so it was probably cut short while it was copied: copy it again", path.display())]
    Truncated {
        /// The report's file.
        path: PathBuf,
        /// Length of the file.
        bytes: u64,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The file is not JSON.
    #[error("the file {} is not JSON: expected a lockscope report, found {found} at line {line}, column {column}; name a file that `lockscope run` wrote", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1; 0 for the end of the line before.
        column: usize,
        /// What stands there.
        found: String,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The file is JSON, and something else than a report.
    #[error("the file {} is not a lockscope report: expected an object whose 'format' is '{}', found {found}; name a file that `lockscope run` wrote", path.display(), super::model::FORMAT)]
    NotReport {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// The file was written by a newer lockscope.
    #[error("the report {} has version {found} of the format, this lockscope reads versions up to {VERSION}; read it with the lockscope that wrote it, or a newer one", path.display())]
    Newer {
        /// The report's file.
        path: PathBuf,
        /// The file's version.
        found: u64,
    },
    /// A field of the report is missing or of another type.
    #[error("the report {} does not follow version {version} of the format: {source}; something else than lockscope wrote or changed it: see docs/report-format.md, or profile the program again", path.display())]
    Field {
        /// The report's file.
        path: PathBuf,
        /// The version that it claims.
        version: u64,
        /// What the parser said, with line and column.
        source: serde_json::Error,
    },
    /// A file cannot be written.
    #[error("the file {} cannot be written: {source}; name a file in a folder that exists, has room and can be written", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What should be printed cannot be.
    #[error("the report cannot be printed: {source}; check where the output of the command goes")]
    Print {
        /// What the system said.
        source: std::io::Error,
    },
    /// Three profiles cannot go to one stream.
    #[error(
        "--pprof writes three files and cannot print them; give it a name to begin theirs with, as in `--pprof locks`"
    )]
    PprofToStream,
    /// Two outputs want the standard output.
    #[error("--json and `--folded -` cannot both print; give --folded the name of a file")]
    TwoToStream,
}
