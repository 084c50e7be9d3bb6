//! The terminal that the standard output is, if it is one.

use std::io::IsTerminal;

/// Columns of the terminal on the standard output; `None` if there is none, or
/// if it does not say.
#[must_use]
pub fn width() -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the request writes a `winsize` to where its argument points.
    let status = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (status == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Whether the standard output is a terminal whose user wants colours.
#[must_use]
pub fn wants_colour() -> bool {
    // See https://no-color.org: any value but the empty one says no.
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !refused && std::io::stdout().is_terminal()
}
