//! The files to index.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

const TEXT: [&str; 4] = ["rs", "md", "txt", "toml"];

/// Where to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Files at most.
    pub(crate) files: usize,
    /// Bytes at most, of all files together.
    pub(crate) bytes: u64,
    /// Bytes at least, by taking the same files several times.
    pub(crate) at_least: u64,
}

/// The text files in `folders`, always in the same order, up to the limits.
///
/// Hidden files and folders and symbolic links are passed over.
///
/// # Errors
///
/// A folder that cannot be listed, or no text file at all.
pub(crate) fn collect(folders: &[PathBuf], limits: &Limits) -> Result<Vec<PathBuf>, Error> {
    let mut found = Found { files: Vec::new(), bytes: 0, limits };
    for folder in folders {
        if !found.walk(folder)? {
            break;
        }
    }
    if found.files.is_empty() {
        return Err(Error::NoText);
    }
    // Files without a byte would never be enough.
    let times = if found.bytes == 0 { 1 } else { limits.at_least.div_ceil(found.bytes).max(1) };
    let wanted = found.files.len().saturating_mul(usize::try_from(times).unwrap_or(usize::MAX));
    Ok(found.files.iter().cycle().take(wanted).cloned().collect())
}

struct Found<'a> {
    files: Vec<PathBuf>,
    bytes: u64,
    limits: &'a Limits,
}

impl Found<'_> {
    /// False once a limit is reached.
    fn walk(&mut self, folder: &Path) -> Result<bool, Error> {
        let cannot = |source| Error::Folder { path: folder.to_owned(), source };
        let mut entries = fs::read_dir(folder)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(cannot)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, name) = (entry.path(), entry.file_name());
            let metadata = entry.metadata().map_err(cannot)?;
            let is_hidden = name.as_encoded_bytes().starts_with(b".");
            if is_hidden || metadata.is_symlink() {
                continue;
            }
            let goes_on = if metadata.is_dir() {
                self.walk(&path)?
            } else if is_text(&path) {
                self.take(path, metadata.len())
            } else {
                true
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(&mut self, path: PathBuf, bytes: u64) -> bool {
        if self.files.len() == self.limits.files || self.bytes + bytes > self.limits.bytes {
            return false;
        }
        self.files.push(path);
        self.bytes += bytes;
        true
    }
}

fn is_text(path: &Path) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| TEXT.contains(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Vec<PathBuf> {
        vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")]
    }

    #[test]
    fn limits_cut_the_same_list_short() {
        let none = Limits { files: usize::MAX, bytes: u64::MAX, at_least: 0 };
        let all = collect(&sources(), &none).expect("own sources");
        assert!(all.is_sorted() && all.iter().any(|file| file.ends_with("corpus.rs")));
        let two = collect(&sources(), &Limits { files: 2, ..none }).expect("own sources");
        assert_eq!(two, all[..2]);
        let first = fs::metadata(&all[0]).expect("own source").len();
        let one = collect(&sources(), &Limits { bytes: first, ..none }).expect("own sources");
        assert_eq!(one, all[..1]);
    }

    #[test]
    fn few_files_are_taken_again_until_they_are_enough() {
        let taken = |at_least| {
            let limits = Limits { files: 2, bytes: u64::MAX, at_least };
            collect(&sources(), &limits).expect("own sources")
        };
        let once = taken(0);
        let bytes = once.iter().map(|file| fs::metadata(file).expect("own source").len()).sum();
        assert_eq!(taken(bytes), once);
        assert_eq!(taken(bytes + 1), [&once[..], &once[..]].concat());
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let limits = Limits { files: 1, bytes: 1, at_least: 0 };
        let error = collect(&["no/such/folder".into()], &limits).expect_err("missing");
        let text = error.to_string();
        assert!(text.starts_with("cannot list the folder no/such/folder: "), "{text}");
        assert!(std::error::Error::source(&error).is_some());
        let nothing = collect(&sources(), &limits).expect_err("a byte holds no file");
        assert!(nothing.to_string().starts_with("there is no .rs, .md, .txt or .toml file"));
    }
}
