//! A look at a program's file: who loads it, what else that needs, whether it names
//! pthread locks, and whether it waits as Rust programs do.
//!
//! Offsets and values: System V ABI, "Program Header" and "Dynamic Section".

use std::ffi::OsStr;
use std::fs::File;
use std::io::Result;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use memchr::memmem;

use super::libraries;

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;
const NEEDED: u64 = 1;
const STRINGS: u64 = 5;
const STRINGS_SIZE: u64 = 10;
const R_PATH: u64 = 15;
const RUN_PATH: u64 = 29;
/// More than any program's names take.
const MOST: u64 = 1 << 28;

/// What a program that waits for a lock calls, as its list of names ends them. One
/// that only tries has no waits to show.
const LOCKS: &[&[u8]] = &[
    b"pthread_mutex_lock\0",
    b"pthread_mutex_timedlock\0",
    b"pthread_mutex_clocklock\0",
    b"pthread_rwlock_rdlock\0",
    b"pthread_rwlock_wrlock\0",
    b"pthread_spin_lock\0",
    b"pthread_barrier_wait\0",
    b"pthread_cond_wait\0",
    b"sem_wait\0",
    b"sem_timedwait\0",
    b"mtx_lock\0",
    b"mtx_timedlock\0",
];

/// By what Rust's locks wait.
const WAIT: &[u8] = b"syscall\0";
/// Stands in whatever is made of Rust's std, also if all symbols are gone: the places in
/// it at which it may panic.
const RUST: &[u8] = b"/rustc/";
/// What our own probe asks of the host: in a program that takes its locks from us.
const OWN: &[u8] = b"lockscope_attach_v1";

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// Loaded by glibc's dynamic linker.
    Glibc(Uses),
    /// Loaded by another dynamic linker: this one.
    Other(String),
    /// Loaded by the kernel alone.
    Static,
    /// No program of this machine, or none that can be read.
    Unknown,
}

impl Program {
    pub(super) fn read(path: &Path) -> Self {
        let Ok(Some(object)) = File::open(path).and_then(|file| Object::of(&file)) else {
            return Self::Unknown;
        };
        match &object.linker {
            None => Self::Static,
            Some(linker) if !linker.contains("/ld-linux") => Self::Other(linker.clone()),
            Some(_) => Self::Glibc(Uses::of(&object, path)),
        }
    }
}

/// What locks a program uses, or a library that it needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Uses {
    /// One of [`LOCKS`].
    pub(super) pthread: bool,
    /// Those of Rust's std, or others that wait as they do.
    pub(super) rust: bool,
    /// Those of our own crate, whose waits are seen without more.
    pub(super) own: bool,
}

impl Uses {
    fn of(program: &Object, path: &Path) -> Self {
        let mut uses = program.uses();
        libraries::each(program, path, |library| {
            let its = library.uses();
            uses.pthread |= its.pthread;
            uses.rust |= its.rust;
            uses.own |= its.own;
            uses != Self { pthread: true, rust: true, own: true }
        });
        uses
    }
}

/// What the dynamic linker reads of a program or a library.
#[derive(Debug)]
pub(super) struct Object {
    /// The linker that the file asks for: only programs do.
    linker: Option<String>,
    /// All names that it defines, uses or needs, each of which ends with a 0.
    names: Vec<u8>,
    dynamic: Vec<u8>,
    /// Whether it has [`RUST`] in it, and whether [`OWN`]: looked for where it names
    /// [`WAIT`].
    is_rust: bool,
    is_own: bool,
}

impl Object {
    /// The file's, if it is one of this machine.
    pub(super) fn of(file: &File) -> Result<Option<Self>> {
        let header = bytes(file, 0, HEADER as u64)?;
        // 64-bit words in this machine's byte order.
        let order = if cfg!(target_endian = "little") { 1 } else { 2 };
        if !header.starts_with(b"\x7fELF") || header[4] != 2 || header[5] != order {
            return Ok(None);
        }
        let count = u64::from(u16::from_ne_bytes([header[56], header[57]]));
        let segments = bytes(file, word(&header, 32), count * PROGRAM_HEADER as u64)?;
        let segments: Vec<Segment> =
            segments.chunks_exact(PROGRAM_HEADER).map(Segment::of).collect();
        let of_kind = |kind| segments.iter().find(|segment| segment.kind == kind);
        let linker = match of_kind(INTERPRETER) {
            Some(segment) => {
                let linker = bytes(file, segment.offset, segment.size)?;
                Some(String::from_utf8_lossy(linker.trim_ascii_end()).replace('\0', ""))
            }
            None => None,
        };
        let (names, dynamic) = (Vec::new(), Vec::new());
        let mut object = Self { linker, names, dynamic, is_rust: false, is_own: false };
        if let Some(dynamic) = of_kind(DYNAMIC) {
            object.dynamic = bytes(file, dynamic.offset, dynamic.size)?;
            let names = object.values(STRINGS).next().unwrap_or(0);
            let offset = segments.iter().find_map(|segment| segment.offset_of(names)).unwrap_or(0);
            let size = object.values(STRINGS_SIZE).next().unwrap_or(0);
            object.names = bytes(file, offset, size)?;
        }
        if has_name(&object.names, WAIT) {
            for segment in segments.iter().filter(|segment| segment.kind == LOAD) {
                let loaded = bytes(file, segment.offset, segment.size)?;
                object.is_rust |= memmem::find(&loaded, RUST).is_some();
                object.is_own |= memmem::find(&loaded, OWN).is_some();
            }
        }
        Ok(Some(object))
    }

    /// What it uses itself.
    fn uses(&self) -> Uses {
        let pthread = LOCKS.iter().any(|lock| has_name(&self.names, lock));
        Uses { pthread, rust: self.is_rust, own: self.is_own }
    }

    /// The libraries that it needs, by name.
    pub(super) fn needs(&self) -> impl Iterator<Item = &OsStr> {
        self.texts(NEEDED)
    }

    /// Where it says that they are.
    pub(super) fn folders(&self) -> impl Iterator<Item = &OsStr> {
        self.texts(RUN_PATH).chain(self.texts(R_PATH))
    }

    fn texts(&self, tag: u64) -> impl Iterator<Item = &OsStr> {
        self.values(tag).filter_map(|at| {
            let rest = self.names.get(usize::try_from(at).ok()?..)?;
            Some(OsStr::from_bytes(rest.split(|byte| *byte == 0).next()?))
        })
    }

    fn values(&self, tag: u64) -> impl Iterator<Item = u64> {
        let entries = self.dynamic.chunks_exact(16);
        entries.filter(move |entry| word(entry, 0) == tag).map(|entry| word(entry, 8))
    }
}

/// Whether one of the names, each of which ends with a 0, is this one. A linker may
/// keep a name as the end of a longer one.
fn has_name(names: &[u8], name: &[u8]) -> bool {
    memmem::find(names, name).is_some()
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    /// How much of it is in the file.
    size: u64,
}

impl Segment {
    fn of(header: &[u8]) -> Self {
        let kind = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]);
        let (offset, address) = (word(header, 8), word(header, 16));
        Self { kind, offset, address, size: word(header, 32) }
    }

    /// Where in the file the byte is that is loaded to `address`.
    fn offset_of(&self, address: u64) -> Option<u64> {
        let within = address.checked_sub(self.address)?;
        (self.kind == LOAD && within < self.size).then(|| self.offset.wrapping_add(within))
    }
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

    #[test]
    fn this_very_program_is_glibcs_and_has_rusts_locks_and_no_pthread_lock() {
        let program = Program::read(&std::env::current_exe().unwrap());
        let Program::Glibc(Uses { pthread: false, rust: true, .. }) = program else {
            panic!("{program:?}")
        };
    }

    #[test]
    fn what_is_no_program() {
        assert_eq!(Program::read(Path::new(file!())), Program::Unknown);
        assert_eq!(Program::read(Path::new("/nowhere")), Program::Unknown);
        assert_eq!(Program::read(Path::new("/dev/null")), Program::Unknown);
    }

    #[test]
    fn a_name_may_be_the_end_of_another() {
        assert!(has_name(b"\0puts\0__sem_wait\0", b"sem_wait\0"));
        assert!(!has_name(b"\0puts\0sem_waits\0", b"sem_wait\0"));
    }
}
