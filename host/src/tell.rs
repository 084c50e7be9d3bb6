//! What is said to people, on stderr.
//!
//! `eprintln!` panics if nobody reads stderr any more, and takes several
//! writes for one sentence. In a program that is not ours, and in a command
//! that has to end as that program does, a warning is not worth either.

use std::fmt::Display;
use std::io::Write;

/// Says `text`, one or more sentences, in a line of its own.
pub(crate) fn tell(text: impl Display) {
    show(&format!("lockscope: {text}\n"));
}

/// Prints `text` as it is, in one piece. If it cannot be printed, it is lost.
pub(crate) fn show(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}
