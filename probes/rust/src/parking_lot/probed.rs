//! A raw lock of parking_lot, and a probe around it.

use lockscope_core::event::{LockKind, LockRef, Mode};
use lockscope_core::gate::Seen;
use lockscope_core::recorder::{self, Watched};
use lockscope_core::{CallSite, Slot, Token};

use super::site;
use super::storage::Storage;
use crate::watch::{PROBE, is_open};

/// What parking_lot's own guards carry: nothing but whether they may be sent,
/// which its feature `send_guard` decides.
pub(super) type Marker = <parking_lot::RawMutex as lock_api::RawMutex>::Guard;

/// What a guard carries: the name of the record of its acquisition, if it has
/// one, and what the original's guard carries.
///
/// It is as sendable as the original's. The `Default` is that of an acquisition
/// without a record: what `force_unlock` takes for a guard that was forgotten.
pub struct Held {
    pub(super) token: Token,
    pub(super) bare: Marker,
}

impl Held {
    /// An acquisition that nobody looked at.
    #[inline]
    pub(super) fn bare(bare: Marker) -> Self {
        Self { token: Token::NONE, bare }
    }
}

impl Default for Held {
    #[inline]
    fn default() -> Self {
        Self::bare(Marker::default())
    }
}

impl core::fmt::Debug for Held {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Held").field("recorded", &self.token.is_some()).finish()
    }
}

/// A raw lock `P` of parking_lot, of the kind `KIND`, that is watched.
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
    pub(super) const fn with(storage: S, bare: P) -> Self {
        Self { storage, bare }
    }

    /// Where the operation stands: what reached us, unless `lock_api` lost it.
    #[inline]
    fn site(&self, reached: CallSite) -> CallSite {
        if KIND == LockKind::REENTRANT.0 {
            let announced = site::announced();
            if announced.is_known() {
                return announced;
            }
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
    pub(super) fn give_back(&self, held: Held, unlock: impl FnOnce(&P, Marker)) {
        if held.token.is_some() {
            return self.give_back_recorded(held, unlock);
        }
        unlock(&self.bare, held.bare);
    }

    #[inline(never)]
    fn give_back_recorded(&self, held: Held, unlock: impl FnOnce(&P, Marker)) {
        match recorder::leave(&PROBE, self, held.token) {
            Ok(()) => unlock(&self.bare, held.bare),
            Err(now) => self.give_back_told(held, now, unlock),
        }
    }

    #[inline(never)]
    fn give_back_told(&self, held: Held, now: u64, unlock: impl FnOnce(&P, Marker)) {
        let parting = recorder::release(&PROBE, self, held.token, now);
        unlock(&self.bare, held.bare);
        recorder::parted(&PROBE, parting);
    }

    /// The lock is the caller's, in a new mode: an acquisition without wait.
    #[inline(always)]
    pub(super) fn owned(&self, bare: Marker, mode: Mode, site: CallSite) -> Held {
        Held { token: recorder::uncontended(&PROBE, self, mode, site), bare }
    }

    #[inline(always)]
    pub(super) fn lock_open(
        &self,
        seen: Seen,
        mode: Mode,
        site: CallSite,
        attempt: impl FnOnce(&P) -> Option<Marker>,
        block: impl FnOnce(&P) -> Marker,
    ) -> Held {
        if seen.is_unseen() {
            return self.lock_first(mode, site, attempt, block);
        }
        let site = self.site(site);
        lockscope_core::sync::fetch_to_write(&self.bare);
        match attempt(&self.bare) {
            Some(bare) => {
                let token = recorder::uncontended_seen(&PROBE, seen, self, mode, site);
                Held { token, bare }
            }
            None => self.lock_contended(mode, site, block),
        }
    }

    /// The first operation of the process: looks for a host before it owns
    /// anything, and may leave the gate closed.
    #[cold]
    #[inline(never)]
    fn lock_first(
        &self,
        mode: Mode,
        site: CallSite,
        attempt: impl FnOnce(&P) -> Option<Marker>,
        block: impl FnOnce(&P) -> Marker,
    ) -> Held {
        if is_open() {
            self.lock_open(PROBE.gate.look(), mode, site, attempt, block)
        } else {
            Held::bare(block(&self.bare))
        }
    }

    #[cold]
    #[inline(never)]
    fn lock_contended(&self, mode: Mode, site: CallSite, block: impl FnOnce(&P) -> Marker) -> Held {
        let token = recorder::wait(&PROBE, self, mode, site);
        let bare = block(&self.bare);
        Held { token: recorder::waited(&PROBE, self, site, token), bare }
    }

    #[inline(always)]
    pub(super) fn try_open(
        &self,
        mode: Mode,
        site: CallSite,
        attempt: impl FnOnce(&P) -> Option<Marker>,
    ) -> Option<Held> {
        let is_open = is_open();
        let site = self.site(site);
        match attempt(&self.bare) {
            Some(bare) if is_open => Some(self.owned(bare, mode, site)),
            Some(bare) => Some(Held::bare(bare)),
            None => {
                if is_open {
                    recorder::refused(&PROBE, self, mode, site);
                }
                None
            }
        }
    }

    #[inline(never)]
    pub(super) fn timed_open(
        &self,
        mode: Mode,
        site: CallSite,
        attempt: impl FnOnce(&P) -> Option<Marker>,
        block: impl FnOnce(&P) -> Option<Marker>,
    ) -> Option<Held> {
        let is_open = is_open();
        if !is_open {
            return block(&self.bare).map(Held::bare);
        }
        let site = self.site(site);
        if let Some(bare) = attempt(&self.bare) {
            return Some(self.owned(bare, mode, site));
        }
        let token = recorder::wait(&PROBE, self, mode, site);
        match block(&self.bare) {
            Some(bare) => Some(Held { token: recorder::waited(&PROBE, self, site, token), bare }),
            None => {
                recorder::gave_up(&PROBE, self, token);
                None
            }
        }
    }

    /// Gives the lock to whoever waits for it, and takes it again.
    ///
    /// parking_lot does not say whether anybody waits, and a record must end
    /// before the lock is given away. So on an open gate a bump is what it
    /// stands for, a fair unlock and a lock, and what is recorded is what
    /// happened: one hold, perhaps a wait, another hold.
    ///
    /// # Safety
    ///
    /// - The caller owns the lock by the acquisition that `held` stands for.
    /// - `unlock` gives that up, and `attempt` and `block` acquire its like.
    #[inline(never)]
    pub(super) unsafe fn bump_open(
        &self,
        held: &mut Held,
        mode: Mode,
        site: CallSite,
        unlock: unsafe fn(&P, Marker),
        attempt: impl FnOnce(&P) -> Option<Marker>,
        block: impl FnOnce(&P) -> Marker,
    ) {
        let owned = core::mem::take(held);
        self.end(owned.token);
        let unowned = AbortOnUnwind;
        // SAFETY:
        // - The caller owns the lock, and `held` is filled again below before
        //   anybody can use it: unwinding in between aborts.
        unsafe { unlock(&self.bare, owned.bare) };
        *held = self.lock_open(PROBE.gate.look(), mode, site, attempt, block);
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
