//! Reports: what a session saw, in the forms that people use.

pub mod model;
