//! What the file of an object says of an address in it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use addr2line::{Loader, demangle_auto};

use crate::module::{Module, module_of};

/// Where an address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Source file; or the symbol, if the program does not say.
    pub file: String,
    /// Line, from 1; 0 for a symbol.
    pub line: u32,
    /// Column, from 1; 0 if not known.
    pub column: u32,
}

/// A function that code is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its name, as its language writes it; or the object and the address in it.
    pub function: String,
    /// Source file; empty if not known.
    pub file: String,
    /// Line, from 1; 0 if not known.
    pub line: u32,
}

thread_local! {
    // What is not to be read again for the next address: the host asks for many, in
    // a row and from few threads.
    static LOADERS: RefCell<HashMap<PathBuf, Option<Loader>>> = RefCell::default();
}

/// The place of an address, whether it is code that a call returns to, or data.
#[must_use]
pub fn place_of(address: usize) -> Option<Place> {
    let module = module_of(address)?;
    let place = (address - module.base) as u64;
    let is_code = module.code.contains(&address);
    let Module { path, .. } = module;
    let name = object_name(&path);
    let found = with_loader(&path, |loader| named(loader, place, is_code, &name)).flatten();
    Some(found.unwrap_or_else(|| symbol(format!("{name}+{place:#x}"))))
}

/// The functions whose call returns to `place` in the object `path`, which is empty
/// for the program itself: one that was inlined into another stands before it. One at
/// least.
#[must_use]
pub fn frames_at(path: &Path, place: u64) -> Vec<Frame> {
    // The call stands before the address that it returns to.
    let at = place.saturating_sub(1);
    let found = with_loader(path, |loader| functions(loader, at)).unwrap_or_default();
    if !found.is_empty() {
        return found;
    }
    let function = format!("{}+{place:#x}", object_name(path));
    vec![Frame { function, file: String::new(), line: 0 }]
}

/// What the object's file is called.
fn object_name(path: &Path) -> String {
    file_of(path).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub(crate) fn file_of(path: &Path) -> Cow<'_, Path> {
    if path.as_os_str().is_empty() {
        std::env::current_exe().unwrap_or_default().into()
    } else {
        path.into()
    }
}

fn with_loader<T>(path: &Path, ask: impl FnOnce(&Loader) -> T) -> Option<T> {
    let path = file_of(path);
    let asked = LOADERS.try_with(|loaders| {
        let mut loaders = loaders.borrow_mut();
        let loader = loaders.entry(path.to_path_buf()).or_insert_with(|| Loader::new(&*path).ok());
        loader.as_ref().map(ask)
    });
    asked.ok().flatten()
}

fn symbol(name: String) -> Place {
    Place { file: name, line: 0, column: 0 }
}

/// The place of an object, in its own words.
fn named(loader: &Loader, place: u64, is_code: bool, object: &str) -> Option<Place> {
    // The call stands before the address that it returns to.
    let at = if is_code { place.checked_sub(1)? } else { place };
    if is_code && let Some(line) = line_of(loader, at) {
        return Some(line);
    }
    let found = loader.find_symbol_info(at)?;
    let name = demangled(found.name());
    let offset = place - found.address();
    let offset = if offset == 0 { String::new() } else { format!("+{offset:#x}") };
    Some(symbol(format!("{name}{offset} ({object})")))
}

/// The line that an instruction is of. Of functions that were inlined into one
/// another, the innermost that is not a library's: a lock guard's line says nothing.
fn line_of(loader: &Loader, at: u64) -> Option<Place> {
    let mut frames = loader.find_frames(at).ok()?;
    let mut found = None;
    while let Ok(Some(frame)) = frames.next() {
        let Some(location) = frame.location else { continue };
        if let (Some(file), Some(line)) = (location.file, location.line) {
            let column = location.column.unwrap_or(0);
            found = Some(Place { file: file.to_owned(), line, column });
            if !is_of_a_library(file) {
                break;
            }
        }
    }
    found
}

/// The functions that an instruction is of, the innermost first.
fn functions(loader: &Loader, at: u64) -> Vec<Frame> {
    let mut found = Vec::new();
    if let Ok(mut frames) = loader.find_frames(at) {
        while let Ok(Some(frame)) = frames.next() {
            let name = frame
                .function
                .and_then(|name| Some(demangled(&name.raw_name().ok()?).into_owned()));
            let location =
                frame.location.and_then(|location| Some((location.file?, location.line)));
            let (file, line) = location
                .map_or((String::new(), 0), |(file, line)| (file.to_owned(), line.unwrap_or(0)));
            found.push(Frame { function: name.unwrap_or_default(), file, line });
        }
    }
    let symbol = loader.find_symbol(at).map(|name| demangled(name).into_owned());
    match (found.last_mut(), symbol) {
        // The function that the others were inlined into is the symbol's, which says
        // more of its name than lines alone do.
        (Some(outermost), Some(symbol)) => outermost.function = symbol,
        (None, Some(function)) => found.push(Frame { function, file: String::new(), line: 0 }),
        _ => {}
    }
    found.retain(|frame| !frame.function.is_empty());
    found
}

/// Whether a file is one of the headers that a compiler brings, or the system; or one
/// of Rust's own libraries, as they are built for everybody, or of `parking_lot`.
fn is_of_a_library(file: &str) -> bool {
    const WITHIN: [&str; 4] =
        ["/include/c++/", "/lib/rustlib/src/rust/library/", "/lock_api-", "/parking_lot"];
    ["/usr/include/", "/rustc/"].iter().any(|folder| file.starts_with(folder))
        || WITHIN.iter().any(|folder| file.contains(folder))
}

/// The symbol as its language writes it. C++ calls its types by single letters, as C
/// may call anything, so only what begins like a symbol is taken for one.
pub(crate) fn demangled(symbol: &str) -> Cow<'_, str> {
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

    #[test]
    fn a_static_has_its_name() {
        let Place { file, line, .. } = place_of((&raw const SOME_DATA[1]).addr()).unwrap();
        assert!(file.contains("SOME_DATA") && file.contains("+0x8 (lockscope_symbols-"), "{file}");
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
        let place = place_of(a_static_has_its_name as *const () as usize + 8).unwrap();
        assert!(place.file.ends_with("names.rs") && place.line > 0, "{place:?}");
    }

    #[test]
    fn code_has_a_function() {
        let address = a_static_has_its_name as *const () as usize + 8;
        let module = module_of(address).unwrap();
        let frames = frames_at(&module.path, (address - module.base) as u64);
        let outermost = frames.last().unwrap();
        assert_eq!(outermost.function, "lockscope_symbols::names::tests::a_static_has_its_name");
        assert!(outermost.file.ends_with("names.rs") && outermost.line > 0, "{outermost:?}");
    }

    #[test]
    fn what_has_no_name_has_its_place() {
        let frames = frames_at(Path::new("/nowhere/libgone.so"), 0x1235);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].function, "libgone.so+0x1235");
    }

    #[test]
    fn what_is_allocated_has_no_name() {
        assert_eq!(place_of((&raw const *Box::new(5)).addr()), None);
    }
}
