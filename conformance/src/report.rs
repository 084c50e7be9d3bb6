//! What is printed of a run.

pub mod text;
