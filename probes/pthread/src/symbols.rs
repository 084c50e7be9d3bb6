//! What an address in the program is called: file and line, where the program says
//! so, or else the symbol that it stands in.

use core::ffi::{c_int, c_void};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use addr2line::{Loader, demangle_auto};
use lockscope_core::CallSite;
use lockscope_core::site::SiteInfo;
use lockscope_core::sync::{Mutex, PoisonError};

/// An object of the program: an executable, or a library.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    /// Its file; empty for the program itself.
    pub(crate) path: PathBuf,
    /// What is to be subtracted from an address to find it in the file.
    base: usize,
    /// Where its code is.
    pub(crate) code: core::ops::Range<usize>,
}

/// The object that `address` is in, if it is in one.
pub(crate) fn module_of(address: usize) -> Option<Module> {
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

/// What is known already. Asked by the host, in sessions with a filter also from
/// within hooks, so that nothing is looked up twice and no text is left twice.
static KNOWN: Mutex<Option<HashMap<usize, SiteText>>> = Mutex::new(None);

/// Where an address is, in text that stays.
#[derive(Clone, Copy)]
struct SiteText {
    file: Option<&'static str>,
    line: u32,
    column: u32,
}

/// [`lockscope_core::Probe::resolve`]: return addresses, and addresses of locks.
pub(crate) unsafe extern "C" fn resolve(site: CallSite, info: *mut SiteInfo) -> bool {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = *known.get_or_insert_default().entry(site.0).or_insert_with(|| look_up(site.0));
    let Some(file) = found.file else { return false };
    let (line, column) = (found.line, found.column);
    // SAFETY: the caller gave a place for the answer.
    unsafe { info.write(SiteInfo { file: file.as_ptr(), file_len: file.len(), line, column }) };
    true
}

fn look_up(address: usize) -> SiteText {
    let found = module_of(address).map(|module| located(&module, address));
    let (file, line, column) = found.map_or((None, 0, 0), |(file, line, column)| {
        (Some(&*Box::leak(file.into_boxed_str())), line, column)
    });
    SiteText { file, line, column }
}

thread_local! {
    // What is not to be read again for the next address: the host asks for many, in
    // a row and from few threads.
    static LOADERS: RefCell<HashMap<PathBuf, Option<Loader>>> = RefCell::default();
}

fn located(module: &Module, address: usize) -> (String, u32, u32) {
    let is_program = module.path.as_os_str().is_empty();
    let program = || std::env::current_exe().unwrap_or_default();
    let path = if is_program { program() } else { module.path.clone() };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = (address - module.base) as u64;
    let is_code = module.code.contains(&address);
    let found = LOADERS.try_with(|loaders| {
        let mut loaders = loaders.borrow_mut();
        let loader = loaders.entry(path.clone()).or_insert_with(|| Loader::new(&path).ok());
        named(loader.as_ref()?, place, is_code, &name)
    });
    found.ok().flatten().unwrap_or_else(|| (format!("{name}+{place:#x}"), 0, 0))
}

/// The place of an object, in its own words.
fn named(loader: &Loader, place: u64, is_code: bool, object: &str) -> Option<(String, u32, u32)> {
    // The call stands before the address that it returns to.
    let at = if is_code { place.checked_sub(1)? } else { place };
    if is_code && let Some(line) = line_of(loader, at) {
        return Some(line);
    }
    let symbol = loader.find_symbol_info(at)?;
    let name = demangled(symbol.name());
    let offset = place - symbol.address();
    let offset = if offset == 0 { String::new() } else { format!("+{offset:#x}") };
    Some((format!("{name}{offset} ({object})"), 0, 0))
}

/// The line that an instruction is of. Of functions that were inlined into one
/// another, the innermost that is not a library's: a lock guard's line says nothing.
fn line_of(loader: &Loader, at: u64) -> Option<(String, u32, u32)> {
    let mut frames = loader.find_frames(at).ok()?;
    let mut found = None;
    while let Ok(Some(frame)) = frames.next() {
        let Some(location) = frame.location else { continue };
        if let (Some(file), Some(line)) = (location.file, location.line) {
            found = Some((file.to_owned(), line, location.column.unwrap_or(0)));
            if !is_of_a_library(file) {
                break;
            }
        }
    }
    found
}

/// Whether a file is one of the headers that a compiler brings, or the system.
fn is_of_a_library(file: &str) -> bool {
    file.starts_with("/usr/include/") || file.contains("/include/c++/")
}

/// The symbol as its language writes it. C++ calls its types by single letters, as C
/// may call anything, so only what begins like a symbol is taken for one.
fn demangled(symbol: &str) -> Cow<'_, str> {
    if symbol.starts_with("_Z") || symbol.starts_with("_R") {
        demangle_auto(symbol.into(), None)
    } else {
        symbol.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SOME_DATA: [u64; 4] = [1; 4];

    fn named_at(address: usize) -> Option<(String, u32)> {
        let mut info = SiteInfo::UNKNOWN;
        // SAFETY: there is a place for the answer, whose text stays.
        unsafe {
            resolve(CallSite(address), &raw mut info)
                .then(|| (info.file().unwrap().to_owned(), info.line))
        }
    }

    #[test]
    fn a_static_has_its_name() {
        let (name, line) = named_at((&raw const SOME_DATA[1]).addr()).unwrap();
        assert!(name.contains("SOME_DATA") && name.contains("+0x8 (lockscope_pthread-"), "{name}");
        assert_eq!(line, 0);
    }

    #[test]
    fn symbols_of_three_languages() {
        assert_eq!(demangled("m"), "m");
        assert_eq!(demangled("_ZN5store5locksE"), "store::locks");
        assert_eq!(demangled("_RNvC5store5LOCKS"), "store::LOCKS");
    }

    #[test]
    fn code_has_a_line() {
        let (file, line) = named_at(a_static_has_its_name as *const () as usize + 8).unwrap();
        assert!(file.ends_with("symbols.rs") && line > 0, "{file}:{line}");
    }

    #[test]
    fn what_is_allocated_has_no_name() {
        assert_eq!(named_at((&raw const *Box::new(5)).addr()), None);
    }
}
