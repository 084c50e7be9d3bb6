//! Where the new backend is written, and what is around it.

use std::fs;
use std::path::{Path, PathBuf};

use super::name::Name;
use super::{NewBackendError, write_file};

/// The folder of a crate that is about to be written.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// It, as an absolute path.
    pub(super) folder: PathBuf,
    /// The checkout of lockscope that it depends on by paths.
    pub(super) lockscope: Option<PathBuf>,
    /// The same, if the folder is inside of it.
    pub(super) checkout_around: Option<PathBuf>,
    /// Whether it is inside of somebody else's workspace, of which it is no member.
    pub(super) is_in_workspace: bool,
}

impl Place {
    /// Where `path` says, or else in `backends/` of a checkout, or in a folder that
    /// is named after the package.
    pub(super) fn find(
        name: &Name,
        path: Option<&Path>,
        lockscope: Option<&Path>,
    ) -> Result<Self, NewBackendError> {
        let here = absolute(Path::new("."));
        let around_here = checkout_around(&here);
        let folder = match (path, &around_here) {
            (Some(path), _) => absolute(path),
            (None, Some(root)) if lockscope.is_none() => {
                root.join("backends").join(name.to_string())
            }
            (None, _) => here.join(name.package()),
        };
        if !is_empty(&folder) {
            return Err(NewBackendError::NotEmpty { path: folder });
        }
        let checkout_around = checkout_around(&folder);
        let named = lockscope.map(named_checkout).transpose()?;
        // It can be a member of the one that it depends on, and of no other.
        let checkout_around =
            checkout_around.filter(|around| named.as_ref().is_none_or(|named| named == around));
        let is_in_workspace = checkout_around.is_none() && workspace_around(&folder).is_some();
        let lockscope = named.or_else(|| checkout_around.clone());
        Ok(Self { folder, lockscope, checkout_around, is_in_workspace })
    }

    pub(super) fn is_in_checkout(&self) -> bool {
        self.checkout_around.is_some()
    }

    /// The folder as the checkout's workspace names it.
    pub(super) fn path_in_checkout(&self) -> &Path {
        let around = self.checkout_around.as_deref().unwrap_or(&self.folder);
        self.folder.strip_prefix(around).unwrap_or(&self.folder)
    }

    /// Makes the crate a member of the checkout's workspace; false if there is none,
    /// or if its manifest is not written as we know it.
    pub(super) fn join_workspace(&self) -> Result<bool, NewBackendError> {
        let Some(root) = &self.checkout_around else { return Ok(false) };
        let manifest = root.join("Cargo.toml");
        let at = |source| NewBackendError::File { path: manifest.clone(), source };
        let text = fs::read_to_string(&manifest).map_err(at)?;
        let path = self.path_in_checkout().display().to_string();
        let Some(text) = with_member(&text, &path) else { return Ok(false) };
        write_file(&manifest, &text)?;
        Ok(true)
    }
}

/// The path without `.` and `..`, and with no symbolic link in what there is of it.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    match there {
        Some((folder, real)) => match path.strip_prefix(folder) {
            Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
            _ => real,
        },
        None => path,
    }
}

fn is_empty(folder: &Path) -> bool {
    !folder.exists() || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// What makes a folder a checkout of lockscope: this file, and the name in it.
const MARK: &str = "core/Cargo.toml";

fn is_checkout(folder: &Path) -> bool {
    let core = fs::read_to_string(folder.join(MARK)).unwrap_or_default();
    core.lines().any(|line| line.trim() == "name = \"lockscope-core\"")
        && folder.join("Cargo.toml").is_file()
}

fn named_checkout(path: &Path) -> Result<PathBuf, NewBackendError> {
    let folder = absolute(path);
    if is_checkout(&folder) {
        return Ok(folder);
    }
    let expected =
        if folder.join(MARK).is_file() { "lockscope's own core/Cargo.toml" } else { MARK };
    Err(NewBackendError::NoCheckout { path: path.to_owned(), expected })
}

fn checkout_around(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| is_checkout(folder)).map(Path::to_owned)
}

fn workspace_around(folder: &Path) -> Option<PathBuf> {
    let is_workspace = |folder: &&Path| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        manifest.lines().any(|line| line.trim().starts_with("[workspace"))
    };
    folder.ancestors().skip(1).find(is_workspace).map(Path::to_owned)
}

/// The manifest of a workspace with one more member, that is built by default; none
/// if its lists do not stand one member a line.
fn with_member(manifest: &str, path: &str) -> Option<String> {
    let text = with_entry(manifest, "members = [", path)?;
    // Without a list of those, all are built by default.
    Some(with_entry(&text, "default-members = [", path).unwrap_or(text))
}

fn with_entry(manifest: &str, list: &str, path: &str) -> Option<String> {
    let mut lines: Vec<&str> = manifest.lines().collect();
    let begin = lines.iter().position(|line| *line == list)?;
    let end = begin + lines[begin..].iter().position(|line| *line == "]")?;
    let entry = format!("    \"{path}\",");
    if lines[begin..end].contains(&entry.as_str()) {
        return Some(manifest.to_owned());
    }
    // Among its like, in the order of the alphabet; else at the end.
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let like = format!("    \"{folder}/");
    let is_like = |line: &&str| !folder.is_empty() && line.starts_with(&like);
    let place = (begin..end)
        .find(|at| is_like(&lines[*at]) && lines[*at] > entry.as_str())
        .or_else(|| (begin..end).rev().find(|at| is_like(&lines[*at])).map(|last| last + 1))
        .unwrap_or(end);
    lines.insert(place, &entry);
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_stands_among_its_like() {
        let manifest = "[workspace]\nmembers = [\n    \"core\",\n    \"backends/a\",\n    \
                        \"backends/c\",\n    \"demo\",\n]\ndefault-members = [\n    \"core\",\n]\n";
        let joined = |path: &str| with_member(manifest, path).expect("known");
        assert_eq!(
            joined("backends/b"),
            "[workspace]\nmembers = [\n    \"core\",\n    \"backends/a\",\n    \"backends/b\",\n    \
             \"backends/c\",\n    \"demo\",\n]\ndefault-members = [\n    \"core\",\n    \
             \"backends/b\",\n]\n"
        );
        assert!(joined("backends/d").contains("\"backends/c\",\n    \"backends/d\",\n"));
        assert!(joined("x/y").contains("\"demo\",\n    \"x/y\",\n]"));
        assert_eq!(with_member("[workspace]\nmembers = [\"core\"]\n", "b"), None);
    }
}
