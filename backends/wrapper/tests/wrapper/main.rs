//! The backend through its trait: sessions, events that are made up, and what
//! it says of them.

mod harness;
mod limits;
mod model;
mod sessions;
mod threads;
