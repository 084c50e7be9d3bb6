//! The host: loads backends, runs sessions, and turns reports into output.
//!
//! It is three things in one crate: a library for programs that profile
//! themselves ([`Profiler`]), the shared library that programs under
//! `lockscope run` open ([`attach`]), and the command `lockscope` ([`cli`]).

pub mod attach;
pub mod cli;
pub mod config;
mod control;
mod engine;
mod error;
pub mod filter;
mod keeper;
pub mod loader;
mod output;
mod profiler;
pub mod report;
mod run;
mod tell;
mod threads;
mod wake_signal;

pub use control::ControlError;
pub use error::HostError;
pub use profiler::{Builder, Profiler};
