//! The first lock operation of a process: is there a host?
//!
//! A host that is linked into the program is found through the register in
//! `lockscope_core::probe`. A host that is not is named by the environment:
//! `lockscope run` sets [`HOST_VARIABLE`] to a library, which is opened here.

use core::error::Error as _;
use core::ffi::c_int;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::Path;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use lockscope_core::sync::{AtomicBool, Ordering, pause};
use lockscope_core::{Probe, probe};

use crate::watch::PROBE;

/// Names the host's library.
const HOST_VARIABLE: &str = "LOCKSCOPE_HOST";
/// The host's entry: takes the probe, opens its gate when it likes, and
/// returns 0, or anything else once it has told the user what is wrong.
const ATTACH_SYMBOL: &[u8] = b"lockscope_attach_v1\0";

type Attach = unsafe extern "C" fn(probe: *const Probe) -> c_int;

/// Whether somebody has taken it on to look for a host.
static CLAIMED: AtomicBool = AtomicBool::new(false);
/// How often whoever comes meanwhile gives way: until a host that is linked in
/// has opened the gate, so that nothing is lost of a session that runs already;
/// and no longer, because the one who looks may need something that we hold.
const PATIENCE: u32 = 1_000;

/// To be called by an operation that found the gate as nobody has passed it.
///
/// The gate starts in a state of its own, so this check is part of what a
/// closed gate tests anyway. One operation looks for a host; those that come
/// meanwhile wait for a moment and go on with the gate as it is.
#[cold]
#[inline(never)]
pub(crate) fn first_operation() {
    // Relaxed: the claim is decided by atomicity; the gate publishes the rest.
    if CLAIMED.swap(true, Ordering::Relaxed) {
        let mut patience = PATIENCE;
        while PROBE.gate.look().is_unseen() && patience > 0 {
            pause();
            patience -= 1;
        }
        return;
    }
    probe::arrive(&PROBE);
    // Unless that has opened it. From here on nobody waits: what follows may
    // run code of others.
    PROBE.gate.first_pass();
    let Some(host) = host_to_open(std::env::var_os(HOST_VARIABLE), is_privileged()) else {
        return;
    };
    if let Err(error) = open_host(&host) {
        // Not `eprintln!`, which panics if nobody reads stderr any more: the
        // program does not pay for our warning.
        let _ = writeln!(
            std::io::stderr(),
            "lockscope: the host named by {HOST_VARIABLE}, {}, cannot be opened: {}; \
             the program runs unprofiled. Start it with `lockscope run`, which names the right one.",
            Path::new(&host).display(),
            reason(&error)
        );
    }
}

/// The library to open, if one is named and may be honoured: a program that
/// has more rights than who started it takes no code from the environment.
fn host_to_open(named: Option<OsString>, privileged: bool) -> Option<OsString> {
    named.filter(|name| !name.is_empty() && !privileged)
}

fn is_privileged() -> bool {
    // SAFETY: the call reads a word that the kernel left for the process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

fn open_host(path: &OsStr) -> Result<(), libloading::Error> {
    // Local, so that nothing in the program binds to the host's symbols; never
    // unloaded, since its threads and thread-local values live on.
    let flags = RTLD_NOW | RTLD_LOCAL | libc::RTLD_NODELETE;
    // SAFETY: the user named the library to be run; its initialisers are those
    // of a Rust library.
    let library = unsafe { Library::open(Some(path), flags)? };
    // SAFETY: the symbol's name says its version, and with it its type.
    let attach = unsafe { *library.get::<Attach>(ATTACH_SYMBOL)? };
    core::mem::forget(library);
    // SAFETY: the probe is a static. A failure was told to the user by the
    // host, which knows the reason.
    unsafe { attach(&raw const PROBE) };
    Ok(())
}

/// What the dynamic linker said: libloading's own text only says which call
/// failed.
fn reason(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_privileged_program_opens_nothing() {
        let named = Some(OsString::from("/lib/host.so"));
        assert_eq!(host_to_open(named.clone(), false), named);
        assert_eq!(host_to_open(named, true), None);
        assert_eq!(host_to_open(Some(OsString::new()), false), None);
        assert_eq!(host_to_open(None, false), None);
    }

    #[test]
    fn a_host_that_is_not_there_is_an_error_and_not_the_end() {
        let error = open_host(OsStr::new("/nowhere/liblockscope_host.so")).expect_err("absent");
        let reason = reason(&error);
        assert!(reason.contains("/nowhere/liblockscope_host.so"), "{reason}");
    }
}
