//! Finding and opening plugins.
//!
//! A file is looked at before the dynamic linker sees it, so that what is
//! wrong with it can be said exactly. A plugin that was opened stays: closing
//! a Rust library crashes threads that have used it.

mod elf;
mod layout;
mod search;

use std::path::{Path, PathBuf};

use abi_stable::library::{AbiHeaderRef, LibHeader, LibraryError, RootModule};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use lockscope_core::backend::{
    BackendBox, BackendModuleRef, DataPlane, Description, SYMBOL, TableRef,
};
use lockscope_core::hooks::{ABI_VERSION, HookTable};

use crate::error::HostError;

pub use search::{Candidate, Found, SearchPath, Step, host_library};
pub(crate) use search::{FUTEX_FILE, PTHREAD_FILE};

/// A plugin that was opened and fits this host.
pub struct Plugin {
    /// Its file.
    pub path: PathBuf,
    /// What its backend says of itself.
    pub description: Description,
    /// The version of the interface that it speaks.
    pub abi_version: String,
    /// The data plane that it was built with.
    pub data_plane: DataPlane,
    module: BackendModuleRef,
}

impl core::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Plugin")
            .field("path", &self.path)
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// Opens the plugin at `path`.
    ///
    /// # Errors
    ///
    /// One of the `Plugin…` variants of [`HostError`]: what exactly is wrong
    /// with the file.
    pub fn open(path: &Path) -> Result<Self, HostError> {
        let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        elf::check(path)?;
        let header = header(path)?;
        let abi_version = header.version_strings().version.to_string();
        let expected = BackendModuleRef::VERSION_STRINGS.version;
        if major(&abi_version) != major(&expected) {
            return Err(HostError::PluginVersion {
                path: path.clone(),
                found: abi_version,
                expected: expected.to_string(),
            });
        }
        let module = header
            .init_root_module::<BackendModuleRef>()
            .map_err(|error| layout::explain(path, &error))?;
        let data_plane = module.data_plane();
        if data_plane != DataPlane::OURS {
            return Err(HostError::PluginPlane { path: path.clone(), found: Box::new(data_plane) });
        }
        let description = module.describe()().into_result().map_err(|source| {
            HostError::PluginFails { path: path.clone(), what: "describe itself", source }
        })?;
        Ok(Self { path: path.clone(), description, abi_version, data_plane, module })
    }

    /// Makes a backend, not yet initialised, and its entries for probes. Both
    /// live for ever: hooks may be on their way at any time.
    ///
    /// # Errors
    ///
    /// [`HostError::PluginFails`], and [`HostError::PluginPlane`] for entries
    /// of another version.
    pub fn create(&self) -> Result<(&'static BackendBox, &'static HookTable), HostError> {
        let backend = self.module.create()().into_result().map_err(|source| {
            HostError::PluginFails { path: self.path.clone(), what: "make a backend", source }
        })?;
        let backend: &'static BackendBox = Box::leak(Box::new(backend));
        let TableRef(table) = backend.hooks();
        // SAFETY:
        // - the plugin has our data plane, so that this is a `HookTable`;
        // - by contract it lives for ever.
        let table = unsafe { &*table.cast::<HookTable>() };
        if table.version != ABI_VERSION || table.size != DataPlane::OURS.hook_table {
            let found =
                DataPlane { version: table.version, hook_table: table.size, ..DataPlane::OURS };
            return Err(HostError::PluginPlane { path: self.path.clone(), found: Box::new(found) });
        }
        Ok((backend, table))
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// Opens the file and takes what every plugin exports.
fn header(path: &Path) -> Result<&'static LibHeader, HostError> {
    let flags = RTLD_NOW | RTLD_LOCAL | libc::RTLD_NODELETE;
    // SAFETY: the user chose the file to be run; initialisers of a Rust
    // library do not depend on when they run.
    let library = unsafe { Library::open(Some(path), flags) }
        .map_err(|source| HostError::PluginOpen { path: path.to_owned(), source })?;
    // SAFETY: the symbol's name says its version, and with it its type: a
    // static that begins with the header that every release of abi_stable can
    // read, to which the symbol's address is a reference.
    let header = unsafe { library.get::<AbiHeaderRef>(SYMBOL) }.map(|symbol| *symbol);
    core::mem::forget(library);
    let Ok(header) = header else {
        return Err(HostError::PluginSymbol { path: path.to_owned() });
    };
    header.upgrade().map_err(|error| match error {
        LibraryError::InvalidAbiHeader(found) => layout::other_stable(path, &found),
        error => layout::explain(path, &error),
    })
}
