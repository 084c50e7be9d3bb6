//! Rows as they are measured: each is shown at once, for a run takes long.

use crate::documents;
use crate::record::{Cell, Row};
use crate::watching::Watching;

/// The row of a session: what `cells` measures while it runs.
///
/// # Panics
///
/// If the session cannot be started or stopped.
#[must_use]
pub fn watched(watching: &Watching, cells: impl FnOnce() -> Vec<Option<Cell>>) -> Row {
    let session = watching.start();
    let cells = cells();
    let report = session.stop().expect("the session stops");
    report.notes.iter().for_each(|note| eprintln!("{watching:?}: {note}"));
    shown(Row { title: watching.title.clone(), cells })
}

/// The row, after it was printed.
#[must_use]
pub fn shown(row: Row) -> Row {
    let cells: Vec<String> =
        row.cells.iter().map(|cell| cell.map(documents::shown).unwrap_or_default()).collect();
    eprintln!("  {}: {}", row.title, cells.join(" | "));
    row
}
