//! The README's commands: which there may be, and how each is tried.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::command::Call;
use crate::error::Error;
use crate::metadata;

/// How a command of the README is tried.
#[derive(Debug)]
pub enum Trial {
    /// The step `readme` runs it, at the workspace's root, with the programs of
    /// the release build on the path.
    Run,
    /// The same, in a folder of its own with a program `app`, as if the reader
    /// were in theirs.
    RunByApp,
    /// It is not run, for this reason.
    NotRun(&'static str),
}

const NEEDS_A_PROGRAM: Trial =
    Trial::NotRun("it needs a running program; the host's tests control one");

/// Every command line in the README that starts with `cargo` or `lockscope`,
/// in an order in which they can be run.
pub const COMMANDS: &[(&str, Trial)] = &[
    ("cargo xtask demo", Trial::Run),
    ("cargo xtask demo --sharded", Trial::Run),
    ("cargo xtask test", Trial::NotRun("it is what runs this")),
    ("cargo xtask test --thorough", Trial::NotRun("it contains what runs this")),
    ("cargo xtask bench", Trial::NotRun("it takes minutes; clippy compiles it")),
    ("cargo xtask bench --quick", Trial::NotRun("it takes minutes; clippy compiles it")),
    ("lockscope report target/demo/lockscope.json", Trial::Run),
    ("lockscope report target/demo/lockscope.json --sort hold --top 3", Trial::Run),
    ("cargo build --release", Trial::Run),
    ("lockscope backends", Trial::Run),
    ("lockscope conformance target/release/liblockscope_wrapper.so", Trial::Run),
    ("lockscope run -- ./app", Trial::RunByApp),
    ("lockscope report lockscope.json --sort hold --top 3", Trial::RunByApp),
    ("lockscope run --stacks -- ./app", Trial::RunByApp),
    ("lockscope report lockscope.json --pprof locks --folded locks.folded", Trial::RunByApp),
    ("lockscope run --probe pthread -- ./app", Trial::RunByApp),
    ("lockscope run --probe futex -- ./app", Trial::RunByApp),
    ("lockscope run --include 'module:app::store' --exclude 'kind:once' -- ./app", Trial::RunByApp),
    ("lockscope ps", Trial::Run),
    ("lockscope top 4711", NEEDS_A_PROGRAM),
    ("lockscope ctl 4711 set period=1", NEEDS_A_PROGRAM),
    ("lockscope ctl 4711 use sidetable", NEEDS_A_PROGRAM),
    ("lockscope ctl 4711 snapshot", NEEDS_A_PROGRAM),
    ("cargo add lockscope", Trial::NotRun("it changes the reader's manifest")),
];

/// The command lines of a Markdown text: in blocks marked `sh` those that start
/// with `cargo` or `lockscope`, in blocks marked `console` those that follow a
/// prompt `$ ` as well. A comment at the end of a line is not part of it.
#[must_use]
pub fn commands_in(markdown: &str) -> Vec<&str> {
    let mut language = None;
    let mut commands = Vec::new();
    for line in markdown.lines() {
        if let Some(fence) = line.trim_start().strip_prefix("```") {
            language = if language.is_some() { None } else { Some(fence.trim()) };
            continue;
        }
        if !matches!(language, Some("sh" | "console")) {
            continue;
        }
        let line = line.strip_prefix("$ ").unwrap_or(line);
        let command = line.split("  #").next().unwrap_or(line).trim();
        if matches!(command.split(' ').next(), Some("cargo" | "lockscope")) {
            commands.push(command);
        }
    }
    commands
}

/// Runs each command of the README that is to be run. If there is no README,
/// runs those that it would begin with.
///
/// # Errors
///
/// A command that fails.
pub fn run_commands() -> Result<(), Error> {
    let readme = fs::read_to_string(metadata::root().join("README.md"));
    let written = readme.as_deref().map_or(vec!["cargo xtask demo"], commands_in);
    let target = metadata::of_workspace()?.target;
    let built = target.join("release");
    let path = path_with(&built);
    let users = target.join("readme");
    for (command, trial) in COMMANDS.iter().filter(|(command, _)| written.contains(command)) {
        // Written for cargo's own choice of a folder to build in.
        let command = command.replace(" target/", &format!(" {}/", shown(&target)));
        let folder = match trial {
            Trial::NotRun(why) => {
                eprintln!("not run: {command} ({why})");
                continue;
            }
            Trial::Run => metadata::root(),
            Trial::RunByApp => {
                provide_app(&users, &built)?;
                users.clone()
            }
        };
        eprintln!("$ {command}");
        Call::new("sh").args(["-ec", &command]).folder(folder).variable("PATH", &path).run()?;
    }
    Ok(())
}

/// Where programs are found, ours first.
fn path_with(built: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(built.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap_or(path)
}

/// Puts a program `app` into the reader's folder: the demo, on its own sources,
/// often enough that there is something to see.
fn provide_app(users: &Path, built: &Path) -> Result<(), Error> {
    let at = |path: &Path, source| Error::File { path: path.to_owned(), source };
    fs::create_dir_all(users).map_err(|source| at(users, source))?;
    let (app, demo) = (users.join("app"), built.join("lockscope-demo"));
    let texts = metadata::root().join("demo");
    let (texts, often) = (texts.display(), "--at-least 20000000");
    let script = format!("#!/bin/sh\nexec '{}' {often} '{texts}'\n", demo.display());
    fs::write(&app, script).map_err(|source| at(&app, source))?;
    fs::set_permissions(&app, fs::Permissions::from_mode(0o755)).map_err(|source| at(&app, source))
}

/// The folder as one types it at the workspace's root.
fn shown(target: &Path) -> String {
    target.strip_prefix(metadata::root()).unwrap_or(target).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_blocks_of_shell_and_nowhere_else() {
        let text = "cargo no\n```sh\ncargo one  # why\necho no\n```\n```rust\ncargo no\n```\n\
                    ```console\n$ lockscope two --x\ncargoes no\n$ cargo three\n```\ncargo no\n";
        assert_eq!(commands_in(text), ["cargo one", "lockscope two --x", "cargo three"]);
    }
}
