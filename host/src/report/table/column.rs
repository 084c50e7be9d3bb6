//! The table's columns, and which of them fit.

use super::super::model::Total;
use super::super::rows::{Row, SortKey};
use super::super::text::{cut_left, width};
use super::super::units::{count, duration, error, share};
use super::TableOptions;

/// Blanks between two columns.
pub(super) const GAP: usize = 2;
/// Columns for a share, `100 %`, and a blank.
const SHARE: usize = 6;
/// What a text column should have before others are left out for it.
const COMFORT: [usize; 2] = [14, SHARE + 12];
/// What stands before an estimate whose standard error had to be left out.
pub(super) const ESTIMATE: &str = "~";
/// What stands where there is nothing to say.
const NOTHING: &str = "–";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Lock,
    Kind,
    Acquisitions,
    Contentions,
    Wait,
    WaitP99,
    Hold,
    HoldMean,
    Blame,
}

/// What can be given up when the terminal is too narrow.
#[derive(Clone, Copy)]
enum Sacrifice {
    Errors,
    Column(Column),
}

impl Column {
    const ALL: [Self; 9] = [
        Self::Lock,
        Self::Kind,
        Self::Acquisitions,
        Self::Contentions,
        Self::Wait,
        Self::WaitP99,
        Self::Hold,
        Self::HoldMean,
        Self::Blame,
    ];

    /// The two lines above the column.
    pub(super) fn head(self) -> [&'static str; 2] {
        match self {
            Self::Lock => ["", "lock"],
            Self::Kind => ["", "kind"],
            Self::Acquisitions => ["acqui-", "sitions"],
            Self::Contentions => ["conten-", "tions"],
            Self::Wait => ["wait", "total"],
            Self::WaitP99 => ["wait", "p99"],
            Self::Hold => ["hold", "total"],
            Self::HoldMean => ["hold", "mean"],
            // The share ends where the word does.
            Self::Blame => ["most to blame:", "share held at"],
        }
    }

    /// Whether cells stand on the left.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Lock | Self::Kind | Self::Blame)
    }

    /// What of `row` stands in the column, if that is a total.
    fn total(self, row: &Row) -> Option<Total> {
        match self {
            Self::Acquisitions => Some(row.acquisitions),
            Self::Contentions => Some(row.contentions),
            Self::Wait => Some(row.wait_ns),
            Self::Hold => Some(row.hold_ns),
            Self::HoldMean => row.hold_mean_ns,
            Self::Lock | Self::Kind | Self::WaitP99 | Self::Blame => None,
        }
    }

    /// What goes first, second, … when the terminal is too narrow. What the
    /// rows are ordered by stays to the end.
    fn sacrifices(sort: SortKey) -> Vec<Sacrifice> {
        use Sacrifice::{Column as C, Errors};
        let all = [
            C(Self::Hold),
            Errors,
            C(Self::Kind),
            C(Self::HoldMean),
            C(Self::WaitP99),
            C(Self::Contentions),
            C(Self::Acquisitions),
            C(Self::Blame),
            C(Self::Wait),
        ];
        let kept = match sort {
            SortKey::Wait => Self::Wait,
            SortKey::Hold => Self::Hold,
            SortKey::Contentions => Self::Contentions,
        };
        all.into_iter().filter(|one| !matches!(one, C(column) if *column == kept)).collect()
    }
}

/// The columns that fit, and how wide they are.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) columns: Vec<Column>,
    widths: Vec<usize>,
    /// Whether standard errors stand beside their estimates.
    pub(super) errors: bool,
}

impl Layout {
    /// The best layout of `rows` for the width that there is.
    pub(super) fn fit(rows: &[Row], options: &TableOptions) -> Self {
        let mut layout = Self { columns: Column::ALL.to_vec(), widths: Vec::new(), errors: true };
        layout.measure(rows);
        let Some(room) = options.width else { return layout };
        for sacrifice in Column::sacrifices(options.sort) {
            if layout.comfortable() <= room {
                break;
            }
            match sacrifice {
                Sacrifice::Errors => layout.errors = false,
                Sacrifice::Column(given) => layout.columns.retain(|column| *column != given),
            }
            layout.measure(rows);
        }
        layout.squeeze(room);
        layout
    }

    pub(super) fn has(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }

    /// The totals of `row` that are shown.
    pub(super) fn totals(&self, row: &Row) -> Vec<Total> {
        self.columns.iter().filter_map(|column| column.total(row)).collect()
    }

    /// Columns that `column` takes; 0 if it was left out.
    pub(super) fn width(&self, column: Column) -> usize {
        self.position(column).map_or(0, |position| self.widths[position])
    }

    fn position(&self, column: Column) -> Option<usize> {
        self.columns.iter().position(|other| *other == column)
    }

    /// Makes every column as wide as its widest cell.
    fn measure(&mut self, rows: &[Row]) {
        let widest = |column: &Column| {
            let head = column.head().map(width);
            let cells = rows.iter().map(|row| width(&cell(*column, row, self.errors, None)));
            cells.chain(head).max().unwrap_or(0)
        };
        self.widths = self.columns.iter().map(widest).collect();
    }

    /// The width of the table if paths are cut as far as is comfortable.
    fn comfortable(&self) -> usize {
        let widths = self.columns.iter().zip(&self.widths).map(|(column, width)| match column {
            Column::Lock => COMFORT[0].min(*width),
            Column::Blame => COMFORT[1].min(*width),
            _ => *width,
        });
        widths.sum::<usize>() + GAP * self.columns.len().saturating_sub(1)
    }

    /// Cuts the two columns of paths so that the table fits into `room`.
    fn squeeze(&mut self, room: usize) {
        let lock = self.width(Column::Lock);
        let blame = self.width(Column::Blame);
        let whole: usize = self.widths.iter().sum();
        let rest = whole - lock - blame + GAP * self.columns.len().saturating_sub(1);
        let room = room.saturating_sub(rest);
        if lock + blame <= room {
            return;
        }
        // Half for each, or more for one if the other needs less.
        let half = room / 2;
        let narrow_lock = lock.min(half.max(room.saturating_sub(blame)));
        for (column, width) in
            [(Column::Lock, narrow_lock), (Column::Blame, blame.min(room - narrow_lock))]
        {
            if let Some(position) = self.position(column) {
                self.widths[position] = width;
            }
        }
    }

    /// The cell of `row` in `column`, cut to fit.
    pub(super) fn cell(&self, column: Column, row: &Row) -> String {
        cell(column, row, self.errors, Some(self.width(column)))
    }
}

fn cell(column: Column, row: &Row, errors: bool, room: Option<usize>) -> String {
    match column {
        Column::Lock => lock(row, room),
        Column::Kind => row.kind.clone(),
        Column::Blame => blame(row, room),
        Column::WaitP99 => row.wait_p99.map_or_else(nothing, |p99| duration(p99.ns)),
        Column::Acquisitions | Column::Contentions => {
            column.total(row).map_or_else(nothing, |of| total(count(of.value), of, errors))
        }
        Column::Wait | Column::Hold | Column::HoldMean => match column.total(row) {
            Some(time) if time.value > 0.0 => total(duration(time.value), time, errors),
            _ => nothing(),
        },
    }
}

fn nothing() -> String {
    NOTHING.to_owned()
}

/// An estimate never looks like a count.
fn total(text: String, total: Total, errors: bool) -> String {
    match error(total) {
        Some(error) if errors => format!("{text} {error}"),
        Some(_) => format!("{ESTIMATE}{text}"),
        None => text,
    }
}

fn blame(row: &Row, room: Option<usize>) -> String {
    let Some(blame) = &row.blame else { return format!("{NOTHING:>5}") };
    let holder = match room {
        Some(room) => cut_left(&blame.holder, room.saturating_sub(SHARE)),
        None => blame.holder.clone(),
    };
    format!("{:>5} {holder}", share(blame.share))
}

/// The label is cut, how many locks it stands for is not.
fn lock(row: &Row, room: Option<usize>) -> String {
    let times =
        if row.locks > 1 { format!(" ×{}", count(row.locks as f64)) } else { String::new() };
    let label = match room {
        Some(room) => cut_left(&row.label, room.saturating_sub(width(&times))),
        None => row.label.clone(),
    };
    format!("{label}{times}")
}
