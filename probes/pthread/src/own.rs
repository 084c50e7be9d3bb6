//! What a thread keeps for this library: one block, which is found without a call.
//!
//! A library asks the dynamic linker where a thread-local value is, each time, since it
//! might have been loaded when the thread existed already. This one is there when the
//! program starts, so its block stands at the same distance from every thread's
//! pointer, and that distance is a constant that the linker writes down once (the
//! *initial-exec* model; U. Drepper, *ELF Handling For Thread-Local Storage*, 4.4.4).
//! Rust has no stable word for that, so the block is declared in the assembler's.

use core::cell::Cell;
use core::ffi::c_int;

use lockscope_core::thread::{Shortcut, ThreadState};

use crate::held::Held;

/// The block. Neither initialised nor destroyed by any code, so that it can be asked
/// for from anywhere at any time: all zeros is a thread that has done nothing.
///
/// What an operation looks at that is not recorded stands on its first line.
#[repr(C, align(64))]
pub(crate) struct Own {
    pub(crate) shortcut: Shortcut,
    /// Where this thread's `errno` is; null before it was asked for.
    errno: Cell<*mut c_int>,
    pub(crate) held: Held,
}

core::arch::global_asm!(
    ".pushsection .tbss.lockscope_pthread_own, \"awT\", @nobits",
    ".hidden lockscope_pthread_own",
    ".globl lockscope_pthread_own",
    ".type lockscope_pthread_own, @object",
    ".size lockscope_pthread_own, {size}",
    ".balign {align}",
    "lockscope_pthread_own:",
    ".zero {size}",
    ".popsection",
    size = const size_of::<Own>(),
    align = const align_of::<Own>(),
);

impl Own {
    /// Where the number of held locks stands in the block: the entries look at it.
    pub(crate) const HELD: usize = core::mem::offset_of!(Self, held);

    /// The block of the calling thread. It must not leave the thread, and `Own` is not
    /// `Sync`, so that it cannot.
    #[inline(always)]
    pub(crate) fn get() -> &'static Self {
        let own: *const Self;
        // SAFETY: two loads, of the thread's pointer, which points to itself, and of
        // the block's distance from it, which the dynamic linker has written down. The
        // sum stays the same as long as a thread lives.
        unsafe {
            core::arch::asm!(
                "mov {own}, qword ptr fs:[0]",
                "add {own}, qword ptr [rip + lockscope_pthread_own@GOTTPOFF]",
                own = out(reg) own,
                options(pure, nomem, nostack),
            );
        }
        // SAFETY: zeroed, aligned and as large as the type, by its declaration above.
        unsafe { &*own }
    }

    /// The state of the thread; `None` if it has none, or none any more.
    #[inline]
    pub(crate) fn thread(&self) -> Option<&'static ThreadState> {
        // SAFETY: the block is the thread's, and its only one.
        self.shortcut.get().or_else(|| unsafe { self.shortcut.introduce() })
    }

    /// What the last call of glibc that failed has left.
    #[inline]
    pub(crate) fn errno(&self) -> c_int {
        // SAFETY: glibc's own place, which every thread has.
        unsafe { *self.errno_place() }
    }

    /// Puts back what was there.
    #[inline]
    pub(crate) fn set_errno(&self, value: c_int) {
        // SAFETY: as above.
        unsafe { *self.errno_place() = value };
    }

    #[inline]
    fn errno_place(&self) -> *mut c_int {
        let known = self.errno.get();
        if !known.is_null() {
            return known;
        }
        // SAFETY: the call takes nothing, and its answer holds as long as the thread.
        let place = unsafe { libc::__errno_location() };
        self.errno.set(place);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_has_a_block_of_its_own_that_begins_empty() {
        let own = Own::get();
        assert!(core::ptr::eq(own, Own::get()));
        assert_eq!(core::ptr::from_ref(own).addr() % align_of::<Own>(), 0);
        let here = core::ptr::from_ref(own).addr();
        std::thread::spawn(move || {
            let own = Own::get();
            assert_ne!(core::ptr::from_ref(own).addr(), here);
            assert!(own.shortcut.get().is_none() && own.held.is_empty());
            assert!(own.thread().is_some() && own.shortcut.get().is_some());
        })
        .join()
        .unwrap();
    }

    #[test]
    fn errno_is_glibcs() {
        let own = Own::get();
        own.set_errno(libc::EDOM);
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EDOM));
        assert_eq!(own.errno(), libc::EDOM);
    }
}
