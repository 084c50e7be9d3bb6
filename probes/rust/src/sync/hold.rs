//! Acquisitions: the way to a hold, and the hold.

use std::mem::ManuallyDrop;
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use lockscope_core::event::Mode;
use lockscope_core::{CallSite, Token, recorder};

use super::mark::Mark;
use crate::watch::{self, PROBE};

/// The record of an acquisition, if there is one: dropping it ends it, which
/// must happen while the lock is still owned.
pub(super) struct Hold<'a, const KIND: u32> {
    mark: &'a Mark<KIND>,
    token: Token,
}

impl<'a, const KIND: u32> Hold<'a, KIND> {
    #[inline(always)]
    pub(super) fn new(mark: &'a Mark<KIND>, token: Token) -> Self {
        Self { mark, token }
    }

    /// The record of an acquisition that the caller has just made without
    /// passing the gate.
    pub(super) fn begin(mark: &'a Mark<KIND>, mode: Mode, site: CallSite) -> Self {
        Self { mark, token: recorder::uncontended(&PROBE, mark, mode, site) }
    }

    /// Ends the record while the caller still owns the lock.
    pub(super) fn end(self) -> &'a Mark<KIND> {
        self.mark
    }
}

impl<const KIND: u32> Drop for Hold<'_, KIND> {
    #[inline]
    fn drop(&mut self) {
        if self.token.is_some() {
            tell(self.mark, self.token);
        }
    }
}

#[inline(never)]
fn tell<const KIND: u32>(mark: &Mark<KIND>, token: Token) {
    recorder::end(&PROBE, mark, token);
}

/// What each of our guards consists of: a hold, and std's guard `G`.
pub(super) struct Held<'a, G, const KIND: u32> {
    hold: ManuallyDrop<Hold<'a, KIND>>,
    /// Taken by `drop` and `into_parts`, which are the end of it.
    guard: ManuallyDrop<G>,
}

impl<'a, G, const KIND: u32> Held<'a, G, KIND> {
    #[inline(always)]
    pub(super) fn new(hold: Hold<'a, KIND>, guard: G) -> Self {
        Self { hold: ManuallyDrop::new(hold), guard: ManuallyDrop::new(guard) }
    }

    /// Takes it apart; nothing ends.
    #[inline]
    pub(super) fn into_parts(self) -> (Hold<'a, KIND>, G) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped, and ends here.
        unsafe { (ManuallyDrop::take(&mut this.hold), ManuallyDrop::take(&mut this.guard)) }
    }

    #[inline(always)]
    pub(super) fn guard(&self) -> &G {
        &self.guard
    }

    #[inline(always)]
    pub(super) fn guard_mut(&mut self) -> &mut G {
        &mut self.guard
    }
}

/// A recorded hold ends in a call that takes everything with it: what would
/// have to survive a call here would cost registers on a closed gate as well.
impl<G, const KIND: u32> Drop for Held<'_, G, KIND> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: this is the last use of either.
        let (hold, guard) =
            unsafe { (ManuallyDrop::take(&mut self.hold), ManuallyDrop::take(&mut self.guard)) };
        if hold.token.is_some() {
            end_recorded(hold, guard);
        } else {
            drop(guard);
            core::mem::forget(hold);
        }
    }
}

#[cold]
#[inline(never)]
fn end_recorded<G, const KIND: u32>(hold: Hold<'_, KIND>, guard: G) {
    let hold = ManuallyDrop::new(hold);
    match recorder::leave(&PROBE, hold.mark, hold.token) {
        Ok(()) => drop(guard),
        Err(now) => end_told(hold.mark, hold.token, guard, now),
    }
}

#[cold]
#[inline(never)]
fn end_told<G, const KIND: u32>(mark: &Mark<KIND>, token: Token, guard: G, now: u64) {
    let parting = recorder::release(&PROBE, mark, token, now);
    drop(guard);
    recorder::parted(&PROBE, parting);
}

/// One way to own one of std's locks.
pub(super) trait Way: Copy {
    /// How it is owned.
    const MODE: Mode;
    /// Std's guard.
    type Guard;

    /// Owns the lock, after waiting if need be.
    fn block(self) -> LockResult<Self::Guard>;

    /// Owns the lock if nobody is in the way.
    fn attempt(self) -> TryLockResult<Self::Guard>;
}

/// Acquires a lock by `way`: on a closed gate, the bare lock and one test.
///
/// On an open one it is tried first. The try does what std's blocking operation
/// does first, so it changes nobody's turn: std's mutex and its writers take
/// whatever is free, and a try to read is refused, as a read is, while anybody
/// waits.
#[inline(always)]
#[track_caller]
pub(super) fn acquire<W: Way, const KIND: u32>(
    mark: &Mark<KIND>,
    way: W,
) -> (LockResult<W::Guard>, Token) {
    let seen = PROBE.gate.look();
    if seen.is_closed() {
        return (way.block(), Token::NONE);
    }
    if seen.is_unseen() {
        return acquire_first(mark, way, watch::here());
    }
    let Some(result) = at_once(way) else {
        return acquire_contended(mark, way, watch::here());
    };
    // Kept here and not handed on: a result passed through memory costs more
    // than the sample. It is forgotten if the sample panics, which it does not.
    let result = ManuallyDrop::new(result);
    let token = recorder::uncontended_seen(&PROBE, seen, mark, W::MODE, watch::here());
    (ManuallyDrop::into_inner(result), token)
}

/// Owns the lock, poisoned or not, if nobody is in the way.
#[inline(always)]
fn at_once<W: Way>(way: W) -> Option<LockResult<W::Guard>> {
    match way.attempt() {
        Ok(guard) => Some(Ok(guard)),
        Err(TryLockError::Poisoned(poisoned)) => Some(Err(poisoned)),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The first operation of the process: looks for a host before it owns
/// anything, and may leave the gate closed.
#[cold]
#[inline(never)]
fn acquire_first<W: Way, const KIND: u32>(
    mark: &Mark<KIND>,
    way: W,
    site: CallSite,
) -> (LockResult<W::Guard>, Token) {
    if !watch::is_open() {
        return (way.block(), Token::NONE);
    }
    match at_once(way) {
        Some(result) => (result, recorder::uncontended(&PROBE, mark, W::MODE, site)),
        None => acquire_contended(mark, way, site),
    }
}

#[cold]
#[inline(never)]
fn acquire_contended<W: Way, const KIND: u32>(
    mark: &Mark<KIND>,
    way: W,
    site: CallSite,
) -> (LockResult<W::Guard>, Token) {
    let wait = Wait { mark, token: recorder::wait(&PROBE, mark, W::MODE, site) };
    let result = way.block();
    let token = wait.over();
    (result, recorder::waited(&PROBE, mark, site, token))
}

/// A recorded wait. Dropped before it is over, by a panic of std's (too many
/// readers, or a lock that its own thread holds, where std finds that out), it
/// has failed.
struct Wait<'a, const KIND: u32> {
    mark: &'a Mark<KIND>,
    token: Token,
}

impl<const KIND: u32> Wait<'_, KIND> {
    fn over(self) -> Token {
        ManuallyDrop::new(self).token
    }
}

impl<const KIND: u32> Drop for Wait<'_, KIND> {
    fn drop(&mut self) {
        recorder::gave_up(&PROBE, self.mark, self.token);
    }
}

/// Acquires a lock by `way` if nobody is in the way.
#[inline(always)]
#[track_caller]
pub(super) fn attempt<W: Way, const KIND: u32>(
    mark: &Mark<KIND>,
    way: W,
) -> (TryLockResult<W::Guard>, Token) {
    let seen = PROBE.gate.look();
    if seen.is_closed() || seen.is_unseen() && !watch::is_open() {
        return (way.attempt(), Token::NONE);
    }
    let result = way.attempt();
    if let Err(TryLockError::WouldBlock) = result {
        recorder::refused(&PROBE, mark, W::MODE, watch::here());
        return (result, Token::NONE);
    }
    // As in `acquire`.
    let result = ManuallyDrop::new(result);
    let token = recorder::uncontended(&PROBE, mark, W::MODE, watch::here());
    (ManuallyDrop::into_inner(result), token)
}

/// Makes our guard of std's, poisoned or not.
#[inline(always)]
pub(super) fn map_lock<G, H>(result: LockResult<G>, guard: impl FnOnce(G) -> H) -> LockResult<H> {
    match result {
        Ok(inner) => Ok(guard(inner)),
        Err(poisoned) => Err(PoisonError::new(guard(poisoned.into_inner()))),
    }
}

/// As [`map_lock`], for a try.
#[inline(always)]
pub(super) fn map_try<G, H>(
    result: TryLockResult<G>,
    guard: impl FnOnce(G) -> H,
) -> TryLockResult<H> {
    match result {
        Ok(inner) => Ok(guard(inner)),
        Err(TryLockError::Poisoned(poisoned)) => {
            Err(PoisonError::new(guard(poisoned.into_inner())).into())
        }
        Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use lockscope_core::event::LockKind;
    use lockscope_core::gate::{Opening, state};
    use lockscope_core::{ABI_VERSION, Countdown, Event, HookTable, LockRef, thread};

    use super::*;

    extern "C" fn met(_: *const core::ffi::c_void, _: *const LockRef) -> Countdown {
        Countdown::UNCHANGED
    }

    extern "C" fn happened(_: *const core::ffi::c_void, _: *const Event) -> Countdown {
        Countdown::UNCHANGED
    }

    extern "C" fn gone(_: *const core::ffi::c_void, _: *const LockRef) {}

    static HOOKS: HookTable = HookTable {
        size: size_of::<HookTable>() as u32,
        version: ABI_VERSION,
        context: core::ptr::null(),
        meet: met,
        event: happened,
        dropped: gone,
        pad: None,
        admits: None,
        stack: None,
        host: core::ptr::null(),
    };

    /// A lock that is never free, and whose wait ends in a panic.
    #[derive(Clone, Copy)]
    struct Overrun;

    impl Way for Overrun {
        const MODE: Mode = Mode::SHARED;
        type Guard = ();

        fn block(self) -> LockResult<()> {
            panic!("this wait fails on purpose");
        }

        fn attempt(self) -> TryLockResult<()> {
            Err(TryLockError::WouldBlock)
        }
    }

    #[test]
    fn a_wait_that_ends_in_a_panic_waits_no_longer() {
        let mark = Mark::<{ LockKind::RWLOCK.0 }>::new();
        let opening = Opening {
            state: state::OPEN,
            generation: 1,
            hooks: &raw const HOOKS,
            tsc: false,
            expedited: false,
            contended_period: 1,
        };
        // SAFETY:
        // - The table is a static, and its context is not used.
        // - No other test of this binary opens or closes the gate.
        unsafe { PROBE.gate.open(&opening) };
        let panicked = catch_unwind(AssertUnwindSafe(|| acquire(&mark, Overrun).1));
        let mut waiting = 0;
        thread::for_each_pending(|pending| waiting += usize::from(pending.acquired == 0));
        PROBE.gate.close();
        assert!(panicked.is_err());
        assert_eq!(waiting, 0);
    }
}
