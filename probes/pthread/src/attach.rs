//! The way to the host: before the program's `main`, and before it has threads.
//!
//! Not at the first lock operation, as a program's own locks do it: that may be one
//! of the memory allocator's, which must not be asked for memory then, and opening a
//! library takes a lot of it.

use core::ffi::{CStr, c_char, c_int, c_void};
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use lockscope_core::sync::{AtomicUsize, Ordering};
use lockscope_core::{CallSite, Probe};
use lockscope_symbols::{Module, module_of};

use crate::real;
use crate::watch::PROBE;

/// Names the host's library.
const HOST_VARIABLE: &str = "LOCKSCOPE_HOST";
/// Names libraries that the dynamic linker is to load first, this one among them.
const PRELOAD_VARIABLE: &str = "LD_PRELOAD";
/// If it is there, processes that the program starts are watched as well.
const CHILDREN_VARIABLE: &str = "LOCKSCOPE_ALL_CHILDREN";
/// The host's entry: takes the probe, opens its gate when it likes, and returns 0, or
/// anything else once it has told the user what is wrong.
const ATTACH_SYMBOL: &CStr = c"lockscope_attach_v1";

type Attach = unsafe extern "C" fn(probe: *const Probe) -> c_int;

/// Where the code of an allocator begins that is not glibc's own, and how long it is;
/// both 0 without one.
///
/// Its locks are not watched. Whoever holds one of them must not be led into code
/// that allocates, as a backend's is; and what a program can do about them is to
/// allocate less, which other tools tell better.
static ALLOCATOR: AtomicUsize = AtomicUsize::new(0);
static ALLOCATOR_LEN: AtomicUsize = AtomicUsize::new(0);

/// Whether `site` stands in the allocator.
#[inline(always)]
pub(crate) fn is_of_the_allocator(site: CallSite) -> bool {
    // Relaxed: written before the gate is opened, by the thread that has it opened.
    let len = ALLOCATOR_LEN.load(Ordering::Relaxed);
    len != 0 && site.0.wrapping_sub(ALLOCATOR.load(Ordering::Relaxed)) < len
}

#[used]
#[unsafe(link_section = ".init_array")]
static INITIALISER: extern "C" fn() = initialise;

/// Called by the dynamic linker when the library is initialised.
extern "C" fn initialise() {
    real::resolve();
    // Whatever comes, nobody has to look again.
    PROBE.gate.first_pass();
    // A panic must not end a program that has not begun.
    let _ = std::panic::catch_unwind(attach);
}

fn attach() {
    // SAFETY: the call reads a word that the kernel left for the process.
    let is_privileged = unsafe { libc::getauxval(libc::AT_SECURE) != 0 };
    let host = std::env::var_os(HOST_VARIABLE).filter(|host| !host.is_empty());
    let (Some(host), false) = (host, is_privileged) else { return };
    if std::env::var_os(CHILDREN_VARIABLE).is_none() {
        leave_children_alone();
    }
    let told = match allocator() {
        Allocator::Glibc => open(&host),
        Allocator::Library(module) => {
            ALLOCATOR.store(module.code.start, Ordering::Relaxed);
            ALLOCATOR_LEN.store(module.code.len(), Ordering::Relaxed);
            open(&host)
        }
        Allocator::Program => Err(
            "the program brings an allocator of its own, whose locks cannot be told from the program's"
                .to_owned(),
        ),
    };
    if let Err(reason) = told {
        // Not `eprintln!`, which panics if nobody reads stderr any more.
        let _ =
            writeln!(std::io::stderr(), "lockscope: {reason}; its pthread locks are not profiled");
    }
}

/// Processes that the program starts run without this library.
fn leave_children_alone() {
    let own: extern "C" fn() = initialise;
    let Some(own) = module_of(own as usize) else { return };
    let Some(preloaded) = std::env::var_os(PRELOAD_VARIABLE) else { return };
    let rest = without(preloaded.as_bytes(), own.path.as_os_str().as_bytes());
    // SAFETY: the program has no threads yet that could read its environment.
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

enum Allocator {
    Glibc,
    /// Another library, linked to the program or preloaded.
    Library(Module),
    /// The program itself.
    Program,
}

/// Whose `malloc` the program uses.
fn allocator() -> Allocator {
    // SAFETY: a string that ends with a 0.
    let malloc = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"malloc".as_ptr()) };
    let Some(mut found) = module_of(malloc.addr()) else { return Allocator::Glibc };
    if found.path.as_os_str().is_empty() {
        if is_defined_at(malloc) {
            return Allocator::Program;
        }
        // SAFETY: a string that ends with a 0.
        let malloc = unsafe { libc::dlsym(libc::RTLD_NEXT, c"malloc".as_ptr()) };
        let Some(behind) = module_of(malloc.addr()) else { return Allocator::Glibc };
        found = behind;
    }
    let is_glibc = glibc().is_none_or(|glibc| glibc.path == found.path);
    if is_glibc { Allocator::Glibc } else { Allocator::Library(found) }
}

/// Whether the function that the dynamic linker says is at `address` is there. A program
/// at a fixed address, which takes that of a library's function, has a jump to it that
/// stands for it in all objects (System V ABI for x86-64, 5.2, "Function Addresses").
fn is_defined_at(address: *const c_void) -> bool {
    /// Asks for the entry of the symbol table.
    const RTLD_DL_SYMENT: c_int = 1;
    const SHN_UNDEF: u16 = 0;
    let mut entry = core::ptr::null_mut();
    let mut info = core::mem::MaybeUninit::uninit();
    // SAFETY: there is room for both answers.
    let is_found =
        unsafe { libc::dladdr1(address, info.as_mut_ptr(), &raw mut entry, RTLD_DL_SYMENT) } != 0;
    // SAFETY: an entry of a table that is there as long as the object is, or null.
    let entry = unsafe { entry.cast::<libc::Elf64_Sym>().as_ref() };
    !is_found || entry.is_none_or(|entry| entry.st_shndx != SHN_UNDEF)
}

/// The object that is glibc.
fn glibc() -> Option<Module> {
    // SAFETY: a string that ends with a 0.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"gnu_get_libc_version".as_ptr()) };
    module_of(function.addr())
}

/// Opens the host's library, and hands it the probe.
fn open(host: &OsStr) -> Result<(), String> {
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
    let attach = unsafe { core::mem::transmute::<*mut c_void, Attach>(attach) };
    // SAFETY: the probe is a static. A failure was told to the user by the host,
    // which knows the reason.
    unsafe { attach(&raw const PROBE) };
    Ok(())
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
    fn glibcs_own_allocator_is_recognised() {
        assert!(matches!(allocator(), Allocator::Glibc));
        assert!(!is_of_the_allocator(CallSite(0x1000)));
    }
}
