//! What lockscope's backends are made of. For backends alone: nothing else in
//! the workspace depends on it.
//!
//! A backend decides where the state of a lock lives and which operations are
//! sampled. What it then writes down, and how, is the same for all of them:
//!
//! | module | what |
//! |---|---|
//! | [`settings`] | configuration keys whose values are numbers |
//! | [`life`] | sessions, one after the other |
//! | [`sampler`] | countdowns to the next sample, of any period |
//! | [`contention`] | how many acquisitions have to wait |
//! | [`steady`] | one period for all locks, and a limit to the waits that are recorded |
//! | [`ledger`] | what was seen of one lock: by call site, and who made whom wait |
//! | [`record`] | a ledger with the lock's id and origin |
//! | [`registry`] | all records, the way from a lock to its own, and the report |
//! | [`keyed`] | a short list that grows while it is read |
//!
//! ```text
//! Registry ──► Record ──► call site ──► Tally: acquisitions, hold, wait, …
//!                 └─────► holder × waiter ──► Charge
//! ```
//!
//! Every number is written without a lock and read while it is written. An
//! exclusive owner is the only writer of its own numbers, so a sample of an
//! exclusive lock has no atomic read-modify-write in it.

pub mod contention;
mod histogram;
pub mod keyed;
mod lazy;
pub mod ledger;
pub mod life;
mod map;
#[cfg(all(test, lockscope_loom))]
mod models;
pub mod record;
pub mod registry;
mod report;
pub mod sampler;
pub mod settings;
mod sharded;
pub mod steady;
pub mod tally;
mod writer;
