//! The README's commands: which there may be, and how each is tried.

use std::fs;

use crate::command::Call;
use crate::error::Error;
use crate::metadata;

/// How a command of the README is tried.
#[derive(Debug)]
pub enum Trial {
    /// The step `readme` runs it, at the workspace's root, with the programs of
    /// the release build on the path.
    Run,
    /// It is not run, for this reason.
    NotRun(&'static str),
}

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
    ("lockscope backends", Trial::Run),
    ("lockscope run -- ./app", Trial::NotRun("the program is the reader's")),
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
    let built = metadata::of_workspace()?.target.join("release");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(built).chain(std::env::split_paths(&path)))
        .unwrap_or(path);
    for (command, trial) in COMMANDS.iter().filter(|(command, _)| written.contains(command)) {
        match trial {
            Trial::NotRun(why) => eprintln!("not run: {command} ({why})"),
            Trial::Run => {
                eprintln!("$ {command}");
                Call::new("sh").args(["-ec", command]).variable("PATH", &path).run()?;
            }
        }
    }
    Ok(())
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
