//! Trying, and waiting for so long and no longer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::patience::{PATIENCE, patiently};
use super::states;
use crate::trial::Trial;
use crate::verdict::Failure;

/// A lock that can be tried.
trait Tried: Send + Sync + 'static {
    fn hold(&self, act: &mut dyn FnMut());
    fn is_free(&self) -> bool;
}

macro_rules! tried {
    ($($lock:ty: $hold:ident, $try:ident, $has:ident;)*) => {
        $(impl Tried for $lock {
            fn hold(&self, act: &mut dyn FnMut()) {
                let _guard = self.0.$hold();
                act();
            }

            fn is_free(&self) -> bool {
                self.0.$try().$has()
            }
        })*
    };
}

/// To be tried alone.
struct Alone<L>(L);
/// Held alone, and to be tried among readers.
struct Among<L>(L);
/// Held by a reader, and to be tried alone.
struct Read<L>(L);

tried! {
    Alone<lockscope::sync::Mutex<()>>: lock, try_lock, is_ok;
    Alone<lockscope::sync::RwLock<()>>: write, try_write, is_ok;
    Among<lockscope::sync::RwLock<()>>: write, try_read, is_ok;
    Read<lockscope::sync::RwLock<()>>: read, try_write, is_ok;
    Alone<lockscope::parking_lot::Mutex<()>>: lock, try_lock, is_some;
    Alone<lockscope::parking_lot::RwLock<()>>: write, try_write, is_some;
    Among<lockscope::parking_lot::RwLock<()>>: write, try_read, is_some;
    Read<lockscope::parking_lot::RwLock<()>>: read, try_write, is_some;
    Alone<lockscope::parking_lot::slotless::Mutex<()>>: lock, try_lock, is_some;
}

pub(super) fn tries_end_at_once(trial: &mut Trial) -> Result<(), Failure> {
    states::in_each(trial, || {
        use lockscope::{parking_lot, sync};
        let locks: [(&str, Arc<dyn Tried>); 9] = [
            ("sync::Mutex", Arc::new(Alone(sync::Mutex::new(())))),
            ("sync::RwLock, to write", Arc::new(Alone(sync::RwLock::new(())))),
            ("sync::RwLock, to read", Arc::new(Among(sync::RwLock::new(())))),
            ("sync::RwLock that is read", Arc::new(Read(sync::RwLock::new(())))),
            ("parking_lot::Mutex", Arc::new(Alone(parking_lot::Mutex::new(())))),
            ("parking_lot::RwLock, to write", Arc::new(Alone(parking_lot::RwLock::new(())))),
            ("parking_lot::RwLock, to read", Arc::new(Among(parking_lot::RwLock::new(())))),
            ("parking_lot::RwLock that is read", Arc::new(Read(parking_lot::RwLock::new(())))),
            (
                "parking_lot::slotless::Mutex",
                Arc::new(Alone(parking_lot::slotless::Mutex::new(()))),
            ),
        ];
        locks.iter().try_for_each(|(name, lock)| tried(name, lock))
    })
}

/// Tries it while it is held, and when it is free.
fn tried(name: &str, lock: &Arc<dyn Tried>) -> Result<(), Failure> {
    let is_free = |state: &str, expected: bool| {
        let theirs = Arc::clone(lock);
        let what = format!("a try of a `{name}` ends at once, {state}");
        let had = patiently(&what, move || theirs.is_free())?;
        Failure::unless_equal(&format!("whether a try gets a `{name}`, {state}"), &expected, &had)
    };
    is_free("before anybody has it", true)?;
    let mut result = Ok(());
    lock.hold(&mut || result = is_free("while somebody else has it", false));
    result?;
    is_free("once it is given back", true)
}

/// How long is waited in vain.
const LIMIT: Duration = Duration::from_millis(5);
/// How long could be waited for what is given back in time.
const LONG: Duration = Duration::from_secs(30);

/// A lock that can be waited for with a limit.
trait Timed: Send + Sync + 'static {
    fn hold(&self, act: &mut dyn FnMut());
    /// Whether it was had within so long.
    fn within(&self, limit: Duration) -> bool;
}

macro_rules! timed {
    ($($lock:ty: $hold:ident, $within:ident;)*) => {
        $(impl Timed for $lock {
            fn hold(&self, act: &mut dyn FnMut()) {
                let _guard = self.0.$hold();
                act();
            }

            fn within(&self, limit: Duration) -> bool {
                self.0.$within(limit).is_some()
            }
        })*
    };
}

timed! {
    Alone<lockscope::parking_lot::Mutex<()>>: lock, try_lock_for;
    Alone<lockscope::parking_lot::RwLock<()>>: write, try_write_for;
    Among<lockscope::parking_lot::RwLock<()>>: write, try_read_for;
    Alone<lockscope::parking_lot::slotless::Mutex<()>>: lock, try_lock_for;
}

pub(super) fn time_limits_hold(trial: &mut Trial) -> Result<(), Failure> {
    states::in_each(trial, || {
        use lockscope::parking_lot;
        let locks: [(&str, Arc<dyn Timed>); 4] = [
            ("parking_lot::Mutex", Arc::new(Alone(parking_lot::Mutex::new(())))),
            ("parking_lot::RwLock, to write", Arc::new(Alone(parking_lot::RwLock::new(())))),
            ("parking_lot::RwLock, to read", Arc::new(Among(parking_lot::RwLock::new(())))),
            (
                "parking_lot::slotless::Mutex",
                Arc::new(Alone(parking_lot::slotless::Mutex::new(()))),
            ),
        ];
        locks.iter().try_for_each(|(name, lock)| limited(name, lock))?;
        condition()
    })
}

/// Waits for it while it is held, first for too short a time, then long enough.
fn limited(name: &str, lock: &Arc<dyn Timed>) -> Result<(), Failure> {
    let within = |limit: Duration| {
        let lock = Arc::clone(lock);
        move || {
            let began = Instant::now();
            (lock.within(limit), began.elapsed())
        }
    };
    let what = format!("a wait for a `{name}` ends when its {LIMIT:?} are over");
    let mut in_vain = Ok((false, LIMIT));
    lock.hold(&mut || in_vain = patiently(&what, within(LIMIT)));
    let (was_had, took) = in_vain?;
    let gets = format!("whether a wait of {LIMIT:?} gets a `{name}` that somebody has");
    Failure::unless_equal(&gets, &false, &was_had)?;
    not_before(&what, took)?;
    let what = format!("a wait for a `{name}` ends when that is given back in time");
    let (began, has_begun) = std::sync::mpsc::channel();
    let (ended, has_ended) = std::sync::mpsc::channel();
    lock.hold(&mut || {
        let (began, ended, wait) = (began.clone(), ended.clone(), within(LONG));
        std::thread::spawn(move || {
            // Both are listened to, as long as all goes well.
            let _ = began.send(());
            let _ = ended.send(wait());
        });
        // Whether it waits by now makes no difference to how it ends.
        let _ = has_begun.recv_timeout(PATIENCE);
    });
    let (was_had, _) = has_ended
        .recv_timeout(PATIENCE)
        .map_err(|_| Failure::new(&*what, format!("it did not within {PATIENCE:?}")))?;
    Failure::unless_equal(&format!("whether a wait of {LONG:?} gets a `{name}`"), &true, &was_had)
}

fn condition() -> Result<(), Failure> {
    let what = format!("a wait at a `sync::Condvar` ends when its {LIMIT:?} are over");
    let took = patiently(&what, || {
        let (mutex, call) = (lockscope::sync::Mutex::new(()), lockscope::sync::Condvar::new());
        let began = Instant::now();
        if let Ok(guard) = mutex.lock() {
            // Nobody calls, but it may come back as if somebody had.
            drop(call.wait_timeout_while(guard, LIMIT, |()| true));
        }
        began.elapsed()
    })?;
    not_before(&what, took)
}

fn not_before(what: &str, took: Duration) -> Result<(), Failure> {
    if took >= LIMIT {
        return Ok(());
    }
    Err(Failure::new(what, format!("it ended after {took:?}")))
}
