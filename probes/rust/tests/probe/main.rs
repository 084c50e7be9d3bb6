//! Both families against a backend that writes everything down.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

/// Runs an operation, and notes in `lines` where it stands.
macro_rules! at {
    ($lines:ident, $operation:expr) => {{
        $lines.push(line!());
        $operation
    }};
}

/// How a record shows a line of the file that asks.
macro_rules! in_this_file {
    ($line:expr) => {
        Some((file!().to_owned(), $line))
    };
}

mod auto_traits;
mod backend;
mod hammer;
#[cfg(feature = "parking_lot")]
mod parking_lot;
#[cfg(feature = "parking_lot")]
mod stacks;
mod swap;
mod sync;
#[cfg(feature = "parking_lot")]
mod thinned;
