//! What cargo knows about the workspace.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::Call;
use crate::error::Error;

/// A package of the workspace.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The folder of its manifest.
    pub folder: PathBuf,
    /// Its licence, if it names one.
    pub licence: Option<String>,
    /// Whether it may be published.
    pub is_published: bool,
    /// What its manifest names, for whatever platform.
    pub dependencies: Vec<Dependency>,
    /// The root files of its targets.
    pub roots: Vec<PathBuf>,
}

/// One line of a manifest's dependencies.
#[derive(Debug)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// Whether only its tests, examples and benches need it.
    pub is_dev: bool,
}

/// The workspace.
#[derive(Debug)]
pub struct Metadata {
    /// Where cargo builds.
    pub target: PathBuf,
    /// The packages.
    pub packages: Vec<Package>,
}

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    // Cargo tells whom it runs; a binary that is started by hand remembers
    // where it was built.
    let here =
        std::env::var_os("CARGO_MANIFEST_DIR").filter(|dir| Path::new(dir).ends_with("xtask"));
    let here = here.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map(Path::to_owned).unwrap_or(here)
}

/// Reads the workspace's own packages. Downloads nothing.
///
/// # Errors
///
/// Cargo fails, or prints something else than expected.
pub fn of_workspace() -> Result<Metadata, Error> {
    let call = Call::cargo().args(["metadata", "--format-version", "1", "--no-deps"]);
    let value: Value =
        serde_json::from_slice(&call.output()?).map_err(|e| Error::Metadata(e.to_string()))?;
    let packages = array(&value, "packages").map(package_of);
    Ok(Metadata {
        target: text(&value, "target_directory")?.into(),
        packages: packages.collect::<Result<_, _>>()?,
    })
}

fn package_of(package: &Value) -> Result<Package, Error> {
    let manifest = PathBuf::from(text(package, "manifest_path")?);
    let dependencies = array(package, "dependencies").map(|dependency| {
        Ok(Dependency {
            name: text(dependency, "name")?.to_owned(),
            is_dev: dependency["kind"].as_str() == Some("dev"),
        })
    });
    Ok(Package {
        name: text(package, "name")?.to_owned(),
        licence: package["license"].as_str().map(str::to_owned),
        is_published: package["publish"].as_array().is_none_or(|to| !to.is_empty()),
        dependencies: dependencies.collect::<Result<_, _>>()?,
        roots: array(package, "targets")
            .filter_map(|target| target["src_path"].as_str())
            .map(PathBuf::from)
            .collect(),
        folder: manifest.parent().map(Path::to_owned).unwrap_or_default(),
    })
}

fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str, Error> {
    value[key].as_str().ok_or_else(|| Error::Metadata(format!("no {key}")))
}

fn array<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value[key].as_array().into_iter().flatten()
}
