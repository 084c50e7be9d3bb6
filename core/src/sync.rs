//! The only door to atomics: `std`'s in a build, loom's in a model.
//!
//! Every other file of the workspace takes its atomics from here, so that one
//! `--cfg lockscope_loom` turns the code that ships into the code that is
//! model-checked. A test over the workspace's sources keeps it so.

#[cfg(not(lockscope_loom))]
pub use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

#[cfg(lockscope_loom)]
pub use loom::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

/// Gives way to another thread while waiting for it.
#[inline]
pub fn pause() {
    #[cfg(not(lockscope_loom))]
    std::thread::yield_now();
    #[cfg(lockscope_loom)]
    loom::thread::yield_now();
}

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
    #[cfg(not(lockscope_loom))]
    if expedited {
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
        return;
    }
    let _ = expedited;
    fence(Ordering::SeqCst);
}

/// The dear half of an asymmetric store-load barrier: see [`light_fence`].
pub fn heavy_fence(expedited: bool) {
    #[cfg(not(lockscope_loom))]
    if expedited {
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
    let _ = expedited;
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
