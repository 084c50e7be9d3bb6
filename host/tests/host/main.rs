//! The host from outside: plugins, sessions, and the command.

mod child;
mod plugins;

mod support;
