//! The host from outside: plugins, sessions, and the command.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod allocations;
mod child;
mod command;
mod control;
mod counting;
mod deadlock;
mod demo;
mod endings;
mod environment;
mod estimates;
mod failures;
mod filters;
mod futex;
mod ids;
mod kit;
mod locks;
mod many;
mod plugins;
mod processes;
mod pthread;
mod report;
mod run;
mod sessions;
mod signals;
mod stacks;
mod switching;
mod thinned;
mod windows;

mod support;
