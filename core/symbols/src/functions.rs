//! All functions that an object's file names, for who has to know many addresses
//! before they come.
//!
//! Offsets and values: System V ABI, "Sections" and "Symbol Table".

use core::ops::Range;
use std::fs::File;
use std::io::Result;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::names::{demangled, file_of};

const HEADER: u64 = 64;
const SECTION: usize = 64;
const SYMBOL: usize = 24;
const SYMBOLS: u32 = 2;
const DYNAMIC_SYMBOLS: u32 = 11;
const FUNCTION: u8 = 2;
/// More than any program's names take.
const MOST: u64 = 1 << 30;

/// A function of an object, by its symbol.
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    /// Its symbol, as it stands in the file.
    pub symbol: &'a str,
    /// Where it is, in addresses of the file.
    pub start: u64,
    /// And where it ends.
    pub end: u64,
}

impl Function<'_> {
    /// Where it is.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// Its name, as its language writes it.
    #[must_use]
    pub fn name(&self) -> String {
        demangled(self.symbol).into_owned()
    }
}

/// Shows `visit` all functions of the object `path`, which is empty for the program
/// itself: those of its symbols, or, if it was stripped of them, those that others may
/// call. Nothing is shown of a file that cannot be read.
pub fn each_function(path: &Path, visit: impl FnMut(Function<'_>)) {
    // An object without a file, as the kernel's own is, has no names.
    let _ = File::open(file_of(path)).and_then(|file| show(&file, visit));
}

fn show(file: &File, mut visit: impl FnMut(Function<'_>)) -> Result<()> {
    let Some((symbols, names)) = tables(file)? else { return Ok(()) };
    for symbol in symbols.chunks_exact(SYMBOL) {
        let (start, size) = (word(symbol, 8), word(symbol, 16));
        if symbol[4] & 0xf != FUNCTION || start == 0 || size == 0 {
            continue;
        }
        let name = names.get(half(symbol, 0) as usize..).unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        if let Ok(symbol) = core::str::from_utf8(name) {
            visit(Function { symbol, start, end: start.saturating_add(size) });
        }
    }
    Ok(())
}

/// The table of symbols, and their names; nothing if the file has none.
fn tables(file: &File) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let header = bytes(file, 0, HEADER)?;
    // 64-bit words in this machine's byte order.
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    if !header.starts_with(b"\x7fELF") || header[4] != 2 || header[5] != order {
        return Ok(None);
    }
    let count = u64::from(u16::from_ne_bytes([header[60], header[61]]));
    let sections = bytes(file, word(&header, 40), count * SECTION as u64)?;
    let sections: Vec<&[u8]> = sections.chunks_exact(SECTION).collect();
    let content = |section: &[u8]| bytes(file, word(section, 24), word(section, 32));
    for kind in [SYMBOLS, DYNAMIC_SYMBOLS] {
        let Some(table) = sections.iter().find(|section| half(section, 4) == kind) else {
            continue;
        };
        let Some(names) = sections.get(half(table, 40) as usize) else { continue };
        return Ok(Some((content(table)?, content(names)?)));
    }
    Ok(None)
}

fn half(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].try_into().map_or(0, u32::from_ne_bytes)
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].try_into().map_or(0, u64::from_ne_bytes)
}

fn bytes(file: &File, offset: u64, count: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; count.min(MOST) as usize];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module_of;

    #[test]
    fn this_very_test_is_a_function_of_the_program() {
        let address = this_very_test_is_a_function_of_the_program as *const () as usize;
        let at = (address - module_of(address).unwrap().base) as u64;
        let mut found = None;
        each_function(Path::new(""), |function| {
            if function.range().contains(&at) {
                found = Some(function.name());
            }
        });
        let found = found.unwrap();
        assert!(found.contains("this_very_test_is_a_function_of_the_program"), "{found}");
    }

    #[test]
    fn what_is_no_object_has_no_functions() {
        for path in ["/nowhere", file!(), "/dev/null"] {
            each_function(Path::new(path), |function| panic!("{function:?}"));
        }
    }
}
