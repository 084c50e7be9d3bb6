//! Call stacks of lock operations: taken on the thread that locks, and kept once
//! each.
//!
//! A stack is taken where a lock operation is recorded, inside a hook, so nothing
//! here allocates, waits or calls the dynamic linker then: what that needs was made
//! by [`prepare`], and what the program loads later comes by [`refresh`], from a
//! thread of the host's.
//!
//! | module | what |
//! |---|---|
//! | [`walk`] | from one frame to the next, by framehop |
//! | [`limits`] | where a thread's stack ends, so that nothing else is read |
//! | [`objects`] | the program's objects, and what they say of their frames |
//! | [`store`] | each stack once, under a number |
//! | [`turn`] | one thread at a time with a cache, and when all have left an old table |
//! | [`mapped`] | memory that is not the allocator's |
//!
//! ```text
//! take ──► limits ──► walk ──► store ──► CallSite of the stack
//!                      ▲                          │
//!                 objects ◄── refresh             ▼ when reporting
//!                      └──────────────────► stack_of: frames, each with its object
//! ```

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod limits;
mod mapped;
#[cfg(all(test, lockscope_loom))]
mod models;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod objects;
mod store;
mod turn;
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod walk;

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub use walk::{Kept, Losses, Where, forked, losses, prepare, refresh, stack_of, take};

pub use store::{End, MOST_STACKS};

/// The most frames that are kept of a stack.
pub const MOST_FRAMES: usize = 128;

/// Whether stacks can be taken on this machine.
pub const IS_SUPPORTED: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));
