//! The tables of the documents, made of a record.
//!
//! A document holds a table between two comments, `<!-- cost: ID … -->` and
//! `<!-- /cost -->`: what stands between them is the record's. Words after the id
//! choose rows: those that begin with one of them, which are apart by `|`.

use core::fmt::Write;

use crate::record::{Cell, Provenance, Record, Table, kept_accuracy, kept_limits};
use crate::{accuracy, limits, suite};

/// The documents that hold tables, from the workspace's root.
pub const DOCUMENTS: [&str; 3] = ["README.md", "docs/cost.md", "docs/accuracy.md"];

const BEGIN: &str = "<!-- cost: ";
const END: &str = "<!-- /cost -->";
const NOT_RECORDED: &str = "Not in the recorded result; `cargo xtask bench` measures it.\n";

/// `document` with the tables of `record`.
///
/// # Errors
///
/// A sentence that names the table that there is not, or the comment that does
/// not end.
pub fn filled(document: &str, record: &Record) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = document;
    while let Some(at) = rest.find(BEGIN) {
        let line_end =
            rest[at..].find('\n').map(|end| at + end + 1).ok_or("a comment at the end")?;
        let comment = &rest[at + BEGIN.len()..line_end];
        let asked = comment.trim_end().trim_end_matches("-->").trim();
        let end = rest[line_end..]
            .find(END)
            .map(|end| line_end + end)
            .ok_or_else(|| format!("the table '{asked}' has no {END} behind it"))?;
        text.push_str(&rest[..line_end]);
        text.push_str(&piece(asked, record)?);
        rest = &rest[end..];
    }
    text.push_str(rest);
    Ok(text)
}

fn piece(asked: &str, record: &Record) -> Result<String, String> {
    if asked == "provenance" {
        return Ok(provenance(&record.provenance));
    }
    if asked == "limits" {
        let counts = Record::load(&kept_limits())?;
        let table = counts.table("limits").ok_or("the record of limits has no table 'limits'")?;
        return Ok(format!("{}\n{}", limits::markdown(table), provenance(&counts.provenance)));
    }
    let (id, rows) = asked.split_once(' ').unwrap_or((asked, ""));
    if id.starts_with(accuracy::ID) {
        let errors = Record::load(&kept_accuracy())?;
        if id == "accuracy_provenance" {
            return Ok(provenance(&errors.provenance));
        }
        let table = errors.table(id).ok_or(format!("the record of errors has no table '{id}'"))?;
        return Ok(markdown(&accuracy::beside_cost(table, record), &chosen(rows)));
    }
    let Some(table) = record.table(id) else {
        // What is measured since the record was made, or in a full run alone.
        return if suite::is_measured(id) {
            Ok(NOT_RECORDED.to_owned())
        } else {
            Err(format!("the record has no table '{id}'"))
        };
    };
    Ok(markdown(table, &chosen(rows)))
}

/// What chosen rows begin with.
fn chosen(rows: &str) -> Vec<&str> {
    rows.split('|').map(str::trim).filter(|row| !row.is_empty()).collect()
}

/// `table`, with those rows that begin with one of `chosen`; with all if there are
/// none.
#[must_use]
pub fn markdown(table: &Table, chosen: &[&str]) -> String {
    let mut text = format!("| | {} |\n|---|", table.columns.join(" | "));
    table.columns.iter().for_each(|_| text.push_str("---|"));
    text.push('\n');
    let is_chosen =
        |title: &str| chosen.is_empty() || chosen.iter().any(|begin| title.starts_with(begin));
    for row in table.rows.iter().filter(|row| is_chosen(&row.title)) {
        let cells: Vec<String> =
            row.cells.iter().map(|cell| cell.map(shown).unwrap_or_default()).collect();
        let _ = writeln!(text, "| {} | {} |", row.title, cells.join(" | "));
    }
    text
}

/// One figure, in few signs.
#[must_use]
pub fn shown(cell: Cell) -> String {
    match cell {
        Cell::Ratio(ratio) => ratio.to_string(),
        Cell::Bytes(number) | Cell::Count(number) => number.to_string(),
        Cell::Percent(0.0) => "exact".to_owned(),
        Cell::Percent(part) if part < 10.0 => format!("{part:.2} %"),
        Cell::Percent(part) => format!("{part:.1} %"),
        Cell::Ns(ns) if ns < 10_000 => format!("{ns} ns"),
        Cell::Ns(ns) if ns < 10_000_000 => format!("{:.0} µs", ns as f64 / 1e3),
        Cell::Ns(ns) => format!("{:.0} ms", ns as f64 / 1e6),
    }
}

/// What the figures were measured on.
#[must_use]
pub fn provenance(provenance: &Provenance) -> String {
    let Provenance { machine, cores, compiler, commit, command, .. } = provenance;
    format!("Measured on {machine}, {cores} cores, {compiler}, commit {commit}, by `{command}`.\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Row, kept, root};
    use crate::stats::Ratio;

    fn record() -> Record {
        let cell = |median| Some(Cell::Ratio(Ratio { median, low: median, high: median }));
        let row = |title: &str, median| Row { title: title.to_owned(), cells: vec![cell(median)] };
        let mut table = Table::new("two", "two", &["a"]);
        table.rows = vec![row("closed", 1.0), row("wrapper, one in 100", 1.08)];
        Record {
            provenance: Provenance {
                machine: "a machine".to_owned(),
                cores: 2,
                compiler: "a compiler".to_owned(),
                commit: "abc".to_owned(),
                unix_time: 1,
                command: "cargo xtask bench".to_owned(),
            },
            tables: vec![table],
        }
    }

    #[test]
    fn a_table_is_filled_in_whatever_stood_there() {
        let document = "a\n<!-- cost: two wrapper -->\nold\n<!-- /cost -->\nb\n";
        let filled = filled(document, &record()).unwrap();
        insta::assert_snapshot!(filled, @"
        a
        <!-- cost: two wrapper -->
        | | a |
        |---|---|
        | wrapper, one in 100 | 1.08 (1.08–1.08) |
        <!-- /cost -->
        b
        ");
        assert_eq!(super::filled(&filled, &record()).unwrap(), filled, "twice is once");
    }

    #[test]
    fn what_is_not_there_is_named() {
        let missing = filled("<!-- cost: three -->\n<!-- /cost -->\n", &record()).unwrap_err();
        assert_eq!(missing, "the record has no table 'three'");
        let new = filled("<!-- cost: zipf_short -->\n<!-- /cost -->\n", &record()).unwrap();
        assert!(new.contains(NOT_RECORDED), "{new}");
        let open = filled("<!-- cost: two -->\n", &record()).unwrap_err();
        assert_eq!(open, "the table 'two' has no <!-- /cost --> behind it");
    }

    #[test]
    fn the_documents_say_what_the_record_says() {
        let record = Record::load(&kept()).unwrap();
        for document in DOCUMENTS {
            let text = std::fs::read_to_string(root().join(document)).unwrap();
            assert!(
                filled(&text, &record).unwrap() == text,
                "{document} is not what benches/record says; `cargo xtask bench --tables` writes it anew"
            );
        }
    }
}
