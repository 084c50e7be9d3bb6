//! What the benches share: the locks that are compared, how ratios are taken, and
//! what becomes of them.
//!
//! Timings on a shared machine drift by more than what is to be measured. So
//! every figure is the ratio of two runs that follow each other at once, the
//! lock under test and the bare lock with the same layout; and what is
//! reported is the median of many such ratios, with a 95 % interval.
//!
//! ```text
//! locks, watching ──► the bench ──► Record ──► JSON, the documents' tables, a page with plots
//!                                     └──────► what has changed since an earlier one
//! ```

pub mod accuracy;
pub mod asked;
pub mod compare;
pub mod documents;
pub mod limits;
pub mod locks;
pub mod memory;
pub mod page;
#[cfg(feature = "peers")]
pub mod peers;
pub mod plot;
mod provenance;
pub mod real;
pub mod record;
pub mod rows;
pub mod sessions;
pub mod stats;
pub mod suite;
pub mod tasks;
pub mod watching;
pub mod workload;
