//! Threads of the host, in a program that is not.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread that takes none of the program's signals: those are for the
/// program's own threads. Linux shows the first 15 characters of `name`.
pub(crate) fn spawn(
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    without_signals(|| Builder::new().name(name.to_owned()).spawn(body))
}

/// Runs `start` with all signals blocked, which the thread that it starts
/// inherits.
fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    // SAFETY: both sets are plain memory, for which all zeros is a value, and
    // are valid for writes.
    let before = unsafe {
        let mut all: libc::sigset_t = core::mem::zeroed();
        let mut before: libc::sigset_t = core::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    };
    let started = start();
    // SAFETY: the set is the one that held before.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, core::ptr::null_mut()) };
    started
}
