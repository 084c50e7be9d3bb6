//! The report's file: read with an exact complaint, written whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;

use super::ReportError;
use super::model::{FORMAT, ReportFile, VERSION};

#[cfg(test)]
mod tests;

/// Reads a report.
///
/// # Errors
///
/// [`ReportError`], by what is wrong: missing, unreadable, empty, truncated,
/// not JSON, not a report, of a newer version, or not as its version demands.
pub fn read(path: &Path) -> Result<ReportFile, ReportError> {
    Text::read(path)?.report()
}

/// The content of a report's file, read once: a pipe cannot be read again, and
/// a file may be another by then.
pub(crate) struct Text<'a> {
    path: &'a Path,
    bytes: Vec<u8>,
}

impl<'a> Text<'a> {
    pub(crate) fn read(path: &'a Path) -> Result<Self, ReportError> {
        let bytes = std::fs::read(path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => ReportError::Missing { path: path.to_owned() },
            ErrorKind::IsADirectory => ReportError::Folder { path: path.to_owned() },
            _ => ReportError::Unreadable { path: path.to_owned(), source },
        })?;
        if bytes.trim_ascii().is_empty() {
            return Err(ReportError::Empty { path: path.to_owned() });
        }
        Ok(Self { path, bytes })
    }

    /// What was read from elsewhere; `path` stands for it where something is
    /// wrong with it.
    pub(crate) fn of(path: &'a Path, bytes: Vec<u8>) -> Self {
        Self { path, bytes }
    }

    /// The report that it is.
    pub(crate) fn report(&self) -> Result<ReportFile, ReportError> {
        let version = version(self.path, &self.bytes)?;
        let field = |source| ReportError::Field { path: self.path.to_owned(), version, source };
        serde_json::from_slice(&self.bytes).map_err(field)
    }

    /// The report as it stands, with fields that this version does not know.
    pub(crate) fn value(&self) -> Result<Value, ReportError> {
        serde_json::from_slice(&self.bytes)
            .map_err(|source| not_json(self.path, &self.bytes, source))
    }
}

/// Writes a report, whole or not at all: whoever reads the file meanwhile
/// sees the old one or the new one.
///
/// # Errors
///
/// [`ReportError::Unwritable`]; what was at `path` is then as it was.
pub fn write(path: &Path, report: &ReportFile) -> Result<(), ReportError> {
    write_whole(path, |out| {
        serde_json::to_writer(&mut *out, report).map_err(io::Error::from)?;
        out.write_all(b"\n")
    })
}

/// What `fill` writes becomes the file at `path`, if all of it succeeds.
pub(crate) fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ReportError> {
    // A link is followed, so that it stays one.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let written = match target.metadata() {
        // A pipe or a device is written to; renaming would replace it.
        Ok(found) if !found.is_file() => {
            OpenOptions::new().write(true).open(&target).and_then(|file| filled(&file, fill))
        }
        _ => replace(&target, fill),
    };
    written.map_err(|source| ReportError::Unwritable { path: path.to_owned(), source })
}

fn replace(target: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (file, temporary) = create_beside(target)?;
    let written = filled(&file, fill)
        // A name that is on the disk before its content would be an empty
        // report after a power failure.
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&temporary, target));
    if written.is_err() {
        // Nothing better can be said than why writing failed.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn filled(file: &File, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    fill(&mut out)?;
    out.flush()
}

/// A new file in the folder of `target`, because a rename cannot cross file
/// systems, under a name that no other process or thread uses.
fn create_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path names no file"))?;
    let mut number = 0_u32;
    loop {
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.{number}.tmp", std::process::id()));
        let path = target.with_file_name(hidden);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            // Of another thread, or left by a killed process of this number.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 1000 => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// What every version of the format begins with.
#[derive(Deserialize)]
struct Header {
    format: Option<Value>,
    version: Option<Value>,
}

/// The format's version, if the text is JSON and a report that can be read.
fn version(path: &Path, text: &[u8]) -> Result<u64, ReportError> {
    let not_report = |found: String| ReportError::NotReport { path: path.to_owned(), found };
    let header: Header =
        serde_json::from_slice(text).map_err(|source| match source.classify() {
            _ if is_cut_short(text, &source) => {
                ReportError::Truncated { path: path.to_owned(), bytes: text.len() as u64, source }
            }
            Category::Data => not_report(first_value(text)),
            _ => not_json(path, text, source),
        })?;
    // An array would do for a struct, and is not a report.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(not_report(first_value(text)));
    }
    match header.format {
        None => return Err(not_report("an object without 'format'".to_owned())),
        Some(format) if format != FORMAT => return Err(not_report(format!("'format' {format}"))),
        Some(_) => {}
    }
    match header.version.as_ref().map(Value::as_u64) {
        Some(Some(found)) if found > u64::from(VERSION) => {
            Err(ReportError::Newer { path: path.to_owned(), found })
        }
        Some(Some(found)) if found > 0 => Ok(found),
        _ => Err(not_report("no 'version' that is a number from 1".to_owned())),
    }
}

/// Whether `text` is the beginning of an object and no more. The parser takes
/// a number that ends in its middle for a wrong one.
fn is_cut_short(text: &[u8], error: &serde_json::Error) -> bool {
    let in_a_number = text.ends_with(b".") || text.ends_with(b"e") || text.ends_with(b"-");
    let last = text.rsplit(|byte| *byte == b'\n').next().unwrap_or(text);
    let at_the_end = error.column() == last.len() && text.starts_with(b"{");
    match error.classify() {
        Category::Eof => true,
        Category::Syntax => in_a_number && at_the_end,
        Category::Data | Category::Io => false,
    }
}

fn first_value(text: &[u8]) -> String {
    match text.trim_ascii_start().first() {
        Some(b'[') => "an array",
        Some(b'{') => "an object of another kind",
        Some(b'"') => "a string",
        _ => "a single value",
    }
    .to_owned()
}

fn not_json(path: &Path, text: &[u8], source: serde_json::Error) -> ReportError {
    let (line, column) = (source.line(), source.column());
    let found = if text.starts_with(&[0x1f, 0x8b]) {
        "compressed data (a pprof profile is read with `go tool pprof`)".to_owned()
    } else {
        let rest = text.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or(&[]);
        let rest = rest.get(column.saturating_sub(1)..).unwrap_or(&[]);
        match String::from_utf8_lossy(rest).chars().next() {
            Some(character) => format!("{character:?}"),
            None => "the end of the line".to_owned(),
        }
    };
    ReportError::NotJson { path: path.to_owned(), line, column, found, source }
}
