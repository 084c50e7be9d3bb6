//! The inside door itself: a backend that is as plain as can be passes it, and with
//! any one flaw does not.
//!
//! A binary of its own, because the models are built without the outside door: see
//! `ci/models` and `ci/schedules`.

mod flaws;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod messages;
mod plain;

lockscope_conformance::suite!(crate::plain::Good);
