//! The way to the host: before the program's `main`, and before it has threads.
//!
//! Not at the first lock operation, as a program's own locks do it: that may be one
//! of the memory allocator's, which must not be asked for memory then, and opening a
//! library takes a lot of it.

use core::ffi::{c_int, c_void};

use lockscope_core::CallSite;
use lockscope_core::sync::{AtomicUsize, Ordering};
use lockscope_preloaded as preloaded;
use lockscope_symbols::{Module, module_of};

use crate::real;
use crate::watch::PROBE;

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
    let Some(host) = preloaded::host() else { return };
    // SAFETY: the program has not begun.
    unsafe { preloaded::leave_children_alone(initialise) };
    let told = match allocator() {
        Allocator::Glibc => preloaded::open(&host, &PROBE),
        Allocator::Library(module) => {
            ALLOCATOR.store(module.code.start, Ordering::Relaxed);
            ALLOCATOR_LEN.store(module.code.len(), Ordering::Relaxed);
            preloaded::open(&host, &PROBE)
        }
        Allocator::Program => Err(
            "the program brings an allocator of its own, whose locks cannot be told from the program's"
                .to_owned(),
        ),
    };
    if let Err(reason) = told {
        preloaded::tell_unprofiled("its pthread locks", &reason);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glibcs_own_allocator_is_recognised() {
        assert!(matches!(allocator(), Allocator::Glibc));
        assert!(!is_of_the_allocator(CallSite(0x1000)));
    }
}
