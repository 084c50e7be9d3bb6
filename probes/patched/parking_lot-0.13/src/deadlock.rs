//! Finds threads that wait for one another in a circle.

pub use bare::deadlock::check_deadlock;
