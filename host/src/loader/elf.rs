//! A look at a plugin's first bytes.
//!
//! Offsets and values: System V ABI, "ELF Header" (`e_ident`, `e_type`,
//! `e_machine`), and the machine numbers registered there.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::HostError;

const HEADER: usize = 64;
const CLASS: usize = 4;
const ORDER: usize = 5;
const TYPE: usize = 16;
const MACHINE: usize = 18;
const LITTLE: u8 = 1;
const SHARED: u16 = 3;

const MACHINES: [(u16, &str); 10] = [
    (3, "x86"),
    (8, "mips"),
    (20, "powerpc"),
    (21, "powerpc64"),
    (22, "s390x"),
    (40, "arm"),
    (62, "x86_64"),
    (183, "aarch64"),
    (243, "riscv64"),
    (258, "loongarch64"),
];

/// Whether the dynamic linker can be asked to open the file; if not, why.
pub(super) fn check(path: &Path) -> Result<(), HostError> {
    let unreadable = |source| HostError::PluginUnreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => HostError::PluginMissing { path: path.to_owned() },
        _ => unreadable(source),
    })?;
    let header = read(&file, HEADER).map_err(unreadable)?;
    let path = path.to_owned();
    if header.is_empty() {
        return Err(HostError::PluginEmpty { path });
    }
    if !header.starts_with(b"\x7fELF") || header.len() < HEADER {
        return Err(HostError::PluginNotElf { path, found: beginning(&header) });
    }
    let half = |at: usize| {
        let bytes = [header[at], header[at + 1]];
        if header[ORDER] == LITTLE { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
    };
    let found = machine(header[CLASS], header[ORDER], half(MACHINE));
    let expected = here();
    if found != expected {
        return Err(HostError::PluginMachine { path, found, expected });
    }
    let other = |found: &str| {
        Err(HostError::PluginNotShared { path: path.clone(), found: found.to_owned() })
    };
    match half(TYPE) {
        SHARED => {}
        1 => return other("an object file"),
        2 => return other("an executable"),
        4 => return other("a core dump"),
        kind => return other(&format!("ELF of type {kind}")),
    }
    let found = file.metadata().map_err(unreadable)?.len();
    let expected = loaded_bytes(&file, &header).map_err(unreadable)?;
    if found < expected {
        return Err(HostError::PluginCut { path, expected, found });
    }
    Ok(())
}

fn read(file: &File, bytes: usize) -> std::io::Result<Vec<u8>> {
    let mut beginning = Vec::with_capacity(bytes);
    file.take(bytes as u64).read_to_end(&mut beginning)?;
    Ok(beginning)
}

/// How many bytes of the file the dynamic linker maps: it does not look
/// whether they are there, and what is missing ends the program by SIGBUS.
///
/// The program headers of a file of this machine, of 64-bit words in this
/// byte order: `e_phoff`, `e_phentsize`, `e_phnum`; `p_type`, `p_offset`,
/// `p_filesz`.
fn loaded_bytes(file: &File, header: &[u8]) -> std::io::Result<u64> {
    const LOAD: &[u8] = &1u32.to_ne_bytes();
    let word =
        |bytes: &[u8], at: usize| bytes[at..at + 8].try_into().map_or(u64::MAX, u64::from_ne_bytes);
    let half = |at: usize| usize::from(u16::from_ne_bytes([header[at], header[at + 1]]));
    let (offset, size, count) = (word(header, 32), half(54), half(56));
    let mut entries = vec![0; size * count];
    if file.read_exact_at(&mut entries, offset).is_err() {
        return Ok(offset.saturating_add(entries.len() as u64));
    }
    let ends = entries
        .chunks_exact(size.max(56))
        .filter(|entry| entry.starts_with(LOAD))
        .map(|entry| word(entry, 8).saturating_add(word(entry, 32)));
    Ok(ends.max().unwrap_or(0))
}

/// What the file begins with, as people can read it.
fn beginning(header: &[u8]) -> String {
    if header.starts_with(b"\x7fELF") {
        return format!("only {} bytes of one", header.len());
    }
    let shown: String =
        header.iter().take(16).flat_map(|byte| byte.escape_ascii()).map(char::from).collect();
    format!("\"{shown}\"")
}

/// A machine in the words of Rust's targets; the word size and byte order are
/// named where they are not those that the name implies.
fn machine(class: u8, order: u8, number: u16) -> String {
    let name = MACHINES
        .iter()
        .find(|(known, _)| *known == number)
        .map_or_else(|| format!("machine {number}"), |(_, name)| (*name).to_owned());
    let bits = match (class, number) {
        (1, 3 | 8 | 20 | 40) | (2, 21 | 22 | 62 | 183 | 243 | 258) => "",
        (1, _) => " with 32-bit pointers",
        (2, _) => " with 64-bit pointers",
        _ => " of an unknown class",
    };
    let order = match (order, number) {
        (LITTLE, _) | (2, 22) => "",
        _ => ", big-endian",
    };
    format!("{name}{bits}{order}")
}

/// The machine that this host was built for.
fn here() -> String {
    std::env::consts::ARCH.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_named_as_rust_names_them() {
        assert_eq!(machine(2, 1, 62), "x86_64");
        assert_eq!(machine(1, 1, 62), "x86_64 with 32-bit pointers");
        assert_eq!(machine(2, 1, 183), "aarch64");
        assert_eq!(machine(2, 2, 183), "aarch64, big-endian");
        assert_eq!(machine(2, 2, 22), "s390x");
        assert_eq!(machine(1, 1, 3), "x86");
        assert_eq!(machine(2, 1, 7), "machine 7 with 64-bit pointers");
    }

    #[test]
    fn this_very_program_is_of_this_machine() {
        let program = std::env::current_exe().unwrap();
        let header = read(&File::open(&program).unwrap(), HEADER).unwrap();
        let number = u16::from_le_bytes([header[MACHINE], header[MACHINE + 1]]);
        assert_eq!(machine(header[CLASS], header[ORDER], number), here());
    }
}
