//! Acquisitions: the way to a hold, and the hold.

use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use lockscope_core::event::Mode;
use lockscope_core::{CallSite, Token, recorder};

use super::mark::Mark;
use crate::watch::{self, PROBE};

/// The record of an acquisition, if there is one: dropping it ends it.
///
/// It stands before std's guard in each of our guards, for fields are dropped
/// in that order and a record ends while the lock is still owned.
pub(super) struct Hold<'a, const KIND: u32> {
    mark: &'a Mark<KIND>,
    token: Token,
}

const _: () = assert!(size_of::<Hold<'_, 0>>() == 16);

impl<'a, const KIND: u32> Hold<'a, KIND> {
    #[inline]
    pub(super) fn new(mark: &'a Mark<KIND>, token: Token) -> Self {
        Self { mark, token }
    }

    /// The record of an acquisition that the caller has just made without
    /// passing the gate.
    pub(super) fn begin(mark: &'a Mark<KIND>, mode: Mode, site: CallSite) -> Self {
        let token = if PROBE.gate.is_closed() {
            Token::NONE
        } else {
            recorder::uncontended(&PROBE, &mark.seen(), mode, site)
        };
        Self { mark, token }
    }

    /// The lock that is held.
    pub(super) fn mark(&self) -> &'a Mark<KIND> {
        self.mark
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
            recorder::release(&PROBE, &self.mark.seen(), self.token);
        }
    }
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
#[inline(always)]
#[track_caller]
pub(super) fn acquire<W: Way, const KIND: u32>(
    mark: &Mark<KIND>,
    way: W,
) -> (LockResult<W::Guard>, Token) {
    if PROBE.gate.is_closed() {
        return (way.block(), Token::NONE);
    }
    acquire_open(mark, way, watch::here())
}

#[inline(never)]
fn acquire_open<W: Way, const KIND: u32>(
    mark: &Mark<KIND>,
    way: W,
    site: CallSite,
) -> (LockResult<W::Guard>, Token) {
    if !watch::is_open() {
        return (way.block(), Token::NONE);
    }
    let result = match way.attempt() {
        Ok(guard) => Ok(guard),
        Err(TryLockError::Poisoned(poisoned)) => Err(poisoned),
        Err(TryLockError::WouldBlock) => return acquire_contended(mark, way, site),
    };
    (result, recorder::uncontended(&PROBE, &mark.seen(), W::MODE, site))
}

#[cold]
fn acquire_contended<W: Way, const KIND: u32>(
    mark: &Mark<KIND>,
    way: W,
    site: CallSite,
) -> (LockResult<W::Guard>, Token) {
    let token = recorder::wait(&PROBE, &mark.seen(), W::MODE, site);
    let result = way.block();
    recorder::waited(&PROBE, &mark.seen(), site, token);
    (result, token)
}

/// Acquires a lock by `way` if nobody is in the way.
#[inline(always)]
#[track_caller]
pub(super) fn attempt<W: Way, const KIND: u32>(
    mark: &Mark<KIND>,
    way: W,
) -> (TryLockResult<W::Guard>, Token) {
    if PROBE.gate.is_closed() {
        return (way.attempt(), Token::NONE);
    }
    attempt_open(mark, way, watch::here())
}

#[inline(never)]
fn attempt_open<W: Way, const KIND: u32>(
    mark: &Mark<KIND>,
    way: W,
    site: CallSite,
) -> (TryLockResult<W::Guard>, Token) {
    let is_open = watch::is_open();
    let result = way.attempt();
    if !is_open {
        return (result, Token::NONE);
    }
    if let Err(TryLockError::WouldBlock) = result {
        recorder::refused(&PROBE, &mark.seen(), W::MODE, site);
        return (result, Token::NONE);
    }
    (result, recorder::uncontended(&PROBE, &mark.seen(), W::MODE, site))
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
