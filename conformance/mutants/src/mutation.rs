//! What is wrong with a plugin.

use core::ffi::c_void;
use std::sync::OnceLock;

use lockscope_core::backend::{
    Backend, BackendError, DataPlane, Description, ErrorKind, Pace, Setting,
};
use lockscope_core::report::Report;
use lockscope_core::{Countdown, Event, HookTable, LockRef, Session};

use crate::Good;
use crate::mutations;

/// The environment variable that names the mutation when the plugin is loaded.
/// It is none of the `LOCKSCOPE_` variables, which configure the host.
pub const VARIABLE: &str = "MUTANT";

/// One thing that is wrong.
#[derive(Debug)]
pub struct Mutation {
    /// By which [`VARIABLE`] calls it.
    pub name: &'static str,
    /// The rule that it breaks, by its id.
    pub breaks: &'static str,
    /// What it does.
    pub alter: Alter,
}

/// Every entry of a plugin, as the host and probes call it. An entry that does
/// not what [`Good`]'s does is a function of its own; what it has to remember
/// stands in statics, for each mutant has a process of its own.
#[derive(Debug)]
pub struct Alter {
    /// The data plane that it says it was built with.
    pub data_plane: fn(DataPlane) -> DataPlane,
    /// What it says of itself.
    pub describe: fn(Description) -> Description,
    /// See [`Backend::init`]; so the others, up to `dropped`.
    pub init: fn(&Good, &[Setting]) -> Result<(), BackendError>,
    #[expect(missing_docs, reason = "see init")]
    pub start: fn(&Good, &Session) -> Result<(), BackendError>,
    #[expect(missing_docs, reason = "see init")]
    pub stop: fn(&Good) -> Result<(), BackendError>,
    #[expect(missing_docs, reason = "see init")]
    pub configure: fn(&Good, &str, &str) -> Result<(), BackendError>,
    #[expect(missing_docs, reason = "see init")]
    pub snapshot: fn(&Good) -> Result<Report, BackendError>,
    #[expect(missing_docs, reason = "see init")]
    pub pace: fn(&Good) -> Pace,
    #[expect(missing_docs, reason = "see init")]
    pub wake: fn(&Good, &str) -> Result<(), BackendError>,
    #[expect(missing_docs, reason = "see init")]
    pub meet: fn(&Good, Option<&LockRef>) -> Countdown,
    #[expect(missing_docs, reason = "see init")]
    pub event: fn(&Good, &Event) -> Countdown,
    #[expect(missing_docs, reason = "see init")]
    pub dropped: fn(&Good, &LockRef),
    /// Its answer to a query of a later version.
    pub query: fn(u64) -> *const c_void,
    /// What becomes of its function table: here an entry can also be replaced by
    /// one whose panics nobody contains.
    pub table: fn(&mut HookTable),
}

impl Alter {
    /// The good backend.
    pub const NOTHING: Self = Self {
        data_plane: |plane| plane,
        describe: |description| description,
        init: Good::init,
        start: Good::start,
        stop: Good::stop,
        configure: Good::configure,
        snapshot: Good::snapshot,
        pace: Good::pace,
        wake: Good::wake,
        meet: Good::meet,
        event: Good::event,
        dropped: Good::dropped,
        query: |_| core::ptr::null(),
        table: |_| (),
    };
}

/// The mutation of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Mutation> {
    mutations::all().chain(mutations::ENDINGS).find(|mutation| mutation.name == name)
}

/// What this process's plugin does: looked up once.
pub(crate) fn chosen() -> Result<&'static Alter, BackendError> {
    static GOOD: Alter = Alter::NOTHING;
    static CHOSEN: OnceLock<Result<&'static Alter, String>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| match std::env::var(VARIABLE) {
        Ok(name) => find(&name).map(|mutation| &mutation.alter).ok_or(name),
        Err(_) => Ok(&GOOD),
    });
    chosen.as_ref().copied().map_err(|name| {
        let message = format!("no mutation is called '{name}'; correct the variable {VARIABLE}");
        BackendError::new(ErrorKind::Setting, message)
    })
}
