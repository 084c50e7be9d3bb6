//! Ways that threads remember: from a thread, a lock and a call site to the
//! numbers that this thread writes.
//!
//! A line is written by the thread whose way it holds, and may be taken from it
//! by any other: by one whose own way falls on it, or by whoever drops the lock. The reader is the only one who could make a line its own again, so
//! a line that is its own before and after it was read was its own throughout:
//! a sequence lock without the sequence.
//!
//! A thread is known by the kernel's number. One that gets the number of a
//! thread that has ended finds that thread's lines, and may use them: the kernel
//! orders the one's end before the other's beginning.

use core::ptr;

use lockscope_backends::ledger::Ledger;
use lockscope_backends::tally::Tally;
use lockscope_core::sync::{
    AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, IS_MODEL, Ordering, fence,
};

use crate::asked::Asked;

/// Half a megabyte of lines. Ways that fall on the same lines take them from each
/// other, and are then looked up in the table.
const SETS: usize = if IS_MODEL { 1 } else { 1 << 12 };
const _: () = assert!(SETS.is_power_of_two());
/// So many lines to choose from: of a thousand ways, nearly all stay where they
/// are with two, and every tenth is lost again and again with one.
const CHOICES: usize = if IS_MODEL { 1 } else { 2 };

/// Whose a line is: the kernel's number of its thread, or one of these, which are
/// no thread's.
mod owner {
    /// Nobody's.
    pub(super) const NOBODY: u64 = 1 << 32;
    /// Being written, for whom is not yet said.
    pub(super) const NOT_SAID: u64 = NOBODY + 1;
}

/// Where a thread writes what one call site does with one lock. Other types
/// than these are for models.
#[derive(Debug)]
pub(crate) struct Way<'a, L = Ledger, T = Tally> {
    pub(crate) ledger: &'a L,
    pub(crate) tally: &'a T,
}

/// One way, and who asked for it: what a thread needs to find it, and nothing that
/// another writes while it does.
#[derive(Debug)]
#[repr(align(64))]
struct Line<L, T> {
    /// See [`owner`].
    owner: AtomicU64,
    number: AtomicU64,
    what: AtomicU64,
    site: AtomicUsize,
    mode: AtomicU8,
    ledger: AtomicPtr<L>,
    tally: AtomicPtr<T>,
}

const _: () = assert!(IS_MODEL || size_of::<Line<Ledger, Tally>>() == 64);

impl<L, T> Default for Line<L, T> {
    fn default() -> Self {
        Self {
            owner: AtomicU64::new(owner::NOBODY),
            number: AtomicU64::new(0),
            what: AtomicU64::new(0),
            site: AtomicUsize::new(0),
            mode: AtomicU8::new(0),
            ledger: AtomicPtr::new(ptr::null_mut()),
            tally: AtomicPtr::new(ptr::null_mut()),
        }
    }
}

impl<L, T> Line<L, T> {
    /// Whether this is the line of who asks, for this lock and call site.
    #[inline]
    fn is_of(&self, asked: &Asked) -> bool {
        // Relaxed: if it is the thread's, the thread has written it.
        self.owner.load(Ordering::Relaxed) == u64::from(asked.thread)
            && self.number.load(Ordering::Relaxed) == asked.lock.number
            && self.what.load(Ordering::Relaxed) == asked.lock.what
            && self.site.load(Ordering::Relaxed) == asked.call.site
            && self.mode.load(Ordering::Relaxed) == asked.call.mode
    }

    /// Where the line leads, for whoever has found that it is his.
    #[inline]
    fn ends(&self) -> (*const L, *const T) {
        (self.ledger.load(Ordering::Relaxed), self.tally.load(Ordering::Relaxed))
    }

    /// Whether the line, of which something was read before, is still the
    /// thread's.
    #[inline]
    fn is_still_of(&self, asked: &Asked) -> bool {
        // Acquire: if any of what was read was written by one who has taken the
        // line, we see that he had claimed it before. Pairs with the release fence
        // in `set`. Model: `ways_lead_to_ones_own`.
        fence(Ordering::Acquire);
        self.owner.load(Ordering::Relaxed) == u64::from(asked.thread)
    }

    /// Makes the line the caller's, unless another is about to.
    fn set(&self, asked: &Asked, way: &Way<'_, L, T>) {
        let seen = self.owner.load(Ordering::Relaxed);
        if seen == owner::NOT_SAID {
            return;
        }
        // Acquire: what the last owner wrote comes before what we write. Pairs
        // with the release below.
        let (claimed, lost) = (Ordering::Acquire, Ordering::Relaxed);
        if self.owner.compare_exchange(seen, owner::NOT_SAID, claimed, lost).is_err() {
            return;
        }
        // Release: pairs with the acquire fence in `is_still_of`.
        fence(Ordering::Release);
        self.write(asked, way);
        // Release: as above, for the next who claims it.
        self.owner.store(u64::from(asked.thread), Ordering::Release);
    }

    fn write(&self, asked: &Asked, way: &Way<'_, L, T>) {
        self.number.store(asked.lock.number, Ordering::Relaxed);
        self.what.store(asked.lock.what, Ordering::Relaxed);
        self.site.store(asked.call.site, Ordering::Relaxed);
        self.mode.store(asked.call.mode, Ordering::Relaxed);
        self.ledger.store(ptr::from_ref(way.ledger).cast_mut(), Ordering::Relaxed);
        self.tally.store(ptr::from_ref(way.tally).cast_mut(), Ordering::Relaxed);
    }
}

/// Lines among which a way may choose.
type Set<L, T> = [Line<L, T>; CHOICES];

/// The ways of all threads.
#[derive(Debug)]
pub(crate) struct Ways<L = Ledger, T = Tally>(Box<[Set<L, T>; SETS]>);

impl<L, T> Default for Ways<L, T> {
    fn default() -> Self {
        let sets: Box<[Set<L, T>]> =
            (0..SETS).map(|_| core::array::from_fn(|_| Line::default())).collect();
        match sets.try_into() {
            Ok(sets) => Self(sets),
            Err(_) => unreachable!("so many were made"),
        }
    }
}

impl<L, T> Ways<L, T> {
    /// Forgets all. No hook runs.
    pub(crate) fn clear(&self) {
        for line in self.0.as_flattened() {
            // Relaxed: the gate publishes what was done before it opened.
            line.owner.store(owner::NOBODY, Ordering::Relaxed);
        }
    }

    #[inline]
    fn set_of(&self, asked: &Asked) -> &Set<L, T> {
        &self.0[asked.hash(SETS * CHOICES) / CHOICES]
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
        for line in self.set_of(asked) {
            if line.is_of(asked) {
                let (ledger, tally) = line.ends();
                if line.is_still_of(asked) {
                    // SAFETY:
                    // - the line was ours throughout, so it leads to where
                    //   `remember` was told for this thread, lock and call site;
                    // - that lives, by the caller's promise: the lock was not
                    //   forgotten since, or the line would not be ours.
                    return unsafe { Some(Way { ledger: &*ledger, tally: &*tally }) };
                }
            }
        }
        None
    }

    /// Remembers a way for the caller's thread, which asks and has not found it,
    /// unless another writes to the same line at this moment.
    pub(crate) fn remember(&self, asked: &Asked, way: &Way<'_, L, T>) {
        self.chosen(asked).set(asked, way);
    }

    /// A line that is nobody's; or else always the same one of them, so that of
    /// three ways to two lines one stays.
    fn chosen(&self, asked: &Asked) -> &Line<L, T> {
        let set = self.set_of(asked);
        let is_free = |line: &&Line<L, T>| line.owner.load(Ordering::Relaxed) == owner::NOBODY;
        set.iter().find(is_free).unwrap_or(&set[asked.hash(SETS * CHOICES) % CHOICES])
    }

    /// Forgets a way of any thread. To be called for all ways to a lock when it
    /// is dropped.
    pub(crate) fn forget(&self, asked: &Asked) {
        for line in self.set_of(asked) {
            // Of a line that is being written meanwhile it does not matter what is
            // seen: it is given another way, because nobody asks for one to this
            // lock any more.
            if line.is_of(asked) {
                // Relaxed: a thread that comes to know of another lock at the same
                // place has learnt of it from somebody who has made that after
                // this was dropped. Model: `ways_to_a_dropped_lock_are_not_found`.
                let (thread, relaxed) = (u64::from(asked.thread), Ordering::Relaxed);
                let _ = line.owner.compare_exchange(thread, owner::NOBODY, relaxed, relaxed);
            }
        }
    }
}

/// The twins of the models: the code above with a bug seeded into it.
#[cfg(all(test, lockscope_loom))]
impl<L, T> Ways<L, T> {
    /// Does not look again whether the line is still the thread's.
    pub(crate) unsafe fn find_with_a_bug(&self, asked: &Asked) -> Option<Way<'_, L, T>> {
        let line = self.set_of(asked).iter().find(|line| line.is_of(asked))?;
        let (ledger, tally) = line.ends();
        // SAFETY: the model's places live as long as the model.
        unsafe { Some(Way { ledger: &*ledger, tally: &*tally }) }
    }

    /// Writes without claiming the line first.
    pub(crate) fn remember_with_a_bug(&self, asked: &Asked, way: &Way<'_, L, T>) {
        let line = self.chosen(asked);
        line.write(asked, way);
        line.owner.store(u64::from(asked.thread), Ordering::Release);
    }
}

#[cfg(all(test, not(any(lockscope_loom, lockscope_shuttle))))]
mod tests {
    use lockscope_backends::ledger::Use;

    use super::*;
    use crate::asked::Name;

    const CALL: Use = Use { site: 7, mode: 0 };

    fn asked(thread: u32, number: u64) -> Asked {
        Asked { thread, lock: Name { number, what: 0 }, call: CALL }
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

    /// Others who choose among the same lines.
    fn neighbours(of: Asked, thread: u32) -> impl Iterator<Item = Asked> {
        let others = (1_000..).map(move |number| asked(thread, number));
        let set = |asked: &Asked| asked.hash(SETS * CHOICES) / CHOICES;
        others.filter(move |other| set(other) == set(&of))
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
            Asked { lock: Name { number: 5, what: 1 }, ..mine },
            Asked { call: Use { site: 8, ..CALL }, ..mine },
            Asked { call: Use { mode: 1, ..CALL }, ..mine },
        ] {
            assert_eq!(found(&ways, &other), None, "{other:?}");
        }
    }

    #[test]
    fn two_ways_fit_on_two_lines_and_a_third_takes_one() {
        for thread in [1, 2] {
            let (ways, mine) = (Places::default(), asked(1, 5));
            let mut others = neighbours(mine, thread);
            let (second, third) = (others.next().expect("one"), others.next().expect("two"));
            remember(&ways, &mine, &10);
            remember(&ways, &second, &20);
            assert_eq!((found(&ways, &mine), found(&ways, &second)), (Some(10), Some(20)));
            remember(&ways, &third, &30);
            assert_eq!(found(&ways, &third), Some(30));
            let stays = [found(&ways, &mine), found(&ways, &second)];
            assert!(stays == [Some(10), None] || stays == [None, Some(20)], "{stays:?}");
        }
    }

    #[test]
    fn what_is_forgotten_is_not_found_and_other_ways_are_left_alone() {
        let (ways, mine) = (Places::default(), asked(1, 5));
        let other = neighbours(mine, 1).next().expect("one");
        remember(&ways, &mine, &10);
        remember(&ways, &other, &20);
        ways.forget(&mine);
        assert_eq!((found(&ways, &mine), found(&ways, &other)), (None, Some(20)));
        ways.clear();
        assert_eq!(found(&ways, &other), None);
    }

    /// Lines that threads fight for lead each of them to its own place, or nowhere.
    #[test]
    fn threads_that_fight_for_lines_find_their_own() {
        let (ways, first) = (Places::default(), asked(1, 5));
        let places = [&10, &20, &30, &40];
        let others = [2, 3, 4].map(|thread| neighbours(first, thread).next().expect("one"));
        std::thread::scope(|scope| {
            for (asked, place) in core::iter::once(first).chain(others).zip(places) {
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

    /// A thousand ways, as a program has them, all stay where they are but for a
    /// few.
    #[test]
    fn ways_are_spread_over_the_lines() {
        let ways = Places::default();
        let all: Vec<Asked> = (40_000..40_010)
            .flat_map(|thread| {
                (0..100).map(move |lock| {
                    let site = 0x5555_5555_0000 + (lock as usize % 7) * 24;
                    let number = if lock % 2 == 0 { lock } else { !(0x7fff_0000_0000 + lock * 64) };
                    let lock = Name { number, what: 1 };
                    Asked { thread, lock, call: Use { site, mode: 0 } }
                })
            })
            .collect();
        all.iter().for_each(|asked| remember(&ways, asked, &10));
        let stay = all.iter().filter(|asked| found(&ways, asked).is_some()).count();
        assert!(stay >= 985, "{stay}");
    }
}
