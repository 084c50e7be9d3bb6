//! Honest sampling: what a report says of operations that nobody recorded.
//!
//! docs/sampling.md has the formulas, and the results of these tests.
//!
//! Everything follows from seeds, so a check passes always or never. What it
//! would do with other seeds is said where its bounds are: each is so wide that
//! a right backend passes with all seeds but a few in a million, and so narrow
//! that the plain backend's mistakes do not.

pub(crate) mod anything;
pub(crate) mod bias;
pub(crate) mod coverage;
pub(crate) mod in_turn;
mod mistakes;
