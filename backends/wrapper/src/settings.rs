//! The backend's configuration keys.

use lockscope_backends::settings::{Key, MAX_LOCKS, MAX_SITES, PERIOD};

/// Only the period can be changed while a session runs.
pub(crate) const KEYS: [&Key; 3] = [&PERIOD, &MAX_LOCKS, &MAX_SITES];
