//! The backend through its trait: sessions, events that are made up, and what
//! it says of them.

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod asked;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod watched;

// Not `period`: it begins with the period that is configured and moves on from there.
lockscope_conformance::suite!(lockscope_adaptive::Adaptive, settings, limits);
