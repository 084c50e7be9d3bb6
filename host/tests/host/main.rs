//! The host from outside: plugins, sessions, and the command.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod child;
mod command;
mod endings;
mod environment;
mod failures;
mod plugins;
mod processes;
mod report;
mod run;
mod sessions;
mod signals;

mod support;
