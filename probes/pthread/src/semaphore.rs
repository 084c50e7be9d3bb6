//! Semaphores: acquisitions that nobody holds, since whoever posts need not be who
//! has waited. `sem_post` is left alone, which a signal's handler may call.

use core::ffi::{c_int, c_uint};

use libc::{clockid_t, sem_t, timespec};
use lockscope_core::CallSite;
use lockscope_core::event::{LockKind, Mode};

use crate::operation::{self, Acquires, Outcome, errno, is_plain_deadline, try_for, wait_for};
use crate::real;
use crate::watch::Lock;

fn described(semaphore: *const sem_t) -> Lock {
    Lock { address: semaphore.addr(), kind: LockKind::SEMAPHORE }
}

/// An acquisition of a semaphore. Others may be let in beside the caller, and no one
/// alone.
#[derive(Clone, Copy)]
struct Semaphore(*const sem_t);

impl Acquires for Semaphore {
    const MODE: Mode = Mode::SHARED;
    const IS_HELD: bool = false;
    const IS_TOLD_BY_ERRNO: bool = true;

    #[inline(always)]
    fn address(self) -> usize {
        self.0.addr()
    }

    #[inline(always)]
    fn lock(self) -> Lock {
        described(self.0)
    }

    #[inline(always)]
    fn outcome(status: c_int) -> Outcome {
        if status == 0 {
            return Outcome::Had;
        }
        match errno() {
            libc::EAGAIN | libc::ETIMEDOUT | libc::EINTR => Outcome::Taken,
            _ => Outcome::Refused,
        }
    }
}

pub(crate) unsafe extern "C-unwind" fn wait(semaphore: *mut sem_t, site: CallSite) -> c_int {
    // SAFETY: the program hands glibc a semaphore, here and below.
    unsafe {
        wait_for(
            Semaphore(semaphore),
            site,
            move || real::sem_trywait(semaphore),
            move || real::sem_wait(semaphore),
        )
    }
}

pub(crate) unsafe extern "C-unwind" fn try_wait(semaphore: *mut sem_t, site: CallSite) -> c_int {
    // SAFETY: as above.
    try_for(Semaphore(semaphore), site, move || unsafe { real::sem_trywait(semaphore) })
}

pub(crate) unsafe extern "C-unwind" fn timed_wait(
    semaphore: *mut sem_t,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe {
        let block = move || real::sem_timedwait(semaphore, deadline);
        if !is_plain_deadline(libc::CLOCK_REALTIME, deadline) {
            return block();
        }
        wait_for(Semaphore(semaphore), site, move || real::sem_trywait(semaphore), block)
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
        let block = move || real::sem_clockwait(semaphore, clock, deadline);
        if !is_plain_deadline(clock, deadline) {
            return block();
        }
        wait_for(Semaphore(semaphore), site, move || real::sem_trywait(semaphore), block)
    }
}

pub(crate) unsafe extern "C-unwind" fn init(
    semaphore: *mut sem_t,
    is_shared: c_int,
    value: c_uint,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc memory.
    let init = || unsafe { real::sem_init(semaphore, is_shared, value) };
    operation::init(semaphore.addr(), site, init)
}

pub(crate) unsafe extern "C-unwind" fn destroy(semaphore: *mut sem_t, _: CallSite) -> c_int {
    // SAFETY: as above.
    operation::destroy(&described(semaphore), move || unsafe { real::sem_destroy(semaphore) })
}
