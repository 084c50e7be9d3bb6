//! The terminal that stderr is on: the table of a run goes there, because the
//! program's stdout is its own.

use std::io::IsTerminal;

use crate::report::table::TableOptions;

/// How the table is to look on stderr.
pub(super) fn table_options() -> TableOptions {
    let terminal = std::io::stderr().is_terminal();
    // See https://no-color.org: any value but the empty one says no.
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    TableOptions { width: width(), colour: terminal && !refused, ..TableOptions::default() }
}

fn width() -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the request writes a `winsize` to where its argument points.
    let status = unsafe { libc::ioctl(libc::STDERR_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (status == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}
