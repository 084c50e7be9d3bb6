//! The contract between lockscope's probes, its backends and its host.
//!
//! A *probe* sees lock operations. A *backend* decides which of them to record,
//! and keeps the tallies. The *host* loads a backend, opens the gate, and turns
//! the backend's report into what people read. This crate is what they share,
//! and it changes very rarely: what crosses the ABI is frozen as version 1.
//!
//! You need this crate directly if you write a backend (feature `control`) or
//! a probe. To profile a program, use the crate `lockscope`.
//!
//! # The data plane
//!
//! Always there, without dependencies beyond `libc`:
//!
//! - [`gate`]: one cache line per probe that every lock operation reads.
//! - [`slot`]: the words inside a lock that a session may use.
//! - [`site`], [`event`]: what is told to a backend.
//! - [`hooks`]: the function table through which it is told.
//! - [`acquisition`], [`thread`], [`recorder`]: what a probe does on an open
//!   gate, so that every probe does it the same way.
//! - [`probe`]: what a host sees of a probe.
//! - [`clock`]: ticks and nanoseconds.
//! - [`sync`]: the only door to atomics, and to what models check beside them.
//!
//! # The control plane
//!
//! With the feature `control`: [`backend`], the `abi_stable` trait
//! `LockProfilerBackend`, and [`report`], what it answers.
#![cfg_attr(
    any(lockscope_loom, lockscope_shuttle),
    allow(dead_code, unused_imports, reason = "in a model, no thread is found by who it is")
)]

pub mod acquisition;
#[cfg(feature = "control")]
pub mod backend;
pub mod clock;
pub mod event;
#[cfg(any(lockscope_loom, lockscope_shuttle))]
pub mod exploration;
pub mod gate;
pub mod hooks;
#[cfg(all(test, lockscope_loom))]
mod models;
pub mod pad;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub mod probe;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub mod recorder;
#[cfg(feature = "control")]
pub mod report;
pub mod site;
pub mod slot;
pub mod sync;
pub mod thread;

pub use acquisition::Token;
pub use event::{Event, EventKind, LockKind, LockRef, Mode};
pub use gate::Gate;
pub use hooks::{ABI_VERSION, HookTable, Session};
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub use probe::Probe;
pub use site::CallSite;
pub use slot::{Countdown, Slot};
