//! The locks that are compared: each of ours, and the bare lock laid out as
//! ours is, because layout alone makes a difference of 0.05.

use core::hint::black_box;

/// As many bytes as a slot, in front of a bare lock.
pub type Padding = [u64; size_of::<lockscope_core::Slot>() / 8];

/// A lock with a counter inside, as a bench sees it.
pub trait Counter: Sync {
    /// Locks, adds one (or, as a reader, looks), unlocks: `n` times, one call
    /// site.
    fn run(&self, n: u64);
    /// Once, with this much work while the lock is held.
    fn run_held(&self, held: u32);
    /// As [`Counter::run`], with some work while the lock is held, and up to six
    /// times as much between, at random.
    fn run_busy(&self, n: u64, held: Held) {
        let mut random = Random::new();
        for _ in 0..n {
            self.run_held(held.next(&mut random));
            work(random.next(6 * held.mean()));
        }
    }
    /// As [`Counter::run`], with some ninety nanoseconds of work between.
    fn run_paced(&self, n: u64) {
        for _ in 0..n {
            self.run(1);
            work(NINETY_NS);
        }
    }
    /// Counts `n` operations, where they do not count themselves.
    fn note(&self, n: u64) {
        let _ = n;
    }
    /// The count, and back to 0.
    fn take(&self) -> u64;
}

/// A lock at the beginning of a pair of cache lines. Where threads fight for a
/// lock, on which side of a line's end its words lie makes more of a difference
/// than anything that is to be measured.
#[repr(align(128))]
#[derive(Debug)]
pub struct Aligned<C>(pub C);

impl<C: Counter> Counter for Aligned<C> {
    fn run(&self, n: u64) {
        self.0.run(n);
    }

    fn run_held(&self, held: u32) {
        self.0.run_held(held);
    }

    fn run_busy(&self, n: u64, held: Held) {
        self.0.run_busy(n, held);
    }

    fn run_paced(&self, n: u64) {
        self.0.run_paced(n);
    }

    fn note(&self, n: u64) {
        self.0.note(n);
    }

    fn take(&self) -> u64 {
        self.0.take()
    }
}

/// A bare lock behind as much padding as a slot.
#[repr(C)]
#[derive(Debug)]
pub struct Padded<L> {
    padding: Padding,
    pub(crate) lock: L,
}

impl<L> Padded<L> {
    /// Puts padding in front of `lock`.
    pub const fn new(lock: L) -> Self {
        Self { padding: [0; size_of::<Padding>() / 8], lock }
    }
}

/// Steps of [`work`] that take some fifty nanoseconds.
pub(crate) const FIFTY_NS: u32 = 150;
const NINETY_NS: u32 = 270;

/// How long a lock is held.
#[derive(Clone, Copy, Debug)]
pub enum Held {
    /// Some fifty nanoseconds.
    Short,
    /// Half a microsecond.
    Long,
    /// Fifty nanoseconds nine times of ten, two microseconds once, at random: as of a
    /// cache, that answers at once or has to think.
    Bimodal,
}

impl Held {
    /// Steps of work, the next time.
    pub(crate) fn next(self, random: &mut Random) -> u32 {
        match self {
            Self::Short => about(FIFTY_NS, random),
            Self::Long => about(10 * FIFTY_NS, random),
            Self::Bimodal if random.next(10) == 0 => about(40 * FIFTY_NS, random),
            Self::Bimodal => about(FIFTY_NS, random),
        }
    }

    fn mean(self) -> u32 {
        match self {
            Self::Short => FIFTY_NS,
            Self::Long => 10 * FIFTY_NS,
            Self::Bimodal => (9 + 40) * FIFTY_NS / 10,
        }
    }
}

/// From half to one and a half times so many: where every hold is equally long, a
/// nanosecond more or less decides whether who waits for the lock finds it free or is
/// just too late, each time, and a lock's throughput changes by a fifth with the
/// alignment of a loop.
fn about(steps: u32, random: &mut Random) -> u32 {
    steps / 2 + random.next(steps)
}

#[inline(never)]
pub(crate) fn work(steps: u32) {
    for step in 0..steps {
        black_box(step);
    }
}

/// Random numbers, for what is done between critical sections and which lock is
/// next: two threads that work for the same time each fall into step and never
/// meet, until anything at all disturbs them.
pub(crate) struct Random(u32);

impl Random {
    pub(crate) fn new() -> Self {
        // Another beginning in each thread, by where its stack is.
        let place = 0_u8;
        Self((&raw const place).addr() as u32 >> 4 | 1)
    }

    /// A number below `limit`.
    pub(crate) fn next(&mut self, limit: u32) -> u32 {
        // Xorshift (Marsaglia 2003).
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % limit
    }
}

macro_rules! counter {
    ($lock:ty, |$it:ident| write $write:expr) => {
        impl Counter for $lock {
            #[inline(never)]
            fn run(&self, n: u64) {
                for _ in 0..n {
                    let $it = black_box(self);
                    *$write += 1;
                }
            }

            fn run_held(&self, held: u32) {
                let $it = black_box(self);
                let mut guard = $write;
                *guard += 1;
                work(held);
            }

            fn take(&self) -> u64 {
                let $it = self;
                core::mem::take(&mut *$write)
            }
        }
    };
    ($lock:ty, |$it:ident| read $read:expr, write $write:expr) => {
        impl Counter for $lock {
            #[inline(never)]
            fn run(&self, n: u64) {
                for _ in 0..n {
                    let $it = black_box(self);
                    black_box(*$read);
                }
            }

            fn run_held(&self, held: u32) {
                let $it = black_box(self);
                let guard = $read;
                black_box(*guard);
                work(held);
            }

            fn note(&self, n: u64) {
                let $it = self;
                *$write += n;
            }

            fn take(&self) -> u64 {
                let $it = self;
                core::mem::take(&mut *$write)
            }
        }
    };
}

/// A poisoned lock cannot be in a bench: nothing in it panics.
pub(crate) fn sound<G>(guard: std::sync::LockResult<G>) -> G {
    guard.unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// std's mutex, bare.
pub type BareStd = Padded<std::sync::Mutex<u64>>;
/// std's mutex, watched.
pub type OurStd = lockscope::sync::Mutex<u64>;
/// parking_lot's mutex, bare.
pub type BareParkingLot = Padded<parking_lot::Mutex<u64>>;
/// parking_lot's mutex, watched.
pub type OurParkingLot = lockscope::parking_lot::Mutex<u64>;
/// parking_lot's mutex, bare and as small as it is.
pub type BareSlotless = parking_lot::Mutex<u64>;
/// parking_lot's mutex, watched, without slot.
pub type OurSlotless = lockscope::parking_lot::slotless::Mutex<u64>;

counter!(BareStd, |it| write sound(it.lock.lock()));
counter!(OurStd, |it| write sound(it.lock()));
counter!(BareParkingLot, |it| write it.lock.lock());
counter!(OurParkingLot, |it| write it.lock());
counter!(BareSlotless, |it| write it.lock());
counter!(OurSlotless, |it| write it.lock());

/// std's reader-writer lock, bare, read.
pub type BareStdRead = Padded<std::sync::RwLock<u64>>;
/// std's reader-writer lock, watched, read.
pub type OurStdRead = lockscope::sync::RwLock<u64>;
/// parking_lot's reader-writer lock, bare, read.
pub type BareParkingLotRead = Padded<parking_lot::RwLock<u64>>;
/// parking_lot's reader-writer lock, watched, read.
pub type OurParkingLotRead = lockscope::parking_lot::RwLock<u64>;

counter!(BareStdRead, |it| read sound(it.lock.read()), write sound(it.lock.write()));
counter!(OurStdRead, |it| read sound(it.read()), write sound(it.write()));
counter!(BareParkingLotRead, |it| read it.lock.read(), write it.lock.write());
counter!(OurParkingLotRead, |it| read it.read(), write it.write());

/// A hundred locks, each time another one, at random.
#[derive(Debug)]
pub struct Hundred<C> {
    locks: Vec<C>,
    /// As often in here as it is chosen.
    choices: Vec<u8>,
}

/// Of how many choices those of [`Hundred`] are made.
const CHOICES: u32 = 10_000;

impl<C> Hundred<C> {
    /// A hundred of what `make` makes, chosen alike.
    pub fn alike(make: impl Fn() -> C) -> Self {
        Self::chosen(make, |_| 1.0)
    }

    /// The first twice as often as the second, three times as often as the third, and
    /// so on: Zipf's law, by which the locks of many programs are used.
    pub fn zipf(make: impl Fn() -> C) -> Self {
        Self::chosen(make, |rank| 1.0 / f64::from(rank))
    }

    fn chosen(make: impl Fn() -> C, weight: fn(u8) -> f64) -> Self {
        let whole: f64 = (1..=100).map(weight).sum();
        let times = |rank| (weight(rank) / whole * f64::from(CHOICES)).round() as usize;
        let choices = (1..=100).flat_map(|rank| core::iter::repeat_n(rank - 1, times(rank)));
        Self { locks: (0..100).map(|_| make()).collect(), choices: choices.collect() }
    }

    fn next(&self, random: &mut Random) -> &C {
        let choice = random.next(self.choices.len() as u32) as usize;
        &self.locks[usize::from(self.choices[choice])]
    }
}

impl<C: Counter> Counter for Hundred<C> {
    fn run(&self, n: u64) {
        let mut random = Random::new();
        (0..n).for_each(|_| self.next(&mut random).run(1));
    }

    fn run_held(&self, held: u32) {
        self.locks[0].run_held(held);
    }

    fn run_busy(&self, n: u64, held: Held) {
        let mut random = Random::new();
        for _ in 0..n {
            let steps = held.next(&mut random);
            self.next(&mut random).run_held(steps);
            work(random.next(6 * held.mean()));
        }
    }

    fn take(&self) -> u64 {
        self.locks.iter().map(Counter::take).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_locks_are_chosen_alike_or_by_zipf() {
        let times = |hundred: &Hundred<()>, lock| {
            hundred.choices.iter().filter(|choice| **choice == lock).count()
        };
        let alike = Hundred::alike(|| ());
        assert!((0..100).all(|lock| times(&alike, lock) == 100));
        let zipf = Hundred::zipf(|| ());
        // The hundredth harmonic number is 5.19.
        assert_eq!([0, 1, 3, 99].map(|lock| times(&zipf, lock)), [1928, 964, 482, 19]);
    }
}
