//! Control of a running process, from another one of the same user.
//!
//! ```text
//! lockscope ps, ctl, top                 the process with a host inside
//!   client ──── Unix socket, one JSON object a line ────► server ──► Target
//!          folder: whose it is, where        one thread, all signals blocked
//! ```
//!
//! The protocol, version 1, is documented in `docs/control.md`. Whatever a
//! client sends, and whenever it goes, the process is not harmed: see
//! `server` for what is bounded, and by what.

mod client;
mod ctl;
mod error;
#[cfg(test)]
mod fake;
mod folder;
mod protocol;
mod ps;
mod server;
mod service;
mod system;
pub(crate) mod target;
#[cfg(feature = "top")]
mod top;

pub use error::ControlError;

pub(crate) use ctl::CtlArgs;
pub(crate) use ps::PsArgs;
pub(crate) use service::serve;
#[cfg(feature = "top")]
pub(crate) use top::{KEYS as TOP_KEYS, TopArgs};
