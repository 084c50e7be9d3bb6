//! Reports: what a session saw, in the forms that people use.
//!
//! ```text
//! backend ─► convert ─► file ─► command ─┬► table     (rows, waits in progress)
//!                                        ├► JSON
//!                                        ├► pprof     mutex, block, hold
//!                                        └► folded    stacks of waits
//! ```

mod charges;
pub mod command;
mod convert;
mod error;
pub mod file;
pub mod folded;
pub mod model;
pub mod pprof;
mod quantile;
pub(crate) mod rows;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod stacks;
pub mod table;
pub(crate) mod terminal;
pub(crate) mod text;
pub(crate) mod units;
pub(crate) mod waits;

pub use convert::convert;
pub use error::ReportError;
