//! A plugin that claims version 2.0.0 of the interface.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::RStr;
use lockscope_core::backend::{
    __call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult,
};

/// What a version of the future may export.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = FutureModuleRef)))]
#[sabi(missing_field(panic))]
pub struct FutureModule {
    /// Something.
    #[sabi(last_prefix_field)]
    pub something: u64,
}

impl RootModule for FutureModuleRef {
    abi_stable::declare_root_module_statics! {FutureModuleRef}
    const BASE_NAME: &'static str = "lockscope_backend";
    const NAME: &'static str = "lockscope backend";
    const VERSION_STRINGS: VersionStrings = VersionStrings { version: RStr::from_str("2.0.0") };
}

fn module() -> FutureModuleRef {
    FutureModule { something: 2 }.leak_into_prefix()
}

/// The plugin's entry.
#[unsafe(export_name = "lockscope_backend_v1")]
pub static LOCKSCOPE_BACKEND_V1: LibHeader = {
    extern "C" fn root() -> RootModuleResult {
        __call_root_module_loader(module)
    }
    // SAFETY: `root` returns the module whose type is named here.
    unsafe { LibHeader::from_constructor::<FutureModuleRef>(root, CheckTypeLayout::Yes) }
};
