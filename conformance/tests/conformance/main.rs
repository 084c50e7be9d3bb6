//! All backends, held to what they promise: one file per family of promises.

mod backends;
mod kit;
mod likeness;
mod plain;
mod sampling;
mod windows;
