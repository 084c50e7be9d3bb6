//! The tests of a released package, as a package of their own.
//!
//! They stand in modules of its sources, in its folder of tests, and in its documentation.
//! Each becomes a test of a package that depends on the released one by its name alone, so
//! that a patch decides which it is.

use std::fs;
use std::path::Path;

use super::StandIn;
use crate::error::Error;

/// Writes the tests of `original` to `folder`, where `parking_lot` is `stand_in`, which
/// stands at `stands_at`.
///
/// # Errors
///
/// A file cannot be read or written.
pub(super) fn write(
    original: &Path,
    stand_in: &StandIn,
    stands_at: &Path,
    folder: &Path,
) -> Result<(), Error> {
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
    put(&folder.join("Cargo.toml"), &manifest(stand_in, stands_at))?;
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

/// What the original's tests give threads to be stuck, which a busy machine may not keep;
/// and what they are given here.
const STUCK_SOON: &str = "sleep(Duration::from_millis(50));";
const STUCK_IN_THE_END: &str = "sleep(Duration::from_secs(1));";

/// What is private in the original, and by which some of its tests know that a thread
/// waits. From outside that shows only where readers are kept out meanwhile; else the thread
/// is given time.
const PRIVATE_WORDS: [(&str, &str); 4] = [
    // In tests that are left out.
    ("!unsafe { rwlock.raw() }.has_parked_threads()", "false"),
    (
        "while !unsafe { lock.raw() }.has_parked_threads() {",
        "for _ in 0..5_000 {\n            if lock.try_read().is_none() {\n                break;\n            \
         }\n            thread::sleep(std::time::Duration::from_micros(100));",
    ),
    ("    use super::PARKED_BIT;\n", ""),
    (
        "while once.0.load(Ordering::Relaxed) & PARKED_BIT == 0 {\n            \
         thread::yield_now();\n        }",
        "thread::sleep(std::time::Duration::from_millis(50));",
    ),
];

fn manifest(stand_in: &StandIn, folder: &Path) -> String {
    let features: String = stand_in
        .features
        .iter()
        .map(|feature| match *feature {
            DETECTION => {
                format!("{DETECTION} = [\"parking_lot/{DETECTION}\", \"parking_lot_core/{DETECTION}\"]\n")
            }
            feature => format!("{feature} = [\"parking_lot/{feature}\"]\n"),
        })
        .collect();
    format!(
        r#"[package]
name = "original-tests"
version = "0.0.0"
edition = "{edition}"
publish = false

[features]
{features}
[dependencies]
parking_lot = "={version}"
# Whose deadlock detection the stand-in has.
parking_lot_core = "{core}"

[dev-dependencies]
{tests_need}
[workspace]

[patch.crates-io]
parking_lot = {{ path = {:?} }}
"#,
        folder.display().to_string(),
        edition = stand_in.edition,
        version = stand_in.version,
        core = stand_in.core,
        tests_need = stand_in.tests_need,
    )
}

/// A feature that parking_lot_core has, too.
const DETECTION: &str = "deadlock_detection";

/// The modules of `text` that are only there for tests, as they would stand in a package
/// that depends on this one.
fn test_modules(text: &str) -> String {
    let mut tests = String::new();
    let mut is_inside = false;
    for line in text.lines() {
        is_inside |= line == "#[cfg(test)]" || line.starts_with("#[cfg(all(test, ");
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
    if tests.contains("check_deadlock") {
        tests = tests.replace(STUCK_SOON, STUCK_IN_THE_END);
    }
    for (private, public) in PRIVATE_WORDS {
        tests = tests.replace(private, public);
    }
    if tests.contains("fn test_send_guards") {
        tests.insert_str(0, "#[cfg(feature = \"send_guard\")]\nuse parking_lot::*;\n");
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
