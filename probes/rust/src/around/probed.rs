//! A raw lock, and a probe around it.

use std::panic::Location;

use lockscope_core::event::{LockKind, LockRef, Mode};
use lockscope_core::gate::Seen;
use lockscope_core::recorder::{self, Watched};
use lockscope_core::{CallSite, Slot, Token};

use super::site;
use super::storage::Storage;
use crate::watch::{PROBE, is_open};

/// Where an operation stands in the program's text.
pub(super) type Place = &'static Location<'static>;

/// What a guard carries: the name of the record of its acquisition, if it has
/// one, and what the original's guard carries, a `G`.
///
/// It is as sendable as the original's. The `Default` is that of an acquisition
/// without a record: what `force_unlock` takes for a guard that was forgotten.
pub struct Held<G> {
    pub(super) token: Token,
    pub(super) bare: G,
}

impl<G> Held<G> {
    /// An acquisition that nobody looked at.
    #[inline]
    pub(super) fn bare(bare: G) -> Self {
        Self { token: Token::NONE, bare }
    }
}

impl<G: Default> Default for Held<G> {
    #[inline]
    fn default() -> Self {
        Self::bare(G::default())
    }
}

impl<G> core::fmt::Debug for Held<G> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Held").field("recorded", &self.token.is_some()).finish()
    }
}

/// A raw lock `P`, of the kind `KIND`, that is watched.
///
/// The storage comes first, so that the lock word lies beside the data: on a
/// closed gate, which touches those two alone, they share a cache line as
/// often as the original's do, and an open gate adds the slot's one.
#[repr(C)]
pub struct Probed<P, S: Storage, const KIND: u32> {
    storage: S,
    pub(super) bare: P,
}

impl<P, S: Storage, const KIND: u32> Watched for Probed<P, S, KIND> {
    #[inline]
    fn slot(&self) -> Option<&Slot> {
        self.storage.slot()
    }

    fn describe(&self) -> LockRef {
        self.storage.describe(core::ptr::from_ref(self).addr(), LockKind(KIND))
    }
}

impl<P, S: Storage, const KIND: u32> Drop for Probed<P, S, KIND> {
    #[inline]
    fn drop(&mut self) {
        recorder::dropped(&PROBE, self);
    }
}

impl<P, S: Storage, const KIND: u32> core::fmt::Debug for Probed<P, S, KIND> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Probed").field("kind", &LockKind(KIND).as_str()).finish_non_exhaustive()
    }
}

/// The open half of the operations. Each is called on a gate that was not
/// closed, whose state it is given.
impl<P, S: Storage, const KIND: u32> Probed<P, S, KIND> {
    pub(crate) const fn with(storage: S, bare: P) -> Self {
        Self { storage, bare }
    }

    /// Where the operation stands: what reached us, unless `lock_api` lost it.
    #[inline]
    fn place(&self, reached: Place) -> Place {
        if KIND == LockKind::REENTRANT.0 {
            return site::announced().unwrap_or(reached);
        }
        reached
    }

    /// Ends the record of an acquisition, if it has one. The caller owns the
    /// lock still.
    #[inline]
    pub(super) fn end(&self, token: Token) {
        if token.is_some() {
            self.end_recorded(token);
        }
    }

    #[inline(never)]
    fn end_recorded(&self, token: Token) {
        recorder::end(&PROBE, self, token);
    }

    /// Ends an acquisition by `unlock`, and its record, if it has one.
    #[inline(always)]
    pub(super) fn give_back<G>(&self, held: Held<G>, unlock: impl FnOnce(&P, G)) {
        if held.token.is_some() {
            return self.give_back_recorded(held, unlock);
        }
        unlock(&self.bare, held.bare);
    }

    #[inline(never)]
    fn give_back_recorded<G>(&self, held: Held<G>, unlock: impl FnOnce(&P, G)) {
        match recorder::leave(&PROBE, self, held.token) {
            Ok(()) => unlock(&self.bare, held.bare),
            Err(now) => self.give_back_told(held, now, unlock),
        }
    }

    #[inline(never)]
    fn give_back_told<G>(&self, held: Held<G>, now: u64, unlock: impl FnOnce(&P, G)) {
        let parting = recorder::release(&PROBE, self, held.token, now);
        unlock(&self.bare, held.bare);
        recorder::parted(&PROBE, parting);
    }

    /// The lock is the caller's, in a new mode: an acquisition without wait.
    #[inline(always)]
    pub(super) fn owned<G>(&self, bare: G, mode: Mode, place: Place) -> Held<G> {
        self.storage.originate(place);
        self.owned_at(bare, mode, CallSite::of(place))
    }

    /// As [`owned`](Self::owned), where the place may not be known.
    #[inline(always)]
    pub(super) fn owned_at<G>(&self, bare: G, mode: Mode, site: CallSite) -> Held<G> {
        Held { token: recorder::uncontended(&PROBE, self, mode, site), bare }
    }

    /// The caller is about to wait for the lock: what names the wait.
    #[inline]
    pub(super) fn wait(&self, mode: Mode, place: Place) -> Token {
        self.storage.originate(place);
        recorder::wait(&PROBE, self, mode, CallSite::of(place))
    }

    /// The wait that `token` names has ended with the lock.
    #[inline]
    pub(super) fn waited<G>(&self, bare: G, place: Place, token: Token) -> Held<G> {
        Held { token: recorder::waited(&PROBE, self, CallSite::of(place), token), bare }
    }

    /// A try at once has failed.
    #[inline]
    pub(super) fn refused(&self, mode: Mode, place: Place) {
        self.storage.originate(place);
        recorder::refused(&PROBE, self, mode, CallSite::of(place));
    }

    #[inline(always)]
    pub(super) fn lock_open<G>(
        &self,
        seen: Seen,
        mode: Mode,
        place: Place,
        attempt: impl FnOnce(&P) -> Option<G>,
        block: impl FnOnce(&P) -> G,
    ) -> Held<G> {
        if seen.is_unseen() {
            return self.lock_first(mode, place, attempt, block);
        }
        let place = self.place(place);
        lockscope_core::sync::fetch_to_write(&self.bare);
        match attempt(&self.bare) {
            Some(bare) => {
                self.storage.originate(place);
                let site = CallSite::of(place);
                Held { token: recorder::uncontended_seen(&PROBE, seen, self, mode, site), bare }
            }
            None => self.lock_contended(mode, place, block),
        }
    }

    /// The first operation of the process: looks for a host before it owns
    /// anything, and may leave the gate closed.
    #[cold]
    #[inline(never)]
    fn lock_first<G>(
        &self,
        mode: Mode,
        place: Place,
        attempt: impl FnOnce(&P) -> Option<G>,
        block: impl FnOnce(&P) -> G,
    ) -> Held<G> {
        if is_open() {
            self.lock_open(PROBE.gate.look(), mode, place, attempt, block)
        } else {
            Held::bare(block(&self.bare))
        }
    }

    #[cold]
    #[inline(never)]
    fn lock_contended<G>(&self, mode: Mode, place: Place, block: impl FnOnce(&P) -> G) -> Held<G> {
        let token = self.wait(mode, place);
        let bare = block(&self.bare);
        self.waited(bare, place, token)
    }

    #[inline(always)]
    pub(super) fn try_open<G>(
        &self,
        mode: Mode,
        place: Place,
        attempt: impl FnOnce(&P) -> Option<G>,
    ) -> Option<Held<G>> {
        let is_open = is_open();
        let place = self.place(place);
        match attempt(&self.bare) {
            Some(bare) if is_open => Some(self.owned(bare, mode, place)),
            Some(bare) => Some(Held::bare(bare)),
            None => {
                if is_open {
                    self.refused(mode, place);
                }
                None
            }
        }
    }

    #[inline(never)]
    pub(super) fn timed_open<G>(
        &self,
        mode: Mode,
        place: Place,
        attempt: impl FnOnce(&P) -> Option<G>,
        block: impl FnOnce(&P) -> Option<G>,
    ) -> Option<Held<G>> {
        let is_open = is_open();
        if !is_open {
            return block(&self.bare).map(Held::bare);
        }
        let place = self.place(place);
        if let Some(bare) = attempt(&self.bare) {
            return Some(self.owned(bare, mode, place));
        }
        let token = self.wait(mode, place);
        match block(&self.bare) {
            Some(bare) => Some(self.waited(bare, place, token)),
            None => {
                recorder::gave_up(&PROBE, self, token);
                None
            }
        }
    }

    /// Gives the lock to whoever waits for it, and takes it again.
    ///
    /// The lock does not say whether anybody waits, and a record must end
    /// before the lock is given away. So on an open gate a bump is what it
    /// stands for, a fair unlock and a lock, and what is recorded is what
    /// happened: one hold, perhaps a wait, another hold.
    ///
    /// # Safety
    ///
    /// - The caller owns the lock by the acquisition that `held` stands for.
    /// - `unlock` gives that up, and `attempt` and `block` acquire its like.
    #[inline(never)]
    pub(super) unsafe fn bump_open<G: Default>(
        &self,
        held: &mut Held<G>,
        mode: Mode,
        place: Place,
        unlock: unsafe fn(&P, G),
        attempt: impl FnOnce(&P) -> Option<G>,
        block: impl FnOnce(&P) -> G,
    ) {
        let owned = core::mem::take(held);
        self.end(owned.token);
        let unowned = AbortOnUnwind;
        // SAFETY:
        // - The caller owns the lock, and `held` is filled again below before
        //   anybody can use it: unwinding in between aborts.
        unsafe { unlock(&self.bare, owned.bare) };
        *held = self.lock_open(PROBE.gate.look(), mode, place, attempt, block);
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
