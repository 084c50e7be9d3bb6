//! A plugin that has the right module, and was built with another data plane.

use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::std_types::RResult;
use lockscope_core::backend::{
    __call_root_module_loader, BackendBox, BackendError, BackendModule, BackendModuleRef,
    CheckTypeLayout, DataPlane, Description, ErrorKind, LibHeader, RootModuleResult,
};

extern "C" fn describe() -> RResult<Description, BackendError> {
    RResult::ROk(Description::new("plane", "0.1.0", "cannot be loaded"))
}

extern "C" fn create() -> RResult<BackendBox, BackendError> {
    RResult::RErr(BackendError::new(ErrorKind::State, "nobody gets here; go away"))
}

fn module() -> BackendModuleRef {
    let data_plane = DataPlane { version: 2, event: 144, ..DataPlane::OURS };
    BackendModule { data_plane, describe, create }.leak_into_prefix()
}

/// The plugin's entry.
#[unsafe(export_name = "lockscope_backend_v1")]
pub static LOCKSCOPE_BACKEND_V1: LibHeader = {
    extern "C" fn root() -> RootModuleResult {
        __call_root_module_loader(module)
    }
    // SAFETY: `root` returns the module whose type is named here.
    unsafe { LibHeader::from_constructor::<BackendModuleRef>(root, CheckTypeLayout::Yes) }
};
