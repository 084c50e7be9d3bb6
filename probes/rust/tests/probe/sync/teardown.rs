//! Locks in a thread whose thread-local values are being torn down.

use std::cell::RefCell;
use std::time::Duration;

use lockscope::sync::{Condvar, Mutex, MutexGuard, Once, OnceLock, RwLock};

use crate::backend::{Backend, EXCLUSIVE, RELEASED};

static KEPT: Mutex<u64> = Mutex::named("kept", 0);
static LATE: Mutex<u64> = Mutex::named("late", 0);
static TABLE: RwLock<u64> = RwLock::new(0);
static CONDVAR: Condvar = Condvar::new();

/// Uses locks when its thread ends, and gives one back.
struct AtTheEnd(Option<MutexGuard<'static, u64>>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        let late = LATE.lock().unwrap();
        assert!(LATE.try_lock().is_err());
        let (mut late, _) = CONDVAR.wait_timeout(late, Duration::ZERO).unwrap();
        *late += 1;
        drop(late);
        *TABLE.write().unwrap() += 1;
        assert!(TABLE.try_read().is_ok());
        Once::new().call_once(|| {});
        assert_eq!(*OnceLock::new().get_or_init(|| 1), 1);
        **self.0.as_mut().unwrap() += 1;
    }
}

thread_local! {
    static AT_THE_END: RefCell<AtTheEnd> = const { RefCell::new(AtTheEnd(None)) };
}

/// The lock's word in each thread is made before or after ours: both orders of
/// tearing down.
fn end_a_thread(recorded_first: bool) {
    std::thread::spawn(move || {
        if recorded_first {
            drop(TABLE.read());
        }
        AT_THE_END.with(|at_the_end| at_the_end.borrow_mut().0 = Some(KEPT.lock().unwrap()));
    })
    .join()
    .unwrap();
}

#[test]
fn locks_lock_to_the_very_end_of_a_thread() {
    let backend = Backend::open(1);
    let before = [&KEPT, &LATE].map(|mutex| *mutex.lock().unwrap());
    for recorded_first in [false, true] {
        end_a_thread(recorded_first);
    }
    let after = [&KEPT, &LATE].map(|mutex| *mutex.try_lock().unwrap());
    assert_eq!(after, before.map(|value| value + 2));
    assert!(TABLE.try_write().is_ok());
    // What is seen of it is whole, and belongs to the right lock.
    for seen in backend.seen().iter().filter(|seen| seen.kind == RELEASED) {
        assert!(seen.times.is_sorted() && !seen.contended);
        assert!(seen.name != Some("kept") || seen.mode == EXCLUSIVE);
    }
    // Who takes the dead thread's place records as anybody does.
    std::thread::spawn(|| drop(KEPT.lock())).join().unwrap();
    assert_eq!(backend.one().name, Some("kept"));
}
