//! What is done with this workspace, as `cargo xtask …`, and what its tests
//! need to know about it.
#![forbid(unsafe_code)]

pub mod bench;
pub mod build;
pub mod command;
pub mod demo;
pub mod error;
pub mod metadata;
pub mod patched;
pub mod readme;
pub mod real;
pub mod sources;
pub mod steps;
pub mod system;
pub mod test;

pub use error::Error;
