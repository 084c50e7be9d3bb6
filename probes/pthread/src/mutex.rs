//! Mutexes, of pthreads and of C11, which glibc makes of the same words.

use core::ffi::{c_int, c_void};

use libc::{clockid_t, pthread_mutex_t, timespec};
use lockscope_core::CallSite;
use lockscope_core::event::{LockKind, Mode};
use lockscope_core::sync::{AtomicU32, Ordering};

use crate::operation::{
    self, Acquires, Outcome, after, give_back, had_at_once, is_plain_deadline, pthread_outcome,
    try_for, wait_for,
};
use crate::real::{self, Mtx};
use crate::watch::Lock;

/// Where `__count` stands: how often the owner of a recursive mutex has locked it.
const COUNT: usize = 4;
/// Where `__lock` stands: 0 if nobody has it.
const LOCK: usize = 0;
/// Where `__kind` stands.
pub(crate) const KIND: usize = 16;
/// The bit of `__kind` that says that it is robust.
pub(crate) const ROBUST: u32 = 16;
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
#[inline(always)]
unsafe fn is_recursive(mutex: *const pthread_mutex_t) -> bool {
    // SAFETY: as the caller promises.
    unsafe { word(mutex, KIND) & TYPE == libc::PTHREAD_MUTEX_RECURSIVE as u32 }
}

/// # Safety
///
/// - `mutex` points to a mutex.
unsafe fn described(mutex: *const pthread_mutex_t) -> Lock {
    // SAFETY: as the caller promises.
    let kind = if unsafe { is_recursive(mutex) } { LockKind::REENTRANT } else { LockKind::MUTEX };
    Lock { address: mutex.addr(), kind }
}

/// Whether the caller, who owns the mutex, owns it more than once: what happens in
/// between is one hold.
///
/// # Safety
///
/// - `mutex` points to a mutex.
#[inline(always)]
unsafe fn is_nested(mutex: *const pthread_mutex_t) -> bool {
    // SAFETY: as the caller promises.
    unsafe { is_recursive(mutex) && word(mutex, COUNT) > 1 }
}

/// A mutex, that the program has handed to glibc.
#[derive(Clone, Copy)]
struct Pthread(*const pthread_mutex_t);

impl Acquires for Pthread {
    const MODE: Mode = Mode::EXCLUSIVE;

    #[inline(always)]
    fn address(self) -> usize {
        self.0.addr()
    }

    #[inline(always)]
    fn lock(self) -> Lock {
        // SAFETY: the program says that it is one.
        unsafe { described(self.0) }
    }

    #[inline(always)]
    fn is_nested(self) -> bool {
        // SAFETY: the program says that it is a mutex.
        unsafe { is_nested(self.0) }
    }
}

/// The same by the functions of C11.
#[derive(Clone, Copy)]
struct C11(*const Mtx);

impl Acquires for C11 {
    const MODE: Mode = Mode::EXCLUSIVE;

    #[inline(always)]
    fn address(self) -> usize {
        self.0.addr()
    }

    #[inline(always)]
    fn lock(self) -> Lock {
        Pthread(self.0).lock()
    }

    #[inline(always)]
    fn outcome(status: c_int) -> Outcome {
        c11_outcome(status)
    }

    #[inline(always)]
    fn is_nested(self) -> bool {
        // SAFETY: the program says that it is a mutex.
        unsafe { is_nested(self.0) }
    }
}

/// Acquires a robust mutex by `block`, without trying it first: where its owner has died
/// and nobody has mended what it protects, `pthread_mutex_trylock` of glibc 2.36 says so
/// and leaves it locked for ever (sourceware.org, nptl/pthread_mutex_trylock.c).
///
/// So whoever finds it free here and then has to wait all the same is not seen to wait.
///
/// # Safety
///
/// - `mutex` points to a mutex, which `block` acquires.
unsafe fn wait_for_robust(
    mutex: *const pthread_mutex_t,
    site: CallSite,
    block: impl FnOnce() -> c_int,
) -> c_int {
    let way = Pthread(mutex);
    // SAFETY: as the caller promises.
    let (lock, is_own) = unsafe { (word(mutex, LOCK), way.lock().is_of_this_thread()) };
    if lock != 0 && !is_own {
        return operation::wait_anyway(way, site, block);
    }
    let status = block();
    match pthread_outcome(status) {
        Outcome::Had => had_at_once(way, site, status),
        _ => status,
    }
}

pub(crate) unsafe extern "C-unwind" fn lock_robust(
    mutex: *mut pthread_mutex_t,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc a mutex, here and below.
    unsafe { wait_for_robust(mutex, site, move || real::pthread_mutex_lock(mutex)) }
}

/// After an attempt that has succeeded.
pub(crate) unsafe extern "C-unwind" fn had(mutex: *mut pthread_mutex_t, site: CallSite) -> c_int {
    had_at_once(Pthread(mutex), site, 0)
}

/// After an attempt that came to `status`, and not to success.
pub(crate) unsafe extern "C-unwind" fn lock(
    mutex: *mut pthread_mutex_t,
    site: CallSite,
    status: c_int,
) -> c_int {
    // SAFETY: the program hands glibc a mutex, here and below.
    unsafe { after(Pthread(mutex), site, status, move || real::pthread_mutex_lock(mutex)) }
}

pub(crate) unsafe extern "C-unwind" fn try_lock(
    mutex: *mut pthread_mutex_t,
    site: CallSite,
) -> c_int {
    // SAFETY: as above.
    unsafe { try_for(Pthread(mutex), site, move || real::pthread_mutex_trylock(mutex)) }
}

pub(crate) unsafe extern "C-unwind" fn timed_lock(
    mutex: *mut pthread_mutex_t,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe {
        let block = move || real::pthread_mutex_timedlock(mutex, deadline);
        if word(mutex, KIND) & ROBUST != 0 {
            return wait_for_robust(mutex, site, block);
        }
        if !is_plain_deadline(libc::CLOCK_REALTIME, deadline) {
            return block();
        }
        wait_for(Pthread(mutex), site, move || real::pthread_mutex_trylock(mutex), block)
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
        let block = move || real::pthread_mutex_clocklock(mutex, clock, deadline);
        if word(mutex, KIND) & ROBUST != 0 {
            return wait_for_robust(mutex, site, block);
        }
        if !is_plain_deadline(clock, deadline) {
            return block();
        }
        wait_for(Pthread(mutex), site, move || real::pthread_mutex_trylock(mutex), block)
    }
}

pub(crate) unsafe extern "C-unwind" fn unlock(mutex: *mut pthread_mutex_t) -> c_int {
    // SAFETY: as above.
    unsafe {
        let lock = described(mutex);
        if is_nested(mutex) {
            return real::pthread_mutex_unlock(mutex);
        }
        give_back(lock, move || real::pthread_mutex_unlock(mutex))
    }
}

pub(crate) unsafe extern "C-unwind" fn init(
    mutex: *mut pthread_mutex_t,
    attributes: *const c_void,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc memory, and attributes or null.
    let init = || unsafe { real::pthread_mutex_init(mutex, attributes) };
    operation::init(mutex.addr(), site, init)
}

pub(crate) unsafe extern "C-unwind" fn mtx_init(
    mutex: *mut Mtx,
    kind: c_int,
    site: CallSite,
) -> c_int {
    // SAFETY: the program hands glibc memory.
    operation::init(mutex.addr(), site, || unsafe { real::mtx_init(mutex, kind) })
}

pub(crate) unsafe extern "C-unwind" fn mtx_destroy(mutex: *mut Mtx, _: CallSite) -> c_int {
    // SAFETY: as above. It has no way to say that it has failed.
    unsafe {
        let lock = described(mutex);
        let destroy = || {
            real::mtx_destroy(mutex);
            0
        };
        operation::destroy(&lock, destroy)
    }
}

pub(crate) unsafe extern "C-unwind" fn destroy(mutex: *mut pthread_mutex_t, _: CallSite) -> c_int {
    // SAFETY: as above.
    unsafe {
        let lock = described(mutex);
        operation::destroy(&lock, move || real::pthread_mutex_destroy(mutex))
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

/// After an attempt that came to `status`, and not to success.
pub(crate) unsafe extern "C-unwind" fn mtx_lock(
    mutex: *mut Mtx,
    site: CallSite,
    status: c_int,
) -> c_int {
    // SAFETY: as above: glibc's `mtx_t` is such a mutex.
    unsafe { after(C11(mutex), site, status, move || real::mtx_lock(mutex)) }
}

pub(crate) unsafe extern "C-unwind" fn mtx_try_lock(mutex: *mut Mtx, site: CallSite) -> c_int {
    // SAFETY: as above.
    unsafe { try_for(C11(mutex), site, move || real::mtx_trylock(mutex)) }
}

pub(crate) unsafe extern "C-unwind" fn mtx_timed_lock(
    mutex: *mut Mtx,
    deadline: *const timespec,
    site: CallSite,
) -> c_int {
    // SAFETY: as above, with a time.
    unsafe {
        let block = move || real::mtx_timedlock(mutex, deadline);
        if !is_plain_deadline(libc::CLOCK_REALTIME, deadline) {
            return block();
        }
        wait_for(C11(mutex), site, move || real::mtx_trylock(mutex), block)
    }
}

pub(crate) unsafe extern "C-unwind" fn mtx_unlock(mutex: *mut Mtx) -> c_int {
    // SAFETY: as above.
    unsafe {
        let lock = described(mutex);
        if is_nested(mutex) {
            return real::mtx_unlock(mutex);
        }
        give_back(lock, move || real::mtx_unlock(mutex))
    }
}

/// A mutex that a condition variable has given back to the caller.
///
/// # Safety
///
/// - `mutex` points to a mutex.
pub(crate) unsafe fn had_again(mutex: *const pthread_mutex_t, site: CallSite) {
    operation::had(Pthread(mutex), site, 0);
}

/// A mutex that a condition variable is about to take from the caller: its hold ends.
///
/// # Safety
///
/// - `mutex` points to a mutex.
pub(crate) unsafe fn end_hold(mutex: *const pthread_mutex_t) {
    // SAFETY: as the caller promises.
    give_back(unsafe { described(mutex) }, || 0);
}
