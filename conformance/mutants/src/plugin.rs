//! The plugin's entry: the only file with export attributes.
//!
//! What `lockscope_core::export_backend!` writes, by hand: here the module itself
//! may be wrong.

use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::RResult;
use lockscope_core::backend::{
    __call_root_module_loader, Backend, BackendBox, BackendError, BackendModule, BackendModuleRef,
    CheckTypeLayout, DataPlane, Description, LibHeader, LockProfilerBackend_TO, RootModuleResult,
    be_plugin,
};

use crate::Good;
use crate::boundary::Boundary;
use crate::mutation::chosen;

extern "C" fn describe() -> RResult<Description, BackendError> {
    chosen().map(|alter| (alter.describe)(Good::describe())).into()
}

extern "C" fn create() -> RResult<BackendBox, BackendError> {
    chosen().map(|alter| LockProfilerBackend_TO::from_value(Boundary::new(alter), TD_Opaque)).into()
}

fn module() -> BackendModuleRef {
    let data_plane = chosen().map_or(DataPlane::OURS, |alter| (alter.data_plane)(DataPlane::OURS));
    BackendModule { data_plane, describe, create }.leak_into_prefix()
}

/// What a host looks for.
#[unsafe(export_name = "lockscope_backend_v1")]
pub static LOCKSCOPE_BACKEND_V1: LibHeader = {
    extern "C" fn root() -> RootModuleResult {
        be_plugin();
        __call_root_module_loader(module)
    }
    // SAFETY: `root` returns the module whose type is named here.
    unsafe { LibHeader::from_constructor::<BackendModuleRef>(root, CheckTypeLayout::Yes) }
};
