//! The functions that the program calls.
//!
//! Each looks at the gate. If that is closed it jumps on to glibc's function, whose
//! caller is then the program. Otherwise it jumps to ours, and adds to the arguments
//! where it was called from: the word on top of the stack, which only such a
//! function without a frame can know.

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
                    "cmp qword ptr [rip + {probe}], 0",
                    "jne 2f",
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

entries! {
    pthread_mutex_lock => mutex::lock, "rsi";
    pthread_mutex_trylock => mutex::try_lock, "rsi";
    pthread_mutex_timedlock => mutex::timed_lock, "rdx";
    pthread_mutex_clocklock => mutex::clock_lock, "rcx";
    pthread_mutex_unlock => mutex::unlock, "rsi";
    pthread_mutex_destroy => mutex::destroy, "rsi";
    mtx_lock => mutex::mtx_lock, "rsi";
    mtx_trylock => mutex::mtx_try_lock, "rsi";
    mtx_timedlock => mutex::mtx_timed_lock, "rdx";
    mtx_unlock => mutex::mtx_unlock, "rsi";

    pthread_rwlock_rdlock => rwlock::read, "rsi";
    pthread_rwlock_tryrdlock => rwlock::try_read, "rsi";
    pthread_rwlock_timedrdlock => rwlock::timed_read, "rdx";
    pthread_rwlock_clockrdlock => rwlock::clock_read, "rcx";
    pthread_rwlock_wrlock => rwlock::write, "rsi";
    pthread_rwlock_trywrlock => rwlock::try_write, "rsi";
    pthread_rwlock_timedwrlock => rwlock::timed_write, "rdx";
    pthread_rwlock_clockwrlock => rwlock::clock_write, "rcx";
    pthread_rwlock_unlock => rwlock::unlock, "rsi";
    pthread_rwlock_destroy => rwlock::destroy, "rsi";

    pthread_spin_lock => spin::lock, "rsi";
    pthread_spin_trylock => spin::try_lock, "rsi";
    pthread_spin_unlock => spin::unlock, "rsi";
    pthread_spin_destroy => spin::destroy, "rsi";

    pthread_cond_wait => condvar::wait, "rdx";
    pthread_cond_timedwait => condvar::timed_wait, "rcx";
    pthread_cond_clockwait => condvar::clock_wait, "r8";
    pthread_cond_destroy => condvar::destroy, "rsi";
    cnd_wait => condvar::cnd_wait, "rdx";
    cnd_timedwait => condvar::cnd_timed_wait, "rcx";

    pthread_barrier_wait => barrier::wait, "rsi";
    pthread_barrier_destroy => barrier::destroy, "rsi";

    sem_wait => semaphore::wait, "rsi";
    sem_trywait => semaphore::try_wait, "rsi";
    sem_timedwait => semaphore::timed_wait, "rdx";
    sem_clockwait => semaphore::clock_wait, "rcx";
    sem_destroy => semaphore::destroy, "rsi";
}
