//! Where stacks cannot be taken: nothing is made, and nothing is kept.

use lockscope_core::CallSite;

use crate::{Kept, Losses};

/// Makes nothing.
///
/// # Errors
///
/// Always.
pub fn prepare(_: u32) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// There is nothing that needs to know.
pub fn refresh() {}

/// There is nothing to be forgotten.
pub fn forked() {}

/// None, because none was asked for.
#[must_use]
pub fn losses() -> Losses {
    Losses::default()
}

/// The site as it is.
#[must_use]
pub fn take(site: CallSite, _: u32, _: usize) -> CallSite {
    site
}

/// None.
#[must_use]
pub fn frames(_: CallSite, _: u32, _: &mut [u64]) -> usize {
    0
}

/// Nothing.
#[must_use]
pub fn stack_of(_: CallSite) -> Option<Kept> {
    None
}
