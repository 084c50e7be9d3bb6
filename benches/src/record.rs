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
        std::fs::write(path, text)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    }
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
