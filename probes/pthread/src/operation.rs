//! What an operation is on an open gate, whatever the lock: glibc's, between two
//! looks at what became of it.
//!
//! `errno` is the program's. It is put back before glibc is called and after we
//! were, so that the program finds what glibc has left there, and nothing else.
//!
//! Nothing here has a destructor: glibc cancels a thread by unwinding its stack, and
//! the frames of these functions are among those that it passes.

use core::ffi::c_int;

use lockscope_core::event::Mode;
use lockscope_core::recorder;
use lockscope_core::{CallSite, Token};

use crate::own::Own;
use crate::watch::{Lock, PROBE, note_holder};
use crate::{attach, origin};

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The lock is the caller's.
    Had,
    /// Somebody else has it.
    Taken,
    /// The operation is wrong, or glibc cannot do it.
    Refused,
}

/// A way to acquire a lock, and the lock.
pub(crate) trait Acquires: Copy {
    const MODE: Mode;
    /// Whether it is held until the same thread gives it back.
    const IS_HELD: bool = true;
    /// Whether glibc says in `errno` why an attempt was in vain.
    const IS_TOLD_BY_ERRNO: bool = false;

    fn address(self) -> usize;

    /// The lock. Asked of an owner, or of one who is about to wait.
    fn lock(self) -> Lock;

    /// What a status of glibc's means.
    #[inline(always)]
    fn outcome(status: c_int) -> Outcome {
        pthread_outcome(status)
    }

    /// Whether the caller, which has the lock, had it before.
    #[inline(always)]
    fn is_nested(self) -> bool {
        false
    }
}

/// The statuses of `pthread_*` functions.
#[inline(always)]
pub(crate) fn pthread_outcome(status: c_int) -> Outcome {
    match status {
        // Whoever held it has died: the lock is the caller's, who is to mend what
        // it protects.
        0 | libc::EOWNERDEAD => Outcome::Had,
        libc::EBUSY | libc::ETIMEDOUT => Outcome::Taken,
        _ => Outcome::Refused,
    }
}

/// Acquires by `block`, which waits as long as it takes.
///
/// `attempt` is the same without waiting. Whatever it cannot do is left to
/// `block`, whose word is the program's.
#[inline(always)]
pub(crate) fn wait_for<A: Acquires>(
    way: A,
    site: CallSite,
    attempt: impl FnOnce() -> c_int,
    block: impl FnOnce() -> c_int,
) -> c_int {
    if attach::is_of_the_allocator(site) {
        return block();
    }
    let before = if A::IS_TOLD_BY_ERRNO { errno() } else { 0 };
    let status = attempt();
    let found = A::outcome(status);
    if A::IS_TOLD_BY_ERRNO && found != Outcome::Had {
        set_errno(before);
    }
    go_on(way, site, status, found, block)
}

/// Goes on after an attempt that came to `status`, which is not 0: see [`wait_for`].
#[inline(always)]
pub(crate) fn after<A: Acquires>(
    way: A,
    site: CallSite,
    status: c_int,
    block: impl FnOnce() -> c_int,
) -> c_int {
    if attach::is_of_the_allocator(site) {
        return block();
    }
    go_on(way, site, status, A::outcome(status), block)
}

#[inline(always)]
fn go_on<A: Acquires>(
    way: A,
    site: CallSite,
    status: c_int,
    found: Outcome,
    block: impl FnOnce() -> c_int,
) -> c_int {
    match found {
        Outcome::Had => had_at_once(way, site, status),
        Outcome::Taken => wait_after(way, site, block),
        Outcome::Refused => block(),
    }
}

/// Acquires by `block` a lock that was seen to be taken.
pub(crate) fn wait_anyway<A: Acquires>(
    way: A,
    site: CallSite,
    block: impl FnOnce() -> c_int,
) -> c_int {
    if attach::is_of_the_allocator(site) { block() } else { wait_after(way, site, block) }
}

/// Acquires by `block`, after an attempt that has found the lock taken.
#[cold]
#[inline(never)]
fn wait_after<A: Acquires>(way: A, site: CallSite, block: impl FnOnce() -> c_int) -> c_int {
    let own = Own::get();
    let (before, lock) = (own.errno(), way.lock());
    let token = recorder::wait(&PROBE, &lock, A::MODE, site);
    own.set_errno(before);
    let status = block();
    let after = own.errno();
    match A::outcome(status) {
        Outcome::Had => {
            note_holder(lock.address, site);
            let token = recorder::waited(&PROBE, &lock, site, token);
            keep(own, lock, A::MODE, token, A::IS_HELD);
        }
        Outcome::Taken => recorder::gave_up(&PROBE, &lock, token),
        // It was not there to be had, for anybody: no wait.
        Outcome::Refused => recorder::withdrawn(token),
    }
    own.set_errno(after);
    status
}

/// Acquires by `attempt`, which does not wait.
#[inline(always)]
pub(crate) fn try_for<A: Acquires>(
    way: A,
    site: CallSite,
    attempt: impl FnOnce() -> c_int,
) -> c_int {
    let status = attempt();
    if attach::is_of_the_allocator(site) {
        return status;
    }
    match A::outcome(status) {
        Outcome::Had => had_at_once(way, site, status),
        Outcome::Taken => refused(way, site, status),
        Outcome::Refused => status,
    }
}

#[cold]
#[inline(never)]
fn refused<A: Acquires>(way: A, site: CallSite, status: c_int) -> c_int {
    let own = Own::get();
    let after = own.errno();
    recorder::refused(&PROBE, &way.lock(), A::MODE, site);
    own.set_errno(after);
    status
}

/// The caller has the lock, and has not waited for it: glibc has said `status`.
#[inline(always)]
pub(crate) fn had_at_once<A: Acquires>(way: A, site: CallSite, status: c_int) -> c_int {
    if way.is_nested() { status } else { had(way, site, status) }
}

/// The caller has the lock anew, and has not waited for it: glibc has said `status`.
///
/// An operation that is not recorded needs no frame on the stack: the last thing that is
/// done here is a return, or a jump.
#[inline(always)]
pub(crate) fn had<A: Acquires>(way: A, site: CallSite, status: c_int) -> c_int {
    note_holder(way.address(), site);
    if recorder::passes_by(&PROBE, &Own::get().shortcut) {
        status
    } else {
        sample(way, site, status)
    }
}

/// The caller has acquired the lock at once, and this acquisition may be one to record.
///
/// One more of what the thread did last, where all are recorded, needs no frame either.
#[inline(never)]
fn sample<A: Acquires>(way: A, site: CallSite, status: c_int) -> c_int {
    let own = Own::get();
    if A::IS_HELD
        && A::MODE == Mode::EXCLUSIVE
        && own.held.is_empty()
        && let Some(thread) = own.shortcut.get()
        && let Some(token) = recorder::again_by(&PROBE, thread, &way.lock(), site)
    {
        own.held.push_first(PROBE.gate.generation(), way.address(), token);
        return status;
    }
    sample_anew(way, site, status)
}

#[cold]
#[inline(never)]
fn sample_anew<A: Acquires>(way: A, site: CallSite, status: c_int) -> c_int {
    if attach::is_of_the_allocator(site) {
        return status;
    }
    let (own, lock) = (Own::get(), way.lock());
    let after = own.errno();
    // A thread that is new goes on with the countdown of one that has ended.
    let is_new = own.shortcut.get().is_none();
    let thread = own.thread();
    if let Some(thread) = thread
        && !(is_new && recorder::passes_by(&PROBE, &own.shortcut))
    {
        let token = recorder::sample_by(&PROBE, thread, &lock, A::MODE, site);
        own.shortcut.take_over(thread);
        keep(own, lock, A::MODE, token, A::IS_HELD);
    }
    own.set_errno(after);
    status
}

/// Keeps the record of an acquisition until `lock` is given back.
fn keep(own: &Own, lock: Lock, mode: Mode, token: Token, is_held: bool) {
    if !token.is_some() {
        return;
    }
    if is_held {
        let generation = PROBE.gate.generation();
        own.held.push(generation, lock.address, token, mode == Mode::EXCLUSIVE);
    } else {
        recorder::end(&PROBE, &lock, token);
    }
}

/// Gives `lock` back by `unlock`.
///
/// What need not be told needs no frame: see [`had`].
#[inline(always)]
pub(crate) fn give_back(lock: Lock, unlock: impl FnOnce() -> c_int) -> c_int {
    let own = Own::get();
    if own.held.is_empty() {
        return unlock();
    }
    let Some(token) = own.held.take_last(PROBE.gate.generation(), lock.address) else {
        return give_back_another(lock, unlock);
    };
    match recorder::leave_by(&PROBE, own.shortcut.get(), &lock, token) {
        Ok(()) => unlock(),
        Err(now) => tell(lock, token, now, unlock),
    }
}

/// Gives `lock` back, which is not the last that the thread holds and has recorded.
#[cold]
#[inline(never)]
fn give_back_another(lock: Lock, unlock: impl FnOnce() -> c_int) -> c_int {
    let own = Own::get();
    let Some(token) = own.held.take(PROBE.gate.generation(), lock.address) else {
        return unlock();
    };
    match recorder::leave_by(&PROBE, own.shortcut.get(), &lock, token) {
        Ok(()) => unlock(),
        Err(now) => tell(lock, token, now, unlock),
    }
}

/// Tells of the acquisition that `token` stands for, which ends `now`, and gives `lock`
/// back.
#[cold]
#[inline(never)]
fn tell(lock: Lock, token: Token, now: u64, unlock: impl FnOnce() -> c_int) -> c_int {
    let own = Own::get();
    let before = own.errno();
    let thread = own.thread();
    let parting = recorder::release_by(&PROBE, thread, &lock, token, now);
    if let Some(thread) = thread {
        own.shortcut.take_over(thread);
    }
    own.set_errno(before);
    let status = unlock();
    let after = own.errno();
    recorder::parted(&PROBE, parting);
    own.set_errno(after);
    status
}

/// Makes the lock at `address` by `init`, at `site`.
pub(crate) fn init(address: usize, site: CallSite, init: impl FnOnce() -> c_int) -> c_int {
    let status = init();
    if status == 0 {
        let after = errno();
        origin::note(address, site);
        set_errno(after);
    }
    status
}

/// Ends what `lock` is by `destroy`: another may follow at its address.
pub(crate) fn destroy(lock: &Lock, destroy: impl FnOnce() -> c_int) -> c_int {
    let status = destroy();
    if status == 0 {
        let after = errno();
        // The memory is the caller's still, who waits for our answer.
        recorder::dropped(&PROBE, lock);
        origin::forget(lock.address);
        set_errno(after);
    }
    status
}

/// Waits idly by `wait`: at something that no thread holds.
pub(crate) fn idle(lock: &Lock, site: CallSite, wait: impl FnOnce() -> c_int) -> c_int {
    let before = errno();
    let idle = recorder::idle_begin(&PROBE);
    set_errno(before);
    let status = wait();
    let after = errno();
    recorder::idle_end(&PROBE, lock, site, idle);
    set_errno(after);
    status
}

/// Whether a wait until `deadline` by `clock` is one that glibc would begin. What it
/// says of any other, and when, is left to it.
///
/// # Safety
///
/// - `deadline` is null or points to a time.
pub(crate) unsafe fn is_plain_deadline(
    clock: libc::clockid_t,
    deadline: *const libc::timespec,
) -> bool {
    // SAFETY: as the caller promises.
    let Some(deadline) = (unsafe { deadline.as_ref() }) else { return false };
    let is_known = clock == libc::CLOCK_REALTIME || clock == libc::CLOCK_MONOTONIC;
    is_known && deadline.tv_sec >= 0 && (0..1_000_000_000).contains(&deadline.tv_nsec)
}

pub(crate) fn errno() -> c_int {
    Own::get().errno()
}

pub(crate) fn set_errno(value: c_int) {
    Own::get().set_errno(value);
}
