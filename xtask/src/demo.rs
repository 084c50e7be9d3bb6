//! `cargo xtask demo`: from a fresh clone to a table of locks.

use std::fs;
use std::path::Path;

use crate::build::{self, Built};
use crate::command::Call;
use crate::error::Error;
use crate::metadata;

/// About a second's work for two cores: enough for numbers that mean something.
const AT_LEAST_BYTES: &str = "80000000";

/// Builds the host, the backend and the demo, profiles the demo, and writes the
/// result in every form there is.
///
/// # Errors
///
/// The build fails, the demo fails, or the result cannot be written.
pub fn run(sharded: bool) -> Result<(), Error> {
    eprintln!("Building lockscope and the demo, optimised; the first time takes a minute or two.");
    let built = build::release(&["lockscope-host", "lockscope-backend-wrapper", "lockscope-demo"])?;
    let lockscope = built.executable("lockscope")?;

    let name = if sharded { "demo-sharded" } else { "demo" };
    let folder = metadata::of_workspace()?.target.join(name);
    // Emptied, so that the files that are named at the end are this run's.
    match fs::remove_dir_all(&folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(at(&folder, source));
        }
        _ => fs::create_dir_all(&folder).map_err(|source| at(&folder, source))?,
    }
    let texts = folder.join("texts.txt");
    write_list(&texts, &built)?;

    let result = folder.join("lockscope.json");
    let profile = Call::new(lockscope)
        .args(["run", "--backend", "wrapper", "--period", "100", "-o"])
        .args([result.as_os_str(), "--".as_ref(), built.executable("lockscope-demo")?.as_os_str()])
        .args(sharded.then_some("--sharded"))
        .args(["--at-least", AT_LEAST_BYTES, "--folders-from"])
        .args([&texts]);
    eprintln!("\n$ {}", profile.shown());
    profile.run()?;

    let convert = Call::new(lockscope)
        .args(["report".as_ref(), result.as_os_str()])
        .args(["--pprof".as_ref(), folder.join("lockscope.pb.gz").as_os_str()])
        .args(["--folded".as_ref(), folder.join("lockscope.folded").as_os_str()]);
    eprintln!("\n$ {}", convert.shown());
    // The table that it prints has just been seen.
    convert.output()?;
    name_files(&folder)
}

/// Writes down what is indexed: the sources of what was just built.
fn write_list(path: &Path, built: &Built) -> Result<(), Error> {
    let folders = built.sources();
    let lines: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    fs::write(path, lines.join("\n")).map_err(|source| at(path, source))
}

fn name_files(folder: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(|source| at(folder, source))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    println!("\nWritten:");
    let root = metadata::root();
    for file in files {
        println!("  {}", file.strip_prefix(&root).unwrap_or(&file).display());
    }
    Ok(())
}

fn at(path: &Path, source: std::io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}
