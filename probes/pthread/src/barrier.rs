//! Barriers: idleness, since nobody need be at work on what is waited for.

use core::ffi::{c_int, c_uint, c_void};

use libc::pthread_barrier_t;
use lockscope_core::CallSite;
use lockscope_core::event::LockKind;

use crate::attach::is_of_the_allocator;
use crate::operation::{self, idle};
use crate::real;
use crate::watch::Lock;

fn described(barrier: *const pthread_barrier_t) -> Lock {
    Lock { address: barrier.addr(), kind: LockKind::BARRIER }
}

pub(crate) unsafe extern "C-unwind" fn wait(
    barrier: *mut pthread_barrier_t,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc a barrier.
    let wait = || unsafe { real::pthread_barrier_wait(barrier) };
    if is_of_the_allocator(site) {
        return wait();
    }
    idle(&described(barrier), site, wait)
}

pub(crate) unsafe extern "C-unwind" fn init(
    barrier: *mut pthread_barrier_t,
    attributes: *const c_void,
    count: c_uint,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc memory, and attributes or null.
    let init = || unsafe { real::pthread_barrier_init(barrier, attributes, count) };
    operation::init(barrier.addr(), site, init)
}

pub(crate) unsafe extern "C-unwind" fn destroy(
    barrier: *mut pthread_barrier_t,
    _: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc a barrier.
    operation::destroy(&described(barrier), || unsafe { real::pthread_barrier_destroy(barrier) })
}
