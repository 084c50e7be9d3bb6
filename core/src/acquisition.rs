//! Acquisitions that have begun and not yet ended, and the tokens that name
//! them in a guard.

use crate::event::{Beginning, EventCell, LockRef, Pending};
use crate::site::CallSite;
use crate::sync::{AtomicU32, IS_MODEL, Ordering};
use crate::thread::ThreadState;

/// How many acquisitions of one thread can be recorded at a time: as many
/// locks as a thread plausibly holds. What comes on top is counted as lost.
pub(crate) const PER_THREAD: usize = if IS_MODEL { 1 } else { 32 };

const PHASE_BITS: u32 = 2;
const TAG_BITS: u32 = 32 - PLACE_BITS;
const PLACE_BITS: u32 = 16 + 5;
const TAGS: u32 = 1 << TAG_BITS;

/// What a recorded acquisition is doing: the low bits of `Acquisition::state`.
mod phase {
    /// Nobody's.
    pub(super) const FREE: u32 = 0;
    /// Its thread waits for the lock.
    pub(super) const WAITING: u32 = 1;
    /// Somebody holds the lock.
    pub(super) const HELD: u32 = 2;
    /// Ended by another thread; its own takes it back when it needs one.
    pub(super) const RETURNED: u32 = 3;
}

/// What a guard carries: the name of the record of its acquisition, or
/// [`Token::NONE`].
///
/// 21 bits of place (thread and index) and 11 bits of tag, which is never 0
/// and changes with every use of the place, so that a token that outlived its
/// session names nothing.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(u32);

impl Token {
    /// This acquisition is not recorded.
    pub const NONE: Self = Self(0);

    /// Whether there is a record to end.
    #[inline]
    #[must_use]
    pub fn is_some(self) -> bool {
        self.0 != 0
    }

    #[inline]
    fn new(thread: u32, index: usize, tag: u32) -> Self {
        Self(tag << PLACE_BITS | thread << 5 | index as u32)
    }

    #[inline]
    fn thread(self) -> u32 {
        self.0 >> 5 & 0xffff
    }

    #[inline]
    fn index(self) -> usize {
        (self.0 & 31) as usize
    }

    #[inline]
    fn tag(self) -> u32 {
        self.0 >> PLACE_BITS
    }
}

/// The record of one acquisition on its way.
///
/// Written by the thread that begins it; ended by the thread that drops the
/// guard, which is the same unless the guard was sent.
#[derive(Debug)]
pub struct Acquisition {
    /// Tag and [`phase`]: `tag << 2 | phase`.
    state: AtomicU32,
    generation: AtomicU32,
    event: EventCell,
}

impl Acquisition {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU32::new(1 << PHASE_BITS | phase::FREE),
            generation: AtomicU32::new(0),
            event: EventCell::new(),
        }
    }

    /// What is known of it.
    #[inline]
    pub(crate) fn event(&self) -> &EventCell {
        &self.event
    }

    /// The session that it began in.
    #[inline]
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Relaxed)
    }

    #[inline]
    fn tag(&self) -> u32 {
        self.state.load(Ordering::Relaxed) >> PHASE_BITS
    }

    #[inline]
    fn next_tag(tag: u32) -> u32 {
        if tag + 1 == TAGS { 1 } else { tag + 1 }
    }

    /// Takes back what a thread of an older session left waiting for an end
    /// that may never come; false for one that a thread still waits in.
    pub(crate) fn reclaim(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        let fresh = Self::next_tag(state >> PHASE_BITS) << PHASE_BITS | phase::FREE;
        // Compare-and-swap: another thread may be returning it at this moment;
        // whichever of us is first, the other's attempt fails on the tag.
        // Relaxed: the fields are written again before the state is.
        // Model: `sent_guard`.
        self.state.compare_exchange(state, fresh, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            || self.take_returned()
    }

    /// Takes back what another thread has returned.
    pub(crate) fn take_returned(&self) -> bool {
        // Acquire: pairs with the release in `end_foreign`; the other thread has
        // read the fields before we write them again.
        let state = self.state.load(Ordering::Acquire);
        if state & 3 != phase::RETURNED {
            return false;
        }
        let fresh = Self::next_tag(state >> PHASE_BITS) << PHASE_BITS | phase::FREE;
        self.state.store(fresh, Ordering::Relaxed);
        true
    }

    /// Whether its thread waits in it.
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    pub(crate) fn is_waiting(&self) -> bool {
        self.state.load(Ordering::Relaxed) & 3 == phase::WAITING
    }

    /// Whether somebody holds its lock.
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    pub(crate) fn is_held(&self) -> bool {
        self.state.load(Ordering::Relaxed) & 3 == phase::HELD
    }

    /// Takes it back from its thread, which is the caller and is about to end.
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    pub(crate) fn end(&self) {
        let tag = Self::next_tag(self.tag());
        // Release: as in `free`.
        self.state.store(tag << PHASE_BITS | phase::FREE, Ordering::Release);
    }

    /// How many operations of the session `generation` it stands for, if it is
    /// on its way.
    pub(crate) fn unfinished(&self, generation: u32) -> u64 {
        // Acquire: as in `pending`.
        let phase = self.state.load(Ordering::Acquire) & 3;
        let is_unfinished = matches!(phase, phase::WAITING | phase::HELD);
        if is_unfinished && self.generation() == generation {
            self.event.weight().into()
        } else {
            0
        }
    }

    /// The acquisition as a snapshot shows it; `None` if there is none, or if
    /// it changed while it was read.
    pub(crate) fn pending(&self, thread: u64) -> Option<Pending> {
        // Acquire: pairs with the release in `begin`; the fields are at least
        // as new as the state.
        let before = self.state.load(Ordering::Acquire);
        let waiting = match before & 3 {
            phase::WAITING => true,
            phase::HELD => false,
            _ => return None,
        };
        let pending = self.event.pending(thread, waiting);
        // The reading side of a sequence lock: the fence keeps the loads above
        // before the load below, and the tag changes with every use.
        crate::sync::fence(Ordering::Acquire);
        (self.state.load(Ordering::Relaxed) == before).then_some(pending)
    }
}

/// Writes down the beginning of an acquisition of `thread`, which is the
/// caller's own, in the session `generation`.
#[inline(always)]
pub(crate) fn begin(thread: &ThreadState, generation: u32, beginning: &Beginning) -> Token {
    let Some(index) = thread.take_acquisition(generation) else {
        return Token::NONE;
    };
    let record = &thread.acquisitions[index];
    let tag = record.tag();
    // Release: the writing side of a sequence lock. A snapshot that reads a
    // field as written below also reads that the last use has ended. Pairs
    // with the acquire fence in `pending`. Model: `snapshot`.
    crate::sync::fence(Ordering::Release);
    record.generation.store(generation, Ordering::Relaxed);
    record.event.begin(beginning);
    let phase = if beginning.acquired == 0 { phase::WAITING } else { phase::HELD };
    // Release: a snapshot that sees this state sees these fields.
    record.state.store(tag << PHASE_BITS | phase, Ordering::Release);
    Token::new(thread.index(), index, tag)
}

/// One more acquisition, at `now`, of those that the next free record of `thread`,
/// which is the caller's own, is of: see [`EventCell::is_plain_of`]. `None`, and
/// nothing has changed, if it is of others.
#[inline(always)]
pub(crate) fn begin_again(
    thread: &ThreadState,
    generation: u32,
    id: u64,
    lock: &LockRef,
    site: CallSite,
    now: impl FnOnce() -> u64,
) -> Option<Token> {
    let index = thread.next_acquisition(generation)?;
    let record = &thread.acquisitions[index];
    if record.generation() != generation || !record.event.is_plain_of(id, lock, site) {
        return None;
    }
    thread.take_next_acquisition();
    let tag = record.tag();
    let now = now();
    // Release, twice: as in `begin`.
    crate::sync::fence(Ordering::Release);
    record.event.begin_again(now);
    record.state.store(tag << PHASE_BITS | phase::HELD, Ordering::Release);
    Some(Token::new(thread.index(), index, tag))
}

/// The lock that `token` waited for was had at `acquired`, and the backend's
/// word in its slot is `state`.
///
/// Called by the thread that began it.
pub(crate) fn acquired(thread: &ThreadState, token: Token, acquired: u64, state: u64) {
    let record = &thread.acquisitions[token.index()];
    record.event.set_acquired(acquired);
    record.event.set_state(state);
    // Release: as in `begin`.
    record.state.store(token.tag() << PHASE_BITS | phase::HELD, Ordering::Release);
}

/// The lock that `token` stands for was not had after all: its thread, the caller, waits
/// on, and has since it began; or it waits still. Its record, if it was not taken back;
/// see [`held`] for the address.
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
pub(crate) fn waits_on(own: &ThreadState, token: Token, address: usize) -> Option<&Acquisition> {
    let record = &own.acquisitions[token.index()];
    let [waiting, held] =
        [phase::WAITING, phase::HELD].map(|phase| token.tag() << PHASE_BITS | phase);
    let is_it = own.index() == token.thread()
        && [waiting, held].contains(&record.state.load(Ordering::Relaxed))
        && record.event.address() == address;
    // Release: as in `begin`. Only the state says that it waits: a snapshot that sees it
    // asks for nothing that has changed.
    is_it.then(|| record.state.store(waiting, Ordering::Release))?;
    Some(record)
}

/// The record that `token` names, if it is one of `own`, the caller's thread,
/// that was not taken back. To be given back by [`free`].
///
/// `address` is that of the lock. It settles what the tag leaves open: a token
/// that outlived its session by a full turn of the tag still names another
/// lock's record.
#[inline]
pub(crate) fn held(own: &ThreadState, token: Token, address: usize) -> Option<&Acquisition> {
    let record = &own.acquisitions[token.index()];
    let held = token.tag() << PHASE_BITS | phase::HELD;
    let is_held = own.index() == token.thread()
        && record.state.load(Ordering::Relaxed) == held
        && record.event.address() == address;
    is_held.then_some(record)
}

/// The record that `token` names, which its own thread, the caller, has not
/// lost: it waits in it, or is about to tell of it.
pub(crate) fn own(own: &ThreadState, token: Token) -> &Acquisition {
    &own.acquisitions[token.index()]
}

/// Gives back a record of the caller's own thread.
#[inline]
pub(crate) fn free(own: &ThreadState, token: Token) {
    let record = &own.acquisitions[token.index()];
    let fresh = Acquisition::next_tag(token.tag());
    // Release: whoever counts what is on its way and misses this record sees that
    // it was cut short, if it was (see `thread::unfinished`). A snapshot that
    // misses the end reads fields that were true until now.
    record.state.store(fresh << PHASE_BITS | phase::FREE, Ordering::Release);
    own.put_acquisition(token.index());
}

/// Whether the record that `token` names is of another thread than `own`: its
/// guard was sent.
#[inline]
pub(crate) fn is_sent(own: Option<&ThreadState>, token: Token) -> bool {
    own.is_none_or(|own| own.index() != token.thread())
}

/// Ends the acquisition of the lock at `address` whose guard was sent: what is
/// known of it, and its session. `None` if its own thread has taken it back,
/// which it may be doing at this moment, because its session is over. See
/// [`held`] for the address.
#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
#[cold]
pub(crate) fn end_sent(token: Token, address: usize) -> Option<(u32, crate::event::Event)> {
    let owner = crate::thread::get(token.thread())?;
    end_foreign(owner, token, address, |record| (record.generation(), record.event.read()))
}

pub(crate) fn end_foreign<T>(
    owner: &ThreadState,
    token: Token,
    address: usize,
    read: impl FnOnce(&Acquisition) -> T,
) -> Option<T> {
    let record = &owner.acquisitions[token.index()];
    let held = token.tag() << PHASE_BITS | phase::HELD;
    // Acquire: pairs with the release in `begin`.
    if record.state.load(Ordering::Acquire) != held || record.event.address() != address {
        return None;
    }
    let ended = read(record);
    // Release: the fields are read before the owner may write them again.
    // Pairs with the acquire in `take_returned`. If the owner has taken the
    // record back meanwhile, what was read is void.
    let returned = token.tag() << PHASE_BITS | phase::RETURNED;
    record
        .state
        .compare_exchange(held, returned, Ordering::Release, Ordering::Relaxed)
        .ok()
        .map(|_| ended)
}

/// The twins of the models: the code above with a bug seeded into it.
#[cfg(all(test, lockscope_loom))]
mod twins {
    use super::*;

    /// Returns the record without asking whether it is still that one.
    pub(crate) fn end_foreign_with_a_bug<T>(
        owner: &ThreadState,
        token: Token,
        read: impl FnOnce(&Acquisition) -> T,
    ) -> Option<T> {
        let record = &owner.acquisitions[token.index()];
        let held = token.tag() << PHASE_BITS | phase::HELD;
        if record.state.load(Ordering::Acquire) != held {
            return None;
        }
        let ended = read(record);
        record.state.store(token.tag() << PHASE_BITS | phase::RETURNED, Ordering::Release);
        Some(ended)
    }

    /// Writes the fields without the fence that a snapshot relies on.
    pub(crate) fn begin_with_a_bug(
        thread: &ThreadState,
        generation: u32,
        beginning: &Beginning,
    ) -> Token {
        let Some(index) = thread.take_acquisition(generation) else {
            return Token::NONE;
        };
        let record = &thread.acquisitions[index];
        let tag = record.tag();
        record.event.begin(beginning);
        record.state.store(tag << PHASE_BITS | phase::HELD, Ordering::Release);
        Token::new(thread.index(), index, tag)
    }
}
#[cfg(all(test, lockscope_loom))]
pub(crate) use twins::{begin_with_a_bug, end_foreign_with_a_bug};
