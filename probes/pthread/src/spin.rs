//! Spin locks.

use core::ffi::c_int;

use libc::pthread_spinlock_t;
use lockscope_core::CallSite;
use lockscope_core::event::{LockKind, Mode};

use crate::operation::{self, Acquiring, give_back, never_nested, pthread_outcome};
use crate::real;
use crate::watch::Lock;

fn described(lock: *const pthread_spinlock_t) -> Lock {
    Lock { address: lock.addr(), kind: LockKind::SPIN }
}

fn acquiring(lock: *const pthread_spinlock_t, site: CallSite) -> Acquiring {
    let (lock, mode, is_held, is_told_by_errno) = (described(lock), Mode::EXCLUSIVE, true, false);
    let (outcome, is_nested) = (pthread_outcome, never_nested);
    Acquiring { lock, mode, site, is_held, outcome, is_told_by_errno, is_nested }
}

pub(crate) unsafe extern "C-unwind" fn lock(
    lock: *mut pthread_spinlock_t,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc a lock, here and below.
    unsafe {
        acquiring(lock, site)
            .wait_for(|| real::pthread_spin_trylock(lock), || real::pthread_spin_lock(lock))
    }
}

pub(crate) unsafe extern "C-unwind" fn try_lock(
    lock: *mut pthread_spinlock_t,
    site: CallSite,
) -> c_int {
    // SAFETY: as above.
    acquiring(lock, site).attempt(|| unsafe { real::pthread_spin_trylock(lock) })
}

pub(crate) unsafe extern "C-unwind" fn unlock(lock: *mut pthread_spinlock_t, _: CallSite) -> c_int {
    // SAFETY: as above.
    give_back(&described(lock), || unsafe { real::pthread_spin_unlock(lock) })
}

pub(crate) unsafe extern "C-unwind" fn destroy(
    lock: *mut pthread_spinlock_t,
    _: CallSite,
) -> c_int {
    // SAFETY: as above.
    operation::destroy(&described(lock), || unsafe { real::pthread_spin_destroy(lock) })
}
