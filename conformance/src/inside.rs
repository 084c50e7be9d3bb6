//! The inside door: what only a backend's source can show.
//!
//! A backend's own tests call [`suite!`](crate::suite) with its type, and add what
//! only it promises. Each backend is held to the same text, so what is said of one
//! is said of all.
//!
//! ```
//! # mod mine {
//! #     use lockscope_core::backend::{Backend, BackendError, Description, Setting};
//! #     use lockscope_core::report::Report;
//! #     use lockscope_core::{Countdown, Event, LockRef, Session};
//! #     #[derive(Default)]
//! #     pub struct Mine;
//! #     impl Backend for Mine {
//! #         fn describe() -> Description { Description::new("mine", "0.1.0", "records nothing") }
//! #         fn init(&self, _: &[Setting]) -> Result<(), BackendError> { Ok(()) }
//! #         fn start(&self, _: &Session) -> Result<(), BackendError> { Ok(()) }
//! #         fn stop(&self) -> Result<(), BackendError> { Ok(()) }
//! #         fn snapshot(&self) -> Result<Report, BackendError> { Ok(Report::default()) }
//! #         fn meet(&self, _: Option<&LockRef>) -> Countdown { Countdown::NEVER }
//! #         fn event(&self, _: &Event) -> Countdown { Countdown::UNCHANGED }
//! #     }
//! # }
//! // tests/suite.rs
//! lockscope_conformance::suite!(mine::Mine);
//! # fn main() {}
//! ```
//!
//! The same call becomes other tests in a build for models:
//!
//! | built | tests |
//! |---|---|
//! | as it is | [`model`]: a state machine of random histories, shrunk to the shortest that fails, against a naive backend; [`identity`], [`sessions`], [`threads`], and what else is asked for |
//! | `RUSTFLAGS="--cfg lockscope_shuttle"` | `models`: the backend as a whole, three or four threads, thousands of schedules that follow from a seed |
//! | `RUSTFLAGS="--cfg lockscope_loom"` | `models`: the same with two threads that do one thing each, every interleaving and every value that a relaxed load may see |
//!
//! Models see what is shared through [`lockscope_core::sync`], and nothing else: an
//! atomic of `std` is as if it could not be interrupted, and a lock of `std` in which
//! something else is waited for stops a model for ever. What is built on other
//! crates' locks, such as a concurrent map, is put behind a door of its own, as
//! `lockscope_backends` does with dashmap: then it is the backend that is checked,
//! and not the map.
//!
//! # Groups
//!
//! `suite!(path::Mine, settings, limits, period)` asks for more, of backends whose
//! configuration has keys that are usual (those of `lockscope_backends::settings`):
//!
//! | group | the backend has | and |
//! |---|---|---|
//! | [`settings`] | `period`, `max_locks`, `max_sites` | says of each value that cannot be used what can; begins with the period that is configured |
//! | [`limits`] | `max_locks`, `max_sites` | counts what is beyond them, in the usual words; folds dropped locks by origin |
//! | [`period`] | `period` | keeps to it, for all locks alike, until it is configured anew |

#![allow(clippy::missing_panics_doc, reason = "a test that cannot go on has failed")]

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub mod identity;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub mod limits;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub mod model;
#[cfg(any(lockscope_loom, lockscope_shuttle))]
pub mod models;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub mod period;
pub mod probe;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub mod sessions;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub mod settings;
mod suite;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub mod threads;
