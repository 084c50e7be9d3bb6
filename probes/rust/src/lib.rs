//! Drop-in lock types that tell lockscope what they do, when it asks.

mod attach;
#[cfg(feature = "parking_lot")]
pub mod parking_lot;
pub mod sync;
mod watch;

/// For tests and benches of the workspace: the probe of this crate.
#[doc(hidden)]
#[must_use]
pub fn probe() -> &'static lockscope_core::Probe {
    &watch::PROBE
}
