// `Condvar`, `Barrier` and `Once`, every method and trait.

use std::time::Duration;

#[expect(deprecated, reason = "it stands for std's all the same")]
use family::ONCE_INIT;
use family::{
    Arc, Barrier, BarrierWaitResult, Condvar, Mutex, MutexGuard, Once, OnceState,
    WaitTimeoutResult, mpsc,
};

use crate::swap::{Found, panic_of};

static CHANGED: Condvar = Condvar::new();
static LEVEL: Mutex<u32> = Mutex::new(0);
static START: Barrier = Barrier::new(2);
#[expect(deprecated, reason = "it stands for std's all the same")]
static OLD: Once = ONCE_INIT;

const MOMENT: Duration = Duration::from_millis(1);

pub(super) fn run(found: &mut Found) {
    notified(found);
    timed(found);
    broken(found);
    barrier(found);
    once(found);
    broken_once(found);
}

/// Raises the level, step by step, while others wait for it.
fn raise(to: u32) {
    for _ in 0..to {
        *LEVEL.lock().unwrap() += 1;
        CHANGED.notify_all();
    }
    CHANGED.notify_one();
}

fn notified(found: &mut Found) {
    *LEVEL.lock().unwrap() = 0;
    let (sender, receiver) = mpsc::channel();
    let (minute, by_hand) = (Duration::from_secs(60), sender.clone());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut level = LEVEL.lock().unwrap();
            while *level < 4 {
                level = CHANGED.wait(level).unwrap();
            }
            by_hand.send(*level).unwrap();
        });
        scope.spawn(move || {
            let level = LEVEL.lock().unwrap();
            let level = CHANGED.wait_while(level, |level| *level < 4).unwrap();
            sender.send(*level).unwrap();
        });
        let level = LEVEL.lock().unwrap();
        scope.spawn(|| raise(4));
        let (level, outcome) =
            CHANGED.wait_timeout_while(level, minute, |level| *level < 4).unwrap();
        find!(found: level, outcome, outcome.timed_out());
    });
    let mut levels: Vec<u32> = receiver.iter().collect();
    levels.sort_unstable();
    find!(found: levels, CHANGED, Condvar::default());
}

fn timed(found: &mut Found) {
    let (mutex, condvar) = (Mutex::new(1), Condvar::new());
    let timed_out: (MutexGuard<'_, i32>, WaitTimeoutResult) =
        condvar.wait_timeout(mutex.lock().unwrap(), MOMENT).unwrap();
    let copy = timed_out.1;
    find!(found: timed_out, timed_out.1 == copy);
    drop(timed_out);
    find!(found: condvar.wait_timeout_while(mutex.lock().unwrap(), MOMENT, |_| true));
    find!(found: condvar.wait_timeout_while(mutex.lock().unwrap(), Duration::ZERO, |_| true));
    find!(found: condvar.wait_timeout_while(mutex.lock().unwrap(), Duration::MAX, |_| false));
    find!(found: condvar.wait_timeout_while(mutex.lock().unwrap(), MOMENT, |value| {
        *value += 1;
        *value < 3
    }));
    find!(found: condvar.wait_while(mutex.lock().unwrap(), |_| false));
    #[expect(deprecated, reason = "it stands for std's all the same")]
    let by_milliseconds = condvar.wait_timeout_ms(mutex.lock().unwrap(), 1);
    find!(found: by_milliseconds);
}

fn broken(found: &mut Found) {
    let (mutex, condvar) = (Mutex::new(1), Condvar::new());
    find!(found: panic_of(|| condvar.wait_while(mutex.lock().unwrap(), |_| panic!("asked"))));
    let lock = || mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    find!(found: mutex, condvar.wait_timeout(lock(), MOMENT));
    find!(found: condvar.wait_timeout_while(lock(), MOMENT, |_| true));
    find!(found: condvar.wait_timeout_while(lock(), MOMENT, |_| false));
    find!(found: condvar.wait_while(lock(), |_| false));
    mutex.clear_poison();
    let timed_panic = || condvar.wait_timeout_while(lock(), MOMENT, |_| panic!("asked in time"));
    find!(found: panic_of(timed_panic), mutex);
}

fn barrier(found: &mut Found) {
    let led = std::thread::scope(|scope| {
        let wait = || -> BarrierWaitResult { START.wait() };
        let waits = [scope.spawn(wait), scope.spawn(wait)];
        waits.map(|wait| wait.join().unwrap().is_leader())
    });
    find!(found: led.iter().filter(|led| **led).count(), START, Barrier::new(1).wait());
    find!(found: Barrier::new(0).wait().is_leader());
}

fn once(found: &mut Found) {
    let mut runs = 0;
    let once = Once::new();
    find!(found: once, once.is_completed());
    once.call_once(|| runs += 1);
    once.call_once(|| runs += 1);
    once.call_once_force(|_| runs += 1);
    once.wait();
    once.wait_force();
    find!(found: runs, once.is_completed(), once);
    let forced = Once::new();
    forced.call_once_force(|state: &OnceState| find!(found: state, state.is_poisoned()));
    OLD.call_once(|| {});
    find!(found: OLD.is_completed());
    let shared = Arc::new(Once::new());
    std::thread::scope(|scope| {
        scope.spawn(|| shared.wait());
        shared.call_once(|| {});
    });
    find!(found: shared);
}

fn broken_once(found: &mut Found) {
    let once = Once::new();
    find!(found: panic_of(|| once.call_once(|| panic!("the first run"))), once.is_completed());
    find!(found: panic_of(|| once.call_once(|| {})), panic_of(|| once.wait()));
    find!(found: panic_of(|| once.call_once_force(|_| panic!("the second run"))));
    once.call_once_force(|state| find!(found: state));
    find!(found: once.is_completed(), panic_of(|| once.call_once(|| unreachable!())));
}
