//! The parking_lot family against a backend that writes everything down.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

/// Runs an operation, and notes in `lines` where it stands.
macro_rules! at {
    ($lines:ident, $operation:expr) => {{
        $lines.push(line!());
        $operation
    }};
}

mod backend;
mod condvar;
mod exclusion;
mod likeness;
mod mutex;
mod once;
mod reentrant;
mod rwlock;
mod sessions;
