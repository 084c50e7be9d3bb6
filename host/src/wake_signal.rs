//! A signal that wakes a backend that sleeps.

use std::collections::BTreeSet;
use std::io::{PipeReader, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use crate::config::Signal;
use crate::engine::ENGINE;
use crate::error::HostError;
use crate::tell::tell;
use crate::threads;

/// From now on `signal` wakes the running session's backend, beside whatever
/// else the program has it do. What the system does by default with a signal
/// that nobody catches, it does no longer.
pub(crate) fn wakes(signal: Signal) -> Result<(), HostError> {
    static KNOWN: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if !known.contains(&signal.number()) {
        begin(signal).map_err(|source| HostError::System { what: "catch a signal", source })?;
        known.insert(signal.number());
    }
    Ok(())
}

fn begin(signal: Signal) -> std::io::Result<()> {
    let (read, write) = std::io::pipe()?;
    let write = OwnedFd::from(write);
    // A signal never waits for whoever it is meant for.
    // SAFETY: the call takes integers only.
    if unsafe { libc::fcntl(write.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let owner = std::process::id();
    let note = move || {
        // In a fork the pipe is still the parent's.
        // SAFETY: the calls may be made in a handler; the byte lives for them.
        unsafe {
            if libc::getpid().cast_unsigned() == owner {
                libc::write(write.as_raw_fd(), [1_u8].as_ptr().cast(), 1);
            }
        }
    };
    // SAFETY: the action does only what a handler may.
    unsafe { signal_hook_registry::register(signal.number(), note) }?;
    threads::spawn("lockscope-signal", move || listen(read, signal)).map(drop)
}

fn listen(mut read: PipeReader, signal: Signal) {
    // As many as came since the last time: they wake once.
    let mut came = [0; 64];
    while read.read(&mut came).is_ok_and(|number| number > 0) {
        if let Err(error) = ENGINE.wake(&format!("the signal {signal}")) {
            tell(format_args!("the signal {signal} came, and wakes nobody: {error}"));
        }
    }
}
