//! Spin locks.

use core::ffi::c_int;

use libc::pthread_spinlock_t;
use lockscope_core::CallSite;
use lockscope_core::event::{LockKind, Mode};

use crate::operation::{self, Acquires, after, give_back, had_at_once, try_for};
use crate::real;
use crate::watch::Lock;

fn described(lock: *const pthread_spinlock_t) -> Lock {
    Lock { address: lock.addr(), kind: LockKind::SPIN }
}

#[derive(Clone, Copy)]
struct Spin(*const pthread_spinlock_t);

impl Acquires for Spin {
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

/// After an attempt that has succeeded.
pub(crate) unsafe extern "C-unwind" fn had(lock: *mut pthread_spinlock_t, site: CallSite) -> c_int {
    had_at_once(Spin(lock), site, 0)
}

/// After an attempt that came to `status`, and not to success.
pub(crate) unsafe extern "C-unwind" fn lock(
    lock: *mut pthread_spinlock_t,
    site: CallSite,
    status: c_int,
) -> c_int {
    // SAFETY: the program hands glibc a lock, here and below.
    unsafe { after(Spin(lock), site, status, move || real::pthread_spin_lock(lock)) }
}

pub(crate) unsafe extern "C-unwind" fn try_lock(
    lock: *mut pthread_spinlock_t,
    site: CallSite,
) -> c_int {
    // SAFETY: as above.
    try_for(Spin(lock), site, move || unsafe { real::pthread_spin_trylock(lock) })
}

pub(crate) unsafe extern "C-unwind" fn unlock(lock: *mut pthread_spinlock_t) -> c_int {
    // SAFETY: as above.
    give_back(described(lock), move || unsafe { real::pthread_spin_unlock(lock) })
}

pub(crate) unsafe extern "C-unwind" fn init(
    lock: *mut pthread_spinlock_t,
    is_shared: c_int,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc memory.
    operation::init(lock.addr(), site, || unsafe { real::pthread_spin_init(lock, is_shared) })
}

pub(crate) unsafe extern "C-unwind" fn destroy(
    lock: *mut pthread_spinlock_t,
    _: CallSite,
) -> c_int {
    // SAFETY: as above.
    operation::destroy(&described(lock), move || unsafe { real::pthread_spin_destroy(lock) })
}
