//! One plugin that is good, or wrong in one way: what the conformance kit is
//! tested with.
//!
//! A kit that finds nothing wrong may have looked at nothing. So there is, for
//! every rule that it decides, a plugin that breaks this rule and keeps the
//! others, and a test that it is found out: for the rule that it breaks, and for
//! none of another family.
//!
//! ```text
//! host, probes ──► Boundary ──► Contained ──► Mutant ──► Good
//!                  the table,   panics        one entry   a small backend
//!                  query                      altered     that keeps all rules
//! ```
//!
//! Which [`Mutation`] it is says the environment variable [`VARIABLE`] when the
//! plugin is loaded; without it the plugin is good as it is. To add one is to add
//! it to the list of its rule's family, in [`mutations`].

mod boundary;
mod good;
mod memory;
mod mutant;
mod mutation;
pub mod mutations;
pub mod plugin;

pub use good::Good;
pub use mutation::{Alter, Mutation, VARIABLE, find};
