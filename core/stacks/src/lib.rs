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
//! | `walk` | from one frame to the next, by framehop |
//! | `limits` | where a thread's stack ends, so that nothing else is read |
//! | `objects` | the program's objects, and what they say of their frames |
//! | `store` | each stack once, under a number |
//! | `turn` | one thread at a time with a cache, and when all have left an old table |
//! | `mapped` | memory that is not the allocator's |
//!
//! ```text
//! take ──► limits ──► walk ──► store ──► CallSite of the stack
//!                      ▲                          │
//!                 objects ◄── refresh             ▼ when reporting
//!                      └──────────────────► stack_of: frames, each with its object
//! ```
#![cfg_attr(
    any(lockscope_loom, lockscope_shuttle),
    allow(dead_code, reason = "in a model, nothing is taken from a thread's stack")
)]

mod kept;

pub use kept::{End, Kept, Losses, Where};

cfg_if::cfg_if! {
    if #[cfg(any(lockscope_loom, lockscope_shuttle))] {
        mod mapped;
        mod store;
        mod turn;
    } else if #[cfg(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ))] {
        mod limits;
        mod mapped;
        mod objects;
        mod store;
        mod turn;
        mod walk;
        pub use walk::{forked, frames, losses, prepare, refresh, stack_of, take};
    } else {
        mod elsewhere;
        pub use elsewhere::{forked, frames, losses, prepare, refresh, stack_of, take};
    }
}
#[cfg(all(test, lockscope_loom))]
mod models;

/// The most stacks that can be kept.
pub const MOST_STACKS: u32 = 1 << 16;

/// The most frames that are kept of a stack.
pub const MOST_FRAMES: usize = 128;

/// Whether stacks can be taken on this machine.
pub const IS_SUPPORTED: bool =
    cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));
