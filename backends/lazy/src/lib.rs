//! The backend *lazy*: nothing is recorded until something wakes it.
//!
//! ```text
//!              a command, the program, a signal
//!            ┌──────────────────────────────────┐
//!            │                                  ▼
//!  asleep, gates closed ◄──── settling ◄──── a window, gates open
//!            │   ▲         gates closed         ▲
//!  cool-down │   │ no longer wanted             │
//!  is over   ▼   │                              │
//!       watching: contended acquisitions ───────┘
//!       are counted and not recorded   enough of them
//! ```
//!
//! Asleep, it costs what a closed gate costs. Only if contention is to wake it
//! as well, it watches: acquisitions that must wait are told then, and add to
//! two counters. All others are as on a closed gate.
//!
//! In a window it works as the backend *wrapper* does: one operation in N is
//! sampled, of every lock alike, and every wait is recorded. Each window is a
//! generation of its own, so it finds all slots empty, and locks that were made
//! long before are met like new ones; what was recorded of them in earlier
//! windows is found by their ids.
//!
//! Of locks that are dropped while it sleeps, nothing is told. So at a window's
//! end, what is known of a lock by its place alone is kept apart from whatever
//! may come to that place; and when a quarter of the room for records is taken,
//! those of locks that were not seen in the window are added up by origin, so
//! that what has gone unseen does not fill it.

mod backend;
mod plugin;
mod policy;
mod report;
mod settings;
mod state;

pub use backend::Lazy;
