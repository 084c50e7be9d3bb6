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
use lockscope_core::recorder::{self, Watched};
use lockscope_core::{CallSite, Token};

use crate::watch::{Lock, PROBE, note_holder};
use crate::{attach, held};

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

/// One acquisition of a lock.
#[derive(Clone, Copy)]
pub(crate) struct Acquiring {
    pub(crate) lock: Lock,
    pub(crate) mode: Mode,
    pub(crate) site: CallSite,
    /// Whether it is held until the same thread gives it back.
    pub(crate) is_held: bool,
    /// What a status of glibc's means.
    pub(crate) outcome: fn(c_int) -> Outcome,
    /// Whether glibc says in `errno` why an attempt was in vain.
    pub(crate) is_told_by_errno: bool,
    /// Whether the caller, which has the lock, had it before.
    pub(crate) is_nested: fn(&Lock) -> bool,
}

/// For locks that nobody acquires twice.
pub(crate) fn never_nested(_: &Lock) -> bool {
    false
}

/// The statuses of `pthread_*` functions.
pub(crate) fn pthread_outcome(status: c_int) -> Outcome {
    match status {
        // Whoever held it has died: the lock is the caller's, who is to mend what
        // it protects.
        0 | libc::EOWNERDEAD => Outcome::Had,
        libc::EBUSY | libc::ETIMEDOUT => Outcome::Taken,
        _ => Outcome::Refused,
    }
}

/// Whether an operation at `site` is one to look at: the gate is open, and it is
/// not the memory allocator's own.
#[inline]
pub(crate) fn is_watched(site: CallSite) -> bool {
    PROBE.gate.look().is_open() && !attach::is_of_the_allocator(site)
}

impl Acquiring {
    /// Acquires by `block`, which waits as long as it takes.
    ///
    /// `attempt` is the same without waiting. Whatever it cannot do is left to
    /// `block`, whose word is the program's.
    #[inline(always)]
    pub(crate) fn wait_for(
        &self,
        attempt: impl FnOnce() -> c_int,
        block: impl FnOnce() -> c_int,
    ) -> c_int {
        if !is_watched(self.site) {
            return block();
        }
        // Asking for it is a call, which most operations do without.
        let before = if self.is_told_by_errno { Some(errno()) } else { None };
        let status = attempt();
        if (self.outcome)(status) == Outcome::Had {
            self.had_at_once();
            return status;
        }
        let before = before.unwrap_or_else(errno);
        self.wait_after(before, (self.outcome)(status), block)
    }

    /// Acquires by `block`, after an attempt that came to `found`, before which `errno`
    /// was `before`.
    #[cold]
    #[inline(never)]
    fn wait_after(&self, before: c_int, found: Outcome, block: impl FnOnce() -> c_int) -> c_int {
        if found == Outcome::Refused {
            set_errno(before);
            return block();
        }
        let token = recorder::wait(&PROBE, &self.lock, self.mode, self.site);
        set_errno(before);
        let status = block();
        let after = errno();
        match (self.outcome)(status) {
            Outcome::Had => {
                note_holder(&self.lock, self.site);
                self.keep(recorder::waited(&PROBE, &self.lock, self.site, token));
            }
            Outcome::Taken => recorder::gave_up(&PROBE, &self.lock, token),
            // It was not there to be had, for anybody: no wait.
            Outcome::Refused => recorder::withdrawn(token),
        }
        set_errno(after);
        status
    }

    /// Acquires by `attempt`, which does not wait.
    pub(crate) fn attempt(&self, attempt: impl FnOnce() -> c_int) -> c_int {
        if !is_watched(self.site) {
            return attempt();
        }
        let status = attempt();
        match (self.outcome)(status) {
            Outcome::Had => self.had_at_once(),
            Outcome::Taken => {
                let after = errno();
                recorder::refused(&PROBE, &self.lock, self.mode, self.site);
                set_errno(after);
            }
            Outcome::Refused => {}
        }
        status
    }

    /// The caller has the lock, and has not waited for it.
    #[inline(always)]
    pub(crate) fn had_at_once(&self) {
        if (self.is_nested)(&self.lock) {
            return;
        }
        note_holder(&self.lock, self.site);
        if !recorder::passes(PROBE.gate.look(), &self.lock, self.mode, self.site) {
            self.sample();
        }
    }

    #[inline(never)]
    fn sample(&self) {
        let after = errno();
        self.keep(recorder::sample(&PROBE, &self.lock, self.mode, self.site));
        set_errno(after);
    }

    /// Keeps the record until the lock is given back.
    fn keep(&self, token: Token) {
        if !token.is_some() {
            return;
        }
        if self.is_held {
            let generation = PROBE.gate.generation();
            let is_alone = self.mode == Mode::EXCLUSIVE;
            held::push(generation, self.lock.address, token, is_alone);
        } else {
            recorder::end(&PROBE, &self.lock, token);
        }
    }
}

/// Gives `lock` back by `unlock`.
pub(crate) fn give_back(lock: &Lock, unlock: impl FnOnce() -> c_int) -> c_int {
    if held::is_empty() {
        return unlock();
    }
    let Some(token) = held::take(PROBE.gate.generation(), lock.address) else { return unlock() };
    let before = errno();
    let Err(now) = recorder::leave(&PROBE, lock, token) else {
        set_errno(before);
        return unlock();
    };
    let parting = recorder::release(&PROBE, lock, token, now);
    set_errno(before);
    let status = unlock();
    let after = errno();
    recorder::parted(&PROBE, parting);
    set_errno(after);
    status
}

/// Ends what `lock` is by `destroy`: another may follow at its address.
pub(crate) fn destroy<L: Watched>(lock: &L, destroy: impl FnOnce() -> c_int) -> c_int {
    let status = destroy();
    if status == 0 && PROBE.gate.look().is_open() {
        let after = errno();
        // The memory is the caller's still, who waits for our answer.
        recorder::dropped(&PROBE, lock);
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
    // SAFETY: glibc's own place, which every thread has.
    unsafe { *libc::__errno_location() }
}

pub(crate) fn set_errno(value: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = value };
}
