//! The locks that are compared: each of ours, and the bare lock laid out as
//! ours is, because layout alone makes a difference of 0.05.

use core::hint::black_box;
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

/// As many bytes as a slot, in front of a bare lock.
pub type Padding = [u64; size_of::<lockscope_core::Slot>() / 8];

/// A lock with a counter inside, as a bench sees it.
pub trait Counter: Sync {
    /// Locks, adds one (or, as a reader, looks), unlocks: `n` times, one call
    /// site.
    fn run(&self, n: u64);
    /// Once, with this much work while the lock is held.
    fn run_held(&self, held: u32);
    /// As [`Counter::run`], with this much work while the lock is held, and up to
    /// six times as much between, at random.
    fn run_busy(&self, n: u64, held: u32) {
        let mut between = Random::new();
        for _ in 0..n {
            self.run_held(held);
            work(between.next(6 * held));
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

    fn run_busy(&self, n: u64, held: u32) {
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
    lock: L,
}

impl<L> Padded<L> {
    /// Puts padding in front of `lock`.
    pub const fn new(lock: L) -> Self {
        Self { padding: [0; size_of::<Padding>() / 8], lock }
    }
}

/// Steps of [`work`] that take some fifty nanoseconds.
const FIFTY_NS: u32 = 150;
const NINETY_NS: u32 = 270;

#[inline(never)]
pub(crate) fn work(steps: u32) {
    for step in 0..steps {
        black_box(step);
    }
}

/// Random numbers, for what is done between critical sections and which lock is
/// next: two threads that work for the same time each fall into step and never
/// meet, until anything at all disturbs them.
struct Random(u32);

impl Random {
    fn new() -> Self {
        // Another beginning in each thread, by where its stack is.
        let place = 0_u8;
        Self((&raw const place).addr() as u32 >> 4 | 1)
    }

    /// A number below `limit`.
    fn next(&mut self, limit: u32) -> u32 {
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
fn sound<G>(guard: std::sync::LockResult<G>) -> G {
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
pub struct Hundred<C>(Vec<C>);

impl<C> Hundred<C> {
    /// A hundred of what `make` makes.
    pub fn new(make: impl Fn() -> C) -> Self {
        Self((0..100).map(|_| make()).collect())
    }
}

impl<C: Counter> Counter for Hundred<C> {
    fn run(&self, n: u64) {
        let mut choice = Random::new();
        (0..n).for_each(|_| self.0[choice.next(100) as usize].run(1));
    }

    fn run_held(&self, held: u32) {
        self.0[0].run_held(held);
    }

    fn run_busy(&self, n: u64, held: u32) {
        let mut choice = Random::new();
        for _ in 0..n {
            self.0[choice.next(100) as usize].run_held(held);
            work(choice.next(6 * held));
        }
    }

    fn take(&self) -> u64 {
        self.0.iter().map(Counter::take).sum()
    }
}

/// How a lock is used.
#[derive(Clone, Copy, Debug)]
pub enum Usage {
    /// By one thread, which does nothing else.
    Alone,
    /// By one thread, which does something else for some ninety nanoseconds each
    /// time: ten million operations a second.
    Paced,
    /// By two threads that do nothing else.
    TwoIdle,
    /// By two threads that hold it for some fifty nanoseconds, and for up to
    /// three hundred not.
    TwoShort,
    /// By two threads that hold it for half a microsecond, and for up to three
    /// not.
    TwoLong,
}

/// How long it takes to use `counter` so, `n` times in each thread.
///
/// # Panics
///
/// If the count does not come out right.
pub fn time(counter: &dyn Counter, usage: Usage, n: u64) -> Duration {
    let run: &(dyn Fn() + Sync) = match usage {
        Usage::Alone | Usage::TwoIdle => &|| counter.run(n),
        Usage::Paced => &|| counter.run_paced(n),
        Usage::TwoShort => &|| counter.run_busy(n, FIFTY_NS),
        Usage::TwoLong => &|| counter.run_busy(n, 10 * FIFTY_NS),
    };
    let threads = if let Usage::Alone | Usage::Paced = usage { 1 } else { 2 };
    // Together, or what is measured is in part one thread alone.
    let start = Barrier::new(threads as usize);
    let began = Mutex::new(None);
    let work = || {
        start.wait();
        began.lock().expect("nothing panics").get_or_insert_with(Instant::now);
        run();
        counter.note(n);
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let began = began.into_inner().expect("nothing panics").expect("it has run");
    let time = began.elapsed();
    assert_eq!(counter.take(), threads * n, "the lock under test lost operations");
    time
}
