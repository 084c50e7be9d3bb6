//! glibc's `syscall`, behind ours.
//!
//! A word leads to it, through which the entry jumps. At first that leads to a function
//! that looks for it: whoever calls before this library is initialised, as the
//! initialisation of another does, is served as well.

use core::ffi::{c_int, c_long};

use lockscope_core::sync::{AtomicPtr, Ordering};

/// A call of the kernel with all arguments that it can have. Those that an operation
/// does not have are whatever stands in their places, as for glibc.
type Syscall =
    unsafe extern "C-unwind" fn(c_long, usize, usize, usize, usize, usize, usize) -> c_long;

/// The word that leads to it.
pub(crate) static REAL: AtomicPtr<()> = AtomicPtr::new(first as *mut ());

unsafe extern "C-unwind" fn first(
    number: c_long,
    first: usize,
    second: usize,
    third: usize,
    fourth: usize,
    fifth: usize,
    sixth: usize,
) -> c_long {
    resolve();
    // SAFETY: the caller's own arguments.
    unsafe { real()(number, first, second, third, fourth, fifth, sixth) }
}

/// For a libc without it, which there is none of.
unsafe extern "C-unwind" fn missing() -> c_long {
    set_errno(libc::ENOSYS);
    -1
}

/// Looks for it, in what was loaded after this library.
pub(crate) fn resolve() {
    // SAFETY: a string that ends with a 0.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, c"syscall".as_ptr()) };
    let function = if found.is_null() { missing as *mut () } else { found.cast() };
    // Relaxed: code, which was there before its address was.
    REAL.store(function, Ordering::Relaxed);
}

fn real() -> Syscall {
    // SAFETY: the word leads to a function of this type, or to one that looks at none of
    // its arguments. Relaxed: as above.
    unsafe { core::mem::transmute::<*mut (), Syscall>(REAL.load(Ordering::Relaxed)) }
}

/// What a thread asks of a futex.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// Where it is.
    pub(crate) word: usize,
    pub(crate) operation: usize,
    pub(crate) value: usize,
    pub(crate) timeout: usize,
    pub(crate) other: usize,
    pub(crate) bits: usize,
}

impl Call {
    /// Asks the kernel.
    ///
    /// # Safety
    ///
    /// - The arguments are the program's own.
    #[inline]
    pub(crate) unsafe fn make(&self) -> c_long {
        let Self { word, operation, value, timeout, other, bits } = *self;
        // SAFETY: as the caller promises.
        unsafe { real()(libc::SYS_futex, word, operation, value, timeout, other, bits) }
    }
}

pub(crate) fn errno() -> c_int {
    // SAFETY: glibc's own place, which every thread has.
    unsafe { *libc::__errno_location() }
}

/// Puts back what was there.
pub(crate) fn set_errno(value: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = value };
}
