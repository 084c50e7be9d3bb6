//! Where reports go.

use std::path::{Path, PathBuf};

use crate::config::{Placed, Sources};
use crate::error::HostError;

/// Stands for the process in the path of a report.
const PID: &str = "{pid}";
/// Names the process of `lockscope run`, whose child the report's name is for.
pub(crate) const RUN_VARIABLE: &str = "LOCKSCOPE_RUN";

/// The path of a report, in which `{pid}` stands for the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(pub(crate) PathBuf);

impl Pattern {
    /// The path for one process.
    pub(crate) fn of(&self, pid: u32) -> PathBuf {
        self.0.to_string_lossy().replace(PID, &pid.to_string()).into()
    }

    /// The pattern for processes that the program starts: none of them writes
    /// over its report, nor over another's.
    pub(crate) fn of_descendants(&self) -> Self {
        let stem = self.0.file_stem().unwrap_or_default().to_string_lossy();
        if self.0.to_string_lossy().contains(PID) {
            return self.clone();
        }
        let extension = self.0.extension().map(|extension| extension.to_string_lossy());
        let extension = extension.map(|extension| format!(".{extension}")).unwrap_or_default();
        Self(self.0.with_file_name(format!("{stem}-{PID}{extension}")))
    }

    /// The files that are there for one process or another, sorted.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        let Some((prefix, suffix)) = name.split_once(PID) else { return Vec::new() };
        let is_one = |path: &PathBuf| {
            path.file_name()
                .and_then(|name| name.to_str()?.strip_prefix(prefix)?.strip_suffix(suffix))
                .is_some_and(|pid| pid.parse::<u32>().is_ok())
        };
        let Ok(entries) = std::fs::read_dir(folder_of(&self.0)) else { return Vec::new() };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut files: Vec<PathBuf> = paths.filter(is_one).collect();
        files.sort_unstable();
        files
    }
}

/// Whether `lockscope run` started this process not itself, but through
/// another: a shell, a build tool, the program.
pub(crate) fn is_descendant(sources: &Sources) -> bool {
    let run = sources.variable(RUN_VARIABLE).and_then(|value| value.to_str()?.parse().ok());
    // SAFETY: the call takes nothing and cannot fail.
    run.is_some_and(|run: libc::pid_t| run != unsafe { libc::getppid() })
}

/// Where the report of a process's session with this number goes, from 1, if
/// that of the first goes to `path`: `lockscope.2.json` beside `lockscope.json`.
pub(crate) fn of_session(path: &Path, session: u32) -> PathBuf {
    if session <= 1 || is_stream(path) {
        return path.to_owned();
    }
    let number = session.to_string();
    match path.extension() {
        Some(extension) => path.with_extension(format!("{number}.{}", extension.to_string_lossy())),
        None => path.with_extension(number),
    }
}

/// The output with a path that stays true if the process goes elsewhere.
pub(crate) fn absolute(output: Placed<PathBuf>) -> Placed<PathBuf> {
    Placed { value: std::path::absolute(&output.value).unwrap_or(output.value), ..output }
}

/// Whether a report can be written to `output`: tries in its folder.
pub(crate) fn check(output: &Placed<PathBuf>) -> Result<(), HostError> {
    let tried = match output.value.metadata() {
        Ok(found) if found.is_dir() => Err(std::io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => Ok(()),
        _ => try_folder(folder_of(&output.value)),
    };
    tried.map_err(|source| HostError::Output {
        path: output.value.clone(),
        place: output.place.clone(),
        source,
    })
}

fn try_folder(folder: &Path) -> std::io::Result<()> {
    let trial = folder.join(format!(".lockscope-{}", std::process::id()));
    std::fs::File::create(&trial).and_then(|_| std::fs::remove_file(&trial))
}

/// Whether `path` is a pipe or a device: a report that is written there cannot
/// be read again.
pub(crate) fn is_stream(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descendants_have_files_of_their_own() {
        let of = |path: &str| Pattern(path.into()).of_descendants().of(7);
        assert_eq!(of("/a/lockscope.json"), Path::new("/a/lockscope-7.json"));
        assert_eq!(of("/a.b/report"), Path::new("/a.b/report-7"));
        assert_eq!(of("/a/{pid}.json"), Path::new("/a/7.json"));
    }

    #[test]
    fn later_sessions_have_files_of_their_own() {
        let of = |path: &str, session| of_session(Path::new(path), session);
        assert_eq!(of("/a/lockscope.json", 1), Path::new("/a/lockscope.json"));
        assert_eq!(of("/a/lockscope.json", 2), Path::new("/a/lockscope.2.json"));
        assert_eq!(of("/a.b/report", 12), Path::new("/a.b/report.12"));
        assert_eq!(of("/dev/null", 3), Path::new("/dev/null"));
    }

    #[test]
    fn files_of_processes_are_told_from_others() {
        let dir = tempfile::TempDir::new().unwrap();
        for name in ["r-12.json", "r-7.json", "r-x.json", "r-.json", "r.json", "r-7.json.gz"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let pattern = Pattern(dir.path().join("r.json")).of_descendants();
        assert_eq!(pattern.files(), [dir.path().join("r-12.json"), dir.path().join("r-7.json")]);
    }

    #[test]
    fn a_device_is_written_to_and_not_read() {
        assert!(check(&Placed::built_in("/dev/null".into())).is_ok());
        assert!(is_stream(Path::new("/dev/null")));
        let dir = tempfile::TempDir::new().unwrap();
        assert!(!is_stream(dir.path()));
        assert!(!is_stream(&dir.path().join("not yet")));
    }
}
