//! Which operations are sampled: of a contended lock every one, of a quiet one
//! ever fewer, and all of them more rarely if the budget says so.
//!
//! Exclusive acquisitions of locks with slot are counted down lock by lock. A
//! lock that is not at level 0 *asks*: the next acquisition that has to wait is
//! told while the lock is owned, and its answer ends the long countdown. At
//! level 0 such an acquisition is told after the lock was given back, because
//! others wait for it, and nothing has to be changed.
//!
//! Readers, and locks without slot, are counted down thread by thread. A
//! thread rises from level to level as a lock does, and falls back to the first
//! level when it has had to wait: not to level 0, because it is other locks as
//! well whose every operation would be recorded.

mod attention;
mod levels;

use core::cell::Cell;
use std::sync::{Mutex, PoisonError};

use lockscope_backends::sampler::{Draws, Period};
use lockscope_core::sync::{AtomicU32, Ordering, thread_local};
use lockscope_core::{Countdown, Event, EventKind, LockRef, Session};

pub(crate) use attention::Attention;
use attention::Stance;
pub(crate) use levels::{LEVELS, Levels, of_period};

/// Periods that move.
#[derive(Debug)]
pub(crate) struct Policy {
    draws: Draws,
    /// By level.
    periods: [Period; LEVELS],
    /// [`Levels`]. Written by the host's calls alone, of which there is one at a
    /// time.
    ///
    /// Relaxed: whoever draws by the levels of a moment ago draws a countdown
    /// whose weight is of a moment ago as well.
    levels: AtomicU32,
    /// Bit L: something was sampled at level L in this session. Relaxed: bits are
    /// only added.
    used: AtomicU32,
    /// The session's number in this process: the threads' stances belong to one.
    /// Relaxed: published with the session's start, by the gate.
    session: AtomicU32,
}

thread_local! {
    /// The session of this thread's stance, and that.
    static THREAD: Cell<(u32, Stance)> = const { Cell::new((0, Stance::at(0))) };
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            draws: Draws::default(),
            periods: core::array::from_fn(|level| Period::new(1 << level)),
            levels: AtomicU32::new(Levels { first: 0, last: 0, squeeze: 0 }.to_bits()),
            used: AtomicU32::new(0),
            session: AtomicU32::new(0),
        }
    }
}

impl Policy {
    /// Begins a session, in which nothing is squeezed yet.
    pub(crate) fn start(&self, session: &Session) {
        static SESSIONS: Mutex<u32> = Mutex::new(0);
        let number = {
            let mut sessions = SESSIONS.lock().unwrap_or_else(PoisonError::into_inner);
            *sessions += 1;
            *sessions
        };
        self.session.store(number, Ordering::Relaxed);
        self.set_squeeze(0);
        self.used.store(1 << self.levels().first(), Ordering::Relaxed);
        self.draws.start(session);
    }

    /// Watches locks that are met from now on at this period.
    pub(crate) fn set_period(&self, period: u32) {
        self.set(Levels { first: of_period(period), ..self.levels() });
    }

    /// Watches no lock more rarely.
    pub(crate) fn set_max_period(&self, period: u32) {
        self.set(Levels { last: of_period(period), ..self.levels() });
    }

    /// Adds so many levels to all.
    pub(crate) fn set_squeeze(&self, squeeze: u8) {
        self.set(Levels { squeeze, ..self.levels() });
    }

    fn set(&self, levels: Levels) {
        self.levels.store(levels.to_bits(), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn levels(&self) -> Levels {
        Levels::from_bits(self.levels.load(Ordering::Relaxed))
    }

    /// The periods that were in force in the session, ascending: they are in
    /// force side by side.
    pub(crate) fn periods(&self) -> Vec<u32> {
        let used = self.used.load(Ordering::Relaxed);
        (0..LEVELS).map(|level| 1 << level).filter(|period| used & period != 0).collect()
    }

    /// The countdown of a lock that is met, or of a thread that needs one.
    pub(crate) fn first(&self, lock: Option<&LockRef>) -> Countdown {
        let levels = self.levels();
        match lock {
            Some(_) => self.draw_own(levels, levels.first()),
            None => self.next_of_thread(levels),
        }
    }

    /// The countdown after `event`, of a lock that is watched so closely; `None`
    /// for a lock that has no record. What that one does is lost, and counted, as
    /// rarely as can be.
    #[inline]
    pub(crate) fn next(&self, event: &Event, lock: Option<&Attention>) -> Countdown {
        if event.kind != EventKind::RELEASED {
            return Countdown::UNCHANGED;
        }
        let levels = self.levels();
        if event.mode.is_shared() || event.lock.id == 0 {
            return self.next_by_thread(event, levels, lock);
        }
        let is_owned = !event.lock.slot.is_null();
        match (event.contended != 0, lock) {
            (true, Some(lock)) if !is_owned => lock.hear_of_wait(),
            // Told by an owner, who is asked.
            (true, Some(lock)) => return self.draw_own(levels, lock.waited()),
            (false, Some(lock)) => return self.draw_own(levels, lock.sampled(levels)),
            (_, None) if is_owned => return self.draw(levels, levels.last),
            (_, None) => {}
        }
        Countdown::UNCHANGED
    }

    /// The countdown after `event`, which was counted down by its thread.
    fn next_by_thread(&self, event: &Event, levels: Levels, lock: Option<&Attention>) -> Countdown {
        if event.contended != 0 {
            lock.inspect(|lock| lock.hear_of_wait());
            self.set_thread(Stance::at(levels.first()));
        } else if event.counted != 0 {
            // Where each operation is sampled, a thread gets its next countdown
            // here; where not, it had it from `first` when this one was sampled.
            return self.next_of_thread(levels);
        }
        Countdown::UNCHANGED
    }

    /// A countdown of the calling thread's own, and a sample more at its level.
    fn next_of_thread(&self, levels: Levels) -> Countdown {
        let (session, stance) = THREAD.with(Cell::get);
        let stance = if session == self.session.load(Ordering::Relaxed) {
            stance.after_quiet_sample(levels)
        } else {
            Stance::at(levels.first())
        };
        self.set_thread(stance);
        self.draw(levels, stance.level)
    }

    fn set_thread(&self, stance: Stance) {
        let session = self.session.load(Ordering::Relaxed);
        THREAD.with(|thread| thread.set((session, stance)));
    }

    /// A countdown of a lock's own.
    #[inline]
    fn draw_own(&self, levels: Levels, level: u8) -> Countdown {
        let countdown = self.draw(levels, level);
        if level > 0 { countdown.asking() } else { countdown }
    }

    #[inline]
    fn draw(&self, levels: Levels, level: u8) -> Countdown {
        let level = levels.in_force(level);
        let bit = 1 << level;
        if self.used.load(Ordering::Relaxed) & bit == 0 {
            self.used.fetch_or(bit, Ordering::Relaxed);
        }
        self.draws.draw(self.periods[usize::from(level)])
    }
}

#[cfg(test)]
mod tests;
