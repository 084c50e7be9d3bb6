//! The frozen interface, version 1: see [`crate::hooks::ABI_VERSION`].
#![allow(non_local_definitions, reason = "what sabi_trait generates")]

use core::ffi::c_void;

use abi_stable::library::RootModule;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RBox, RResult, RStr, RVec};
use abi_stable::{StableAbi, sabi_trait};

use super::{Backend, BackendError, Contained, Description, Pace, Setting};
use crate::event::{Event, LockRef};
use crate::hooks::{ABI_VERSION, HookTable, Session};
use crate::pad::Pad;
use crate::report::Report;
use crate::slot::Slot;

/// The symbol under which a plugin exports its header.
pub const SYMBOL: &str = "lockscope_backend_v1";

/// A pointer to the backend's [`HookTable`]. The loader compares versions and
/// sizes through [`DataPlane`] before it looks.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct TableRef(pub *const c_void);

/// A pointer to the host's [`Session`], valid for the length of the call.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct SessionRef(pub *const c_void);

/// The data plane as a plugin was built with it: sizes in bytes.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataPlane {
    /// [`ABI_VERSION`].
    pub version: u32,
    /// Size of [`HookTable`].
    pub hook_table: u32,
    /// Size of [`Session`].
    pub session: u32,
    /// Size of [`Event`].
    pub event: u32,
    /// Size of [`LockRef`].
    pub lock_ref: u32,
    /// Size of [`Slot`].
    pub slot: u32,
    /// Size of [`Pad`].
    pub pad: u32,
}

impl DataPlane {
    /// The data plane of this build.
    pub const OURS: Self = Self {
        version: ABI_VERSION,
        hook_table: size_of::<HookTable>() as u32,
        session: size_of::<Session>() as u32,
        event: size_of::<Event>() as u32,
        lock_ref: size_of::<LockRef>() as u32,
        slot: size_of::<Slot>() as u32,
        pad: size_of::<Pad>() as u32,
    };
}

/// A backend as the host sees it. Implemented by [`Contained`] for everything
/// that implements [`Backend`]; the meaning of each method stands there.
#[sabi_trait]
pub trait LockProfilerBackend: Send + Sync {
    /// Takes the configuration, once.
    fn init(&self, settings: RVec<Setting>) -> RResult<(), BackendError>;
    /// The entries for probes. The table and its context live for ever.
    fn hooks(&self) -> TableRef;
    /// Begins a session.
    fn start(&self, session: SessionRef) -> RResult<(), BackendError>;
    /// Ends it.
    fn stop(&self) -> RResult<(), BackendError>;
    /// Changes one key.
    fn configure(&self, key: RStr<'_>, value: RStr<'_>) -> RResult<(), BackendError>;
    /// What was recorded.
    fn snapshot(&self) -> RResult<Report, BackendError>;
    /// How the gates are to stand, and when to ask again.
    fn pace(&self) -> RResult<Pace, BackendError>;
    /// Somebody wants it to wake up.
    fn wake(&self, cause: RStr<'_>) -> RResult<(), BackendError>;
    /// What came after version 1: a pointer whose meaning `id` defines, or
    /// null. Version 1 defines no id.
    #[sabi(last_prefix_field)]
    fn query(&self, id: u64) -> *const c_void;
}

/// A backend, owned by the host, never dropped.
pub type BackendBox = LockProfilerBackend_TO<'static, RBox<()>>;

/// What a plugin exports.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = BackendModuleRef)))]
#[sabi(missing_field(panic))]
pub struct BackendModule {
    /// The data plane that the plugin was built with.
    pub data_plane: DataPlane,
    /// What the backend says of itself.
    pub describe: extern "C" fn() -> RResult<Description, BackendError>,
    /// Makes an instance, not yet initialised.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn() -> RResult<BackendBox, BackendError>,
}

impl RootModule for BackendModuleRef {
    abi_stable::declare_root_module_statics! {BackendModuleRef}
    const BASE_NAME: &'static str = "lockscope_backend";
    const NAME: &'static str = "lockscope backend";
    // The version of the interface, not of this crate: it moves when the ABI
    // does, and the ABI is frozen.
    const VERSION_STRINGS: VersionStrings = VersionStrings { version: RStr::from_str("1.0.0") };
}

/// The module of a plugin that exports `B`.
#[must_use]
pub fn module<B: Backend>() -> BackendModuleRef {
    BackendModule {
        data_plane: DataPlane::OURS,
        describe: super::contain::describe::<B>,
        create: create::<B>,
    }
    .leak_into_prefix()
}

extern "C" fn create<B: Backend>() -> RResult<BackendBox, BackendError> {
    super::contain::caught(|| Ok(Contained::<B>::new()))
        .map(|contained| {
            LockProfilerBackend_TO::from_value(contained, abi_stable::sabi_trait::TD_Opaque)
        })
        .into()
}
