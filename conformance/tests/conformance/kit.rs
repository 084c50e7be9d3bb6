//! The kit itself: that it passes those that are right, and finds those that are
//! not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod command;
mod endings;
mod mutants;
mod spec;
mod support;
