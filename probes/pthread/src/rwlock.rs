//! Reader-writer locks.
//!
//! A thread may read a lock twice at a time. Their unlocks cannot be told apart, so
//! the one that comes first ends the acquisition that came last; which is what a
//! program does that nests.

use core::ffi::{c_int, c_void};

use libc::{clockid_t, pthread_rwlock_t, timespec};
use lockscope_core::CallSite;
use lockscope_core::event::{LockKind, Mode};

use crate::operation::{
    self, Acquires, after, give_back, had_at_once, is_plain_deadline, try_for, wait_for,
};
use crate::real;
use crate::watch::Lock;

fn described(lock: *const pthread_rwlock_t) -> Lock {
    Lock { address: lock.addr(), kind: LockKind::RWLOCK }
}

/// A lock that is read.
#[derive(Clone, Copy)]
struct Read(*const pthread_rwlock_t);

impl Acquires for Read {
    const MODE: Mode = Mode::SHARED;

    #[inline(always)]
    fn address(self) -> usize {
        self.0.addr()
    }

    #[inline(always)]
    fn lock(self) -> Lock {
        described(self.0)
    }
}

/// A lock that is written behind.
#[derive(Clone, Copy)]
struct Write(*const pthread_rwlock_t);

impl Acquires for Write {
    const MODE: Mode = Mode::EXCLUSIVE;

    #[inline(always)]
    fn address(self) -> usize {
        self.0.addr()
    }

    #[inline(always)]
    fn lock(self) -> Lock {
        described(self.0)
    }
}

/// The four ways to acquire in one mode.
macro_rules! ways {
    ($way:ident, $had:ident, $lock:ident, $try_lock:ident, $timed:ident, $clock:ident =
        $real_lock:ident, $real_try:ident, $real_timed:ident, $real_clock:ident) => {
        /// After an attempt that has succeeded.
        pub(crate) unsafe extern "C-unwind" fn $had(
            lock: *mut pthread_rwlock_t,
            site: CallSite,
        ) -> c_int {
            had_at_once($way(lock), site, 0)
        }

        /// After an attempt that came to `status`, and not to success.
        pub(crate) unsafe extern "C-unwind" fn $lock(
            lock: *mut pthread_rwlock_t,
            site: CallSite,
            status: c_int,
        ) -> c_int {
            // SAFETY: the program hands glibc a lock.
            unsafe { after($way(lock), site, status, move || real::$real_lock(lock)) }
        }

        pub(crate) unsafe extern "C-unwind" fn $try_lock(
            lock: *mut pthread_rwlock_t,
            site: CallSite,
        ) -> c_int {
            // SAFETY: as above.
            unsafe { try_for($way(lock), site, move || real::$real_try(lock)) }
        }

        pub(crate) unsafe extern "C-unwind" fn $timed(
            lock: *mut pthread_rwlock_t,
            deadline: *const timespec,
            site: CallSite,
        ) -> c_int {
            // SAFETY: as above, with a time.
            unsafe {
                let block = move || real::$real_timed(lock, deadline);
                if !is_plain_deadline(libc::CLOCK_REALTIME, deadline) {
                    return block();
                }
                wait_for($way(lock), site, move || real::$real_try(lock), block)
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
                let block = move || real::$real_clock(lock, clock, deadline);
                if !is_plain_deadline(clock, deadline) {
                    return block();
                }
                wait_for($way(lock), site, move || real::$real_try(lock), block)
            }
        }
    };
}

ways! {
    Read, is_read, read, try_read, timed_read, clock_read =
    pthread_rwlock_rdlock, pthread_rwlock_tryrdlock, pthread_rwlock_timedrdlock,
    pthread_rwlock_clockrdlock
}
ways! {
    Write, is_written, write, try_write, timed_write, clock_write =
    pthread_rwlock_wrlock, pthread_rwlock_trywrlock, pthread_rwlock_timedwrlock,
    pthread_rwlock_clockwrlock
}

pub(crate) unsafe extern "C-unwind" fn unlock(lock: *mut pthread_rwlock_t) -> c_int {
    // SAFETY: the program hands glibc a lock.
    give_back(described(lock), move || unsafe { real::pthread_rwlock_unlock(lock) })
}

pub(crate) unsafe extern "C-unwind" fn init(
    lock: *mut pthread_rwlock_t,
    attributes: *const c_void,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc memory, and attributes or null.
    let init = || unsafe { real::pthread_rwlock_init(lock, attributes) };
    operation::init(lock.addr(), site, init)
}

pub(crate) unsafe extern "C-unwind" fn destroy(lock: *mut pthread_rwlock_t, _: CallSite) -> c_int {
    // SAFETY: the program hands glibc a lock.
    operation::destroy(&described(lock), move || unsafe { real::pthread_rwlock_destroy(lock) })
}
