//! A plugin that claims this version of the interface, with a data plane that
//! has a field too many.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RResult, RStr};
use lockscope_core::backend::{
    __call_root_module_loader, BackendBox, BackendError, CheckTypeLayout, Description, ErrorKind,
    LibHeader, RootModuleResult,
};

/// As in `lockscope-core`, and one more.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default)]
pub struct DataPlane {
    /// As there.
    pub version: u32,
    /// As there.
    pub hook_table: u32,
    /// As there.
    pub session: u32,
    /// As there.
    pub event: u32,
    /// As there.
    pub lock_ref: u32,
    /// As there.
    pub slot: u32,
    /// As there.
    pub pad: u32,
    /// One more.
    pub mood: u32,
}

/// As in `lockscope-core`.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = BackendModuleRef)))]
#[sabi(missing_field(panic))]
pub struct BackendModule {
    /// As there, apart from what it is.
    pub data_plane: DataPlane,
    /// As there.
    pub describe: extern "C" fn() -> RResult<Description, BackendError>,
    /// As there.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn() -> RResult<BackendBox, BackendError>,
}

impl RootModule for BackendModuleRef {
    abi_stable::declare_root_module_statics! {BackendModuleRef}
    const BASE_NAME: &'static str = "lockscope_backend";
    const NAME: &'static str = "lockscope backend";
    const VERSION_STRINGS: VersionStrings = VersionStrings { version: RStr::from_str("1.0.0") };
}

extern "C" fn describe() -> RResult<Description, BackendError> {
    RResult::ROk(Description::new("layout", "0.1.0", "cannot be loaded"))
}

extern "C" fn create() -> RResult<BackendBox, BackendError> {
    RResult::RErr(BackendError::new(ErrorKind::State, "nobody gets here; go away"))
}

fn module() -> BackendModuleRef {
    BackendModule { data_plane: DataPlane::default(), describe, create }.leak_into_prefix()
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
