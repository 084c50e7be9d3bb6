//! The backend *adaptive*: contended locks are watched closely, quiet ones ever
//! more rarely, and all of them within a budget.
//!
//! What a lock has seen hangs on the lock, as the wrapper backend has it: its
//! slot leads to a record. Beside it stands how closely the lock is watched, a
//! *level*: one operation in 2^level is sampled.
//!
//! ```text
//!                 32 samples without contention: one level up
//! contended ──► level 0 ──► 1 ──► … ──► 4 ──► … ──► 12
//!               every operation         ▲           max_period
//!                                       └── period: a lock that is met
//! ```
//!
//! Since each level has as many samples as the one before, a quiet lock that was
//! used n times has some 32·log₂(n/32) of them, and its count is known to about
//! a tenth, however long it has been quiet.
//!
//! Over all that stands the budget (`budget.rs`). The host asks ten times a second
//! how to go on; the backend looks at what it has cost since then, which it
//! measures itself (`meter.rs`), and multiplies all periods by a power of two, the
//! *squeeze*. If contended acquisitions alone cost too much, those are drawn as
//! well. If operations cost too much that are not even recorded, because there
//! are so many of them, the session ends.
//!
//! # Why totals stay unbiased
//!
//! Countdowns are geometric, which have no memory: an operation that is not
//! contended is sampled with the probability 1/N that was fixed by what happened
//! before it, and its sample weighs N. So Σ w·x less the truth is a martingale,
//! whatever moves the periods, as long as nothing looks ahead: a countdown is
//! drawn anew when it has ended, or because somebody had to wait, and never for
//! how far it has come.

mod backend;
mod budget;
mod meter;
mod plugin;
mod policy;
mod report;
mod settings;
#[cfg(test)]
mod simulation;
mod state;

pub use backend::Adaptive;
