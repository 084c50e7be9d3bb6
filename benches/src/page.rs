//! A record as one page with plots, which needs nothing but itself.

use core::fmt::Write;

use crate::documents::{markdown, provenance, shown};
use crate::plot;
use crate::record::{Cell, Record, Table};

const STYLE: &str = include_str!("page.css");

/// Height of a bar with the space around it, in pixels; and where bars begin and
/// how wide the longest is.
const ROW: f64 = 18.0;
const LEFT: f64 = 330.0;
const WIDTH: f64 = 460.0;

/// The page.
#[must_use]
pub fn html(record: &Record) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>What lockscope costs</title><style>{STYLE}</style>\n<h1>What lockscope costs</h1>\n<p>{}</p>\n",
        escaped(provenance(&record.provenance).trim_end()).replace('`', "")
    );
    for table in &record.tables {
        let _ = writeln!(page, "<h2>{}</h2>", escaped(&table.title));
        let lines = plot::plots(table);
        lines.iter().for_each(|plot| page.push_str(&plot.svg()));
        for (at, column) in table.columns.iter().enumerate().filter(|_| lines.is_empty()) {
            page.push_str(&bars(table, at, column));
        }
        page.push_str(&rows(table));
    }
    page.push_str("</html>\n");
    page
}

/// Bars for one column, each with its interval.
fn bars(table: &Table, at: usize, column: &str) -> String {
    let all: Vec<(&str, Cell)> =
        table.rows.iter().filter_map(|row| Some((&*row.title, (*row.cells.get(at)?)?))).collect();
    let most = all.iter().map(|(_, cell)| extent(*cell).2).fold(f64::MIN_POSITIVE, f64::max);
    if all.is_empty() {
        return String::new();
    }
    let x = |value: f64| LEFT + value / most * WIDTH;
    let height = ROW * (all.len() as f64 + 1.5);
    let mut svg = format!(
        "<svg width=\"{}\" height=\"{height}\" role=\"img\"><text x=\"{LEFT}\" y=\"13\" font-weight=\"600\">{}</text>\n",
        LEFT + WIDTH + 150.0,
        escaped(column)
    );
    for (number, (title, cell)) in all.iter().enumerate() {
        let (low, middle, high) = extent(*cell);
        let top = ROW * (number as f64 + 1.2);
        let (centre, base) = (top + 6.0, top + 10.0);
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{base:.0}\" text-anchor=\"end\">{}</text><rect class=\"bar\" x=\"{LEFT}\" y=\"{top:.0}\" width=\"{:.1}\" height=\"12\"/>\
             <line class=\"spread\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{centre:.0}\" y2=\"{centre:.0}\"/><text x=\"{:.0}\" y=\"{base:.0}\">{}</text>",
            LEFT - 8.0,
            escaped(title),
            x(middle) - LEFT,
            x(low),
            x(high),
            x(high) + 8.0,
            escaped(&shown(*cell)),
        );
    }
    if all.iter().any(|(_, cell)| matches!(cell, Cell::Ratio(_))) && most > 1.0 {
        let _ = writeln!(
            svg,
            "<line class=\"one\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{ROW}\" y2=\"{height}\"/>",
            x(1.0)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Lower end, middle, upper end.
pub(crate) fn extent(cell: Cell) -> (f64, f64, f64) {
    match cell {
        Cell::Ratio(ratio) => (ratio.low, ratio.median, ratio.high),
        Cell::Bytes(value) | Cell::Ns(value) | Cell::Count(value) => {
            (value as f64, value as f64, value as f64)
        }
        Cell::Percent(value) => (value, value, value),
    }
}

/// The table itself, folded away.
fn rows(table: &Table) -> String {
    let mut html = String::from("<details><summary>as a table</summary><table>\n");
    // What a table is in Markdown, line by line, but for the line that rules it off.
    for (number, line) in
        markdown(table, &[]).lines().enumerate().filter(|(number, _)| *number != 1)
    {
        let tag = if number == 0 { "th" } else { "td" };
        html.push_str("<tr>");
        let cells = line.trim_start_matches('|').trim_end_matches('|').split('|');
        cells.for_each(|cell| {
            let _ = write!(html, "<{tag}>{}</{tag}>", escaped(cell.trim()));
        });
        html.push_str("</tr>\n");
    }
    html.push_str("</table></details>\n");
    html
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::kept;

    #[test]
    fn every_figure_is_on_the_page_and_nothing_from_elsewhere() {
        let record = Record::load(&kept()).unwrap();
        let page = html(&record);
        for table in &record.tables {
            assert!(page.contains(&escaped(&table.title)), "{}", table.id);
            for cell in table.rows.iter().flat_map(|row| row.cells.iter().flatten()) {
                assert!(page.contains(&shown(*cell)), "{cell:?}");
            }
        }
        let foreign = ["http", "src=", "url(", "@import", "<link", "<script"];
        assert!(foreign.iter().all(|word| !page.contains(word)));
        assert!(page.contains("prefers-color-scheme:dark"), "to be read by night as well");
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    }
}
