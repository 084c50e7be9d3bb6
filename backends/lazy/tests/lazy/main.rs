//! The backend through its trait: windows, and what is told of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod calls;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod live;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod memory;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod naive;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod pace;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod watching;

lockscope_conformance::suite!(lockscope_lazy::Lazy, settings, limits, period);
