//! Programs that nobody rebuilds: whether their locks can be watched by libraries that
//! are preloaded, found out before they start.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::program::{Program, Uses};
use crate::loader::{FUTEX_FILE, PTHREAD_FILE, host_library};

/// Names libraries that the dynamic linker loads first.
const VARIABLE: &str = "LD_PRELOAD";
/// If it is there, the library stays in the environment of processes that the
/// program starts.
pub(crate) const CHILDREN_VARIABLE: &str = "LOCKSCOPE_ALL_CHILDREN";

/// By what a program's locks are watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProbeChoice {
    /// Its own lock types, its pthread locks if it uses some, and what waits for locks of
    /// Rust's if it takes none from us.
    #[default]
    Auto,
    /// Its pthread locks, also if only its libraries use them.
    Pthread,
    /// What waits at futexes, as Rust's locks do.
    Futex,
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
    /// Libraries are preloaded: the variable's value, and what is to be told.
    Libraries(OsString, String),
    /// The program cannot be profiled at all, and why.
    Impossible(String),
}

/// A library that may be preloaded.
#[derive(Clone, Copy, Debug)]
struct Library {
    file: &'static str,
    /// What it watches.
    watched: &'static str,
    /// What is not seen because of it.
    unseen: &'static str,
}

const PTHREAD: Library = Library {
    file: PTHREAD_FILE,
    watched: "its pthread and C11 locks",
    unseen: "locks inside glibc",
};
const FUTEX: Library = Library {
    file: FUTEX_FILE,
    watched: "the waits for its Rust locks",
    unseen: "acquisitions that do not wait",
};

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
        let is_asked = matches!(choice, ProbeChoice::Pthread | ProbeChoice::Futex) || all_children;
        let locks = match choice {
            ProbeChoice::Pthread => "pthread locks",
            ProbeChoice::Futex => "waits at futexes",
            _ => "locks",
        };
        // Who reads a script is the program.
        let program = Program::read(&interpreter(&path).unwrap_or(path));
        let told = match &program {
            Program::Glibc(uses) => {
                return Self::of_glibc(choice, *uses, all_children, &shown.to_string());
            }
            Program::Static => format!(
                "{shown} is statically linked, so that nothing can be loaded into it and its {locks} are not seen; link it dynamically"
            ),
            Program::Other(linker) if is_asked => format!(
                "{shown} is loaded by {linker} and not by glibc, so its {locks} are not seen"
            ),
            Program::Unknown if is_asked => {
                format!("{shown} is no program of this machine, so its {locks} are not seen")
            }
            Program::Other(_) | Program::Unknown => return Self::Nothing(None),
        };
        if program == Program::Static { Self::Impossible(told) } else { Self::Nothing(Some(told)) }
    }

    fn of_glibc(choice: ProbeChoice, uses: Uses, all_children: bool, program: &str) -> Self {
        if choice == ProbeChoice::Futex && uses.own {
            return Self::Nothing(Some(format!(
                "{program} takes locks from the crate `lockscope`, by which more is seen of them: its waits at futexes are left alone, or they would be recorded twice"
            )));
        }
        let libraries = wanted(choice, uses, all_children);
        if libraries.is_empty() {
            return Self::Nothing(None);
        }
        Self::with(&libraries, program, all_children)
    }

    fn with(libraries: &[Library], program: &str, all_children: bool) -> Self {
        let list = |of: fn(&Library) -> &'static str| libraries.iter().map(of).collect::<Vec<_>>();
        let watched = list(|library| library.watched).join(" and ");
        let mut value = Vec::new();
        for Library { file, .. } in libraries {
            let beside = host_library().ok().and_then(|host| Some(host.parent()?.join(file)));
            let Some(library) = beside.filter(|library| library.is_file()) else {
                return Self::Nothing(Some(format!(
                    "{program} runs without {watched} being watched, because {file} does not stand beside liblockscope_host.so; install it there"
                )));
            };
            let library = library.canonicalize().unwrap_or(library);
            // So does the dynamic linker read its list.
            if library.as_os_str().as_bytes().iter().any(|byte| b": ".contains(byte)) {
                return Self::Nothing(Some(format!(
                    "{program} runs without {watched} being watched, because a library with a space or a colon in its path cannot be preloaded: {}; install it elsewhere",
                    library.display()
                )));
            }
            value.push(library.into_os_string());
        }
        value.extend(std::env::var_os(VARIABLE).filter(|theirs| !theirs.is_empty()));
        let mut unseen = list(|library| library.unseen);
        if !all_children {
            unseen.push("processes that it starts");
        }
        let told = format!(
            "{program} runs with {watched} watched; {} are not seen (--probe rust leaves it alone)",
            listed(&unseen)
        );
        Self::Libraries(value.join(OsStr::new(":")), told)
    }

    /// What is to be set in the program's environment.
    pub(super) fn variable(&self) -> Option<(&'static str, &OsStr)> {
        match self {
            Self::Libraries(value, _) => Some((VARIABLE, value)),
            _ => None,
        }
    }

    /// What is to be told before the program starts.
    pub(super) fn told(&self) -> Option<&str> {
        match self {
            Self::Nothing(told) => told.as_deref(),
            Self::Libraries(_, told) | Self::Impossible(told) => Some(told),
        }
    }
}

/// What is preloaded into a program that uses such locks.
fn wanted(choice: ProbeChoice, uses: Uses, all_children: bool) -> Vec<Library> {
    let is_auto = choice == ProbeChoice::Auto;
    let pthread = choice == ProbeChoice::Pthread || is_auto && (uses.pthread || all_children);
    let futex = choice == ProbeChoice::Futex || is_auto && uses.rust;
    let wanted = [(PTHREAD, pthread), (FUTEX, futex && !uses.own)];
    wanted.into_iter().filter_map(|(library, is_wanted)| is_wanted.then_some(library)).collect()
}

/// As in "a, b and c".
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn files(choice: ProbeChoice, uses: Uses) -> Vec<&'static str> {
        wanted(choice, uses, false).iter().map(|library| library.file).collect()
    }

    #[test]
    fn what_a_program_uses_is_watched_once() {
        let [none, own] = [false, true].map(|own| Uses { pthread: false, rust: true, own });
        let both = Uses { pthread: true, ..none };
        assert_eq!(files(ProbeChoice::Auto, none), [FUTEX_FILE]);
        assert_eq!(files(ProbeChoice::Auto, both), [PTHREAD_FILE, FUTEX_FILE]);
        assert_eq!(files(ProbeChoice::Auto, Uses { pthread: true, ..own }), [PTHREAD_FILE]);
        assert!(files(ProbeChoice::Auto, own).is_empty());
        assert!(files(ProbeChoice::Auto, Uses::default()).is_empty());
        assert_eq!(files(ProbeChoice::Pthread, both), [PTHREAD_FILE]);
        assert_eq!(files(ProbeChoice::Futex, Uses::default()), [FUTEX_FILE]);
        assert_eq!(wanted(ProbeChoice::Auto, Uses::default(), true).len(), 1);
    }

    #[test]
    fn lists_as_people_write_them() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
