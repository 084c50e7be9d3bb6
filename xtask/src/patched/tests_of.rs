//! The tests of a released package, as a package of their own.
//!
//! They stand in modules of its sources, in its folder of tests, and in its documentation.
//! Each becomes a test of a package that depends on the released one by its name alone, so
//! that a patch decides which it is.

use std::fs;
use std::path::Path;

use crate::error::Error;

/// Writes the tests of `original` to `folder`, where `parking_lot` is `stand_in`.
///
/// # Errors
///
/// A file cannot be read or written.
pub(super) fn write(original: &Path, stand_in: &Path, folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(at(folder, source));
        }
        _ => {}
    }
    for part in ["src", "tests"] {
        let part = folder.join(part);
        fs::create_dir_all(&part).map_err(|source| at(&part, source))?;
    }
    put(&folder.join("Cargo.toml"), &manifest(stand_in))?;
    let mut library = String::from("//! Examples of the original's documentation.\n");
    for path in rust_files(&original.join("src"))? {
        let text = fs::read_to_string(&path).map_err(|source| at(&path, source))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let tests = test_modules(&text);
        if !tests.is_empty() {
            put(&folder.join("tests").join(format!("{name}.rs")), &tests)?;
        }
        put(&folder.join("src").join(format!("{name}.md")), &documentation(&text))?;
        // By a name that no file of the original has.
        library += &format!("#[doc = include_str!(\"{name}.md\")]\npub mod of_{name} {{}}\n");
    }
    for path in rust_files(&original.join("tests"))? {
        let copy = folder.join("tests").join(path.file_name().unwrap_or_default());
        fs::copy(&path, &copy).map_err(|source| at(&copy, source))?;
    }
    put(&folder.join("src/lib.rs"), &library)
}

/// A method of the original's that is private, by which some of its tests wait: what it
/// does, by those that are public.
const PRIVATE: &str = "
trait Private {
    fn wait_while_until_internal<T: ?Sized>(
        &self,
        guard: &mut parking_lot::MutexGuard<'_, T>,
        condition: impl FnMut(&mut T) -> bool,
        timeout: Option<std::time::Instant>,
    ) -> parking_lot::WaitTimeoutResult;
}

impl Private for parking_lot::Condvar {
    fn wait_while_until_internal<T: ?Sized>(
        &self,
        guard: &mut parking_lot::MutexGuard<'_, T>,
        condition: impl FnMut(&mut T) -> bool,
        timeout: Option<std::time::Instant>,
    ) -> parking_lot::WaitTimeoutResult {
        if let Some(timeout) = timeout {
            return self.wait_while_until(guard, condition, timeout);
        }
        self.wait_while(guard, condition);
        self.wait_while_until(guard, |_| false, std::time::Instant::now())
    }
}
";

fn manifest(stand_in: &Path) -> String {
    format!(
        r#"[package]
name = "original-tests"
version = "0.0.0"
edition = "2021"
publish = false

[features]
arc_lock = ["parking_lot/arc_lock"]
deadlock_detection = ["parking_lot/deadlock_detection", "parking_lot_core/deadlock_detection"]
hardware-lock-elision = ["parking_lot/hardware-lock-elision"]
owning_ref = ["parking_lot/owning_ref"]
send_guard = ["parking_lot/send_guard"]
serde = ["parking_lot/serde"]

[dependencies]
parking_lot = "={version}"
# Whose deadlock detection the stand-in has.
parking_lot_core = "0.10"

[dev-dependencies]
bincode = "1.3.3"
rand = "0.8.3"

[workspace]

[patch.crates-io]
parking_lot = {{ path = {:?} }}
"#,
        stand_in.display().to_string(),
        version = super::ORIGINAL.1,
    )
}

/// The modules of `text` that are only there for tests, as they would stand in a package
/// that depends on this one.
fn test_modules(text: &str) -> String {
    let mut tests = String::new();
    let mut is_inside = false;
    for line in text.lines() {
        is_inside |= line == "#[cfg(test)]";
        if is_inside {
            tests += &line.replace("crate::", "parking_lot::");
            tests.push('\n');
        }
        is_inside &= line != "}";
    }
    if tests.contains("wait_while_until_internal") {
        tests = tests.replace("mod tests {", "mod tests {\n    use super::Private as _;");
        tests += PRIVATE;
    }
    tests
}

/// The documentation in `text`, outside its tests.
fn documentation(text: &str) -> String {
    let mut documentation = String::new();
    for line in text.lines().take_while(|line| *line != "#[cfg(test)]") {
        let line = line.trim_start();
        match line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) {
            Some(text) => documentation += text.strip_prefix(' ').unwrap_or(text),
            None if documentation.ends_with("\n\n") => continue,
            None => {}
        }
        documentation.push('\n');
    }
    documentation
}

fn rust_files(folder: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(|source| at(folder, source))?;
    let files = entries.flatten().map(|entry| entry.path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect();
    files.sort();
    Ok(files)
}

fn put(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|source| at(path, source))
}

fn at(path: &Path, source: std::io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
/// Locks.
///
/// ```
/// lock();
/// ```
fn lock() {
}

#[cfg(test)]
mod tests {
    use crate::lock;
}
fn other() {}
";

    #[test]
    fn tests_are_taken_from_where_they_stand() {
        assert_eq!(
            test_modules(TEXT),
            "#[cfg(test)]\nmod tests {\n    use parking_lot::lock;\n}\n"
        );
        assert_eq!(documentation(TEXT), "Locks.\n\n```\nlock();\n```\n\n");
    }
}
