//! Where sockets are: a folder that nobody but its owner can enter.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::ControlError;
use super::system;

#[cfg(test)]
mod tests;

/// Names the folder that the system gives to a user who has logged in.
const RUNTIME_VARIABLE: &str = "XDG_RUNTIME_DIR";
/// Where those folders are on most systems.
const RUNTIME_FOLDERS: &str = "/run/user";
/// Where sockets are if there is no such folder. Not `TMPDIR`: both sides must
/// come to the same.
const TEMPORARY: &str = "/tmp";
const NAME: &str = "lockscope";
const SUFFIX: &str = ".sock";
/// A socket that nobody listens at may be one that is just being opened.
const YOUNG: Duration = Duration::from_secs(5);

/// A folder of sockets that was found to be its owner's alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) owner: u32,
}

impl Folder {
    /// This process's own folder, made if it is not there.
    pub(super) fn create() -> Result<Self, ControlError> {
        let user = system::user();
        let path = own_place(std::env::var_os(RUNTIME_VARIABLE), user);
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        match made {
            Err(source) if source.kind() != ErrorKind::AlreadyExists => {
                Err(ControlError::Open { path, source })
            }
            _ => Self::open(path.clone(), user)?.ok_or_else(|| ControlError::Folder {
                path,
                expected: "a folder".to_owned(),
                found: "that it vanished as soon as it was made".to_owned(),
                remedy: "see what else clears it".to_owned(),
            }),
        }
    }

    /// The folder at `path`, if there is one, and if it is `owner`'s alone.
    pub(super) fn open(path: PathBuf, owner: u32) -> Result<Option<Self>, ControlError> {
        // Of the path itself: a link may lead to another place tomorrow.
        let found = match path.symlink_metadata() {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ControlError::Open { path, source }),
        };
        let wrong = |path: PathBuf, expected: &str, found: String, remedy: String| {
            Err(ControlError::Folder { path, expected: expected.to_owned(), found, remedy })
        };
        if !found.is_dir() {
            let what = if found.is_symlink() { "a symbolic link" } else { "a file" };
            let remedy = "remove it".to_owned();
            return wrong(path, "a folder", what.to_owned(), remedy);
        }
        if found.uid() != owner {
            let expected = format!("a folder of the user with number {owner}");
            let what = format!("one of the user with number {}", found.uid());
            let remedy = format!("have its owner remove it, or set {RUNTIME_VARIABLE}");
            return wrong(path, &expected, what, remedy);
        }
        if found.mode() & 0o077 != 0 {
            let what = format!("mode {:o}, with rights for others", found.mode() & 0o777);
            let remedy = format!("run `chmod 700 {}`", path.display());
            return wrong(path, "mode 700", what, remedy);
        }
        Ok(Some(Self { path, owner }))
    }

    /// The socket of the process with this number, whether or not it is there.
    pub(super) fn socket(&self, pid: u32) -> PathBuf {
        socket_in(&self.path, pid)
    }

    /// The processes that have a socket here, ascending.
    pub(super) fn processes(&self) -> Vec<u32> {
        let Ok(entries) = std::fs::read_dir(&self.path) else { return Vec::new() };
        let mut pids: Vec<u32> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name();
                let number = name.to_str()?.strip_suffix(SUFFIX)?;
                // Only as we write it: no sign, no zeros before it.
                number.parse().ok().filter(|pid: &u32| pid.to_string() == number)
            })
            .collect();
        pids.sort_unstable();
        pids
    }

    /// Takes the socket of a process away that nobody listens at any more, if
    /// it is the user's own and not about to be listened at.
    pub(super) fn remove_stale(&self, pid: u32) {
        if self.owner != system::user() {
            return;
        }
        let path = self.socket(pid);
        let is_young = || {
            let made = path.symlink_metadata().and_then(|of| of.modified());
            made.is_ok_and(|time| time.elapsed().is_ok_and(|age| age < YOUNG))
        };
        if owner_of(pid).is_none() || !is_young() {
            // Whoever cannot remove it is told nothing better by that.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The socket of the process with this number, if it is at `place`.
pub(super) fn socket_in(place: &Path, pid: u32) -> PathBuf {
    place.join(format!("{pid}{SUFFIX}"))
}

/// The user whose process this is; `None` if there is none, as far as is seen
/// from here.
pub(super) fn owner_of(pid: u32) -> Option<u32> {
    Path::new("/proc").join(pid.to_string()).metadata().ok().map(|of| of.uid())
}

/// Where a process of `user` with this variable has its socket.
fn own_place(runtime: Option<OsString>, user: u32) -> PathBuf {
    match runtime.map(PathBuf::from).filter(|folder| is_runtime_folder(folder, user)) {
        Some(folder) => folder.join(NAME),
        None => temporary_place(user),
    }
}

/// Where processes of `user` may have their sockets, as seen from here.
pub(super) fn places_of(user: u32) -> Vec<PathBuf> {
    let own = (user == system::user()).then(|| own_place(std::env::var_os(RUNTIME_VARIABLE), user));
    let systems = Path::new(RUNTIME_FOLDERS).join(user.to_string());
    let systems = is_runtime_folder(&systems, user).then(|| systems.join(NAME));
    let mut places: Vec<PathBuf> = Vec::new();
    for place in own.into_iter().chain(systems).chain([temporary_place(user)]) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The users who may have sockets that this one may connect to.
pub(super) fn users() -> Vec<u32> {
    let user = system::user();
    if user != 0 {
        return vec![user];
    }
    let numbered = |folder: &str, prefix: &str| -> Vec<u32> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter_map(|name| name.strip_prefix(prefix)?.parse().ok()).collect()
    };
    let mut users = numbered(RUNTIME_FOLDERS, "");
    users.extend(numbered(TEMPORARY, &format!("{NAME}-")));
    users.push(user);
    users.sort_unstable();
    users.dedup();
    users
}

fn temporary_place(user: u32) -> PathBuf {
    Path::new(TEMPORARY).join(format!("{NAME}-{user}"))
}

/// Whether nobody but `user` can put anything into the folder. `sudo` leaves
/// the variable of another user behind.
fn is_runtime_folder(folder: &Path, user: u32) -> bool {
    let fits = |found: std::fs::Metadata| {
        found.is_dir() && found.uid() == user && found.mode() & 0o022 == 0
    };
    folder.is_absolute() && folder.metadata().is_ok_and(fits)
}
