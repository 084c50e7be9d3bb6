//! Ways that threads remember: from a thread, a lock and a call site to the
//! numbers that this thread writes.
//!
//! A line is written by the thread whose way it holds, and may be taken from it
//! by any other: by one whose own way falls on the same line, or by whoever drops
//! the lock. The reader is the only one who could make a line its own again, so
//! a line that is its own before and after it was read was its own throughout:
//! a sequence lock without the sequence.
//!
//! A thread is known by the kernel's number. One that gets the number of a
//! thread that has ended finds that thread's lines, and may use them: the kernel
//! orders the one's end before the other's beginning.

use core::ptr;

use lockscope_backends::ledger::{Ledger, Use};
use lockscope_backends::tally::Tally;
use lockscope_core::sync::{AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
use lockscope_core::{Event, LockRef};

/// Half a megabyte of lines. Ways that fall on one line take it from each other
/// at each use, and are looked up in the table; a program in which many threads
/// sample many locks has some of these.
const LINES: usize = if cfg!(lockscope_loom) { 1 } else { 1 << 13 };
const _: () = assert!(LINES.is_power_of_two());

/// Whose a line is: the kernel's number of its thread, or one of these.
mod owner {
    /// Nobody's.
    pub(super) const NOBODY: u64 = 0;
    /// Being written, for whom is not yet said.
    pub(super) const NOT_SAID: u64 = u64::MAX;
}

/// A lock, as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// The lock's id, or its address.
    number: u64,
    /// 0 if `number` is an id; otherwise what is known of the lock at this
    /// address, so that no id is taken for it.
    at: u64,
}

impl Name {
    #[inline]
    pub(crate) fn of(lock: &LockRef) -> Self {
        match lock.id {
            0 => Self {
                number: lock.address as u64,
                at: (u64::from(lock.probe) << 32 | u64::from(lock.kind.0)) + 1,
            },
            id => Self { number: id, at: 0 },
        }
    }
}

#[cfg(all(test, lockscope_loom))]
impl Name {
    /// The lock with this id.
    pub(crate) fn in_model(number: u64) -> Self {
        Self { number, at: 0 }
    }
}

/// Who asks for a way, and to what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    thread: u32,
    lock: Name,
    call: Use,
}

impl Asked {
    #[inline]
    pub(crate) fn by(event: &Event) -> Self {
        Self::new(event.thread, Name::of(&event.lock), Use::of(event))
    }

    #[inline]
    pub(crate) fn new(thread: u32, lock: Name, call: Use) -> Self {
        Self { thread, lock, call }
    }

    /// Multiplicative hashing: the upper bits of a product depend on all bits of
    /// the factor (Knuth, *The Art of Computer Programming* 3, 6.4). What varies
    /// little from one to another is moved apart first.
    #[inline]
    fn line(self) -> usize {
        let Self { thread, lock, call } = self;
        let mixed =
            lock.number ^ (call.site as u64).rotate_left(20) ^ u64::from(thread).rotate_left(43);
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (LINES - 1)
    }
}

/// Where a thread writes what one call site does with one lock. Other types
/// than these are for models.
#[derive(Debug)]
pub(crate) struct Way<'a, L = Ledger, T = Tally> {
    pub(crate) ledger: &'a L,
    pub(crate) tally: &'a T,
}

/// One way, and who asked for it.
#[derive(Debug)]
#[repr(align(64))]
struct Line<L, T> {
    /// See [`owner`].
    owner: AtomicU64,
    number: AtomicU64,
    at: AtomicU64,
    site: AtomicUsize,
    mode: AtomicU8,
    ledger: AtomicPtr<L>,
    tally: AtomicPtr<T>,
}

const _: () = assert!(cfg!(lockscope_loom) || size_of::<Line<Ledger, Tally>>() == 64);

impl<L, T> Default for Line<L, T> {
    fn default() -> Self {
        Self {
            owner: AtomicU64::new(owner::NOBODY),
            number: AtomicU64::new(0),
            at: AtomicU64::new(0),
            site: AtomicUsize::new(0),
            mode: AtomicU8::new(0),
            ledger: AtomicPtr::new(ptr::null_mut()),
            tally: AtomicPtr::new(ptr::null_mut()),
        }
    }
}

impl<L, T> Line<L, T> {
    /// Whether the way is to this lock and from this call site.
    #[inline]
    fn leads(&self, asked: &Asked) -> bool {
        self.number.load(Ordering::Relaxed) == asked.lock.number
            && self.at.load(Ordering::Relaxed) == asked.lock.at
            && self.site.load(Ordering::Relaxed) == asked.call.site
            && self.mode.load(Ordering::Relaxed) == asked.call.mode
    }

    /// Writes a way down; the caller has claimed the line.
    fn set(&self, asked: &Asked, way: &Way<'_, L, T>) {
        self.number.store(asked.lock.number, Ordering::Relaxed);
        self.at.store(asked.lock.at, Ordering::Relaxed);
        self.site.store(asked.call.site, Ordering::Relaxed);
        self.mode.store(asked.call.mode, Ordering::Relaxed);
        self.ledger.store(ptr::from_ref(way.ledger).cast_mut(), Ordering::Relaxed);
        self.tally.store(ptr::from_ref(way.tally).cast_mut(), Ordering::Relaxed);
    }
}

/// The ways of all threads.
#[derive(Debug)]
pub(crate) struct Ways<L = Ledger, T = Tally>(Box<[Line<L, T>; LINES]>);

impl<L, T> Default for Ways<L, T> {
    fn default() -> Self {
        let lines: Box<[Line<L, T>]> = (0..LINES).map(|_| Line::default()).collect();
        match lines.try_into() {
            Ok(lines) => Self(lines),
            Err(_) => unreachable!("so many were made"),
        }
    }
}

impl<L, T> Ways<L, T> {
    /// Forgets all. No hook runs.
    pub(crate) fn clear(&self) {
        for line in self.0.iter() {
            // Relaxed: the gate publishes what was done before it opened.
            line.owner.store(owner::NOBODY, Ordering::Relaxed);
        }
    }

    /// The way that the caller's thread remembers, if it does.
    ///
    /// # Safety
    ///
    /// - The caller is the thread that asks.
    /// - Where a way leads to lives until the lock is [forgotten](Ways::forget),
    ///   or all are, or for the rest of the call if that is longer; and the lock
    ///   is not forgotten meanwhile.
    #[inline]
    pub(crate) unsafe fn find(&self, asked: &Asked) -> Option<Way<'_, L, T>> {
        let line = &self.0[asked.line()];
        let thread = u64::from(asked.thread);
        // Relaxed: if it is ours, we have written it.
        if line.owner.load(Ordering::Relaxed) != thread || !line.leads(asked) {
            return None;
        }
        let (ledger, tally) =
            (line.ledger.load(Ordering::Relaxed), line.tally.load(Ordering::Relaxed));
        // Acquire: if any of this was written by one who has taken the line from
        // us, we see that he had claimed it before. Pairs with the release fence
        // in `remember`. Model: `ways_lead_to_ones_own`.
        fence(Ordering::Acquire);
        if line.owner.load(Ordering::Relaxed) != thread {
            return None;
        }
        // SAFETY:
        // - the line was ours throughout, so it leads to where `remember` was
        //   told for this thread, lock and call site;
        // - that lives, by the caller's promise: the lock was not forgotten since,
        //   because then the line would not be ours.
        unsafe { Some(Way { ledger: &*ledger, tally: &*tally }) }
    }

    /// Remembers a way for the caller's thread, which asks, unless another writes
    /// to the same line at this moment.
    pub(crate) fn remember(&self, asked: &Asked, way: &Way<'_, L, T>) {
        let line = &self.0[asked.line()];
        let seen = line.owner.load(Ordering::Relaxed);
        // Acquire: what the last owner wrote comes before what we write. Pairs
        // with the release below.
        let is_claimed = seen != owner::NOT_SAID
            && line
                .owner
                .compare_exchange(seen, owner::NOT_SAID, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if is_claimed {
            // Release: pairs with the acquire fence in `find`.
            fence(Ordering::Release);
            line.set(asked, way);
            // Release: as above, for the next who claims it.
            line.owner.store(u64::from(asked.thread), Ordering::Release);
        }
    }

    /// Forgets a way of any thread; or, if that was forgotten before, another one
    /// of that thread. To be called for all ways to a lock when it is dropped.
    ///
    /// If the line is being written at this moment, then with another way: no
    /// thread asks for one to this lock any more.
    pub(crate) fn forget(&self, asked: &Asked) {
        let line = &self.0[asked.line()];
        let thread = u64::from(asked.thread);
        // Relaxed: a thread that comes to know of another lock at the same place
        // has learnt it from somebody who has made that after this was dropped.
        // Model: `ways_to_a_dropped_lock_are_not_found`.
        let (relaxed, nobody) = (Ordering::Relaxed, owner::NOBODY);
        let _ = line.owner.compare_exchange(thread, nobody, relaxed, relaxed);
    }
}

/// The twins of the models: the code above with a bug seeded into it.
#[cfg(all(test, lockscope_loom))]
impl<L, T> Ways<L, T> {
    /// Does not look again whether the line is still the thread's.
    pub(crate) unsafe fn find_with_a_bug(&self, asked: &Asked) -> Option<Way<'_, L, T>> {
        let line = &self.0[asked.line()];
        if line.owner.load(Ordering::Relaxed) != u64::from(asked.thread) || !line.leads(asked) {
            return None;
        }
        // SAFETY: the model's places live as long as the model.
        unsafe {
            Some(Way {
                ledger: &*line.ledger.load(Ordering::Relaxed),
                tally: &*line.tally.load(Ordering::Relaxed),
            })
        }
    }

    /// Writes without claiming the line first.
    pub(crate) fn remember_with_a_bug(&self, asked: &Asked, way: &Way<'_, L, T>) {
        let line = &self.0[asked.line()];
        line.set(asked, way);
        line.owner.store(u64::from(asked.thread), Ordering::Release);
    }
}

#[cfg(all(test, not(lockscope_loom)))]
mod tests {
    use super::*;

    const CALL: Use = Use { site: 7, mode: 0 };

    fn asked(thread: u32, number: u64) -> Asked {
        Asked { thread, lock: Name { number, at: 0 }, call: CALL }
    }

    /// Places by which a way is known again.
    type Places = Ways<u32, u32>;

    fn found(ways: &Places, asked: &Asked) -> Option<u32> {
        // SAFETY: every place here is a constant.
        let way = unsafe { ways.find(asked) }?;
        assert_eq!(way.ledger, way.tally);
        Some(*way.ledger)
    }

    fn remember(ways: &Places, asked: &Asked, place: &'static u32) {
        ways.remember(asked, &Way { ledger: place, tally: place });
    }

    /// Another who falls on the same line.
    fn neighbour(of: &Asked, thread: u32) -> Asked {
        let falls_there = |other: &Asked| other.line() == of.line();
        (1_000..).map(|number| asked(thread, number)).find(falls_there).expect("one in LINES")
    }

    #[test]
    fn a_way_is_found_by_whoever_asked_for_it_and_for_nothing_else() {
        let (ways, mine) = (Places::default(), asked(1, 5));
        assert_eq!(found(&ways, &mine), None);
        remember(&ways, &mine, &10);
        assert_eq!(found(&ways, &mine), Some(10));
        for other in [
            asked(2, 5),
            asked(1, 6),
            Asked { lock: Name { number: 5, at: 1 }, ..mine },
            Asked { call: Use { site: 8, ..CALL }, ..mine },
            Asked { call: Use { mode: 1, ..CALL }, ..mine },
        ] {
            assert_eq!(found(&ways, &other), None, "{other:?}");
        }
    }

    #[test]
    fn whoever_falls_on_the_same_line_takes_it() {
        let (ways, mine) = (Places::default(), asked(1, 5));
        for thread in [1, 2] {
            let other = neighbour(&mine, thread);
            remember(&ways, &mine, &10);
            assert_eq!(found(&ways, &other), None);
            remember(&ways, &other, &20);
            assert_eq!((found(&ways, &mine), found(&ways, &other)), (None, Some(20)));
        }
    }

    #[test]
    fn what_is_forgotten_is_not_found_and_another_threads_way_is_left_alone() {
        let (ways, mine) = (Places::default(), asked(1, 5));
        remember(&ways, &mine, &10);
        ways.forget(&mine);
        assert_eq!(found(&ways, &mine), None);
        let other = neighbour(&mine, 2);
        remember(&ways, &other, &20);
        ways.forget(&mine);
        assert_eq!(found(&ways, &other), Some(20));
        ways.clear();
        assert_eq!(found(&ways, &other), None);
    }

    /// A line that two threads fight for leads each of them to its own place, or
    /// nowhere.
    #[test]
    fn threads_that_fight_for_a_line_find_their_own() {
        let ways = Places::default();
        let first = asked(1, 5);
        let second = neighbour(&first, 2);
        std::thread::scope(|scope| {
            for (asked, place) in [(first, &10), (second, &20)] {
                let ways = &ways;
                scope.spawn(move || {
                    for _ in 0..50_000 {
                        match found(ways, &asked) {
                            Some(found) => assert_eq!(found, *place),
                            None => remember(ways, &asked, place),
                        }
                    }
                });
            }
        });
    }

    /// The ways of a program of some size fall on lines of their own, nearly
    /// all of them.
    #[test]
    fn ways_are_spread_over_the_lines() {
        let mut lines: Vec<usize> = Vec::new();
        for thread in 40_000..40_004 {
            for lock in 0..50 {
                let site = 0x5555_5555_0000 + (lock as usize % 7) * 24;
                let number = if lock % 2 == 0 { lock } else { 0x7fff_0000_0000 + lock * 64 };
                let lock = Name { number, at: lock % 2 };
                lines.push(Asked { thread, lock, call: Use { site, mode: 0 } }.line());
            }
        }
        let all = lines.len();
        lines.sort_unstable();
        lines.dedup();
        assert!(lines.len() + 8 >= all, "{} lines for {all} ways", lines.len());
    }
}
