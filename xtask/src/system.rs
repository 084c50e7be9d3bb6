//! What the machine has, and what may be installed on it.

use std::path::Path;

use crate::command::Call;

/// A program that some test wants, and the Debian package it is in.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// The program's name.
    pub program: &'static str,
    /// The package's name.
    pub package: &'static str,
    /// What goes untested without it.
    pub wanted_for: &'static str,
}

/// Whether `program` is found on the path.
#[must_use]
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers are not for everybody's path.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.into_iter().any(|dir| dir.join(program).is_file())
}

/// Installs what is missing where that is usual, which is a CI machine on which
/// we are root; says elsewhere how to. Whoever needs a tool that is still
/// missing then skips and says so.
pub fn provide(tools: &[Tool]) {
    for tool in tools.iter().filter(|tool| !has(tool.program)) {
        let Tool { program, package, wanted_for } = tool;
        let may_install = std::env::var_os("CI").is_some() && is_root() && has("apt-get");
        if may_install && install_package(package) {
            continue;
        }
        eprintln!(
            "{program} is not installed, so {wanted_for} is skipped. To have it: \
             apt-get update && apt-get install {package}"
        );
    }
}

/// Installs what is missing, if we are root on a system of Debian's: for whoever has
/// asked for what these are needed for.
pub fn install(tools: &[Tool]) {
    for tool in tools.iter().filter(|tool| !has(tool.program)) {
        if is_root() && has("apt-get") {
            install_package(tool.package);
        }
    }
}

fn install_package(package: &str) -> bool {
    let apt = |args: &[&str]| {
        let call = Call::new("apt-get").args(args).variable("DEBIAN_FRONTEND", "noninteractive");
        eprintln!("$ {}", call.shown());
        call.run()
    };
    let install = ["install", "--yes", "--no-install-recommends", package];
    let outcome = apt(&["update"]).and_then(|()| apt(&install));
    if let Err(error) = &outcome {
        eprintln!("{error}");
    }
    outcome.is_ok()
}

fn is_root() -> bool {
    // The owner of this process, without a dependency for one number.
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|process| process.uid() == 0)
}
