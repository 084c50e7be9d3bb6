//! The plugins and the program, as cargo has built them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lockscope_conformance::runner::Kit;

/// The file of a plugin that cargo has built for these tests.
pub(super) fn plugin(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its file");
    let path = test.with_file_name(format!("liblockscope_{name}.so"));
    assert!(path.is_file(), "cargo has not built {}", path.display());
    path
}

/// The command.
pub(super) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_lockscope-conformance"))
}

/// Who panics or runs out of memory says so in one line.
pub(super) const QUIET: (&str, &str) = ("RUST_BACKTRACE", "0");

/// Longer than a user waits: tests run many checks beside each other, and EXCL-07
/// has threads fall asleep and wake some hundred times, one after the other.
const PATIENT: Duration = Duration::from_secs(30);

/// A kit for that plugin.
pub(super) fn kit(plugin: PathBuf) -> Kit {
    let environment = vec![(QUIET.0.to_owned(), QUIET.1.to_owned())];
    Kit { environment, deadline: PATIENT, ..Kit::new(program().to_owned(), plugin) }
}

/// A kit for the mutant of that name; for the good plugin if it has none.
pub(super) fn mutant(name: Option<&str>) -> Kit {
    let mut kit = kit(plugin("mutants"));
    let variable = name.map(|name| (lockscope_mutants::VARIABLE.to_owned(), name.to_owned()));
    kit.environment.extend(variable);
    kit
}
