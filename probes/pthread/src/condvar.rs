//! Condition variables, of pthreads and of C11.
//!
//! A wait splits the hold of its mutex in two and is no contention: what was waited
//! for is not the lock. glibc takes the mutex again inside, so the time from being
//! called to owning it belongs to the idleness.

use core::ffi::{c_int, c_void};

use libc::{clockid_t, pthread_cond_t, pthread_mutex_t, timespec};
use lockscope_core::CallSite;
use lockscope_core::event::LockKind;

use crate::attach::is_of_the_allocator;
use crate::mutex::{end_hold, had_again};
use crate::operation::{self, errno, idle, set_errno};
use crate::real::{self, Cnd, Mtx};
use crate::watch::Lock;

fn described(condvar: *const pthread_cond_t) -> Lock {
    Lock { address: condvar.addr(), kind: LockKind::CONDVAR }
}

/// Waits by `wait`, which gives the mutex away and takes it again.
///
/// Between the two this thread holds no record of it: a wait that is cancelled goes
/// on in the program's own handlers, which give the mutex back.
///
/// # Safety
///
/// - `mutex` points to a mutex.
unsafe fn around(
    condvar: *const pthread_cond_t,
    mutex: *const pthread_mutex_t,
    site: CallSite,
    wait: impl FnOnce() -> c_int,
) -> c_int {
    if is_of_the_allocator(site) {
        return wait();
    }
    let before = errno();
    // SAFETY: as the caller promises.
    unsafe { end_hold(mutex) };
    set_errno(before);
    let status = idle(&described(condvar), site, wait);
    // What glibc refuses to begin leaves the mutex where it was, perhaps with others.
    if !matches!(status, libc::EINVAL | libc::EPERM) {
        let after = errno();
        // SAFETY: as the caller promises.
        unsafe { had_again(mutex, site) };
        set_errno(after);
    }
    status
}

pub(crate) unsafe extern "C-unwind" fn wait(
    condvar: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc both, here and below.
    unsafe { around(condvar, mutex, site, || real::pthread_cond_wait(condvar, mutex)) }
}

pub(crate) unsafe extern "C-unwind" fn timed_wait(
    condvar: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe {
        let wait = || real::pthread_cond_timedwait(condvar, mutex, deadline);
        around(condvar, mutex, site, wait)
    }
}

pub(crate) unsafe extern "C-unwind" fn clock_wait(
    condvar: *mut pthread_cond_t,
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe {
        let wait = || real::pthread_cond_clockwait(condvar, mutex, clock, deadline);
        around(condvar, mutex, site, wait)
    }
}

pub(crate) unsafe extern "C-unwind" fn init(
    condvar: *mut pthread_cond_t,
    attributes: *const c_void,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc memory, and attributes or null.
    let init = || unsafe { real::pthread_cond_init(condvar, attributes) };
    operation::init(condvar.addr(), site, init)
}

pub(crate) unsafe extern "C-unwind" fn cnd_init(condvar: *mut Cnd, site: CallSite) -> c_int {
    // SAFETY: the program hands glibc memory.
    operation::init(condvar.addr(), site, || unsafe { real::cnd_init(condvar) })
}

pub(crate) unsafe extern "C-unwind" fn cnd_destroy(condvar: *mut Cnd, _: CallSite) -> c_int {
    let destroy = || {
        // SAFETY: as above. It has no way to say that it has failed.
        unsafe { real::cnd_destroy(condvar) };
        0
    };
    operation::destroy(&described(condvar), destroy)
}

pub(crate) unsafe extern "C-unwind" fn destroy(condvar: *mut pthread_cond_t, _: CallSite) -> c_int {
    // SAFETY: as above.
    operation::destroy(&described(condvar), || unsafe { real::pthread_cond_destroy(condvar) })
}

pub(crate) unsafe extern "C-unwind" fn cnd_wait(
    condvar: *mut Cnd,
    mutex: *mut Mtx,
    site: CallSite,
) -> c_int {
    // SAFETY: as above: glibc's C11 types are those of pthreads.
    unsafe { around(condvar, mutex, site, || real::cnd_wait(condvar, mutex)) }
}

pub(crate) unsafe extern "C-unwind" fn cnd_timed_wait(
    condvar: *mut Cnd,
    mutex: *mut Mtx,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe { around(condvar, mutex, site, || real::cnd_timedwait(condvar, mutex, deadline)) }
}
