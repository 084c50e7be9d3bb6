//! Mutexes, of pthreads and of C11, which glibc makes of the same words.

use core::ffi::c_int;

use libc::{clockid_t, pthread_mutex_t, timespec};
use lockscope_core::CallSite;
use lockscope_core::event::{LockKind, Mode};
use lockscope_core::sync::{AtomicU32, Ordering};

use crate::operation::{
    self, Acquiring, Outcome, give_back, is_plain_deadline, never_nested, pthread_outcome,
};
use crate::real::{self, Mtx};
use crate::watch::Lock;

/// Where `__count` stands: how often the owner of a recursive mutex has locked it.
const COUNT: usize = 4;
/// Where `__kind` stands.
const KIND: usize = 16;
/// The bits of `__kind` that say which of the four types it is.
const TYPE: u32 = 3;

/// What glibc's mutex says at `offset`.
///
/// # Safety
///
/// - `mutex` points to a mutex.
unsafe fn word(mutex: *const pthread_mutex_t, offset: usize) -> u32 {
    // SAFETY:
    // - a mutex is of 40 bytes, aligned to a word, and the offsets are within;
    // - glibc reads and writes these words as integers.
    let word = unsafe { AtomicU32::from_ptr(mutex.byte_add(offset).cast_mut().cast()) };
    // Relaxed: the type stays as it is, and the count is the owner's.
    word.load(Ordering::Relaxed)
}

/// # Safety
///
/// - `mutex` points to a mutex.
unsafe fn described(mutex: *const pthread_mutex_t) -> Lock {
    // SAFETY: as the caller promises.
    let kind = unsafe { word(mutex, KIND) } & TYPE;
    let is_recursive = kind == libc::PTHREAD_MUTEX_RECURSIVE as u32;
    let kind = if is_recursive { LockKind::REENTRANT } else { LockKind::MUTEX };
    Lock { address: mutex.addr(), kind }
}

/// Whether the caller, who owns the lock, owns it more than once: what happens in
/// between is one hold.
fn is_nested(lock: &Lock) -> bool {
    let mutex = lock.address as *const pthread_mutex_t;
    // SAFETY: the caller owns it, so that it is there.
    lock.kind == LockKind::REENTRANT && unsafe { word(mutex, COUNT) } > 1
}

/// # Safety
///
/// - `mutex` points to a mutex.
pub(crate) unsafe fn acquiring(mutex: *const pthread_mutex_t, site: CallSite) -> Acquiring {
    // SAFETY: as the caller promises.
    let lock = unsafe { described(mutex) };
    let mode = Mode::EXCLUSIVE;
    let (outcome, is_held, is_told_by_errno) = (pthread_outcome, true, false);
    Acquiring { lock, mode, site, is_held, outcome, is_told_by_errno, is_nested }
}

pub(crate) unsafe extern "C-unwind" fn lock(mutex: *mut pthread_mutex_t, site: CallSite) -> c_int {
    // SAFETY: the program hands glibc a mutex, here and below.
    unsafe {
        acquiring(mutex, site)
            .wait_for(|| real::pthread_mutex_trylock(mutex), || real::pthread_mutex_lock(mutex))
    }
}

pub(crate) unsafe extern "C-unwind" fn try_lock(
    mutex: *mut pthread_mutex_t,
    site: CallSite,
) -> c_int {
    // SAFETY: as above.
    unsafe { acquiring(mutex, site).attempt(|| real::pthread_mutex_trylock(mutex)) }
}

pub(crate) unsafe extern "C-unwind" fn timed_lock(
    mutex: *mut pthread_mutex_t,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe {
        let block = || real::pthread_mutex_timedlock(mutex, deadline);
        if !is_plain_deadline(libc::CLOCK_REALTIME, deadline) {
            return block();
        }
        acquiring(mutex, site).wait_for(|| real::pthread_mutex_trylock(mutex), block)
    }
}

pub(crate) unsafe extern "C-unwind" fn clock_lock(
    mutex: *mut pthread_mutex_t,
    clock: clockid_t,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe {
        let block = || real::pthread_mutex_clocklock(mutex, clock, deadline);
        if !is_plain_deadline(clock, deadline) {
            return block();
        }
        acquiring(mutex, site).wait_for(|| real::pthread_mutex_trylock(mutex), block)
    }
}

pub(crate) unsafe extern "C-unwind" fn unlock(mutex: *mut pthread_mutex_t, _: CallSite) -> c_int {
    // SAFETY: as above.
    unsafe {
        let lock = described(mutex);
        if is_nested(&lock) {
            return real::pthread_mutex_unlock(mutex);
        }
        give_back(&lock, || real::pthread_mutex_unlock(mutex))
    }
}

pub(crate) unsafe extern "C-unwind" fn destroy(mutex: *mut pthread_mutex_t, _: CallSite) -> c_int {
    // SAFETY: as above.
    unsafe {
        let lock = described(mutex);
        operation::destroy(&lock, || real::pthread_mutex_destroy(mutex))
    }
}

/// The statuses of C11, as glibc's `threads.h` numbers them.
pub(crate) fn c11_outcome(status: c_int) -> Outcome {
    const SUCCESS: c_int = 0;
    const BUSY: c_int = 1;
    const TIMED_OUT: c_int = 4;
    match status {
        SUCCESS => Outcome::Had,
        BUSY | TIMED_OUT => Outcome::Taken,
        _ => Outcome::Refused,
    }
}

pub(crate) unsafe extern "C-unwind" fn mtx_lock(mutex: *mut Mtx, site: CallSite) -> c_int {
    // SAFETY: as above: glibc's `mtx_t` is such a mutex.
    unsafe {
        Acquiring { outcome: c11_outcome, ..acquiring(mutex, site) }
            .wait_for(|| real::mtx_trylock(mutex), || real::mtx_lock(mutex))
    }
}

pub(crate) unsafe extern "C-unwind" fn mtx_try_lock(mutex: *mut Mtx, site: CallSite) -> c_int {
    // SAFETY: as above.
    unsafe {
        Acquiring { outcome: c11_outcome, ..acquiring(mutex, site) }
            .attempt(|| real::mtx_trylock(mutex))
    }
}

pub(crate) unsafe extern "C-unwind" fn mtx_timed_lock(
    mutex: *mut Mtx,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe {
        let block = || real::mtx_timedlock(mutex, deadline);
        if !is_plain_deadline(libc::CLOCK_REALTIME, deadline) {
            return block();
        }
        Acquiring { outcome: c11_outcome, ..acquiring(mutex, site) }
            .wait_for(|| real::mtx_trylock(mutex), block)
    }
}

pub(crate) unsafe extern "C-unwind" fn mtx_unlock(mutex: *mut Mtx, _: CallSite) -> c_int {
    // SAFETY: as above.
    unsafe {
        let lock = described(mutex);
        if is_nested(&lock) {
            return real::mtx_unlock(mutex);
        }
        give_back(&lock, || real::mtx_unlock(mutex))
    }
}

/// A mutex that a condition variable has given back to the caller.
///
/// # Safety
///
/// - `mutex` points to a mutex.
pub(crate) unsafe fn had_again(mutex: *const pthread_mutex_t, site: CallSite) {
    // SAFETY: as the caller promises.
    let acquiring = unsafe { acquiring(mutex, site) };
    Acquiring { is_nested: never_nested, ..acquiring }.had_at_once();
}

/// A mutex that a condition variable is about to take from the caller: its hold ends.
///
/// # Safety
///
/// - `mutex` points to a mutex.
pub(crate) unsafe fn end_hold(mutex: *const pthread_mutex_t) {
    // SAFETY: as the caller promises.
    give_back(&unsafe { described(mutex) }, || 0);
}
