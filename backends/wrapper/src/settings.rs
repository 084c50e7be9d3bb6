//! The backend's configuration keys.

use lockscope_backends::settings::{Key, MAX_LOCKS, MAX_SITES, PERIOD};
use lockscope_backends::steady::CONTENTIONS_PER_SEC;

/// The first two can be changed while a session runs.
pub(crate) const KEYS: [&Key; 4] = [&PERIOD, &CONTENTIONS_PER_SEC, &MAX_LOCKS, &MAX_SITES];
