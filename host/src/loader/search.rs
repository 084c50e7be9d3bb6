//! Where plugins are looked for.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Plugin;
use crate::config::{Config, Place, Placed};
use crate::error::{HostError, nearest};

/// What the file of a plugin named `x` is called: `liblockscope_x.so`.
const FILE_PREFIX: &str = "liblockscope_";
const FILE_SUFFIX: &str = ".so";
/// The host's own library has the shape of a plugin's name and is none.
const HOST_FILE: &str = "liblockscope_host.so";
/// And so have the libraries that are preloaded into programs.
pub(crate) const PTHREAD_FILE: &str = "liblockscope_pthread.so";
pub(crate) const FUTEX_FILE: &str = "liblockscope_futex.so";
const NO_PLUGINS: [&str; 3] = [HOST_FILE, PTHREAD_FILE, FUTEX_FILE];
/// Where an installation keeps libraries, seen from the command.
const LIBRARY_FOLDER: &str = "../lib/lockscope";

/// One folder of the search path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Why the folder is searched.
    pub why: String,
    /// The folder.
    pub folder: PathBuf,
}

/// The folders in which plugins are looked for, first to last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPath {
    /// The folders; those that do not exist are kept, to be shown.
    pub steps: Vec<Step>,
}

/// A plugin that was found by its name.
#[derive(Debug)]
pub struct Found {
    /// It.
    pub plugin: Plugin,
    /// Names of the other plugins in the search path, by their files.
    pub others: Vec<String>,
}

/// A file in the search path that looks like a plugin.
#[derive(Debug)]
pub struct Candidate {
    /// The file.
    pub path: PathBuf,
    /// Why its folder is searched.
    pub why: String,
    /// The plugin, or why it is none.
    pub plugin: Result<Plugin, HostError>,
    /// The file that is used instead, or that has the same name in the same
    /// folder.
    pub shadowed_by: Option<PathBuf>,
}

impl SearchPath {
    /// The search path under `config`: its folders, beside the executable,
    /// and the installed library folder.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mut path = Self { steps: Vec::new() };
        for Placed { value, place } in &config.plugin_path {
            path.add(place.to_string(), value.clone());
        }
        for (why, folder) in own_folders() {
            path.add(why.to_owned(), folder.clone());
        }
        for (_, folder) in own_folders() {
            path.add("the installed library folder".to_owned(), folder.join(LIBRARY_FOLDER));
        }
        path
    }

    fn add(&mut self, why: String, folder: PathBuf) {
        let folder = folder.canonicalize().unwrap_or(folder);
        if !self.steps.iter().any(|step| step.folder == folder) {
            self.steps.push(Step { why, folder });
        }
    }

    /// The plugin that `backend` names: a path if it has a `/`, or else the
    /// backend of that name in the first folder that has one.
    ///
    /// # Errors
    ///
    /// [`HostError::BackendUnknown`], [`HostError::BackendAmbiguous`], and
    /// what [`Plugin::open`] says of the file.
    pub fn find(&self, backend: &Placed<String>) -> Result<Found, HostError> {
        let name = &backend.value;
        let plugin = if name.contains('/') {
            Plugin::open(Path::new(name))?
        } else {
            self.by_name(name, &backend.place)?
        };
        Ok(Found { plugin, others: self.names() })
    }

    fn by_name(&self, name: &str, place: &Place) -> Result<Plugin, HostError> {
        for step in &self.steps {
            if let Some(plugin) = in_folder(&step.folder, name)? {
                return Ok(plugin);
            }
        }
        let searched: Vec<String> = self
            .steps
            .iter()
            .map(|step| format!("{} ({})", step.folder.display(), step.why))
            .collect();
        let names = self.names();
        Err(HostError::BackendUnknown {
            name: name.to_owned(),
            place: place.clone(),
            nearest: nearest(name, names.iter().map(String::as_str)),
            searched: searched.join(", "),
        })
    }

    /// The names that the files in the search path have.
    pub(crate) fn names(&self) -> Vec<String> {
        let files = self.steps.iter().flat_map(|step| plugin_files(&step.folder));
        let mut names: Vec<String> = files.map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Every file that looks like a plugin, opened.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        let mut found: Vec<Candidate> = Vec::new();
        for step in &self.steps {
            for (_, path) in plugin_files(&step.folder) {
                let plugin = Plugin::open(&path);
                let name = |plugin: &Result<Plugin, HostError>| {
                    plugin.as_ref().ok().map(|plugin| plugin.description.name.clone())
                };
                let same = found
                    .iter()
                    .find(|other| plugin.is_ok() && name(&other.plugin) == name(&plugin));
                let shadowed_by = same.map(|other| other.path.clone());
                found.push(Candidate { path, why: step.why.clone(), plugin, shadowed_by });
            }
        }
        found
    }
}

/// The plugin of this name in one folder.
///
/// All of the folder's plugins are asked for their names, the one whose file
/// has the name first: two of one name are an error, however they are called.
fn in_folder(folder: &Path, name: &str) -> Result<Option<Plugin>, HostError> {
    let mut files = plugin_files(folder);
    files.sort_by_key(|(file_name, _)| file_name != name);
    let mut found: Option<Plugin> = None;
    for (file_name, path) in files {
        let plugin = match Plugin::open(&path) {
            Ok(plugin) => plugin,
            // The file that was meant is broken: say how.
            Err(error) if file_name == name => return Err(error),
            Err(_) => continue,
        };
        if plugin.description.name != name {
            continue;
        }
        if let Some(first) = found {
            return Err(HostError::BackendAmbiguous {
                name: name.to_owned(),
                first: first.path,
                second: plugin.path,
            });
        }
        found = Some(plugin);
    }
    Ok(found)
}

/// Files in the folder that are called as plugins are, with the name in the
/// file's name, sorted. A file that is there twice, by a link, counts once.
fn plugin_files(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let file = entry.file_name();
            let name = file.to_str()?.strip_prefix(FILE_PREFIX)?.strip_suffix(FILE_SUFFIX)?;
            let is_plugin = NO_PLUGINS.iter().all(|other| file != *other);
            is_plugin.then(|| (name.to_owned(), entry.path()))
        })
        .collect();
    files.sort_unstable();
    let mut seen = Vec::new();
    files.retain(|(_, path)| {
        let Ok(of) = path.metadata() else { return true };
        let identity = (of.dev(), of.ino());
        let fresh = !seen.contains(&identity);
        seen.push(identity);
        fresh
    });
    files
}

/// The folder of the library that this code is in, if it is one, and that of
/// the executable.
fn own_folders() -> Vec<(&'static str, PathBuf)> {
    let executable = std::env::current_exe().ok();
    let library = own_object().filter(|object| {
        object.is_absolute()
            && executable.as_ref().is_none_or(|executable| {
                object.canonicalize().ok() != executable.canonicalize().ok()
            })
    });
    [("beside liblockscope_host.so", library), ("beside the executable", executable)]
        .into_iter()
        .filter_map(|(why, file)| Some((why, file?.parent()?.to_owned())))
        .collect()
}

/// The file that this code was loaded from.
fn own_object() -> Option<PathBuf> {
    let mut info = libc::Dl_info {
        dli_fname: core::ptr::null(),
        dli_fbase: core::ptr::null_mut(),
        dli_sname: core::ptr::null(),
        dli_saddr: core::ptr::null_mut(),
    };
    let own: fn() -> Option<PathBuf> = own_object;
    // SAFETY: the address is one of this library's; `info` is valid for writes.
    if unsafe { libc::dladdr(own as *const libc::c_void, &raw mut info) } == 0
        || info.dli_fname.is_null()
    {
        return None;
    }
    // SAFETY: the linker's own name of the object, which stays as it is never
    // unloaded.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}

/// The host's library, which programs under `lockscope run` open: beside the
/// executable, in the installed library folder, or where cargo builds it.
///
/// # Errors
///
/// [`HostError::HostLibrary`] if it is in none of these.
pub fn host_library() -> Result<PathBuf, HostError> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|executable| executable.parent().map(Path::to_owned))
        .unwrap_or_default();
    let folders = [beside.clone(), beside.join(LIBRARY_FOLDER), beside.join("deps")];
    let found = folders.iter().map(|folder| folder.join(HOST_FILE)).find(|path| path.is_file());
    found.ok_or_else(|| HostError::HostLibrary {
        searched: folders
            .iter()
            .map(|folder| folder.display().to_string())
            .collect::<Vec<_>>()
            .join(", "),
    })
}
