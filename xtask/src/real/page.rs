//! The table of `docs/real-programs.md`.

use core::fmt::Write;
use std::fs;
use std::path::PathBuf;

use super::record::{Provenance, Record, Spread};
use super::text_of;
use crate::error::Error;
use crate::metadata;

const BEGIN: &str = "<!-- real programs -->\n";
const END: &str = "<!-- /real programs -->\n";

/// The document.
#[must_use]
pub fn path() -> PathBuf {
    metadata::root().join("docs/real-programs.md")
}

/// Writes what was found into the document.
///
/// # Errors
///
/// It cannot be read or written, or has no place for it.
pub fn write(record: &Record) -> Result<(), Error> {
    let path = path();
    let text = filled(&text_of(&path)?, record).ok_or_else(|| {
        let source = std::io::Error::other(format!("there is no {} in it", BEGIN.trim()));
        Error::File { path: path.clone(), source }
    })?;
    fs::write(&path, text).map_err(|source| Error::File { path, source })
}

/// `document` with what was found between its two comments.
#[must_use]
pub fn filled(document: &str, record: &Record) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let (table, provenance) = (table(record), provenance(&record.provenance));
    Some(format!("{before}{BEGIN}{table}\n{provenance}\n{END}{after}"))
}

/// A row for each program.
#[must_use]
pub fn table(record: &Record) -> String {
    let mut text = "\
| | acquisitions a second | recorded, to counted | CPU time of the same work, gate closed | … one in 100 | throughput, gate closed | … one in 100 | first lock of the report |
|---|---|---|---|---|---|---|---|
"
    .to_owned();
    for found in &record.programs {
        let (closed, sampled) = (&found.closed, &found.one_in_100);
        let cells = [
            format!("{}: {}", found.name, found.work),
            thousands(found.per_s),
            format!("{:.4}, estimated {:.3}", found.every, found.sampled),
            shown(&closed.cpu),
            shown(&sampled.cpu),
            shown(&closed.throughput),
            shown(&sampled.throughput),
            found.top.clone(),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn shown(spread: &Spread) -> String {
    if spread.least == spread.most {
        return format!("{:.2}", spread.median);
    }
    format!("{:.2} ({:.2}–{:.2})", spread.median, spread.least, spread.most)
}

/// A number that is known to some per cent.
fn thousands(number: f64) -> String {
    match number {
        1e6.. => format!("{:.1} million", number / 1e6),
        1e3.. => format!("{:.0} thousand", number / 1e3),
        _ => format!("{number:.0}"),
    }
}

/// Where it was found, and how.
#[must_use]
pub fn provenance(provenance: &Provenance) -> String {
    let Provenance { machine, cores, system, commit, load, command } = provenance;
    let load = *load as f64 / 100.0;
    let others = if load < 0.5 {
        "nothing else to do".to_owned()
    } else {
        format!("other work to do (a load of {load:.1} when it began), which blurs the ratios")
    };
    format!(
        "On {machine}, {cores} cores, {system}, that had {others}; commit {commit}, by \
         `{command}`.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_says_what_the_record_does() {
        let record = Record::load().expect("a record is kept");
        let document = text_of(&path()).expect("there is the document");
        let filled = filled(&document, &record).expect("it has a place for the table");
        assert_eq!(document, filled, "`cargo xtask real-programs --tables` writes it");
        assert!(!record.programs.is_empty());
    }
}
