//! `lockscope new-backend NAME`: writes a crate of a small backend that passes both
//! doors, for its author to change.
//!
//! Outside of a checkout of lockscope it depends on published versions; inside, or
//! with `--lockscope`, on what stands there.

mod error;
mod manifest;
mod name;
mod place;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

pub use self::error::NewBackendError;
use self::manifest::Manifest;
use self::name::Name;
use self::place::Place;

/// What follows `lockscope new-backend`.
#[derive(Clone, Debug, Args)]
pub struct NewBackendArgs {
    /// What people write to choose the backend: small letters, digits and `_`.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Write the crate to this folder, which need not exist.
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
    /// Depend on the checkout of lockscope in this folder, and not on published
    /// versions.
    #[arg(long, value_name = "DIR")]
    pub lockscope: Option<PathBuf>,
}

/// A crate that was written.
#[derive(Debug)]
pub struct Written {
    name: Name,
    place: Place,
    /// Its files, from its folder.
    files: Vec<&'static str>,
    /// Whether it was made a member of the checkout's workspace.
    is_member: bool,
}

/// The files of the crate beside its manifest.
const FILES: [(&str, &str); 8] = [
    ("build.rs", include_str!("template/build.rs")),
    ("src/lib.rs", include_str!("template/lib.rs")),
    ("src/backend.rs", include_str!("template/backend.rs")),
    ("src/plugin.rs", include_str!("template/plugin.rs")),
    ("src/policy.rs", include_str!("template/policy.rs")),
    ("src/settings.rs", include_str!("template/settings.rs")),
    ("src/state.rs", include_str!("template/state.rs")),
    ("tests/suite.rs", include_str!("template/suite.rs")),
];

/// Writes the crate, and prints what to do next.
///
/// # Errors
///
/// As [`write()`].
pub fn run(args: &NewBackendArgs) -> Result<(), NewBackendError> {
    let written = write(args)?;
    print!("{}", written.told());
    Ok(())
}

/// Writes the crate.
///
/// # Errors
///
/// The name cannot be used, the folder is not empty, there is no checkout where one
/// was named, or a file cannot be written. Nothing is written then, or, in the last
/// case, what could be.
pub fn write(args: &NewBackendArgs) -> Result<Written, NewBackendError> {
    let name = Name::parse(&args.name)?;
    let place = Place::find(&name, args.path.as_deref(), args.lockscope.as_deref())?;
    let manifest = Manifest { name: &name, place: &place };
    write_file(&place.folder.join("Cargo.toml"), &manifest.text())?;
    let mut files = vec!["Cargo.toml"];
    for (path, template) in FILES {
        write_file(&place.folder.join(path), &name.fill(template))?;
        files.push(path);
    }
    if !place.is_in_checkout() {
        write_file(&place.folder.join(".gitignore"), include_str!("template/gitignore"))?;
    }
    let is_member = place.join_workspace()?;
    Ok(Written { name, place, files, is_member })
}

fn write_file(path: &Path, text: &str) -> Result<(), NewBackendError> {
    let at = |source| NewBackendError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at)?;
    }
    fs::write(path, text).map_err(at)
}

impl Written {
    /// Where the crate is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.place.folder
    }

    /// What was written, and what to do next.
    #[must_use]
    pub fn told(&self) -> String {
        let Self { name, place, files, is_member } = self;
        let folder = place.folder.display();
        let mut told = format!("The backend {name} is written to {folder}:\n");
        for file in files {
            told.push_str(&format!("  {file}\n"));
        }
        let package = name.package();
        if let Some(checkout) = &place.checkout_around {
            let root = checkout.display();
            if *is_member {
                told.push_str(&format!("It is a member of the workspace in {root}.\n"));
            } else {
                let path = place.path_in_checkout().display().to_string();
                told.push_str(&format!(
                    "Add \"{path}\" to `members` and `default-members` in {root}/Cargo.toml.\n"
                ));
            }
            told.push_str(
                "A test of the workspace's shape wants src/state.rs in its list MAY_BE_UNSAFE \
                 (xtask/tests/structure.rs).\n",
            );
        }
        let (enter, of, target) = match &place.checkout_around {
            Some(root) => (root.display().to_string(), format!(" -p {package}"), "target"),
            None => (folder.to_string(), String::new(), "target"),
        };
        let plugin = format!("{target}/release/{}", name.file());
        told.push_str(&format!(
            "\nIt passes, as it is:\n\
             \x20 cd {enter}\n\
             \x20 cargo test{of}\n\
             \x20 cargo build{of} --release\n\
             \x20 lockscope conformance {plugin}\n\
             \nIt profiles a program:\n\
             \x20 lockscope run --backend ./{plugin} -- ./app\n\
             \nThen begin with src/policy.rs and src/state.rs; docs/write-a-backend.md says how.\n"
        ));
        told
    }
}
