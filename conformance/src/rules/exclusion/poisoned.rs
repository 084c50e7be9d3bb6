//! Panics while a lock is had.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use lockscope::{parking_lot, sync};

use super::patience::patiently;
use super::states;
use crate::trial::Trial;
use crate::verdict::Failure;

pub(super) fn panics_poison(trial: &mut Trial) -> Result<(), Failure> {
    states::in_each(trial, || {
        patiently("locks can be used while and after their owner panics", || {
            mutex()?;
            rwlock()?;
            during_another_panic()?;
            bare()
        })?
    })
}

/// Panics in `act`, without a word.
fn panicking(act: impl FnOnce()) {
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        act();
    }));
    drop(unwound);
}

fn panic() -> ! {
    resume_unwind(Box::new("on purpose"))
}

fn expect(what: &str, expected: bool, observed: bool) -> Result<(), Failure> {
    Failure::unless_equal(&format!("whether {what}"), &expected, &observed)
}

fn mutex() -> Result<(), Failure> {
    let mutex = sync::Mutex::new(0);
    drop(mutex.lock());
    expect(
        "a `sync::Mutex` is poisoned that nobody has panicked with",
        false,
        mutex.is_poisoned(),
    )?;
    panicking(|| {
        let _guard = mutex.lock();
        panic();
    });
    for time in ["first", "second", "third"] {
        let what = format!("the {time} lock of a `sync::Mutex` says that it is poisoned");
        expect(&what, true, mutex.lock().is_err())?;
    }
    let is_poisoned = matches!(mutex.try_lock(), Err(sync::TryLockError::Poisoned(_)));
    expect("a try of a `sync::Mutex` says that it is poisoned", true, is_poisoned)?;
    expect("a `sync::Mutex` stays poisoned", true, mutex.is_poisoned())?;
    mutex.clear_poison();
    expect("a `sync::Mutex` is poisoned after clear_poison", false, mutex.lock().is_err())
}

fn rwlock() -> Result<(), Failure> {
    let lock = sync::RwLock::new(0);
    panicking(|| {
        let _guard = lock.read();
        panic();
    });
    expect("a reader's panic poisons a `sync::RwLock`", false, lock.read().is_err())?;
    panicking(|| {
        let _guard = lock.write();
        panic();
    });
    for time in ["first", "second"] {
        let what = |sort| format!("the {time} {sort} of a `sync::RwLock` says that it is poisoned");
        expect(&what("read"), true, lock.read().is_err())?;
        expect(&what("write"), true, lock.write().is_err())?;
    }
    let is_poisoned = matches!(lock.try_write(), Err(sync::TryLockError::Poisoned(_)));
    expect("a try of a `sync::RwLock` says that it is poisoned", true, is_poisoned)?;
    lock.clear_poison();
    expect("a `sync::RwLock` is poisoned after clear_poison", false, lock.write().is_err())
}

/// What is taken and given back while a panic is on its way is not poisoned.
fn during_another_panic() -> Result<(), Failure> {
    struct Locks<'a>(&'a sync::Mutex<()>);
    impl Drop for Locks<'_> {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }
    let mutex = sync::Mutex::new(());
    panicking(|| {
        let _locks = Locks(&mutex);
        panic();
    });
    let what = "a `sync::Mutex` is poisoned that was taken and given back during a panic";
    expect(what, false, mutex.is_poisoned())
}

/// Those of parking_lot know no poison: they are free.
fn bare() -> Result<(), Failure> {
    let (mutex, lock) = (parking_lot::Mutex::new(()), parking_lot::RwLock::new(()));
    panicking(|| {
        let _guards = (mutex.lock(), lock.write());
        panic();
    });
    let are_free = mutex.try_lock().is_some() && lock.try_write().is_some();
    expect("locks of `parking_lot` are free after their owner has panicked", true, are_free)
}
