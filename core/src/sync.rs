//! The only door to atomics, and to the locks and thread-locals of code that
//! models check: `std`'s in a build, a checker's in a model.
//!
//! Every other file of the workspace takes its atomics from here, so that one
//! `--cfg` turns the code that ships into the code that is checked. A test over
//! the workspace's sources keeps it so.
//!
//! | `--cfg` | whose types | what is tried |
//! |---|---|---|
//! | none | `std`'s | nothing: what ships |
//! | `lockscope_loom` | loom's | every interleaving, and every value that a relaxed load may see: two or three threads, a few operations each |
//! | `lockscope_shuttle` | shuttle's | interleavings drawn at random, as if all accesses were sequentially consistent: more threads, whole backends |
//!
//! A lock of `std` in code that a model runs would stop all its threads, which
//! are one thread of the system. Where nothing that is checked happens while it is
//! held, as in a static, that cannot be.

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
mod door {
    pub use std::sync::atomic::{
        AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence,
    };
    pub use std::sync::{Arc, Mutex, MutexGuard, RwLock};
    pub use std::thread::yield_now as pause;
    pub use std::thread_local;
}

#[cfg(lockscope_loom)]
mod door {
    pub use loom::sync::atomic::{
        AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence,
    };
    pub use loom::sync::{Arc, Mutex, MutexGuard, RwLock};
    pub use loom::thread::yield_now as pause;

    pub use crate::loom_thread_local as thread_local;
}

/// `std`'s form with `const`, which loom's macro does not know.
#[cfg(lockscope_loom)]
#[doc(hidden)]
#[macro_export]
macro_rules! loom_thread_local {
    ($($(#[$attr:meta])* $vis:vis static $name:ident: $type:ty = const { $init:expr };)+) => {
        $crate::exploration::loom::thread_local! {
            $($(#[$attr])* $vis static $name: $type = $init;)+
        }
    };
}

#[cfg(lockscope_shuttle)]
mod door {
    pub use shuttle::sync::atomic::{
        AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence,
    };
    pub use shuttle::sync::{Arc, Mutex, MutexGuard, RwLock};
    pub use shuttle::thread::yield_now as pause;
    pub use shuttle::thread_local;
}

pub use door::{
    Arc, AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Mutex,
    MutexGuard, RwLock, fence, pause, thread_local,
};
pub use std::sync::PoisonError;
pub use std::sync::atomic::Ordering;

/// Whether this is a build for models. Such a build takes less of what there are
/// many of, so that a model is small and yet meets the end of each supply; and its
/// types have other sizes.
pub const IS_MODEL: bool = cfg!(any(lockscope_loom, lockscope_shuttle));

/// Fetches the cache line of `place` to be written, which is about to be read.
#[inline(always)]
pub fn fetch_to_write<T>(place: &T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a hint, which changes nothing and cannot fail.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) place, options(nostack, preserves_flags));
    }
    let _ = place;
}

/// The cheap half of an asymmetric store-load barrier.
///
/// With `expedited` the other side, [`heavy_fence`], interrupts every running
/// thread of the process, so this half only has to keep the compiler from
/// reordering. Without it both halves are full fences. Models always take the
/// second form: `membarrier` orders at least as much as a fence executed at the
/// point where the interrupt lands.
#[inline]
pub fn light_fence(expedited: bool) {
    if expedited && !IS_MODEL {
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
        return;
    }
    fence(Ordering::SeqCst);
}

/// The dear half of an asymmetric store-load barrier: see [`light_fence`].
pub fn heavy_fence(expedited: bool) {
    if expedited && !IS_MODEL {
        // SAFETY: the call takes integers only and changes no memory.
        let status = unsafe { libc::syscall(libc::SYS_membarrier, PRIVATE_EXPEDITED, 0, 0) };
        // It was registered, so it can only succeed; if a kernel disagrees,
        // the light side would be unordered, and stopping here is worse than
        // the alternative: wait long enough for every core to have drained.
        if status != 0 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        return;
    }
    fence(Ordering::SeqCst);
}

const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

/// Asks the kernel for `membarrier` in this process; false where it has none.
///
/// A `false` is not an error: [`light_fence`] is then a full fence.
#[must_use]
pub fn register_expedited() -> bool {
    // SAFETY: the call takes integers only and changes no memory.
    let status = unsafe { libc::syscall(libc::SYS_membarrier, REGISTER_PRIVATE_EXPEDITED, 0, 0) };
    let _ = PRIVATE_EXPEDITED;
    status == 0
}
