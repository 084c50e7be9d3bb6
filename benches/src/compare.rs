//! What has changed between two runs by more than their noise.

use crate::documents::shown;
use crate::record::{Cell, Record};

/// Bytes are the same from run to run, but for what the allocator does.
const BYTES_NOISE: f64 = 0.03;

/// A line for each figure that differs by more than its noise, and one that says
/// how many were compared.
#[must_use]
pub fn differences(before: &Record, after: &Record) -> Vec<String> {
    let (mut lines, mut compared, mut rough) = (Vec::new(), 0, 0);
    for (table, old) in
        after.tables.iter().filter_map(|table| Some((table, before.table(&table.id)?)))
    {
        for (row, old) in table
            .rows
            .iter()
            .filter_map(|row| Some((row, old.rows.iter().find(|old| old.title == row.title)?)))
        {
            for (column, (new, old)) in table.columns.iter().zip(row.cells.iter().zip(&old.cells)) {
                let (Some(new), Some(old)) = (new, old) else { continue };
                compared += 1;
                if !differ(*old, *new) {
                    rough += usize::from(is_rough(*old) || is_rough(*new));
                } else {
                    let (old, new) = (shown(*old), shown(*new));
                    lines.push(format!("{}, {}, {column}: {old} → {new}", table.id, row.title));
                }
            }
        }
    }
    lines.push(match lines.len() {
        0 => format!("none of {compared} figures has changed by more than its noise"),
        changed => format!("{changed} of {compared} figures have changed by more than their noise"),
    });
    if rough > 0 {
        lines.push(format!("{rough} of the others are too rough to tell, in one of both runs"));
    }
    lines
}

fn is_rough(cell: Cell) -> bool {
    matches!(cell, Cell::Ratio(ratio) if ratio.is_noisy())
}

fn differ(old: Cell, new: Cell) -> bool {
    match (old, new) {
        (Cell::Ratio(old), Cell::Ratio(new)) => {
            // Intervals that do not meet, and a hundredth between the medians: a
            // program's layout alone makes as much.
            (old.high < new.low || new.high < old.low) && (old.median - new.median).abs() > 0.01
        }
        (Cell::Bytes(old), Cell::Bytes(new)) => {
            (old as f64 - new as f64).abs() > old as f64 * BYTES_NOISE
        }
        (Cell::Ns(old), Cell::Ns(new)) => old.max(new) > 2 * old.min(new),
        (Cell::Count(old), Cell::Count(new)) => old != new,
        // They follow from seeds.
        (Cell::Percent(old), Cell::Percent(new)) => (old - new).abs() > 1e-9,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Ratio;

    fn ratio(median: f64, by: f64) -> Cell {
        Cell::Ratio(Ratio { median, low: median - by, high: median + by })
    }

    #[test]
    fn what_is_too_rough_to_tell_is_counted() {
        let record = |cells: Vec<Option<Cell>>| {
            let mut table = crate::record::Table::new("one", "one", &["a", "b"]);
            table.rows.push(crate::record::Row { title: "row".to_owned(), cells });
            let provenance = crate::record::Provenance::of("cargo xtask bench".to_owned());
            Record { provenance, tables: vec![table] }
        };
        let before = record(vec![Some(ratio(1.0, 0.1)), Some(ratio(1.0, 0.01))]);
        let after = record(vec![Some(ratio(1.05, 0.1)), Some(ratio(1.1, 0.01))]);
        let lines = differences(&before, &after);
        assert_eq!(
            lines[1..],
            [
                "1 of 2 figures have changed by more than their noise",
                "1 of the others are too rough to tell, in one of both runs",
            ]
        );
    }

    #[test]
    fn what_is_within_its_noise_has_not_changed() {
        assert!(!differ(ratio(1.05, 0.02), ratio(1.08, 0.02)));
        assert!(differ(ratio(1.05, 0.01), ratio(1.08, 0.01)));
        assert!(!differ(ratio(1.050, 0.001), ratio(1.058, 0.001)), "layout");
        assert!(!differ(Cell::Bytes(709), Cell::Bytes(715)));
        assert!(differ(Cell::Bytes(64), Cell::Bytes(72)));
        assert!(!differ(Cell::Ns(90), Cell::Ns(120)) && differ(Cell::Ns(90), Cell::Ns(300)));
        assert!(differ(Cell::Ns(1), Cell::Bytes(1)), "another figure");
    }
}
