//! The host: loads backends, runs sessions, and turns reports into output.

pub mod report;
