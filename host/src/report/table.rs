//! The table that a terminal shows.

mod column;
mod legend;
mod modes;
mod summary;
#[cfg(test)]
mod tests;

use anstyle::{AnsiColor, Style};

use super::model::ReportFile;
pub use super::rows::SortKey;
use super::rows::{Row, rows};
use super::text::{self, width};
use column::{Column, Layout};
pub(crate) use summary::periods;

/// A table narrower than this says nothing; narrower terminals get this width.
const NARROWEST: usize = 24;

/// How the table is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableOptions {
    /// Columns of the terminal; `None` for as many as it takes.
    pub width: Option<usize>,
    /// Whether to use colours.
    pub colour: bool,
    /// How many rows to show.
    pub top: usize,
    /// What the rows are ordered by.
    pub sort: SortKey,
}

impl Default for TableOptions {
    /// Twenty rows by wait, plain and as wide as it takes.
    fn default() -> Self {
        Self { width: None, colour: false, top: 20, sort: SortKey::Wait }
    }
}

/// What parts of the table look like.
#[derive(Clone, Copy)]
struct Styles {
    head: Style,
    faint: Style,
    warning: Style,
    alarm: Style,
}

impl Styles {
    fn new(colour: bool) -> Self {
        let plain = Style::new();
        if !colour {
            return Self { head: plain, faint: plain, warning: plain, alarm: plain };
        }
        Self {
            head: plain.bold(),
            faint: plain.dimmed(),
            warning: AnsiColor::Yellow.on_default(),
            alarm: AnsiColor::Red.on_default().bold(),
        }
    }
}

/// `text` in `style`.
fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The report as a table, ending in a line break.
///
/// A row stands for all locks with one name, or of one creation site, and of
/// one kind. Columns that do not fit into [`TableOptions::width`] are left out,
/// least important first, and paths are cut from the left. A `±` stands at an
/// estimate whose standard error is 1 % of it or more, a `~` where there is no
/// room to say how much. A legend explains both, the shares, and how true the
/// percentiles are.
#[must_use]
pub fn render(report: &ReportFile, options: &TableOptions) -> String {
    let options =
        TableOptions { width: options.width.map(|width| width.max(NARROWEST)), ..*options };
    let styles = Styles::new(options.colour);
    let rows = rows(report, options.sort);
    let shown = &rows[..rows.len().min(options.top)];
    let mut text = summary::head(report, &options);
    if !shown.is_empty() {
        text.push('\n');
        text.push_str(&body(shown, &options, styles));
    }
    text.push_str(&summary::foot(report, &rows, &options, styles));
    text
}

/// The table in plain lines, for whoever lays them out himself.
#[cfg(feature = "top")]
#[derive(Debug)]
pub(crate) struct Lines {
    /// The session in a sentence.
    pub(crate) session: Vec<String>,
    /// The heads of the columns: none if there are no rows.
    pub(crate) heads: Vec<String>,
    pub(crate) rows: Vec<String>,
    /// What the table does not show: waits in progress, losses, notes.
    pub(crate) foot: Vec<String>,
}

/// The report as lines; the table has the rows that are `shown`.
#[cfg(feature = "top")]
pub(crate) fn lines(report: &ReportFile, shown: &[Row], options: &TableOptions) -> Lines {
    let options = TableOptions {
        width: options.width.map(|width| width.max(NARROWEST)),
        colour: false,
        top: usize::MAX,
        ..*options
    };
    let styles = Styles::new(false);
    let split = |text: &str| text.trim_matches('\n').lines().map(str::to_owned).collect();
    let body = match shown {
        [] => String::new(),
        rows => heads_and_cells(rows, &Layout::fit(rows, &options), styles),
    };
    let mut heads: Vec<String> = split(&body);
    let rows = heads.split_off(heads.len().min(2));
    let all = super::rows::rows(report, options.sort);
    Lines {
        session: split(&summary::head(report, &options)),
        heads,
        rows,
        foot: split(&summary::foot(report, &all, &options, styles)),
    }
}

fn body(rows: &[Row], options: &TableOptions, styles: Styles) -> String {
    let layout = Layout::fit(rows, options);
    let mut text = heads_and_cells(rows, &layout, styles);
    let legend = legend::legend(rows, &layout);
    if !legend.is_empty() {
        let legend = text::wrap(&legend, options.width, 0);
        text.push_str(&format!("\n{}\n", styled(styles.faint, &legend)));
    }
    text
}

fn heads_and_cells(rows: &[Row], layout: &Layout, styles: Styles) -> String {
    let mut text = String::new();
    for line in 0..2 {
        let cells = layout.columns.iter().map(|column| column.head()[line].to_owned());
        text.push_str(&line_of(layout, cells, |_| styles.head));
    }
    for row in rows {
        let cells = layout.columns.iter().map(|column| layout.cell(*column, row));
        text.push_str(&line_of(layout, cells, |column| match column {
            Column::Kind => styles.faint,
            _ => Style::new(),
        }));
    }
    text
}

/// One line of cells, each as wide as its column, without blanks at the end.
fn line_of(
    layout: &Layout,
    cells: impl Iterator<Item = String>,
    style: impl Fn(Column) -> Style,
) -> String {
    let mut line = String::new();
    let mut blanks = 0;
    for (column, cell) in layout.columns.iter().zip(cells) {
        let missing = layout.width(*column).saturating_sub(width(&cell));
        let (before, after) = if column.is_text() { (0, missing) } else { (missing, 0) };
        if !cell.is_empty() {
            line.push_str(&" ".repeat(blanks + before));
            line.push_str(&styled(style(*column), &cell));
            blanks = after + column::GAP;
        } else {
            blanks += missing + column::GAP;
        }
    }
    line.push('\n');
    line
}
