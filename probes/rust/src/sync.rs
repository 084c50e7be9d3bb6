//! Stands in for [`std::sync`]: the same types, methods, guards and errors,
//! in a form that lockscope can watch.
//!
//! Swapping the import is all that a program does:
//!
//! ```
//! use lockscope::sync::{Arc, Condvar, Mutex};
//! use std::thread;
//!
//! static TOTAL: Mutex<u64> = Mutex::named("total", 0);
//!
//! let ready = Arc::new((Mutex::new(false), Condvar::new()));
//! let theirs = Arc::clone(&ready);
//! let worker = thread::spawn(move || {
//!     *TOTAL.lock().unwrap() += 42;
//!     *theirs.0.lock().unwrap() = true;
//!     theirs.1.notify_one();
//! });
//! let seen = ready.1.wait_while(ready.0.lock().unwrap(), |ready| !*ready).unwrap();
//! assert!(*seen);
//! assert_eq!(*TOTAL.lock().unwrap(), 42);
//! # worker.join().unwrap();
//! ```
//!
//! Each type is std's own with a slot before it, and each guard is std's own
//! with the name of a record before it. So who gets a lock next, what poisons
//! it, what panics and what may cross threads is decided by std. What std has
//! and is not a lock is passed on as it is, so that `use lockscope::sync::*`
//! serves as well. Methods that Rust 1.95 calls unstable are left out.
//!
//! # What is recorded
//!
//! Nothing, while the gate is closed. On an open gate:
//!
//! | operation | record |
//! |---|---|
//! | [`Mutex::lock`], [`RwLock::read`], [`RwLock::write`] | an acquisition: contended if the lock was not free |
//! | `try_lock` and its like | an acquisition, or a failed one |
//! | [`RwLockWriteGuard::downgrade`] | ends one acquisition and begins another, so that each mode has its time |
//! | [`Condvar::wait`] and its like | ends the acquisition of the mutex; idleness at the condition variable; a new acquisition of the mutex |
//! | [`Once::call_once`] and its like, [`OnceLock::get_or_init`], [`OnceLock::set`], [`LazyLock::force`] | who runs the initialiser holds; who finds another running it is contended, and holds for no time |
//! | [`Once::wait`], [`OnceLock::wait`], [`Barrier::wait`] | idleness: nobody need be at work on what is waited for |
//!
//! An initialisation that is over costs what it costs in std: its check does
//! not even read the gate. Who waits for one that fails, and then runs it in
//! its place, is recorded as running alone. What is done through `&mut` needs no
//! lock, and leaves no record; nor does the look that `Debug` takes at the data. A waiting time inside std's condition variable cannot be
//! told apart from the idleness before it, so the new acquisition after a
//! condition wait counts as uncontended.
//!
//! # What it costs in memory
//!
//! A slot of 56 bytes per lock, aligned to 8, and 16 bytes per guard; each
//! type's own page says what that makes. The slot stands before std's lock, so
//! that lock word and data stay side by side: on a closed gate those two alone
//! are touched.
//!
//! # What differs from std
//!
//! - Locks have a destructor, which tells that they are gone, so one cannot be
//!   dropped where the compiler evaluates constants, as std's can if its data
//!   has none. To be made there, and kept, is what it is for.
//! - A lock is another type than std's: what insists on a `std::sync::Mutex`
//!   does not take one of these.

mod barrier;
mod condvar;
mod hold;
mod initialise;
mod lazy_lock;
mod mark;
mod mutex;
mod once;
mod once_lock;
mod rwlock;

pub use std::sync::{
    Arc, BarrierWaitResult, LockResult, OnceState, PoisonError, TryLockError, TryLockResult,
    WaitTimeoutResult, Weak, atomic, mpsc,
};

pub use barrier::Barrier;
pub use condvar::Condvar;
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
#[expect(deprecated, reason = "std has it still")]
pub use once::ONCE_INIT;
pub use once::Once;
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
