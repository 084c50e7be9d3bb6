//! Workloads that are more than to take one lock and to give it back: tries, birth
//! and death, two locks at once, readers and writers, a queue.

use core::hint::black_box;
use core::ops::DerefMut;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::locks::*;
use crate::workload::Workload;

/// A mutex about a number, of whatever family.
pub trait Mutex: Sync {
    /// A new one.
    fn make() -> Self;
    /// Waits for it.
    fn lock(&self) -> impl DerefMut<Target = u64>;
    /// Takes it if it is free.
    fn try_lock(&self) -> Option<impl DerefMut<Target = u64>>;
    /// The number, of one that nobody else has.
    fn get_mut(&mut self) -> &mut u64;
}

/// A reader-writer lock about a number, of whatever family.
pub trait RwLock: Sync {
    /// A new one.
    fn make() -> Self;
    /// Waits until nobody writes.
    fn read(&self) -> impl core::ops::Deref<Target = u64>;
    /// Waits until it is alone.
    fn write(&self) -> impl DerefMut<Target = u64>;
}

/// `own` is what the lock itself is called in the type, if anything. Call sites are
/// those of the workloads, since what is here is inlined and tells its caller's.
macro_rules! mutex {
    ($lock:ty, $make:expr, |$it:ident| $own:expr, $sound:expr, $tried:expr) => {
        impl Mutex for $lock {
            fn make() -> Self {
                $make
            }

            #[inline]
            #[track_caller]
            fn lock(&self) -> impl DerefMut<Target = u64> {
                let $it = self;
                $sound($own.lock())
            }

            #[inline]
            #[track_caller]
            fn try_lock(&self) -> Option<impl DerefMut<Target = u64>> {
                let $it = self;
                $tried($own.try_lock())
            }

            fn get_mut(&mut self) -> &mut u64 {
                let $it = self;
                $sound($own.get_mut())
            }
        }
    };
}

macro_rules! rwlock {
    ($lock:ty, $make:expr, |$it:ident| $own:expr, $sound:expr) => {
        impl RwLock for $lock {
            fn make() -> Self {
                $make
            }

            #[inline]
            #[track_caller]
            fn read(&self) -> impl core::ops::Deref<Target = u64> {
                let $it = self;
                $sound($own.read())
            }

            #[inline]
            #[track_caller]
            fn write(&self) -> impl DerefMut<Target = u64> {
                let $it = self;
                $sound($own.write())
            }
        }
    };
}

fn same<T>(it: T) -> T {
    it
}

mutex!(BareStd, Self::new(Default::default()), |it| it.lock, sound, Result::ok);
mutex!(OurStd, Self::new(0), |it| it, sound, Result::ok);
mutex!(BareParkingLot, Self::new(Default::default()), |it| it.lock, same, same);
mutex!(OurParkingLot, Self::new(0), |it| it, same, same);
mutex!(BareSlotless, Self::new(0), |it| it, same, same);
mutex!(OurSlotless, Self::new(0), |it| it, same, same);
rwlock!(BareStdRead, Self::new(Default::default()), |it| it.lock, sound);
rwlock!(OurStdRead, Self::new(0), |it| it, sound);
rwlock!(BareParkingLotRead, Self::new(Default::default()), |it| it.lock, same);
rwlock!(OurParkingLotRead, Self::new(0), |it| it, same);

/// One thread tries a lock that is free, or one that is not.
#[derive(Debug)]
pub struct Tries<L> {
    lock: Aligned<L>,
    is_held: bool,
    refused: AtomicU64,
}

impl<L: Mutex> Tries<L> {
    /// Of a lock that is free: each try gets it.
    #[must_use]
    pub fn free() -> Self {
        Self { lock: Aligned(L::make()), is_held: false, refused: AtomicU64::new(0) }
    }

    /// Of a lock that is held meanwhile: no try gets it.
    #[must_use]
    pub fn held() -> Self {
        Self { is_held: true, ..Self::free() }
    }
}

impl<L: Mutex> Workload for Tries<L> {
    fn run(&self, _: u64, n: u64) {
        let held = self.is_held.then(|| self.lock.0.lock());
        let mut refused = 0;
        for _ in 0..n {
            match black_box(&self.lock.0).try_lock() {
                Some(mut guard) => *guard += 1,
                None => refused += 1,
            }
        }
        drop(held);
        // One thread writes it, and reads it after it.
        self.refused.store(refused, Ordering::Relaxed);
    }

    fn check(&self, n: u64) {
        let got = core::mem::take(&mut *self.lock.0.lock());
        let refused = self.refused.swap(0, Ordering::Relaxed);
        let expected = if self.is_held { (0, n) } else { (n, 0) };
        assert_eq!((got, refused), expected, "tries that got the lock, and did not");
    }
}

/// One thread makes locks and drops them.
#[derive(Debug)]
pub struct Births<L> {
    is_locked: bool,
    lived: AtomicU64,
    lock: core::marker::PhantomData<fn() -> L>,
}

impl<L: Mutex> Births<L> {
    /// Makes and drops them, no more.
    #[must_use]
    pub fn unused() -> Self {
        Self { is_locked: false, lived: AtomicU64::new(0), lock: core::marker::PhantomData }
    }

    /// Locks each once between.
    #[must_use]
    pub fn locked_once() -> Self {
        Self { is_locked: true, ..Self::unused() }
    }
}

impl<L: Mutex> Workload for Births<L> {
    #[inline(never)]
    fn run(&self, _: u64, n: u64) {
        let mut lived = 0;
        for _ in 0..n {
            let mut lock = black_box(L::make());
            if self.is_locked {
                *black_box(&lock).lock() += 1;
            } else {
                *black_box(&mut lock).get_mut() += 1;
            }
            lived += *lock.get_mut();
        }
        // As for tries.
        self.lived.store(lived, Ordering::Relaxed);
    }

    fn check(&self, n: u64) {
        assert_eq!(self.lived.swap(0, Ordering::Relaxed), n, "locks that have counted one");
    }
}

/// One thread takes a lock, and a second one while it has the first.
#[derive(Debug)]
pub struct Nested<L> {
    outer: Aligned<L>,
    inner: Aligned<L>,
}

impl<L: Mutex> Nested<L> {
    /// Two new locks.
    #[must_use]
    pub fn new() -> Self {
        Self { outer: Aligned(L::make()), inner: Aligned(L::make()) }
    }
}

impl<L: Mutex> Default for Nested<L> {
    fn default() -> Self {
        Self::new()
    }
}

impl<L: Mutex> Workload for Nested<L> {
    #[inline(never)]
    fn run(&self, _: u64, n: u64) {
        for _ in 0..n {
            let mut outer = black_box(&self.outer.0).lock();
            *black_box(&self.inner.0).lock() += 1;
            *outer += 1;
        }
    }

    fn check(&self, n: u64) {
        let take = |lock: &Aligned<L>| core::mem::take(&mut *lock.0.lock());
        assert_eq!((take(&self.outer), take(&self.inner)), (n, n), "what both have counted");
    }
}

/// Threads that each take a lock of their own: what they share is us.
#[derive(Debug)]
pub struct Disjoint<L> {
    locks: Vec<Aligned<L>>,
    held: Held,
}

impl<L: Mutex> Disjoint<L> {
    /// A new lock for each of so many threads.
    #[must_use]
    pub fn new(threads: usize, held: Held) -> Self {
        Self { locks: (0..threads).map(|_| Aligned(L::make())).collect(), held }
    }
}

impl<L: Mutex + Counter> Workload for Disjoint<L> {
    fn threads(&self) -> u64 {
        self.locks.len() as u64
    }

    fn run(&self, thread: u64, n: u64) {
        self.locks[thread as usize].run_busy(n, self.held);
    }

    fn check(&self, n: u64) {
        let all = self.locks.iter().map(Counter::take);
        all.for_each(|count| assert_eq!(count, n, "what a thread has counted"));
    }
}

/// Two threads read, and write now and then.
#[derive(Debug)]
pub struct Readers<L>(Aligned<L>);

/// One access in so many writes.
const WRITES: u64 = 64;

impl<L: RwLock> Readers<L> {
    /// A new lock.
    #[must_use]
    pub fn new() -> Self {
        Self(Aligned(L::make()))
    }
}

impl<L: RwLock> Default for Readers<L> {
    fn default() -> Self {
        Self::new()
    }
}

impl<L: RwLock> Workload for Readers<L> {
    fn threads(&self) -> u64 {
        2
    }

    fn run(&self, _: u64, n: u64) {
        let lock = &self.0.0;
        let mut random = Random::new();
        let mut seen = 0;
        for access in 0..n {
            if access % WRITES == 0 {
                let mut guard = black_box(lock).write();
                work(FIFTY_NS);
                *guard += 1;
            } else {
                let guard = black_box(lock).read();
                work(FIFTY_NS);
                assert!(*guard >= seen, "a reader has seen a number that was undone");
                seen = *guard;
            }
            work(random.next(6 * FIFTY_NS));
        }
    }

    fn check(&self, n: u64) {
        let written = core::mem::take(&mut *self.0.0.write());
        assert_eq!(written, 2 * n.div_ceil(WRITES), "writes");
    }
}

/// A queue that holds so many: one thread puts numbers in, another takes them out, and
/// both wait by condition variables.
const ROOM: usize = 16;

macro_rules! queue {
    ($(#[$about:meta])* $name:ident, $mutex:ty, $condvar:ty, $make:expr,
     |$it:ident| $lock:expr, |$on:ident, $guard:ident| $wait:expr) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $name {
            waiting: $mutex,
            has_some: $condvar,
            has_room: $condvar,
            /// The sum of what was taken out.
            taken: AtomicU64,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    waiting: $make,
                    has_some: Default::default(),
                    has_room: Default::default(),
                    taken: AtomicU64::new(0),
                }
            }
        }

        impl $name {
            fn put(&self, number: u64) {
                let ($it, $on) = (&self.waiting, &self.has_room);
                let mut $guard = $lock;
                while $guard.len() == ROOM {
                    $wait;
                }
                $guard.push_back(number);
                drop($guard);
                self.has_some.notify_one();
            }

            fn take(&self) -> u64 {
                let ($it, $on) = (&self.waiting, &self.has_some);
                let mut $guard = $lock;
                let number = loop {
                    if let Some(number) = $guard.pop_front() {
                        break number;
                    }
                    $wait;
                };
                drop($guard);
                self.has_room.notify_one();
                number
            }
        }

        impl Workload for $name {
            fn threads(&self) -> u64 {
                2
            }

            fn run(&self, thread: u64, n: u64) {
                if thread == 0 {
                    (1..=n).for_each(|number| self.put(number));
                } else {
                    let sum = (0..n).map(|_| self.take()).sum();
                    // Read when both threads have ended.
                    self.taken.store(sum, Ordering::Relaxed);
                }
            }

            fn check(&self, n: u64) {
                let ($it, taken) = (&self.waiting, self.taken.swap(0, Ordering::Relaxed));
                assert!($lock.is_empty(), "something is left in the queue");
                assert_eq!(taken, n * (n + 1) / 2, "the sum of what was put in");
            }
        }
    };
}

queue!(
    /// With std's mutex and condition variables, bare.
    BareStdQueue, Padded<std::sync::Mutex<VecDeque<u64>>>, std::sync::Condvar,
    Padded::new(Default::default()),
    |it| sound(it.lock.lock()), |on, guard| guard = sound(on.wait(guard))
);
queue!(
    /// With std's mutex and condition variables, watched.
    OurStdQueue, lockscope::sync::Mutex<VecDeque<u64>>, lockscope::sync::Condvar,
    lockscope::sync::Mutex::new(VecDeque::new()),
    |it| sound(it.lock()), |on, guard| guard = sound(on.wait(guard))
);
queue!(
    /// With parking_lot's mutex and condition variables, bare.
    BareParkingLotQueue, Padded<parking_lot::Mutex<VecDeque<u64>>>, parking_lot::Condvar,
    Padded::new(Default::default()),
    |it| it.lock.lock(), |on, guard| on.wait(&mut guard)
);
queue!(
    /// With parking_lot's mutex and condition variables, watched.
    OurParkingLotQueue, lockscope::parking_lot::Mutex<VecDeque<u64>>,
    lockscope::parking_lot::Condvar, lockscope::parking_lot::Mutex::new(VecDeque::new()),
    |it| it.lock(), |on, guard| on.wait(&mut guard)
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::time;

    #[test]
    fn each_does_what_it_should() {
        let all: [&dyn Workload; 14] = [
            &Disjoint::<OurStd>::new(2, Held::Short),
            &Disjoint::<BareParkingLot>::new(4, Held::Short),
            &Tries::<BareStd>::free(),
            &Tries::<OurSlotless>::held(),
            &Tries::<OurParkingLot>::held(),
            &Births::<OurStd>::unused(),
            &Births::<BareSlotless>::locked_once(),
            &Nested::<OurParkingLot>::new(),
            &Readers::<OurStdRead>::new(),
            &Readers::<BareParkingLotRead>::new(),
            &BareStdQueue::default(),
            &OurStdQueue::default(),
            &BareParkingLotQueue::default(),
            &OurParkingLotQueue::default(),
        ];
        for workload in all {
            // Twice, as nothing may be left of the first time.
            time(workload, 1_000);
            time(workload, 100);
        }
    }

    #[test]
    #[should_panic(expected = "what both have counted")]
    fn what_is_lost_is_found() {
        let nested = Nested::<OurStd>::new();
        nested.run(0, 3);
        *Mutex::lock(&nested.inner.0) -= 1;
        nested.check(3);
    }
}
