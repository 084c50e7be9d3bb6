//! The backend's configuration keys.

use lockscope_backends::settings::{self, Key, PERIOD};
use lockscope_backends::steady::CONTENTIONS_PER_SEC;

/// How many locks may have a record.
pub(crate) const MAX_LOCKS: Key = Key {
    help: "So many locks have a place in the table at one time, from 1 to 10000000; each takes some 800 bytes for each thread that uses it. What other locks do is counted as lost.",
    ..settings::MAX_LOCKS
};

/// How many call sites are told apart.
pub(crate) const MAX_SITES: Key = Key {
    help: "So many call sites of one lock are told apart in each thread, from 1 to 10000; the rest are recorded together.",
    ..settings::MAX_SITES
};

/// How many threads may have a ledger of their own for one lock.
pub(crate) const MAX_THREADS: Key = Key {
    name: "max_threads",
    default: 64,
    least: 1,
    most: 10_000,
    help: "So many threads have numbers of their own for one lock, from 1 to 10000; the rest write theirs in one place, which takes longer.",
};

/// The first two can be changed while a session runs.
pub(crate) const KEYS: [&Key; 5] =
    [&PERIOD, &CONTENTIONS_PER_SEC, &MAX_LOCKS, &MAX_SITES, &MAX_THREADS];
