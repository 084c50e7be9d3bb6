//! The backend *wrapper*: what a lock has seen hangs on the lock.
//!
//! The first sample of a lock makes a record, and the lock's slot points to it
//! from then on. A record knows each call site of its lock (acquisitions,
//! contentions, waits, holds), and who made whom wait. One operation in N is
//! sampled, drawn for each lock by itself; what had to wait is always recorded.
//!
//! ```text
//! slot ──► Record ──► call site ──► Tally: acquisitions, hold, wait, …
//!             │  └──► call site ──► Tally
//!             └─────► holder × waiter ──► Charge
//! registry: id ──► the same Record, for snapshots, failed tries, and the end
//! ```
//!
//! An exclusive owner is the only writer of its own numbers, so a sample of an
//! exclusive lock has no atomic read-modify-write in it, and writes no cache
//! line that another lock's sample writes.
//!
//! A lock without slot is looked up in the registry at each sample: it works,
//! and costs more.

mod backend;
mod plugin;
mod policy;
mod settings;
mod state;

pub use backend::Wrapper;
