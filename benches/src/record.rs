//! What a run has measured, as it is kept and read again.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::stats::Ratio;

/// One run of the bench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What it was measured on, and how.
    pub provenance: Provenance,
    /// What was measured.
    pub tables: Vec<Table>,
}

/// What a run was measured on, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The processor, as it calls itself.
    pub machine: String,
    /// How many cores there were.
    pub cores: usize,
    /// The compiler.
    pub compiler: String,
    /// The commit, with `+` if the tree was changed.
    pub commit: String,
    /// When, as seconds since 1970.
    pub unix_time: u64,
    /// The command that does it again.
    pub command: String,
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// One word by which it is found.
    pub id: String,
    /// What its cells say.
    pub title: String,
    /// What its columns are.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// What one session has cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The session.
    pub title: String,
    /// One for each column; none where there is nothing to measure.
    pub cells: Vec<Option<Cell>>,
}

/// One figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// To the bare lock.
    Ratio(Ratio),
    /// Bytes for each lock.
    Bytes(u64),
    /// Nanoseconds.
    Ns(u64),
    /// Of instructions, loads or stores.
    Count(u64),
    /// A part of a hundred.
    Percent(f64),
}

impl Table {
    /// An empty one.
    #[must_use]
    pub fn new(id: &str, title: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Self { id: id.to_owned(), title: title.to_owned(), columns, rows: Vec::new() }
    }
}

impl Record {
    /// The table with this id.
    #[must_use]
    pub fn table(&self, id: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.id == id)
    }

    /// Reads what [`Record::save`] has written.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with the file.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| {
            format!("{} is no result of this bench: {error}; record one anew", path.display())
        })
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    ///
    /// A sentence that says why it cannot.
    pub fn save(&self, path: &Path) -> Result<(), String> {
        let mut text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        text.push('\n');
        replace(path, &text)
    }

    /// How many of its ratios are too rough.
    #[must_use]
    pub fn noise(&self) -> Noise {
        let cells = self.tables.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells);
        let ratios = cells.filter_map(|cell| match cell {
            Some(Cell::Ratio(ratio)) => Some(ratio),
            _ => None,
        });
        ratios.fold(Noise::default(), |noise, ratio| Noise {
            noisy: noise.noisy + usize::from(ratio.is_noisy()),
            all: noise.all + 1,
        })
    }
}

/// How many figures are marked as too rough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// So many.
    pub noisy: usize,
    /// Of so many.
    pub all: usize,
}

impl Noise {
    /// Whether at least two of three figures tell something.
    ///
    /// # Errors
    ///
    /// A sentence that says how many do not.
    pub fn is_bearable(self) -> Result<(), String> {
        let Self { noisy, all } = self;
        if noisy * 3 <= all {
            return Ok(());
        }
        Err(format!(
            "{noisy} of {all} figures are too rough to tell, and the result is not kept; measure again on a machine that does nothing else"
        ))
    }
}

impl core::fmt::Display for Noise {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { noisy, all } = self;
        write!(f, "{noisy} of {all} ratios are marked by '?', as too rough")?;
        match self.is_bearable() {
            Ok(()) => Ok(()),
            Err(_) => f.write_str(
                ": this run tells little; measure again on a machine that does nothing else",
            ),
        }
    }
}

/// Writes the file anew, whole or not at all: whoever ends the bench meanwhile finds
/// the old one.
///
/// # Errors
///
/// A sentence that says why it cannot.
pub fn replace(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error| format!("cannot write {}: {error}", path.display());
    let mut beside = path.to_owned();
    beside.as_mut_os_string().push(".new");
    std::fs::write(&beside, text).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(|error| {
        // Best effort: the error that is told is the one that matters.
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}

/// The workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// The result that the documents show.
#[must_use]
pub fn kept() -> PathBuf {
    root().join("benches/record/cost.json")
}

/// What has come of the simulated programs: apart from the times, too, and for the same
/// reason.
#[must_use]
pub fn kept_accuracy() -> PathBuf {
    root().join("benches/record/accuracy.json")
}

/// The counts that the documents show: apart from the times, because a machine that is
/// busy counts as well as one that is not.
#[must_use]
pub fn kept_limits() -> PathBuf {
    root().join("benches/record/limits.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(noisy: usize, all: usize) -> Record {
        let ratio = |number| {
            let high = if number < noisy { 1.2 } else { 1.01 };
            Some(Cell::Ratio(Ratio { median: 1.0, low: 0.99, high }))
        };
        let mut table = Table::new("one", "one", &[]);
        let cells = (0..all).map(ratio).chain([None, Some(Cell::Bytes(1))]).collect();
        table.rows.push(Row { title: "row".to_owned(), cells });
        let provenance = Provenance::of("cargo xtask bench".to_owned());
        Record { provenance, tables: vec![table] }
    }

    #[test]
    fn a_run_that_is_too_noisy_says_so_and_is_not_kept() {
        assert_eq!(of(2, 6).noise().to_string(), "2 of 6 ratios are marked by '?', as too rough");
        of(2, 6).noise().is_bearable().unwrap();
        let noise = of(3, 6).noise();
        assert_eq!(
            noise.to_string(),
            "3 of 6 ratios are marked by '?', as too rough: this run tells little; measure again on a machine that does nothing else"
        );
        assert!(noise.is_bearable().unwrap_err().starts_with("3 of 6 figures are too rough"));
    }

    #[test]
    fn what_cannot_be_written_whole_leaves_what_was_there() {
        let folder = std::env::temp_dir().join(format!("lockscope-record-{}", std::process::id()));
        let file = folder.join("cost.json");
        std::fs::create_dir_all(&folder).unwrap();
        of(0, 1).save(&file).unwrap();
        let before = std::fs::read_to_string(&file).unwrap();
        // Where the new one is to be written stands something that is no file.
        std::fs::create_dir(folder.join("cost.json.new")).unwrap();
        let error = of(1, 1).save(&file).unwrap_err();
        assert!(error.starts_with("cannot write "), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
