//! What the benches share: the locks that are compared, and how ratios are
//! taken.
//!
//! Timings on a shared machine drift by more than what is to be measured. So
//! every figure is the ratio of two runs that follow each other at once, the
//! lock under test and the bare lock with the same layout; and what is
//! reported is the median of many such ratios, with its quartiles.

pub mod locks;
pub mod stats;
