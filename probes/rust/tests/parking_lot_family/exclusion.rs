//! Four threads on one lock, whatever the gate does.

use lockscope::parking_lot::{
    FairMutex, Mutex, MutexGuard, RecursiveRwLock, ReentrantMutex, RwLock, slotless,
};
use lockscope_core::gate::state;
use std::cell::Cell;

use crate::backend::{Backend, RELEASED};

const THREADS: usize = 4;
const ROUNDS: usize = 500;

/// Two words that only an exclusive owner may see differ.
#[derive(Default)]
struct Pair(u64, u64);

impl Pair {
    fn step(&mut self) {
        self.check();
        self.0 += 1;
        std::hint::black_box(&mut *self);
        self.1 += 1;
    }

    fn check(&self) {
        assert_eq!(self.0, self.1, "somebody else is at it");
    }
}

/// Runs `round` often in each thread, on each state of the gate; at period 1
/// there are `records` records of each round.
fn hammer(records: usize, round: impl Fn() + Sync) {
    let backend = Backend::closed();
    for (state, period) in
        [(state::CLOSED, 1), (state::WATCH, 1), (state::OPEN, 7), (state::OPEN, 1)]
    {
        if state != state::CLOSED {
            backend.start(state, period);
        }
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..ROUNDS).for_each(|_| round()));
            }
        });
        backend.stop();
    }
    let seen = backend.seen();
    assert!(seen.iter().all(|seen| seen.kind == RELEASED && seen.weight == 1));
    assert_eq!(seen.len(), THREADS * ROUNDS * records, "records at period 1");
}

const TOTAL: u64 = (THREADS * ROUNDS * 4) as u64;

macro_rules! mutexes {
    ($($name:ident: $make:expr;)*) => {$(
        #[test]
        fn $name() {
            let mutex = $make(Pair::default());
            hammer(1, || mutex.lock().step());
            assert_eq!(mutex.into_inner().1, TOTAL);
        }
    )*};
}

mutexes! {
    a_mutex_excludes: Mutex::new;
    a_fair_mutex_excludes: FairMutex::new;
    a_mutex_without_slot_excludes: slotless::Mutex::new;
    a_fair_mutex_without_slot_excludes: slotless::FairMutex::new;
}

macro_rules! rwlocks {
    ($($name:ident: $make:expr;)*) => {$(
        #[test]
        fn $name() {
            let rwlock = $make(Pair::default());
            // Read; write; upgradable, and upgraded: four records.
            hammer(4, || {
                rwlock.read().check();
                rwlock.write().step();
                let read = rwlock.upgradable_read();
                read.check();
                lock_api::RwLockUpgradableReadGuard::upgrade(read).step();
            });
            assert_eq!(rwlock.into_inner().1, 2 * TOTAL);
        }
    )*};
}

rwlocks! {
    a_rwlock_excludes: RwLock::new;
    a_recursive_rwlock_excludes: RecursiveRwLock::new;
    a_rwlock_without_slot_excludes: slotless::RwLock::new;
    a_recursive_rwlock_without_slot_excludes: slotless::RecursiveRwLock::new;
}

macro_rules! reentrant {
    ($($name:ident: $make:expr;)*) => {$(
        #[test]
        fn $name() {
            let mutex = $make(Cell::new(0));
            hammer(1, || {
                let outer = mutex.lock();
                let value = outer.get();
                mutex.lock().set(value + 1);
            });
            assert_eq!(mutex.into_inner().get(), TOTAL);
        }
    )*};
}

reentrant! {
    a_reentrant_mutex_excludes: ReentrantMutex::new;
    a_reentrant_mutex_without_slot_excludes: slotless::ReentrantMutex::new;
}

#[test]
fn bumping_excludes_as_well() {
    let mutex = Mutex::new(Pair::default());
    hammer(2, || {
        let mut guard = mutex.lock();
        guard.step();
        MutexGuard::bump(&mut guard);
        guard.check();
    });
    assert_eq!(mutex.into_inner().1, TOTAL);
}
