// `Condvar` and `Once`, and the names below them.

use std::time::{Duration, Instant};

use family::{
    Condvar, Mutex, Once, OnceState, RawCondvar, RawFairMutex, RawMutex, RawRwLock,
    RawRwLockRecursive, RawThreadId, WaitTimeoutResult, lock_api,
};

use crate::swap::{Found, panic_of};

static CHANGED: Condvar = Condvar::new();
static LEVEL: Mutex<u32> = Mutex::new(0);

const MOMENT: Duration = Duration::from_millis(1);

pub(super) fn run(found: &mut Found) {
    notified(found);
    timed(found);
    once(found);
    broken_once(found);
    raw(found);
}

fn notified(found: &mut Found) {
    *LEVEL.lock() = 0;
    std::thread::scope(|scope| {
        let mut level = LEVEL.lock();
        scope.spawn(|| {
            *LEVEL.lock() = 4;
            CHANGED.notify_all();
        });
        let minute = Duration::from_secs(60);
        let outcome = CHANGED.wait_while_for(&mut level, |level| *level < 4, minute);
        find!(found: level, outcome.timed_out());
        CHANGED.wait_while(&mut level, |level| *level < 4);
        scope.spawn(|| {
            *LEVEL.lock() = 5;
            CHANGED.notify_one();
        });
        while *level < 5 {
            CHANGED.wait(&mut level);
        }
        find!(found: level);
    });
    find!(found: CHANGED, Condvar::default(), CHANGED.notify_one(), CHANGED.notify_all());
}

fn timed(found: &mut Found) {
    let (mutex, condvar) = (Mutex::new(1), Condvar::new());
    let mut guard = mutex.lock();
    let timed_out: WaitTimeoutResult = condvar.wait_for(&mut guard, MOMENT);
    find!(found: timed_out, condvar.wait_until(&mut guard, Instant::now()));
    find!(found: condvar.wait_while_for(&mut guard, |_| true, MOMENT));
    find!(found: condvar.wait_while_for(&mut guard, |_| false, Duration::MAX));
    find!(found: condvar.wait_while_until(&mut guard, |_| true, Instant::now()));
    find!(found: condvar.wait_while_until(&mut guard, |_| false, Instant::now()));
    drop(guard);
    find!(found: panic_of(|| condvar.wait_while(&mut mutex.lock(), |_| panic!("asked"))));
    find!(found: mutex.is_locked());
    let unsized_data: &Mutex<[u8]> = &Mutex::new([1]);
    find!(found: condvar.wait_for(&mut unsized_data.lock(), MOMENT));
}

fn once(found: &mut Found) {
    let mut runs = 0;
    let once = Once::new();
    find!(found: once, once.state(), once.is_completed());
    once.call_once(|| runs += 1);
    once.call_once(|| runs += 1);
    once.call_once_force(|_| runs += 1);
    once.wait();
    once.wait_force();
    find!(found: runs, once.state(), once.is_completed(), once);
    Once::default().call_once_force(|state: OnceState| {
        find!(found: state, state.is_poisoned(), state.is_completed());
    });
    let completed = Once::new_completed();
    completed.call_once(|| unreachable!());
    find!(found: completed);
}

fn broken_once(found: &mut Found) {
    let once = Once::new();
    find!(found: panic_of(|| once.call_once(|| panic!("the first run"))), once.state());
    find!(found: panic_of(|| once.call_once(|| {})), panic_of(|| once.wait()));
    once.call_once_force(|state| find!(found: state));
    find!(found: once.state());
}

// Code that is written for any lock of `lock_api`'s.
fn add<R: lock_api::RawMutexFair + lock_api::RawMutexTimed>(
    mutex: &lock_api::Mutex<R, u32>,
) -> u32 {
    let mut guard = mutex.lock();
    *guard += 1;
    lock_api::MutexGuard::bump(&mut guard);
    *guard
}

fn read<R: lock_api::RawRwLockUpgrade>(rwlock: &lock_api::RwLock<R, u32>) -> u32 {
    *rwlock.read() + *rwlock.upgradable_read()
}

fn raw(found: &mut Found) {
    find!(found: add(&lock_api::Mutex::<RawMutex, _>::new(1)));
    find!(found: add(&lock_api::Mutex::<RawFairMutex, _>::new(1)), add(&Mutex::new(1)));
    find!(found: read(&lock_api::RwLock::<RawRwLock, _>::new(1)));
    find!(found: read(&lock_api::RwLock::<RawRwLockRecursive, _>::new(1)));
    let condvar = lock_api::Condvar::<RawCondvar>::new();
    find!(found: condvar.wait_for(&mut Mutex::new(1).lock(), MOMENT));
    use lock_api::GetThreadId as _;
    find!(found: RawThreadId.nonzero_thread_id() == RawThreadId.nonzero_thread_id());
}
