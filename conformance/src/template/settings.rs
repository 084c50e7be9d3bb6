//! The backend's configuration keys. The host names them to the user, checks that
//! there are no others, and hands all of them over, with the defaults.

use lockscope_backends::settings::{Key, MAX_LOCKS, MAX_SITES, PERIOD};

/// Only the period can be changed while a session runs.
pub(crate) const KEYS: [&Key; 3] = [&PERIOD, &MAX_LOCKS, &MAX_SITES];
