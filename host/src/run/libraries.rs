//! The libraries that a program needs: where the dynamic linker would find them, as far
//! as that can be told without it.
//!
//! ld.so(8) says where it looks, and in which order. What differs from one processor to
//! another, and what a program opens by itself, is not looked for.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::program::Object;

/// So many are looked at: more than a program has that is started by hand.
const MOST: usize = 200;
/// Where they are that nobody says anything about.
const FOLDERS: [&str; 6] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
];
/// Those whose locks are their own, or the program's, which then names them itself:
/// glibc, and what compilers add to every program.
const RUNTIMES: [&str; 9] = [
    "libc.so",
    "ld-linux",
    "libpthread.so",
    "libm.so",
    "libdl.so",
    "librt.so",
    "libgcc_s.so",
    "libstdc++.so",
    "libc++",
];

/// Shows `visit` the libraries that `program`, of the file at `path`, needs, and those
/// that they need in turn, until it wants to see no more.
pub(super) fn each(program: &Object, path: &Path, mut visit: impl FnMut(&Object) -> bool) {
    let cache = Cache::read();
    let mut seen = BTreeSet::new();
    let mut next = VecDeque::new();
    add(program, path, &[], &mut seen, &mut next);
    while let Some((name, folders)) = next.pop_front() {
        let Some(path) = found(&name, &folders, &cache) else { continue };
        let Ok(Some(library)) = File::open(&path).and_then(|file| Object::of(&file)) else {
            continue;
        };
        if !visit(&library) {
            return;
        }
        add(&library, &path, &folders, &mut seen, &mut next);
    }
}

type Wanted = (OsString, Vec<PathBuf>);

/// What `object` needs and nobody has needed before, with the folders to look in: those
/// that it names, and those that whoever needs it has named.
fn add(
    object: &Object,
    path: &Path,
    inherited: &[PathBuf],
    seen: &mut BTreeSet<OsString>,
    next: &mut VecDeque<Wanted>,
) {
    let origin = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let origin = origin.parent().unwrap_or(Path::new("/"));
    let mut folders: Vec<PathBuf> =
        object.folders().flat_map(|list| named_in(list, origin)).collect();
    folders.extend_from_slice(inherited);
    for name in object.needs() {
        let is_runtime =
            RUNTIMES.iter().any(|runtime| name.as_bytes().starts_with(runtime.as_bytes()));
        if !is_runtime && seen.len() < MOST && seen.insert(name.to_owned()) {
            next.push_back((name.to_owned(), folders.clone()));
        }
    }
}

/// The folders of a list, in which `$ORIGIN` stands for where the file is that has it.
fn named_in(list: &OsStr, origin: &Path) -> Vec<PathBuf> {
    let folder = |member: &[u8]| {
        for word in [&b"$ORIGIN"[..], b"${ORIGIN}"] {
            if let Some(rest) = member.strip_prefix(word) {
                let mut path = origin.as_os_str().as_bytes().to_owned();
                path.extend_from_slice(rest);
                return PathBuf::from(OsString::from_vec(path));
            }
        }
        PathBuf::from(OsStr::from_bytes(member))
    };
    let members = list.as_bytes().split(|byte| b":;".contains(byte));
    members.filter(|member| !member.is_empty()).map(folder).collect()
}

fn found(name: &OsStr, folders: &[PathBuf], cache: &Cache) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return Some(name.into());
    }
    let asked = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let asked = named_in(&asked, Path::new("/"));
    let in_folder = |folder: &Path| Some(folder.join(name)).filter(|path| path.is_file());
    let named = folders.iter().chain(&asked).find_map(|folder| in_folder(folder));
    named
        .or_else(|| cache.path_of(name))
        .or_else(|| FOLDERS.iter().find_map(|folder| in_folder(Path::new(folder))))
}

/// What `ldconfig` has written down.
#[derive(Debug, Default)]
struct Cache(Vec<u8>);

impl Cache {
    const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
    const HEADER: usize = 48;
    const ENTRY: usize = 24;
    /// Of a library of glibc's for this machine.
    const FLAGS: u32 = 0x0303;

    fn read() -> Self {
        Self::of(std::fs::read("/etc/ld.so.cache").unwrap_or_default())
    }

    /// Nothing, if it is none that is known here.
    fn of(bytes: Vec<u8>) -> Self {
        if bytes.starts_with(Self::MAGIC) { Self(bytes) } else { Self::default() }
    }

    /// Where the library of this name is.
    fn path_of(&self, name: &OsStr) -> Option<PathBuf> {
        let most = self.0.len() / Self::ENTRY;
        let count = (self.number(20)? as usize).min(most);
        (0..count)
            .find_map(|index| {
                let at = Self::HEADER + index * Self::ENTRY;
                let is_it = self.number(at)? == Self::FLAGS
                    && self.text(self.number(at + 4)? as usize)? == name.as_bytes();
                is_it.then(|| self.text(self.number(at + 8)? as usize)).flatten()
            })
            .map(|path| PathBuf::from(OsStr::from_bytes(path)))
    }

    fn number(&self, at: usize) -> Option<u32> {
        let bytes = self.0.get(at..at + 4)?;
        bytes.try_into().ok().map(u32::from_ne_bytes)
    }

    fn text(&self, at: usize) -> Option<&[u8]> {
        self.0.get(at..)?.split(|byte| *byte == 0).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_a_list() {
        let origin = Path::new("/opt/app/bin");
        let list = OsStr::new("$ORIGIN/../lib:/usr/local/lib:${ORIGIN}");
        let folders = named_in(list, origin);
        assert_eq!(
            folders,
            ["/opt/app/bin/../lib", "/usr/local/lib", "/opt/app/bin"].map(PathBuf::from)
        );
    }

    #[test]
    fn the_cache_of_this_machine_knows_glibc() {
        let cache = Cache::read();
        if cache.0.is_empty() {
            eprintln!("skipped: there is no cache of libraries here");
            return;
        }
        let path = cache.path_of(OsStr::new("libc.so.6")).unwrap();
        assert!(path.ends_with("libc.so.6") && path.is_file(), "{}", path.display());
        assert_eq!(cache.path_of(OsStr::new("libno.so.1")), None);
    }

    #[test]
    fn what_is_no_cache_knows_nothing() {
        for bytes in [
            &b""[..],
            b"ld.so-1.7.0",
            b"glibc-ld.so.cache1.1",
            b"glibc-ld.so.cache1.1\xff\xff\xff\xff",
        ] {
            assert_eq!(Cache::of(bytes.into()).path_of(OsStr::new("libc.so.6")), None);
        }
    }
}
