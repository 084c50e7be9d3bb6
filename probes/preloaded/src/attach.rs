//! The way from a library that is preloaded to the host, in an initialiser of its own.

use core::ffi::{CStr, c_char, c_int};
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use lockscope_core::Probe;
use lockscope_symbols::module_of;

/// Names the host's library.
const HOST_VARIABLE: &str = "LOCKSCOPE_HOST";
/// Names libraries that the dynamic linker is to load first.
const PRELOAD_VARIABLE: &str = "LD_PRELOAD";
/// If it is there, processes that the program starts are watched as well.
const CHILDREN_VARIABLE: &str = "LOCKSCOPE_ALL_CHILDREN";
/// The host's entry: takes the probe, opens its gate when it likes, and returns 0, or
/// anything else once it has told the user what is wrong.
const ATTACH_SYMBOL: &CStr = c"lockscope_attach_v1";

type Attach = unsafe extern "C" fn(probe: *const Probe) -> c_int;

/// The host's library, if the process is to be profiled: one that has more rights
/// than who started it is not.
#[must_use]
pub fn host() -> Option<OsString> {
    // SAFETY: the call reads a word that the kernel left for the process.
    let is_privileged = unsafe { libc::getauxval(libc::AT_SECURE) != 0 };
    let host = std::env::var_os(HOST_VARIABLE).filter(|host| !host.is_empty());
    host.filter(|_| !is_privileged)
}

/// Processes that the program starts run without the library that `own`, a function, is
/// in; unless the user wants them to be watched as well.
///
/// # Safety
///
/// - The program has no threads yet, which could read its environment.
pub unsafe fn leave_children_alone(own: extern "C" fn()) {
    if std::env::var_os(CHILDREN_VARIABLE).is_some() {
        return;
    }
    let Some(own) = module_of(own as usize) else { return };
    let Some(preloaded) = std::env::var_os(PRELOAD_VARIABLE) else { return };
    let rest = without(preloaded.as_bytes(), own.path.as_os_str().as_bytes());
    // SAFETY: as the caller promises.
    unsafe {
        if rest.is_empty() {
            std::env::remove_var(PRELOAD_VARIABLE);
        } else {
            std::env::set_var(PRELOAD_VARIABLE, OsString::from_vec(rest));
        }
    }
}

/// The list without this file. Its members stand between colons and spaces.
fn without(list: &[u8], file: &[u8]) -> Vec<u8> {
    let members = list.split(|byte| b": ".contains(byte));
    let others: Vec<&[u8]> =
        members.filter(|member| !member.is_empty() && *member != file).collect();
    others.join(&b':')
}

/// Opens the host's library, and hands it the probe.
///
/// # Errors
///
/// What the dynamic linker says, if it cannot be opened. What the host finds wrong it
/// has told the user itself.
pub fn open(host: &OsStr, probe: &'static Probe) -> Result<(), String> {
    let path = std::ffi::CString::new(host.as_bytes()).unwrap_or_default();
    // Local, so that nothing in the program binds to the host's symbols; never
    // unloaded, since its threads and thread-local values live on.
    let flags = libc::RTLD_NOW | libc::RTLD_LOCAL | libc::RTLD_NODELETE;
    // SAFETY: the user named the library to be run; its initialisers are those of a
    // Rust library.
    let library = unsafe { libc::dlopen(path.as_ptr(), flags) };
    let attach = if library.is_null() {
        core::ptr::null_mut()
    } else {
        // SAFETY: an open library, and a string that ends with a 0.
        unsafe { libc::dlsym(library, ATTACH_SYMBOL.as_ptr()) }
    };
    if attach.is_null() {
        return Err(format!(
            "the host named by {HOST_VARIABLE}, {}, cannot be opened: {}",
            host.display(),
            linker_error()
        ));
    }
    // SAFETY: the symbol's name says its version, and with it its type.
    let attach = unsafe { core::mem::transmute::<*mut libc::c_void, Attach>(attach) };
    // SAFETY: the probe is a static. A failure was told to the user by the host,
    // which knows the reason.
    unsafe { attach(core::ptr::from_ref(probe)) };
    Ok(())
}

/// Says on stderr that `what` is not profiled, and why.
pub fn tell_unprofiled(what: &str, reason: &str) {
    // Not `eprintln!`, which panics if nobody reads stderr any more.
    let _ = writeln!(std::io::stderr(), "lockscope: {reason}; {what} are not profiled");
}

/// What the dynamic linker says of its last failure.
fn linker_error() -> String {
    // SAFETY: the call takes nothing; its answer is a string that stays until the
    // next call of this thread.
    let error: *const c_char = unsafe { libc::dlerror() };
    if error.is_null() {
        return "no reason is known".to_owned();
    }
    // SAFETY: as above.
    unsafe { CStr::from_ptr(error) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_own_preloads_stay() {
        assert_eq!(without(b"/a/b.so", b"/a/b.so"), b"");
        assert_eq!(without(b"/a/b.so:/c.so d.so", b"/a/b.so"), b"/c.so:d.so");
        assert_eq!(without(b"/c.so:/a/b.so", b"/a/b.so"), b"/c.so");
        assert_eq!(without(b"/c.so", b"/a/b.so"), b"/c.so");
    }

    #[test]
    fn a_host_that_is_not_there_is_named() {
        static PROBE: Probe = Probe::new("test", crate::resolve);
        let error = open(OsStr::new("/nowhere/libhost.so"), &PROBE).unwrap_err();
        assert!(error.contains("/nowhere/libhost.so") && error.contains("LOCKSCOPE_HOST"));
    }
}
