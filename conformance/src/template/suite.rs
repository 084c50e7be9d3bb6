//! The inside door of the conformance kit: random histories against a naive
//! backend, threads, limits, sessions. In a build for models, all interleavings.
//!
//! A backend that has not the keys that are usual leaves out their groups.

lockscope_conformance::suite! { lockscope___name__::__Name__Backend, settings, limits, period }
