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
}

/// The object that `address` is in, if it is in one.
#[must_use]
pub fn module_of(address: usize) -> Option<Module> {
    let mut search = (address, None);
    // SAFETY: `visit` is called during the call only, with our own context.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    search.1
}

unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, context: *mut c_void) -> c_int {
    // SAFETY: the linker shows an object for the length of the call; the context is
    // that of `module_of`.
    let (info, search) = unsafe { (&*info, &mut *context.cast::<(usize, Option<Module>)>()) };
    // SAFETY: as the linker describes its object.
    let headers = unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let base = info.dlpi_addr as usize;
    let range = |header: &libc::Elf64_Phdr| {
        let start = base + header.p_vaddr as usize;
        start..start + header.p_memsz as usize
    };
    let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    if !loaded().any(|header| range(header).contains(&search.0)) {
        return 0;
    }
    let code = loaded().find(|header| header.p_flags & libc::PF_X != 0).map_or(0..0, range);
    // SAFETY: a string of the linker's.
    let name = unsafe { CStr::from_ptr(info.dlpi_name) };
    search.1 =
        Some(Module { path: Path::new(OsStr::from_bytes(name.to_bytes())).into(), base, code });
    1
}
