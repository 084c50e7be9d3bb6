//! The kit itself: that it passes those that are right, and finds those that are
//! not.

mod mutants;
mod spec;
mod support;
