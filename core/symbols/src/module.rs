//! The objects of the program, as the dynamic linker has loaded them.

use core::ffi::{CStr, c_int, c_void};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// An object of the program: an executable, or a library.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its file; empty for the program itself.
    pub path: PathBuf,
    /// What is to be subtracted from an address to find it in the file.
    pub base: usize,
    /// Where its code is.
    pub code: core::ops::Range<usize>,
    /// Where all of it is, from the first byte of its code or data to the last.
    pub all: core::ops::Range<usize>,
}

/// The object that `address` is in, if it is in one.
#[must_use]
pub fn module_of(address: usize) -> Option<Module> {
    let mut search = Search { address: Some(address), found: Vec::new() };
    search.begin();
    search.found.pop()
}

/// All objects that are there now.
#[must_use]
pub fn all_modules() -> Vec<Module> {
    let mut search = Search { address: None, found: Vec::new() };
    search.begin();
    search.found
}

/// What the linker's objects are looked through for.
struct Search {
    /// In one of their segments; nothing if all are wanted.
    address: Option<usize>,
    found: Vec<Module>,
}

impl Search {
    fn begin(&mut self) {
        // SAFETY: `visit` is called during the call only, with our own context.
        unsafe { libc::dl_iterate_phdr(Some(visit), core::ptr::from_mut(self).cast()) };
    }
}

unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, context: *mut c_void) -> c_int {
    // SAFETY: the linker shows an object for the length of the call; the context is
    // that of `begin`.
    let (info, search) = unsafe { (&*info, &mut *context.cast::<Search>()) };
    // SAFETY: as the linker describes its object.
    let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let base = info.dlpi_addr as usize;
    let range = |header: &libc::Elf64_Phdr| {
        let start = base + header.p_vaddr as usize;
        start..start + header.p_memsz as usize
    };
    let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    let is_it = |address| loaded().any(|header| range(header).contains(&address));
    if !search.address.is_none_or(is_it) {
        return 0;
    }
    let code = loaded().find(|header| header.p_flags & libc::PF_X != 0).map_or(0..0, range);
    let all = loaded().map(range).reduce(|all, next| all.start..next.end).unwrap_or(0..0);
    // SAFETY: a string of the linker's.
    let name = unsafe { CStr::from_ptr(info.dlpi_name) };
    let path = Path::new(OsStr::from_bytes(name.to_bytes())).into();
    search.found.push(Module { path, base, code, all });
    search.address.is_some().into()
}
