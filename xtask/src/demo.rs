//! `cargo xtask demo`: from a fresh clone to a table of locks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::Call;
use crate::error::Error;
use crate::metadata::{self, Metadata};

/// Builds the host, the backend and the demo, profiles the demo, and writes the
/// result in every form there is.
///
/// # Errors
///
/// The build fails, the demo fails, or the result cannot be written.
pub fn run(sharded: bool) -> Result<(), Error> {
    let packages =
        ["-p", "lockscope-host", "-p", "lockscope-backend-wrapper", "-p", "lockscope-demo"];
    Call::cargo().args(["build", "--release"]).args(packages).run()?;

    let metadata = metadata::with_dependencies()?;
    let built = metadata.target.join("release");
    let folder = metadata.target.join(if sharded { "demo-sharded" } else { "demo" });
    // Emptied, so that the files that are named at the end are this run's.
    match fs::remove_dir_all(&folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::File { path: folder, source });
        }
        _ => fs::create_dir_all(&folder).map_err(|source| at(&folder, source))?,
    }
    let texts = folder.join("texts.txt");
    write_list(&texts, &texts_of(&metadata))?;

    let lockscope = built.join("lockscope");
    let result = folder.join("lockscope.json");
    let profile = Call::new(&lockscope)
        .args(["run", "--backend", "wrapper", "--period", "100", "-o"])
        .args([result.as_os_str(), "--".as_ref(), built.join("lockscope-demo").as_os_str()])
        .args(sharded.then_some("--sharded"))
        .args(["--folders-from".as_ref(), texts.as_os_str()]);
    eprintln!("\n$ {}", profile.shown());
    profile.run()?;

    let convert = Call::new(&lockscope)
        .args(["report".as_ref(), result.as_os_str()])
        .args(["--pprof".as_ref(), folder.join("lockscope.pb.gz").as_os_str()])
        .args(["--folded".as_ref(), folder.join("lockscope.folded").as_os_str()]);
    eprintln!("\n$ {}", convert.shown());
    convert.output()?;
    name_files(&folder)
}

/// The texts to index: the sources of what the workspace is built from, or its
/// own if it has them nowhere.
fn texts_of(metadata: &Metadata) -> Vec<PathBuf> {
    let folders = |ours: bool| {
        let packages = metadata.packages.iter().filter(move |package| package.is_ours == ours);
        let mut folders: Vec<_> =
            packages.map(|package| package.folder.clone()).filter(|dir| dir.is_dir()).collect();
        folders.sort();
        folders
    };
    let dependencies = folders(false);
    if dependencies.is_empty() { folders(true) } else { dependencies }
}

fn write_list(path: &Path, folders: &[PathBuf]) -> Result<(), Error> {
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
