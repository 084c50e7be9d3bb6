//! Semaphores: acquisitions that nobody holds, since whoever posts need not be who
//! has waited. `sem_post` is left alone, which a signal's handler may call.

use core::ffi::c_int;

use libc::{clockid_t, sem_t, timespec};
use lockscope_core::CallSite;
use lockscope_core::event::{LockKind, Mode};

use crate::operation::{self, Acquiring, Outcome, errno, is_plain_deadline, never_nested};
use crate::real;
use crate::watch::Lock;

fn described(semaphore: *const sem_t) -> Lock {
    Lock { address: semaphore.addr(), kind: LockKind::SEMAPHORE }
}

fn outcome(status: c_int) -> Outcome {
    match (status, errno()) {
        (0, _) => Outcome::Had,
        (_, libc::EAGAIN | libc::ETIMEDOUT | libc::EINTR) => Outcome::Taken,
        _ => Outcome::Refused,
    }
}

fn acquiring(semaphore: *const sem_t, site: CallSite) -> Acquiring {
    // Others may be let in beside the caller, and no one alone.
    let (lock, mode, is_nested) = (described(semaphore), Mode::SHARED, never_nested);
    let (is_held, is_told_by_errno) = (false, true);
    Acquiring { lock, mode, site, is_held, outcome, is_told_by_errno, is_nested }
}

pub(crate) unsafe extern "C-unwind" fn wait(semaphore: *mut sem_t, site: CallSite) -> c_int {
    // SAFETY: the program hands glibc a semaphore, here and below.
    unsafe {
        acquiring(semaphore, site)
            .wait_for(|| real::sem_trywait(semaphore), || real::sem_wait(semaphore))
    }
}

pub(crate) unsafe extern "C-unwind" fn try_wait(semaphore: *mut sem_t, site: CallSite) -> c_int {
    // SAFETY: as above.
    acquiring(semaphore, site).attempt(|| unsafe { real::sem_trywait(semaphore) })
}

pub(crate) unsafe extern "C-unwind" fn timed_wait(
    semaphore: *mut sem_t,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe {
        let block = || real::sem_timedwait(semaphore, deadline);
        if !is_plain_deadline(libc::CLOCK_REALTIME, deadline) {
            return block();
        }
        acquiring(semaphore, site).wait_for(|| real::sem_trywait(semaphore), block)
    }
}

pub(crate) unsafe extern "C-unwind" fn clock_wait(
    semaphore: *mut sem_t,
    clock: clockid_t,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe {
        let block = || real::sem_clockwait(semaphore, clock, deadline);
        if !is_plain_deadline(clock, deadline) {
            return block();
        }
        acquiring(semaphore, site).wait_for(|| real::sem_trywait(semaphore), block)
    }
}

pub(crate) unsafe extern "C-unwind" fn destroy(semaphore: *mut sem_t, _: CallSite) -> c_int {
    // SAFETY: as above.
    operation::destroy(&described(semaphore), || unsafe { real::sem_destroy(semaphore) })
}
