//! The control plane: what a backend is, and how it crosses the ABI.
//!
//! A backend's author implements [`Backend`], plain Rust, and writes
//! [`export_backend!`](crate::export_backend) in one file. That turns it into
//! a plugin: every call is taken through the frozen trait
//! [`LockProfilerBackend`], with panics caught on the plugin's side, because a
//! panic that reached the boundary would end the program.
//!
//! ```
//! use lockscope_core::backend::{Backend, BackendError, Description, Setting};
//! use lockscope_core::report::Report;
//! use lockscope_core::{Countdown, Event, LockRef, Session};
//!
//! /// Counts nothing, quickly.
//! #[derive(Default)]
//! struct Idle;
//!
//! impl Backend for Idle {
//!     fn describe() -> Description {
//!         Description::new("idle", "0.1.0", "records nothing")
//!     }
//!     fn init(&self, _: &[Setting]) -> Result<(), BackendError> { Ok(()) }
//!     fn start(&self, _: &Session) -> Result<(), BackendError> { Ok(()) }
//!     fn stop(&self) -> Result<(), BackendError> { Ok(()) }
//!     fn snapshot(&self) -> Result<Report, BackendError> { Ok(Report::default()) }
//!     fn meet(&self, _: Option<&LockRef>) -> Countdown { Countdown::NEVER }
//!     fn event(&self, _: &Event) -> Countdown { Countdown::UNCHANGED }
//! }
//! lockscope_core::export_backend!(Idle);
//! ```

mod contain;
mod plugin;

#[doc(hidden)]
pub use abi_stable::library::{
    __call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult,
};
pub use contain::Contained;
#[doc(hidden)]
pub use contain::be_plugin;
pub use plugin::{
    BackendBox, BackendModule, BackendModuleRef, DataPlane, LockProfilerBackend,
    LockProfilerBackend_TO, SYMBOL, SessionRef, TableRef, module,
};

use abi_stable::StableAbi;
use abi_stable::std_types::{RString, RVec};

use crate::event::{Event, LockRef};
use crate::hooks::Session;
use crate::pad::Lent;
use crate::report::Report;
use crate::slot::Countdown;

/// One configuration key of a backend.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// As it is written in `lockscope.toml`, under the backend's name.
    pub name: RString,
    /// The value that holds if nobody says otherwise, as text.
    pub default: RString,
    /// One sentence: meaning, unit, and range.
    pub help: RString,
}

/// What a backend says of itself before it is initialised.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// One word: what people write to choose it.
    pub name: RString,
    /// Its version.
    pub version: RString,
    /// One line.
    pub summary: RString,
    /// Its configuration keys.
    pub keys: RVec<Key>,
}

impl Description {
    /// A backend without configuration.
    #[must_use]
    pub fn new(name: &str, version: &str, summary: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            summary: summary.into(),
            keys: RVec::new(),
        }
    }

    /// Adds a configuration key.
    #[must_use]
    pub fn key(mut self, name: &str, default: &str, help: &str) -> Self {
        self.keys.push(Key { name: name.into(), default: default.into(), help: help.into() });
        self
    }
}

/// One configured value.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// One of the backend's keys.
    pub key: RString,
    /// The value, as text.
    pub value: RString,
}

/// What went wrong in a backend. Values are part of the ABI.
#[repr(u32)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// It was called at the wrong time: started twice, stopped before started.
    State = 1,
    /// A configuration key or value is not one it has.
    Setting = 2,
    /// It could not get what it needs: memory, a file, a counter.
    Resource = 3,
    /// It panicked.
    Panic = 4,
}

/// An error of a backend: a sentence that ends in what to do.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq)]
pub struct BackendError {
    /// What kind.
    pub kind: ErrorKind,
    /// A sentence: what was expected, what was found, what to do.
    pub message: RString,
}

impl BackendError {
    /// An error of this kind.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: RString::from(message.into()) }
    }
}

impl core::fmt::Display for BackendError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BackendError {}

/// How a backend wants its session to go on: what it answers to
/// [`Backend::pace`].
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How the gates are to stand, one of [`gate::state`](crate::gate::state):
    /// `OPEN`, `WATCH` for contended acquisitions alone, or `CLOSED`.
    pub gate: u32,
    /// Of acquisitions that must wait, one in so many is recorded, with this
    /// weight, and those, with weight 1, during which the host asks for the pace:
    /// see [`Thinning`](crate::gate::Thinning). 1 for all.
    pub contended_period: u32,
    /// When to ask again, in nanoseconds; `u64::MAX` for not of its own accord.
    pub ask_after_ns: u64,
}

impl Pace {
    /// Everything is open until the session ends.
    pub const STEADY: Self =
        Self { gate: crate::gate::state::OPEN, contended_period: 1, ask_after_ns: u64::MAX };
}

/// A strategy for observing locks: what its author writes.
///
/// The first group is called by the host, one call at a time; `snapshot` may
/// run while the second group does. The second group is called by the
/// program's threads, between start and the return of stop: see
/// [`HookTable`](crate::hooks::HookTable) for what such a call may do.
///
/// An implementation never prints, never reads files of its own accord, and
/// leaves no threads behind after `stop`.
pub trait Backend: Default + Send + Sync + 'static {
    /// Name, version and configuration keys. Called before anything else.
    fn describe() -> Description;

    /// Takes the configuration: all keys of [`Backend::describe`], with the
    /// values that hold. Called once, before the first start.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Setting`] for a value that cannot be used.
    fn init(&self, settings: &[Setting]) -> Result<(), BackendError>;

    /// Begins a session, empty. Hooks run as soon as this has returned.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] if a session is running; [`ErrorKind::Resource`].
    fn start(&self, session: &Session) -> Result<(), BackendError>;

    /// Ends the session. No hook runs any more when this is called; what was
    /// recorded stays for [`Backend::snapshot`] until the next start.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] if no session is running.
    fn stop(&self) -> Result<(), BackendError>;

    /// Changes one key while a session may be running.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Setting`] if the key is unknown, the value unusable, or
    /// the key cannot be changed in a running session.
    fn configure(&self, key: &str, value: &str) -> Result<(), BackendError> {
        let _ = value;
        Err(BackendError::new(
            ErrorKind::Setting,
            format!(
                "the key '{key}' cannot be changed while the backend is loaded; stop the program and set it in the configuration"
            ),
        ))
    }

    /// What the running session, or else the last one, has recorded.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] if no session was ever started.
    fn snapshot(&self) -> Result<Report, BackendError>;

    /// How the session is to go on from now: asked after [`Backend::start`],
    /// before any gate opens; when the time of the last answer has come; and
    /// after each [`Backend::wake`] and [`Backend::configure`]. Hooks may run
    /// meanwhile.
    ///
    /// When the state of the gates changes, they get a new generation: every
    /// slot is empty then, and each lock is met anew, while the backend keeps
    /// what it has recorded. It is asked again only when no hook of the former
    /// generation runs any more, so one that answers `CLOSED`, to be asked after
    /// 0 ns, is asked next when all is quiet. Of locks that are dropped while the
    /// gates do not stand open, nothing is told.
    fn pace(&self) -> Pace {
        Pace::STEADY
    }

    /// Somebody wants the backend to wake up: the program, its operator, a
    /// signal. `cause` says who, for people.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] if it never sleeps.
    fn wake(&self, cause: &str) -> Result<(), BackendError> {
        let _ = cause;
        let message = "this backend never sleeps, so there is nothing to wake; choose one that does, such as one that waits for contention";
        Err(BackendError::new(ErrorKind::State, message))
    }

    /// The session meets a lock, or (`None`) a thread needs a countdown.
    fn meet(&self, lock: Option<&LockRef>) -> Countdown;

    /// One recorded operation.
    fn event(&self, event: &Event) -> Countdown;

    /// Whether [`Backend::pad`] ever lends one. Otherwise it is not asked.
    const LENDS_PADS: bool = false;

    /// Lends the probe a place where it leaves what would be more events like
    /// this one: see [`HookTable::pad`](crate::hooks::HookTable::pad). Each hold
    /// that is left there is an acquisition of the event's lock, by its thread
    /// and at its call site, that the backend was not told of and that counts as
    /// if it had been.
    fn pad(&self, event: &Event) -> Option<Lent> {
        let _ = event;
        None
    }

    /// A lock that the session has met is dropped.
    fn dropped(&self, lock: &LockRef) {
        let _ = lock;
    }
}

/// Makes the crate a plugin: exports the type, which implements [`Backend`].
///
/// To be written once in a crate of type `cdylib`, in `src/plugin.rs`.
#[macro_export]
macro_rules! export_backend {
    ($backend:ty) => {
        /// The plugin's entry: what a host looks for.
        #[unsafe(export_name = "lockscope_backend_v1")]
        pub static LOCKSCOPE_BACKEND_V1: $crate::backend::LibHeader = {
            extern "C" fn root() -> $crate::backend::RootModuleResult {
                $crate::backend::be_plugin();
                $crate::backend::__call_root_module_loader($crate::backend::module::<$backend>)
            }
            // SAFETY: `root` returns the module whose type is named here.
            unsafe {
                $crate::backend::LibHeader::from_constructor::<$crate::backend::BackendModuleRef>(
                    root,
                    $crate::backend::CheckTypeLayout::Yes,
                )
            }
        };
    };
}
