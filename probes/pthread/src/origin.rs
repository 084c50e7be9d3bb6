//! Where locks were made that have no name of their own: what is allocated has no
//! symbol, so the line that called `pthread_mutex_init` and its like stands for it.

use core::ffi::{c_int, c_void};
use core::ops::Deref;

use lockscope_core::CallSite;
use lockscope_core::sync::{AtomicU64, AtomicUsize, Ordering};

use crate::attach::is_of_the_allocator;
use crate::sites::Sites;
use lockscope_symbols::module_of;

/// Of more locks than this, one in the place of another hides where that was made.
static ORIGINS: Sites<Place, PLACES> = Sites([const { Place(AtomicU64::new(0)) }; PLACES]);
const PLACES: usize = 1 << 16;

struct Place(AtomicU64);

impl Deref for Place {
    type Target = AtomicU64;

    #[inline(always)]
    fn deref(&self) -> &AtomicU64 {
        &self.0
    }
}

/// The lock at `address` was made at `site`.
pub(crate) fn note(address: usize, site: CallSite) {
    // A static has a symbol, which says more than the line that has initialised it.
    if !is_of_the_allocator(site) && !is_static(address) {
        ORIGINS.note(address, site);
    }
}

/// The lock at `address` is no more.
pub(crate) fn forget(address: usize) {
    ORIGINS.forget(address);
}

/// Where the lock at `address` was made; or that address, if it is not known.
#[inline(always)]
pub(crate) fn of(address: usize) -> CallSite {
    let origin = ORIGINS.of(address);
    if origin.is_known() { origin } else { CallSite(address) }
}

/// `struct dl_find_object` of `dlfcn.h`, of which only the size matters here.
type Found = [u64; 12];
type Find = unsafe extern "C" fn(*mut c_void, *mut Found) -> c_int;

/// glibc's `_dl_find_object`, which takes no lock and some 20 ns; 1 before it was
/// looked for, 0 where glibc is older than 2.35.
static FIND: AtomicUsize = AtomicUsize::new(UNKNOWN);
const UNKNOWN: usize = 1;

/// Whether `address` is in the program or a library.
fn is_static(address: usize) -> bool {
    // Relaxed: code, which was there before its address was.
    let mut find = FIND.load(Ordering::Relaxed);
    if find == UNKNOWN {
        // SAFETY: a string that ends with a 0.
        find = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_dl_find_object".as_ptr()) }.addr();
        FIND.store(find, Ordering::Relaxed);
    }
    if find == 0 {
        return module_of(address).is_some();
    }
    let mut found = Found::default();
    // SAFETY:
    // - glibc's function of this name has this type;
    // - there is room for its answer.
    unsafe {
        let find = core::mem::transmute::<usize, Find>(find);
        find(address as *mut c_void, &raw mut found) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static A_STATIC: u64 = 1;

    #[test]
    fn what_is_allocated_has_an_origin_and_a_static_needs_none() {
        let allocated = Box::new(1_u64);
        let address = (&raw const *allocated).addr();
        note(address, CallSite(0x1234));
        assert_eq!(of(address), CallSite(0x1234));
        forget(address);
        assert_eq!(of(address), CallSite(address));
        let address = (&raw const A_STATIC).addr();
        note(address, CallSite(0x1234));
        assert_eq!(of(address), CallSite(address));
    }
}
