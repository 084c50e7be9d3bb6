//! All backends, held to what they promise: one file per family of promises.

mod backends;
mod likeness;
mod paced;
mod plain;
mod sampling;
mod windows;
