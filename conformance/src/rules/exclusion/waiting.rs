//! Waiting, and being woken.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use lockscope::parking_lot::{BareMutex, ProbedMutex, lock_api};
use lockscope_core::sync::{AtomicBool, Ordering};

use super::patience::{PATIENCE, Sleeper, patiently};
use super::states;
use crate::trial::Trial;
use crate::verdict::Failure;

/// How often each lock is handed on, in each state.
const ROUNDS: usize = 4;
/// How often a fair lock is.
const FAIR_ROUNDS: usize = 12;

/// A lock that is waited for.
trait Waited: Send + Sync + 'static {
    /// Has it, as whoever is to be waited for.
    fn hold(&self, act: &mut dyn FnMut());
    /// Waits for it, alone.
    fn get(&self);
    /// Waits for it among others, if it can be shared.
    fn get_among(&self) {
        self.get();
    }
}

impl Waited for lockscope::sync::Mutex<()> {
    fn hold(&self, act: &mut dyn FnMut()) {
        let _guard = self.lock();
        act();
    }

    fn get(&self) {
        drop(self.lock());
    }
}

macro_rules! waited {
    ($($lock:ty: $alone:ident, $among:ident;)*) => {
        $(impl Waited for $lock {
            fn hold(&self, act: &mut dyn FnMut()) {
                let _guard = self.$alone();
                act();
            }

            fn get(&self) {
                drop(self.$alone());
            }

            fn get_among(&self) {
                drop(self.$among());
            }
        })*
    };
}

waited! {
    lockscope::sync::RwLock<()>: write, read;
    lockscope::parking_lot::Mutex<()>: lock, lock;
    lockscope::parking_lot::RwLock<()>: write, read;
    lockscope::parking_lot::slotless::Mutex<()>: lock, lock;
}

/// A thread that waits.
struct Waiter {
    sleeper: Sleeper,
    woken: Receiver<()>,
}

impl Waiter {
    /// One that does `wait`, in which it is to sleep.
    fn in_a(wait: impl FnOnce() + Send + 'static) -> Self {
        let sleeper = Sleeper::default();
        let (wakes, woken) = channel();
        let itself = sleeper.clone();
        std::thread::spawn(move || {
            itself.lies_down();
            wait();
            // Nobody listens any more if it took too long.
            let _ = wakes.send(());
        });
        Self { sleeper, woken }
    }

    fn is_woken(&self, what: &str) -> Result<(), Failure> {
        let within = PATIENCE.as_secs();
        let never = |_| Failure::new(what, format!("it was not within {within} s"));
        self.woken.recv_timeout(PATIENCE).map_err(never)
    }
}

pub(super) fn whoever_waits_is_woken(trial: &mut Trial) -> Result<(), Failure> {
    states::in_each(trial, || {
        let locks: [(&str, Arc<dyn Waited>); 5] = [
            ("sync::Mutex", Arc::new(lockscope::sync::Mutex::new(()))),
            ("sync::RwLock", Arc::new(lockscope::sync::RwLock::new(()))),
            ("parking_lot::Mutex", Arc::new(lockscope::parking_lot::Mutex::new(()))),
            ("parking_lot::RwLock", Arc::new(lockscope::parking_lot::RwLock::new(()))),
            (
                "parking_lot::slotless::Mutex",
                Arc::new(lockscope::parking_lot::slotless::Mutex::new(())),
            ),
        ];
        for (name, lock) in &locks {
            (0..ROUNDS).try_for_each(|_| woken(name, lock))?;
        }
        called()
    })
}

/// Two wait for the lock: one wants it alone, and the other does not care.
fn woken(name: &str, lock: &Arc<dyn Waited>) -> Result<(), Failure> {
    let mut waiters = Vec::new();
    let mut are_asleep = Ok(());
    lock.hold(&mut || {
        let (alone, among) = (Arc::clone(lock), Arc::clone(lock));
        waiters.push(Waiter::in_a(move || alone.get()));
        waiters.push(Waiter::in_a(move || among.get_among()));
        are_asleep = waiters.iter().try_for_each(|waiter| waiter.sleeper.until_asleep());
    });
    are_asleep?;
    let what = format!("a thread that waits for a `{name}` is woken when it is given back");
    waiters.iter().try_for_each(|waiter| waiter.is_woken(&what))
}

/// A thread that waits at a condition variable.
fn called() -> Result<(), Failure> {
    let pair = Arc::new((lockscope::sync::Mutex::new(false), lockscope::sync::Condvar::new()));
    let theirs = Arc::clone(&pair);
    let waiter = Waiter::in_a(move || {
        let (said, call) = &*theirs;
        if let Ok(guard) = said.lock() {
            drop(call.wait_while(guard, |said| !*said));
        }
    });
    waiter.sleeper.until_asleep()?;
    patiently("a thread that calls others gets the mutex that they wait with", move || {
        let (said, call) = &*pair;
        if let Ok(mut said) = said.lock() {
            *said = true;
        }
        call.notify_one();
    })?;
    waiter.is_woken("a thread that waits at a `sync::Condvar` is woken when it is called")
}

pub(super) fn fair_locks_are_handed_over(trial: &mut Trial) -> Result<(), Failure> {
    states::in_each(trial, || {
        let fair = Arc::new(lockscope::parking_lot::FairMutex::new(()));
        let once = Arc::new(lockscope::parking_lot::Mutex::new(()));
        for _ in 0..FAIR_ROUNDS {
            handed_over("parking_lot::FairMutex", &fair)?;
            handed_over("parking_lot::Mutex, by unlock_fair", &once)?;
        }
        Ok(())
    })
}

/// Gives the mutex back while a thread waits for it, and takes it again at once.
fn handed_over<P>(name: &str, mutex: &Arc<ProbedMutex<P, ()>>) -> Result<(), Failure>
where
    P: BareMutex + Send + Sync + 'static,
{
    let had = Arc::new(AtomicBool::new(false));
    let guard = mutex.lock();
    let waiter = {
        let (mutex, had) = (Arc::clone(mutex), Arc::clone(&had));
        Waiter::in_a(move || {
            let _guard = mutex.lock();
            // Relaxed: the mutex orders it.
            had.store(true, Ordering::Relaxed);
        })
    };
    waiter.sleeper.until_asleep()?;
    let mine = Arc::clone(mutex);
    lock_api::MutexGuard::unlock_fair(guard);
    let what = format!("who gave a `{name}` back gets it again");
    let was_first = patiently(&what, move || {
        let _guard = mine.lock();
        had.load(Ordering::Relaxed)
    })?;
    if !was_first {
        let expected = format!("a `{name}` goes to the thread that waits for it");
        return Err(Failure::new(expected, "who gave it back had it again before"));
    }
    waiter.is_woken(&format!("a thread that waits for a `{name}` is woken"))
}
