//! The backend *sidetable*: what a lock has seen stands in a table, and the lock
//! stays as it was.
//!
//! A lock is found by its id, or by its address if it has no slot. Each thread
//! that samples it has a ledger of its own there, which nobody else writes to,
//! so readers, writers and locks without slot cost the same, and none of them
//! an atomic read-modify-write. A snapshot adds the ledgers up.
//!
//! ```text
//! thread, lock, call site ──► a line of ways ─────────────────┐
//!         │ the first time, and when the line was lost        ▼
//!         └──► table: id or address ──► Record ──► thread ──► Ledger ──► Tally
//! ```
//!
//! The table is a hash map that threads share, and asking it costs as much as
//! several locks. So the way from a thread, a lock and a call site to the numbers
//! is remembered, in one cache line that this thread has to itself: see `ways`.

mod asked;
mod backend;
#[cfg(all(test, lockscope_loom))]
mod models;
mod plugin;
mod policy;
mod settings;
mod state;
mod ways;

pub use backend::Sidetable;
