//! How to read the table that stands above it.

use super::super::rows::Row;
use super::super::units::{error, share};
use super::column::{Column, ESTIMATE, Layout};

/// A sentence for each thing in the table that does not explain itself.
pub(super) fn legend(rows: &[Row], layout: &Layout) -> String {
    let sentences = [blame(rows, layout), percentile(rows, layout), errors(rows, layout)];
    sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn blame(rows: &[Row], layout: &Layout) -> Option<String> {
    let shown = layout.has(Column::Blame) && rows.iter().any(|row| row.blame.is_some());
    shown.then(|| {
        "Share: the part of the lock's wait total that began while it was held from there."
            .to_owned()
    })
}

/// A percentile is read from a histogram, and no truer than its buckets.
fn percentile(rows: &[Row], layout: &Layout) -> Option<String> {
    let percentiles = rows.iter().filter_map(|row| row.wait_p99);
    let off_by = percentiles.map(|p99| p99.off_by_ns / p99.ns.max(1.0)).fold(0.0, f64::max);
    // What the three digits that are shown are true to anyway.
    (layout.has(Column::WaitP99) && off_by >= 0.005)
        .then(|| format!("p99: off by {} at most.", share(off_by)))
}

fn errors(rows: &[Row], layout: &Layout) -> Option<String> {
    let totals = rows.iter().flat_map(|row| layout.totals(row));
    let any = totals.into_iter().any(|total| error(total).is_some());
    any.then(|| {
        if layout.errors {
            "±: standard error of an estimate, where it is 1 % or more.".to_owned()
        } else {
            format!(
                "{ESTIMATE}: an estimate with a standard error of 1 % or more, which a wider table shows."
            )
        }
    })
}
