//! Four threads on one lock, whatever the gate does.

use lockscope::parking_lot::{
    FairMutex, Mutex, MutexGuard, RecursiveRwLock, ReentrantMutex, RwLock, slotless,
};
use std::cell::Cell;

use crate::hammer::{Pair, TOTAL, hammer};

macro_rules! mutexes {
    ($($name:ident: $make:expr;)*) => {$(
        #[test]
        fn $name() {
            let mutex = $make(Pair::default());
            hammer(1, || mutex.lock().step());
            assert_eq!(mutex.into_inner().steps(), TOTAL);
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
            assert_eq!(rwlock.into_inner().steps(), 2 * TOTAL);
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
    assert_eq!(mutex.into_inner().steps(), TOTAL);
}
