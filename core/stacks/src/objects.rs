//! The program's objects: its executable, and the libraries that it has loaded.
//!
//! They are asked for where that is allowed, by a thread of the host's, and a table
//! of them is left for hooks to read. What the tables for unwinding say is copied, so
//! that an object may be unloaded at any time: nobody reads its memory. The program
//! itself is never unloaded, and neither is this library.

use core::ffi::{CStr, c_int, c_void};
use core::ops::{Deref, Range};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use framehop::{ExplicitModuleSectionInfo, Module};

/// So many that were unloaded are remembered, for stacks that led through them.
const MOST_GONE: usize = 4_096;

/// An object as the dynamic linker shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// Its file; empty for the program itself.
    pub(crate) path: PathBuf,
    /// What is to be subtracted from an address to find it in the file.
    pub(crate) base: usize,
    /// Where it is, code and data.
    pub(crate) range: Range<u64>,
    /// Where its code is.
    code: Range<u64>,
}

/// What an object says of its frames.
#[derive(Clone)]
pub(crate) enum Table {
    /// As it stands in an object that is never unloaded.
    InPlace(&'static [u8]),
    /// Copied from one that may be.
    Copied(Arc<[u8]>),
}

impl Default for Table {
    fn default() -> Self {
        Self::InPlace(&[])
    }
}

impl Deref for Table {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::InPlace(bytes) => bytes,
            Self::Copied(bytes) => bytes,
        }
    }
}

/// An object that is there, or that was.
struct Seen {
    object: Object,
    /// What it says of its frames, while it is there.
    module: Option<Module<Table>>,
    /// Since which look it is there.
    since: u32,
    /// Since which look it is not.
    until: Option<u32>,
}

/// All objects that were ever seen.
#[derive(Default)]
pub(crate) struct Objects {
    all: Vec<Seen>,
    /// How often the linker had loaded and unloaded something when it was asked last.
    changes: Option<[u64; 2]>,
    /// How often there was a change.
    epoch: u32,
}

/// What hooks read.
pub(crate) struct View {
    /// Where code is, in ascending order.
    code: Vec<Range<u64>>,
    pub(crate) epoch: u32,
}

impl View {
    /// Whether an object holds code at `address`.
    pub(crate) fn has_code_at(&self, address: u64) -> bool {
        let after = self.code.partition_point(|code| code.start <= address);
        after.checked_sub(1).is_some_and(|at| self.code[at].contains(&address))
    }
}

impl Objects {
    /// Asks the linker. What there is now, if that has changed.
    pub(crate) fn look(&mut self) -> Option<(View, Vec<Module<Table>>)> {
        let mut look = Look { objects: self, changes: self.changes, found: None };
        // SAFETY: `visit` is called during the call only, with our own context.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut look).cast()) };
        let Look { found, changes, .. } = look;
        let found = found?;
        self.changes = changes;
        self.epoch += 1;
        let epoch = self.epoch;
        for seen in self.all.iter_mut().filter(|seen| seen.until.is_none()) {
            if !found.iter().any(|(object, _)| *object == seen.object) {
                seen.until = Some(epoch);
                seen.module = None;
            }
        }
        for (object, module) in found {
            if module.is_some() {
                self.all.push(Seen { object, module, since: epoch, until: None });
            }
        }
        self.forget();
        let there = || self.all.iter().filter(|seen| seen.until.is_none());
        let mut code: Vec<_> = there().map(|seen| seen.object.code.clone()).collect();
        code.sort_by_key(|code| code.start);
        Some((View { code, epoch }, there().filter_map(|seen| seen.module.clone()).collect()))
    }

    /// Whether the object is one of those that are there.
    fn is_known(&self, object: &Object) -> bool {
        self.all.iter().any(|seen| seen.until.is_none() && seen.object == *object)
    }

    /// Forgets the oldest that are gone, beyond so many.
    fn forget(&mut self) {
        let gone = self.all.iter().filter(|seen| seen.until.is_some()).count();
        let mut too_many = gone.saturating_sub(MOST_GONE);
        self.all.retain(|seen| {
            let goes = too_many > 0 && seen.until.is_some();
            too_many -= usize::from(goes);
            !goes
        });
    }

    /// The object that held `address` at the time of this look.
    pub(crate) fn at(&self, address: u64, epoch: u32) -> Option<&Object> {
        let was_there =
            |seen: &&Seen| seen.since <= epoch && seen.until.is_none_or(|until| epoch < until);
        let holds = |seen: &&Seen| seen.object.range.contains(&address);
        self.all.iter().filter(was_there).find(holds).map(|seen| &seen.object)
    }
}

/// One round of the linker's.
struct Look<'a> {
    objects: &'a Objects,
    changes: Option<[u64; 2]>,
    /// With what is said of its frames, for an object that was not there before.
    /// Nothing if nothing has changed.
    found: Option<Vec<(Object, Option<Module<Table>>)>>,
}

unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, context: *mut c_void) -> c_int {
    // SAFETY: the linker shows an object for the length of the call; the context is
    // that of `look`.
    let (info, look) = unsafe { (&*info, &mut *context.cast::<Look<'_>>()) };
    let changes = Some([info.dlpi_adds, info.dlpi_subs]);
    if look.found.is_none() && look.changes == changes {
        return 1;
    }
    look.changes = changes;
    let Some(shown) = Shown::new(info) else { return 0 };
    let is_new = !look.objects.is_known(&shown.object);
    let module = is_new.then(|| shown.module());
    look.found.get_or_insert_default().push((shown.object, module));
    0
}

/// An object while the linker shows it.
struct Shown<'a> {
    object: Object,
    headers: &'a [libc::Elf64_Phdr],
}

impl<'a> Shown<'a> {
    fn new(info: &'a libc::dl_phdr_info) -> Option<Self> {
        // SAFETY: as the linker describes its object.
        let headers =
            unsafe { core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
        let base = info.dlpi_addr;
        let range = |header: &libc::Elf64_Phdr| {
            let start = base.wrapping_add(header.p_vaddr);
            start..start + header.p_memsz
        };
        let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD).map(range);
        let code = headers
            .iter()
            .filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0);
        let code = code.map(range).reduce(|all, next| all.start..next.end)?;
        let range = loaded().reduce(|all, next| all.start..next.end)?;
        // SAFETY: a string of the linker's.
        let name = unsafe { CStr::from_ptr(info.dlpi_name) };
        let path = Path::new(OsStr::from_bytes(name.to_bytes())).to_owned();
        Some(Self { object: Object { path, base: base as usize, range, code }, headers })
    }

    fn module(&self) -> Module<Table> {
        let sections = self.sections().unwrap_or_default();
        let name = self.object.path.display().to_string();
        Module::new(name, self.object.range.clone(), self.object.base as u64, sections)
    }

    /// Where the tables are by which frames are unwound (Linux Standard Base, Core,
    /// 10.6): `PT_GNU_EH_FRAME` leads to an index, and that to the table.
    fn sections(&self) -> Option<ExplicitModuleSectionInfo<Table>> {
        let base = self.object.base as u64;
        let header = self.headers.iter().find(|header| header.p_type == libc::PT_GNU_EH_FRAME)?;
        let index = header.p_vaddr..header.p_vaddr + header.p_memsz;
        let index_bytes = self.bytes(&index)?;
        let start = match *index_bytes.get(..8)? {
            // Relative to where it stands, in four bytes: what every linker writes.
            [1, 0x1b, _, _, a, b, c, d] => {
                let distance = i32::from_ne_bytes([a, b, c, d]);
                (index.start + 4).wrapping_add_signed(distance.into())
            }
            _ => return None,
        };
        let segment = self.segment_of(start)?;
        let rest = self.bytes(&(start..segment.end))?;
        let table = start..start + table_len(rest) as u64;
        Some(ExplicitModuleSectionInfo {
            base_svma: 0,
            text_svma: Some(self.object.code.start - base..self.object.code.end - base),
            eh_frame: Some(self.table(&table)?),
            eh_frame_svma: Some(table),
            eh_frame_hdr: Some(self.table(&index)?),
            eh_frame_hdr_svma: Some(index),
            ..ExplicitModuleSectionInfo::default()
        })
    }

    /// The segment that holds an address of the file, as far as it is in memory.
    fn segment_of(&self, address: u64) -> Option<Range<u64>> {
        let loaded = self.headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
        loaded
            .filter(|header| header.p_flags & libc::PF_R != 0)
            .map(|header| header.p_vaddr..header.p_vaddr + header.p_filesz)
            .find(|range| range.contains(&address))
    }

    /// What stands there while the linker shows the object.
    fn bytes(&self, place: &Range<u64>) -> Option<&[u8]> {
        let segment = self.segment_of(place.start)?;
        if place.is_empty() || place.end > segment.end {
            return None;
        }
        let start = (self.object.base as u64).wrapping_add(place.start);
        // SAFETY: a part of a segment that was loaded to be read, and that stays for
        // as long as the linker shows it.
        Some(unsafe {
            core::slice::from_raw_parts(start as *const u8, (place.end - place.start) as usize)
        })
    }

    fn table(&self, place: &Range<u64>) -> Option<Table> {
        let bytes = self.bytes(place)?;
        if !self.is_for_ever() {
            return Some(Table::Copied(bytes.into()));
        }
        // SAFETY: the object is never unloaded.
        Some(Table::InPlace(unsafe { core::slice::from_raw_parts(bytes.as_ptr(), bytes.len()) }))
    }

    /// Whether it is never unloaded: the program, or what this function stands in,
    /// which is the program or the host's library.
    fn is_for_ever(&self) -> bool {
        let own = visit as *const () as usize as u64;
        self.object.path.as_os_str().is_empty() || self.object.range.contains(&own)
    }
}

/// How long a table is: entries with their lengths before them, and a 0 at the end.
fn table_len(bytes: &[u8]) -> usize {
    const EXTENDED: u32 = u32::MAX;
    let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let long = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes);
    let mut at = 0;
    loop {
        let next = match word(at) {
            None => return bytes.len(),
            Some(0) => return at + 4,
            Some(EXTENDED) => long(at + 4).and_then(|len| (at as u64 + 12).checked_add(len)),
            Some(len) => (at as u64 + 4).checked_add(len.into()),
        };
        match next.and_then(|next| usize::try_from(next).ok()) {
            Some(next) if next < bytes.len() => at = next,
            _ => return bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_and_its_libraries_are_there() {
        let mut objects = Objects::default();
        let (view, modules) = objects.look().unwrap();
        assert!(modules.len() > 1);
        assert!(objects.look().is_none(), "nothing was loaded since");
        let own = table_len as *const () as usize as u64;
        let libcs = libc::getpid as *const () as usize as u64;
        for address in [own, libcs] {
            assert!(view.has_code_at(address));
        }
        let on_the_heap = Box::new(0_u8);
        assert!(!view.has_code_at((&raw const *on_the_heap).addr() as u64));
        assert_eq!(objects.at(own, view.epoch).unwrap().path, Path::new(""));
        let libc = objects.at(libcs, view.epoch).unwrap();
        assert!(libc.path.to_str().unwrap().contains("libc"), "{libc:?}");
        assert_eq!(objects.at(libcs, view.epoch - 1), None, "before the first look");
    }

    #[test]
    fn what_was_unloaded_is_remembered_for_stacks_of_its_time() {
        let mut objects = Objects::default();
        let first = objects.look().unwrap().0.epoch;
        let mut gone = objects.all.pop().unwrap();
        let address = gone.object.range.start;
        gone.until = Some(first + 1);
        objects.all.push(gone);
        assert!(objects.at(address, first).is_some());
        assert!(objects.at(address, first + 1).is_none());
    }

    #[test]
    fn a_table_ends_with_a_0_or_with_its_segment() {
        assert_eq!(table_len(&[4, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 9, 9]), 12);
        assert_eq!(table_len(&[4, 0, 0, 0, 1, 2, 3, 4, 9]), 9);
        assert_eq!(table_len(&[200, 0, 0, 0, 1]), 5);
        assert_eq!(table_len(&[255, 255, 255, 255, 2, 0, 0, 0, 0, 0, 0, 0, 7, 7, 0, 0, 0, 0]), 18);
        assert_eq!(table_len(&[255; 12]), 12);
        assert_eq!(table_len(&[]), 0);
    }
}
