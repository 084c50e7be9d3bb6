//! The functions that the program calls.
//!
//! Each looks at the gate. If that is closed it jumps on to glibc's function, whose
//! caller is then the program. Otherwise it jumps to ours, and adds to the arguments
//! where it was called from: the word on top of the stack, which only such a
//! function without a frame can know.

use crate::own::Own;
use crate::real::place;
use crate::watch::PROBE;
use crate::{barrier, condvar, mutex, rwlock, semaphore, spin};

/// Makes an entry of this name: ours takes the call site in `$site`, the register
/// after those of its arguments (System V ABI for x86-64, 3.2.3).
macro_rules! entries {
    ($($name:ident => $ours:path, $site:literal;)*) => {
        $(
            /// Stands for glibc's function of this name.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            unsafe extern "C-unwind" fn $name() {
                core::arch::naked_asm!(
                    "cmp qword ptr [rip + {probe}], 1",
                    "ja 2f",
                    "jmp qword ptr [rip + {real}]",
                    "2:",
                    concat!("mov ", $site, ", qword ptr [rsp]"),
                    "jmp {ours}",
                    probe = sym PROBE,
                    real = sym place::$name,
                    ours = sym $ours,
                )
            }
        )*
    };
}

/// As [`entries`], of functions that wait for a lock of one argument: on an open gate it
/// is tried first. If that succeeds, the first of ours goes on; if not, the second, whose
/// third argument is what came of it. So what is not recorded pushes no more onto the
/// stack than the lock's address; and each word that is written before an atomic
/// operation is one that it waits for.
macro_rules! acquisitions {
    ($($name:ident, $try:ident => $had:path, $failed:path;)*) => {
        $(
            /// Stands for glibc's function of this name.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            unsafe extern "C-unwind" fn $name() {
                core::arch::naked_asm!(
                    // For whoever unwinds the stack, a profiler that interrupts us.
                    ".cfi_startproc",
                    "cmp qword ptr [rip + {probe}], 1",
                    "ja 2f",
                    "jmp qword ptr [rip + {real}]",
                    "2:",
                    "push rdi",
                    ".cfi_adjust_cfa_offset 8",
                    "call qword ptr [rip + {attempt}]",
                    "pop rdi",
                    ".cfi_adjust_cfa_offset -8",
                    "mov rsi, qword ptr [rsp]",
                    "test eax, eax",
                    "jne 3f",
                    "jmp {had}",
                    "3:",
                    "mov edx, eax",
                    "jmp {failed}",
                    ".cfi_endproc",
                    probe = sym PROBE,
                    real = sym place::$name,
                    attempt = sym place::$try,
                    had = sym $had,
                    failed = sym $failed,
                )
            }
        )*
    };
}

acquisitions! {
    mtx_lock, mtx_trylock => mutex::had, mutex::mtx_lock;
    pthread_rwlock_rdlock, pthread_rwlock_tryrdlock => rwlock::is_read, rwlock::read;
    pthread_rwlock_wrlock, pthread_rwlock_trywrlock => rwlock::is_written, rwlock::write;
    pthread_spin_lock, pthread_spin_trylock => spin::had, spin::lock;
}

/// As [`acquisitions`], but a robust mutex is not tried: see `mutex::lock_robust`.
///
/// Stands for glibc's function of this name.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C-unwind" fn pthread_mutex_lock() {
    core::arch::naked_asm!(
        ".cfi_startproc",
        "cmp qword ptr [rip + {probe}], 1",
        "ja 2f",
        "jmp qword ptr [rip + {real}]",
        "2:",
        "test byte ptr [rdi + {kind}], {robust}",
        "jne 4f",
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        "call qword ptr [rip + {attempt}]",
        "pop rdi",
        ".cfi_adjust_cfa_offset -8",
        "mov rsi, qword ptr [rsp]",
        "test eax, eax",
        "jne 3f",
        "jmp {had}",
        "3:",
        "mov edx, eax",
        "jmp {failed}",
        "4:",
        "mov rsi, qword ptr [rsp]",
        "jmp {robustly}",
        ".cfi_endproc",
        probe = sym PROBE,
        real = sym place::pthread_mutex_lock,
        kind = const mutex::KIND,
        robust = const mutex::ROBUST,
        attempt = sym place::pthread_mutex_trylock,
        had = sym mutex::had,
        failed = sym mutex::lock,
        robustly = sym mutex::lock_robust,
    )
}

/// As [`entries`], of functions that give a lock back: if the thread holds nothing that
/// is recorded, glibc's is the next.
macro_rules! ends {
    ($($name:ident => $ours:path;)*) => {
        $(
            /// Stands for glibc's function of this name.
            #[unsafe(no_mangle)]
            #[unsafe(naked)]
            unsafe extern "C-unwind" fn $name() {
                core::arch::naked_asm!(
                    "cmp qword ptr [rip + {probe}], 1",
                    "ja 2f",
                    "jmp qword ptr [rip + {real}]",
                    "2:",
                    "mov rax, qword ptr [rip + lockscope_pthread_own@GOTTPOFF]",
                    "cmp dword ptr fs:[rax + {held}], 0",
                    "jne 3f",
                    "jmp qword ptr [rip + {real}]",
                    "3:",
                    "jmp {ours}",
                    probe = sym PROBE,
                    real = sym place::$name,
                    held = const Own::HELD,
                    ours = sym $ours,
                )
            }
        )*
    };
}

ends! {
    pthread_mutex_unlock => mutex::unlock;
    mtx_unlock => mutex::mtx_unlock;
    pthread_rwlock_unlock => rwlock::unlock;
    pthread_spin_unlock => spin::unlock;
}

entries! {
    pthread_mutex_trylock => mutex::try_lock, "rsi";
    pthread_mutex_timedlock => mutex::timed_lock, "rdx";
    pthread_mutex_clocklock => mutex::clock_lock, "rcx";
    pthread_mutex_init => mutex::init, "rdx";
    pthread_mutex_destroy => mutex::destroy, "rsi";
    mtx_init => mutex::mtx_init, "rdx";
    mtx_destroy => mutex::mtx_destroy, "rsi";
    mtx_trylock => mutex::mtx_try_lock, "rsi";
    mtx_timedlock => mutex::mtx_timed_lock, "rdx";

    pthread_rwlock_tryrdlock => rwlock::try_read, "rsi";
    pthread_rwlock_timedrdlock => rwlock::timed_read, "rdx";
    pthread_rwlock_clockrdlock => rwlock::clock_read, "rcx";
    pthread_rwlock_trywrlock => rwlock::try_write, "rsi";
    pthread_rwlock_timedwrlock => rwlock::timed_write, "rdx";
    pthread_rwlock_clockwrlock => rwlock::clock_write, "rcx";
    pthread_rwlock_init => rwlock::init, "rdx";
    pthread_rwlock_destroy => rwlock::destroy, "rsi";

    pthread_spin_trylock => spin::try_lock, "rsi";
    pthread_spin_init => spin::init, "rdx";
    pthread_spin_destroy => spin::destroy, "rsi";

    pthread_cond_wait => condvar::wait, "rdx";
    pthread_cond_timedwait => condvar::timed_wait, "rcx";
    pthread_cond_clockwait => condvar::clock_wait, "r8";
    pthread_cond_init => condvar::init, "rdx";
    pthread_cond_destroy => condvar::destroy, "rsi";
    cnd_wait => condvar::cnd_wait, "rdx";
    cnd_init => condvar::cnd_init, "rsi";
    cnd_destroy => condvar::cnd_destroy, "rsi";
    cnd_timedwait => condvar::cnd_timed_wait, "rcx";

    pthread_barrier_wait => barrier::wait, "rsi";
    pthread_barrier_init => barrier::init, "rcx";
    pthread_barrier_destroy => barrier::destroy, "rsi";

    sem_wait => semaphore::wait, "rsi";
    sem_trywait => semaphore::try_wait, "rsi";
    sem_timedwait => semaphore::timed_wait, "rdx";
    sem_clockwait => semaphore::clock_wait, "rcx";
    sem_init => semaphore::init, "rcx";
    sem_destroy => semaphore::destroy, "rsi";
}
