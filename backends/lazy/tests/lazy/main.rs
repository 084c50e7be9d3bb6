//! The backend through its trait: windows, and what is told of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod live;
mod memory;
mod naive;
mod pace;
mod watching;

lockscope_conformance::suite!(lockscope_lazy::Lazy, settings, limits, period);
