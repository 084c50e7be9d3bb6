//! Programs that nobody rebuilds: whether their pthread locks can be watched by a
//! library that is preloaded, found out before they start.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::program::Program;
use crate::loader::{PTHREAD_FILE, host_library};

/// Names libraries that the dynamic linker loads first.
const VARIABLE: &str = "LD_PRELOAD";
/// If it is there, the library stays in the environment of processes that the
/// program starts.
pub(crate) const CHILDREN_VARIABLE: &str = "LOCKSCOPE_ALL_CHILDREN";

/// By what a program's locks are watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProbeChoice {
    /// Its own lock types, and its pthread locks if it uses some.
    #[default]
    Auto,
    /// Its pthread locks, also if only its libraries use them.
    Pthread,
    /// Its own lock types alone.
    Rust,
    /// Nothing: the program runs unprofiled.
    None,
}

/// What was found out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Preload {
    /// Nothing is preloaded; there may be something to tell.
    Nothing(Option<String>),
    /// The library is preloaded: the variable's value, and what is to be told.
    Library(OsString, String),
    /// The program cannot be profiled at all, and why.
    Impossible(String),
}

impl Preload {
    /// Looks at the program that `command` names. With `all_children` it may be a
    /// shell that only starts others.
    pub(super) fn of(choice: ProbeChoice, all_children: bool, command: &OsStr) -> Self {
        if choice == ProbeChoice::Rust {
            return Self::Nothing(None);
        }
        let Some(path) = found(command) else { return Self::Nothing(None) };
        let shown = Path::new(command).display();
        if is_privileged(&path) {
            return Self::Impossible(format!(
                "{shown} runs with more rights than yours (set-user-id), and the system loads nothing into such a program; profile a copy without that bit"
            ));
        }
        let is_asked = choice == ProbeChoice::Pthread || all_children;
        // Who reads a script is the program.
        let program = Program::read(&interpreter(&path).unwrap_or(path));
        let told = match &program {
            Program::Glibc { locks } if *locks || is_asked => {
                return Self::library(&shown.to_string(), all_children);
            }
            Program::Static => format!(
                "{shown} is statically linked, so that nothing can be loaded into it and its pthread locks are not seen; link it dynamically"
            ),
            Program::Other(linker) if is_asked => format!(
                "{shown} is loaded by {linker} and not by glibc, so its pthread locks are not seen"
            ),
            Program::Unknown if is_asked => {
                format!("{shown} is no program of this machine, so its pthread locks are not seen")
            }
            Program::Glibc { .. } | Program::Other(_) | Program::Unknown => {
                return Self::Nothing(None);
            }
        };
        if program == Program::Static { Self::Impossible(told) } else { Self::Nothing(Some(told)) }
    }

    fn library(program: &str, all_children: bool) -> Self {
        let beside = host_library().ok().and_then(|host| Some(host.parent()?.join(PTHREAD_FILE)));
        match beside.filter(|library| library.is_file()) {
            Some(library) => Self::of_library(program, &library, all_children),
            None => Self::Nothing(Some(format!(
                "the pthread locks of {program} are not seen, because {PTHREAD_FILE} does not stand beside liblockscope_host.so; install it there"
            ))),
        }
    }

    fn of_library(program: &str, library: &Path, all_children: bool) -> Self {
        let library = library.canonicalize().unwrap_or_else(|_| library.to_owned());
        let mut value = library.into_os_string().into_vec();
        // So does the dynamic linker read its list.
        if value.iter().any(|byte| b": ".contains(byte)) {
            let library = OsString::from_vec(value);
            return Self::Nothing(Some(format!(
                "the pthread locks of {program} are not seen, because a library with a space or a colon in its path cannot be preloaded: {}; install it elsewhere",
                library.display()
            )));
        }
        if let Some(theirs) = std::env::var_os(VARIABLE).filter(|theirs| !theirs.is_empty()) {
            value.push(b':');
            value.extend_from_slice(theirs.as_bytes());
        }
        let unseen = if all_children {
            "locks inside glibc and bare futexes are"
        } else {
            "locks inside glibc, bare futexes and processes that it starts are"
        };
        let told = format!(
            "{program} runs with its pthread and C11 locks watched; {unseen} not seen (--probe rust leaves it alone)"
        );
        Self::Library(OsString::from_vec(value), told)
    }

    /// What is to be set in the program's environment.
    pub(super) fn variable(&self) -> Option<(&'static str, &OsStr)> {
        match self {
            Self::Library(value, _) => Some((VARIABLE, value)),
            _ => None,
        }
    }

    /// What is to be told before the program starts.
    pub(super) fn told(&self) -> Option<&str> {
        match self {
            Self::Nothing(told) => told.as_deref(),
            Self::Library(_, told) | Self::Impossible(told) => Some(told),
        }
    }
}

/// The file that is executed for this command.
fn found(command: &OsStr) -> Option<PathBuf> {
    let path = Path::new(command);
    if command.as_bytes().contains(&b'/') {
        return path.is_file().then(|| path.to_owned());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).map(|folder| folder.join(path)).find(|path| path.is_file())
}

/// Whether the program gets rights that whoever starts it does not have.
fn is_privileged(path: &Path) -> bool {
    let Ok(of) = path.metadata() else { return false };
    // SAFETY: both calls take nothing and cannot fail.
    let (user, group) = unsafe { (libc::getuid(), libc::getgid()) };
    let sets_user = of.mode() & libc::S_ISUID != 0 && of.uid() != user;
    let sets_group = of.mode() & (libc::S_ISGID | libc::S_IXGRP) == libc::S_ISGID | libc::S_IXGRP;
    sets_user || sets_group && of.gid() != group
}

/// The program that reads this script, if it is one.
fn interpreter(path: &Path) -> Option<PathBuf> {
    let mut line = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    // The kernel reads no more of it either.
    let mut reader = BufReader::new(std::io::Read::take(file, 256));
    reader.read_until(b'\n', &mut line).ok()?;
    let rest = line.strip_prefix(b"#!")?.trim_ascii();
    let program = rest.split(u8::is_ascii_whitespace).next()?;
    Some(PathBuf::from(OsStr::from_bytes(program)))
}
