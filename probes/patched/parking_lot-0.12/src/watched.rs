//! A raw lock of parking_lot 0.13, and a probe around it.

use core::cell::Cell;
use core::panic::{Location, RefUnwindSafe, UnwindSafe};

use lockscope::patched::{PROBE, Slotted, is_open};
use lockscope_core::event::{LockKind, LockRef, Mode};
use lockscope_core::gate::Seen;
use lockscope_core::{CallSite, Slot, Token, recorder};

use crate::held;

/// Where an operation stands.
pub(crate) type Place = &'static Location<'static>;

/// A raw lock `P`, of the kind `KIND`, that is watched.
#[repr(C)]
pub struct Watched<P, const KIND: u32> {
    slot: Slot,
    pub(crate) bare: P,
    /// The record of whoever holds the lock otherwise than as one reader among others;
    /// none while nobody does. Touched by that holder alone.
    token: Cell<Token>,
}

// SAFETY: the slot and the lock are, if the bare lock is; the token belongs to the one
// holder, which is one thread at a time, and the lock itself orders their accesses.
unsafe impl<P: Sync, const KIND: u32> Sync for Watched<P, KIND> {}

// The token is written at points between which nothing can panic, and names a record,
// not data.
impl<P, const KIND: u32> RefUnwindSafe for Watched<P, KIND> {}
impl<P, const KIND: u32> UnwindSafe for Watched<P, KIND> {}

impl<P, const KIND: u32> recorder::Watched for Watched<P, KIND> {
    #[inline]
    fn slot(&self) -> Option<&Slot> {
        Some(&self.slot)
    }

    #[inline(always)]
    fn describe(&self) -> LockRef {
        Slotted { slot: &self.slot, kind: LockKind(KIND) }.describe()
    }
}

impl<P, const KIND: u32> Drop for Watched<P, KIND> {
    #[inline]
    fn drop(&mut self) {
        recorder::dropped(&PROBE, self);
    }
}

impl<P, const KIND: u32> core::fmt::Debug for Watched<P, KIND> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Watched").field("kind", &LockKind(KIND).as_str()).finish_non_exhaustive()
    }
}

impl<P, const KIND: u32> Watched<P, KIND> {
    pub(crate) const fn around(bare: P, created: Option<Place>) -> Self {
        Self { slot: Slot::new(created), bare, token: Cell::new(Token::NONE) }
    }

    #[inline(always)]
    fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Keeps the token of an acquisition in `mode`, which the caller has just begun.
    #[inline(always)]
    pub(crate) fn keep(&self, mode: Mode, token: Token) {
        if mode == Mode::SHARED {
            held::put(self.address(), token);
        } else if token.is_some() {
            self.token.set(token);
        }
    }

    /// The token of the caller's acquisition in `mode`, which is about to end.
    #[inline(always)]
    pub(crate) fn take(&self, mode: Mode) -> Token {
        if mode == Mode::SHARED {
            return held::take(self.address());
        }
        let token = self.token.get();
        if token.is_some() {
            self.token.set(Token::NONE);
        }
        token
    }

    /// Ends the record that `token` names, if it does. The caller owns the lock still.
    #[inline]
    pub(crate) fn end(&self, token: Token) {
        if token.is_some() {
            recorder::end(&PROBE, self, token);
        }
    }

    /// Ends the caller's acquisition in `mode` by `unlock`, and its record, if it has one.
    #[inline(always)]
    pub(crate) fn give_back(&self, mode: Mode, unlock: impl FnOnce(&P)) {
        let token = self.take(mode);
        if token.is_some() {
            return self.give_back_recorded(token, unlock);
        }
        unlock(&self.bare);
    }

    #[inline(never)]
    fn give_back_recorded(&self, token: Token, unlock: impl FnOnce(&P)) {
        match recorder::leave(&PROBE, self, token) {
            Ok(()) => unlock(&self.bare),
            Err(now) => {
                let parting = recorder::release(&PROBE, self, token, now);
                unlock(&self.bare);
                recorder::parted(&PROBE, parting);
            }
        }
    }

    /// The lock is the caller's, in a new mode: an acquisition without wait.
    #[inline(always)]
    pub(crate) fn owned(&self, mode: Mode, place: Place) {
        if PROBE.gate.is_closed() {
            return;
        }
        self.slot.originate(place);
        self.keep(mode, recorder::uncontended(&PROBE, self, mode, CallSite::of(place)));
    }

    /// The caller is about to wait for the lock: what names the wait.
    #[cold]
    pub(crate) fn wait(&self, mode: Mode, place: Place) -> Token {
        self.slot.originate(place);
        recorder::wait(&PROBE, self, mode, CallSite::of(place))
    }

    /// The wait that `token` names has ended with the lock.
    pub(crate) fn waited(&self, mode: Mode, place: Place, token: Token) {
        self.keep(mode, recorder::waited(&PROBE, self, CallSite::of(place), token));
    }

    /// Locks on a gate that is not closed.
    #[inline(always)]
    pub(crate) fn lock_open(
        &self,
        seen: Seen,
        mode: Mode,
        place: Place,
        attempt: impl FnOnce(&P) -> bool,
        block: impl FnOnce(&P),
    ) {
        if seen.is_unseen() {
            return self.lock_first(mode, place, attempt, block);
        }
        lockscope_core::sync::fetch_to_write(&self.bare);
        if attempt(&self.bare) {
            self.owned(mode, place);
        } else {
            self.lock_contended(mode, place, block);
        }
    }

    /// The first operation of the process: looks for a host before it owns
    /// anything, and may leave the gate closed.
    #[cold]
    #[inline(never)]
    fn lock_first(
        &self,
        mode: Mode,
        place: Place,
        attempt: impl FnOnce(&P) -> bool,
        block: impl FnOnce(&P),
    ) {
        if is_open() {
            self.lock_open(PROBE.gate.look(), mode, place, attempt, block);
        } else {
            block(&self.bare);
        }
    }

    #[cold]
    #[inline(never)]
    fn lock_contended(&self, mode: Mode, place: Place, block: impl FnOnce(&P)) {
        let token = self.wait(mode, place);
        block(&self.bare);
        self.waited(mode, place, token);
    }

    #[inline(never)]
    pub(crate) fn try_open(
        &self,
        mode: Mode,
        place: Place,
        attempt: impl FnOnce(&P) -> bool,
    ) -> bool {
        let is_open = is_open();
        let is_had = attempt(&self.bare);
        if is_open && is_had {
            self.owned(mode, place);
        } else if is_open {
            self.refused(mode, place);
        }
        is_had
    }

    /// A try at once has failed.
    #[cold]
    pub(crate) fn refused(&self, mode: Mode, place: Place) {
        self.slot.originate(place);
        recorder::refused(&PROBE, self, mode, CallSite::of(place));
    }

    #[inline(never)]
    pub(crate) fn timed_open(
        &self,
        mode: Mode,
        place: Place,
        attempt: impl FnOnce(&P) -> bool,
        block: impl FnOnce(&P) -> bool,
    ) -> bool {
        if !is_open() {
            return block(&self.bare);
        }
        if attempt(&self.bare) {
            self.owned(mode, place);
            return true;
        }
        let token = self.wait(mode, place);
        let is_had = block(&self.bare);
        if is_had {
            self.waited(mode, place, token);
        } else {
            recorder::gave_up(&PROBE, self, token);
        }
        is_had
    }

    /// Gives the lock to whoever waits for it, and takes it again.
    ///
    /// parking_lot does not say whether anybody waits, and a record must end before the
    /// lock is given away. So on an open gate a bump is what it stands for, a fair unlock
    /// and a lock, and what is recorded is what happened.
    ///
    /// # Safety
    ///
    /// - The caller owns the lock, in `mode`.
    /// - `unlock` gives that up, and `attempt` and `block` acquire its like.
    #[inline(never)]
    pub(crate) unsafe fn bump_open(
        &self,
        mode: Mode,
        place: Place,
        unlock: impl FnOnce(&P),
        attempt: impl FnOnce(&P) -> bool,
        block: impl FnOnce(&P),
    ) {
        self.end(self.take(mode));
        let unowned = AbortOnUnwind;
        unlock(&self.bare);
        self.lock_open(PROBE.gate.look(), mode, place, attempt, block);
        core::mem::forget(unowned);
    }
}

/// A guard must not be dropped by a thread that does not own its lock.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        std::process::abort();
    }
}
