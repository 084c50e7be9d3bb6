//! Drop-in lock types that tell lockscope what they do, when it asks.
//!
//! lockscope is a lock profiler: it says which locks of a running program cost
//! time, who waits, who makes them wait, and where. This crate is what a
//! program takes its locks from, so that they can be watched. It holds no
//! profiler and needs no set-up; nothing is recorded until a host opens the
//! gate.
//!
//! # Swapping the imports
//!
//! ```
//! // Instead of `use std::sync::{…}`:
//! use lockscope::sync::{Arc, Mutex, PoisonError, mpsc};
//!
//! let total = Arc::new(Mutex::new(0));
//! let (sender, receiver) = mpsc::channel();
//! let theirs = Arc::clone(&total);
//! let worker = std::thread::spawn(move || {
//!     for number in receiver {
//!         *theirs.lock().unwrap_or_else(PoisonError::into_inner) += number;
//!     }
//! });
//! for number in 1..=4 {
//!     sender.send(number)?;
//! }
//! drop(sender);
//! worker.join().expect("adding up does not fail");
//! assert_eq!(*total.lock().expect("nobody has panicked"), 10);
//! # Ok::<(), mpsc::SendError<i32>>(())
//! ```
//!
//! [`sync`] stands in for [`std::sync`], and with the feature `parking_lot` the
//! module `parking_lot` for the crate of that name. Types, methods, guards and
//! errors have the names that they have there, and every operation is the
//! original's own: who gets a lock next, what poisons it, what panics and what
//! may cross threads is decided where it always was. The tests of this crate
//! compile one program text twice, once with each import, and compare what the
//! two find.
//!
//! Then run the program under `lockscope run`, or link the host in and start
//! a session from within.
//!
//! # Which lock is which
//!
//! A lock is known by the line that makes it: constructors are
//! `#[track_caller] const fn`s, so that a static knows the line of its
//! definition. `named` gives it a name as well:
//!
//! ```
//! use lockscope::sync::{LazyLock, Mutex, RwLock};
//!
//! static JOBS: Mutex<Vec<String>> = Mutex::named("jobs", Vec::new());
//! static LIMIT: LazyLock<usize> = LazyLock::named("limit", || 8);
//!
//! struct Cache {
//!     entries: RwLock<Vec<u8>>,
//! }
//!
//! // Several locks may share a name.
//! let caches = [(); 4].map(|()| Cache { entries: RwLock::named("cache", Vec::new()) });
//! if let Ok(mut entries) = caches[0].entries.write() {
//!     entries.push(1);
//! }
//! assert!(JOBS.lock().is_ok_and(|jobs| jobs.len() < *LIMIT));
//! ```
//!
//! Likewise an operation is known by the program's own line. A function of
//! yours that locks for others hands its caller's line on if it is
//! `#[track_caller]`:
//!
//! ```
//! use lockscope::sync::{Mutex, MutexGuard, PoisonError};
//!
//! struct Queue(Mutex<Vec<u8>>);
//!
//! impl Queue {
//!     /// Reports name whoever calls this, not this line.
//!     #[track_caller]
//!     fn jobs(&self) -> MutexGuard<'_, Vec<u8>> {
//!         self.0.lock().unwrap_or_else(PoisonError::into_inner)
//!     }
//! }
//!
//! let queue = Queue(Mutex::new(vec![1]));
//! assert_eq!(queue.jobs().pop(), Some(1));
//! ```
//!
//! # What it costs while nothing is recorded
//!
//! One load of a word that nobody writes, a branch that is always predicted
//! alike, and at the unlock the test of a register. No call, no allocation, no
//! thread. The very first operation of the process looks once whether a host
//! is there.
//!
//! In memory, a slot per lock and a word per guard, which every type's own
//! documentation states and the compiler checks:
//!
//! | | a lock | a guard |
//! |---|---|---|
//! | [`sync`] | 56 bytes more, rounded up to a multiple of 8 | 16 bytes more |
//! | `parking_lot` | 64 bytes and the data, rounded up to a multiple of 8 | 8 bytes more |
//! | `parking_lot::slotless` | nothing | 8 bytes more |
//!
//! ```
//! use lockscope::sync;
//!
//! assert_eq!(size_of::<sync::Mutex<u64>>(), size_of::<std::sync::Mutex<u64>>() + 56);
//! ```
//!
//! # What it costs while something is recorded
//!
//! A lock that is free is counted down; one operation in N, as the backend
//! decides, is timed. An operation that finds its lock taken is recorded
//! always: what it costs is little beside the wait. The session's report says
//! what was sampled and how true its numbers are.
//!
//! # Features
//!
//! | feature | gives |
//! |---|---|
//! | `parking_lot` | the module `parking_lot`, for parking_lot 0.13 |
//! | `lock_api` | nothing by itself: the package that stands in for parking_lot 0.13 is made of it |
//! | `arc_lock`, `owning_ref`, `send_guard`, `serde` | what parking_lot's own features of these names add |
//!
//! None is on by default.
//!
//! # What it cannot see
//!
//! - Locks that are made elsewhere: in the standard library, in crates that
//!   take theirs from it, in C. The lock inside a channel or a [`sync::mpsc`]
//!   is such a one.
//! - Why a thread that waits idly does so: waits at condition variables and
//!   barriers are told apart from contention, and no more.
//! - The time that a condition variable takes to get its mutex back: it
//!   belongs to the idle wait, for it cannot be told from it.
//! - A guard that is leaked, or held across the begin or the end of a session:
//!   it locks as ever, and is no event.
//! - Access through `&mut`, which needs no lock.
//! - Operations of a thread whose thread-local values are being torn down:
//!   they are plain.

#[cfg(feature = "lock_api")]
mod around;
mod attach;
#[cfg(doctest)]
mod must_not_compile;
#[cfg(feature = "parking_lot")]
pub mod parking_lot;
pub mod sync;
mod watch;

/// For the packages in `probes/patched`, which stand in for other lock crates: their
/// locks are seen by this crate's probe.
#[doc(hidden)]
pub mod patched {
    #[cfg(feature = "lock_api")]
    pub use crate::around::*;
    pub use crate::watch::{PROBE, Slotted, is_open};
}

/// For tests and benches of the workspace: the probe of this crate.
#[doc(hidden)]
#[must_use]
pub fn probe() -> &'static lockscope_core::Probe {
    &watch::PROBE
}
