//! The terminal that a table is to appear on, if it is one.

use std::io::IsTerminal;
use std::os::fd::{AsFd, AsRawFd};

/// Columns of the terminal that `output` is; `None` if it is none, or does not
/// say.
pub(crate) fn width(output: impl AsFd) -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    let fd = output.as_fd().as_raw_fd();
    // SAFETY: the request writes a `winsize` to where its argument points.
    let status = unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &raw mut size) };
    (status == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Whether `output` is a terminal whose user wants colours.
pub(crate) fn wants_colour(output: impl IsTerminal) -> bool {
    // See https://no-color.org: any value but the empty one says no.
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !refused && output.is_terminal()
}
