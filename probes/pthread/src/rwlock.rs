//! Reader-writer locks.
//!
//! A thread may read a lock twice at a time. Their unlocks cannot be told apart, so
//! the one that comes first ends the acquisition that came last; which is what a
//! program does that nests.

use core::ffi::c_int;

use libc::{clockid_t, pthread_rwlock_t, timespec};
use lockscope_core::CallSite;
use lockscope_core::event::{LockKind, Mode};

use crate::operation::{
    self, Acquiring, give_back, is_plain_deadline, never_nested, pthread_outcome,
};
use crate::real;
use crate::watch::Lock;

fn described(lock: *const pthread_rwlock_t) -> Lock {
    Lock { address: lock.addr(), kind: LockKind::RWLOCK }
}

fn acquiring(lock: *const pthread_rwlock_t, mode: Mode, site: CallSite) -> Acquiring {
    let (lock, is_held, is_told_by_errno) = (described(lock), true, false);
    let (outcome, is_nested) = (pthread_outcome, never_nested);
    Acquiring { lock, mode, site, is_held, outcome, is_told_by_errno, is_nested }
}

/// The four ways to acquire in one mode.
macro_rules! ways {
    ($mode:expr, $lock:ident, $try_lock:ident, $timed:ident, $clock:ident =
        $real_lock:ident, $real_try:ident, $real_timed:ident, $real_clock:ident) => {
        pub(crate) unsafe extern "C-unwind" fn $lock(
            lock: *mut pthread_rwlock_t,
            site: CallSite,
        ) -> c_int {
            // SAFETY: the program hands glibc a lock.
            unsafe {
                acquiring(lock, $mode, site)
                    .wait_for(|| real::$real_try(lock), || real::$real_lock(lock))
            }
        }

        pub(crate) unsafe extern "C-unwind" fn $try_lock(
            lock: *mut pthread_rwlock_t,
            site: CallSite,
        ) -> c_int {
            // SAFETY: as above.
            unsafe { acquiring(lock, $mode, site).attempt(|| real::$real_try(lock)) }
        }

        pub(crate) unsafe extern "C-unwind" fn $timed(
            lock: *mut pthread_rwlock_t,
            deadline: *const timespec,
            site: CallSite,
        ) -> c_int {
            // SAFETY: as above, with a time.
            unsafe {
                let block = || real::$real_timed(lock, deadline);
                if !is_plain_deadline(libc::CLOCK_REALTIME, deadline) {
                    return block();
                }
                acquiring(lock, $mode, site).wait_for(|| real::$real_try(lock), block)
            }
        }

        pub(crate) unsafe extern "C-unwind" fn $clock(
            lock: *mut pthread_rwlock_t,
            clock: clockid_t,
            deadline: *const timespec,
            site: CallSite,
        ) -> c_int {
            // SAFETY: as above, with a time.
            unsafe {
                let block = || real::$real_clock(lock, clock, deadline);
                if !is_plain_deadline(clock, deadline) {
                    return block();
                }
                acquiring(lock, $mode, site).wait_for(|| real::$real_try(lock), block)
            }
        }
    };
}

ways! {
    Mode::SHARED, read, try_read, timed_read, clock_read =
    pthread_rwlock_rdlock, pthread_rwlock_tryrdlock, pthread_rwlock_timedrdlock,
    pthread_rwlock_clockrdlock
}
ways! {
    Mode::EXCLUSIVE, write, try_write, timed_write, clock_write =
    pthread_rwlock_wrlock, pthread_rwlock_trywrlock, pthread_rwlock_timedwrlock,
    pthread_rwlock_clockwrlock
}

pub(crate) unsafe extern "C-unwind" fn unlock(lock: *mut pthread_rwlock_t, _: CallSite) -> c_int {
    // SAFETY: the program hands glibc a lock.
    give_back(&described(lock), || unsafe { real::pthread_rwlock_unlock(lock) })
}

pub(crate) unsafe extern "C-unwind" fn destroy(lock: *mut pthread_rwlock_t, _: CallSite) -> c_int {
    // SAFETY: the program hands glibc a lock.
    operation::destroy(&described(lock), || unsafe { real::pthread_rwlock_destroy(lock) })
}
