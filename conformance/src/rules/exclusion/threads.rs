//! Threads: that come and go, and their ends.

use core::cell::RefCell;
use std::sync::Arc;

use lockscope::{parking_lot, sync};

use super::patience::patiently;
use super::states;
use crate::keys::Recording;
use crate::trial::Trial;
use crate::verdict::Failure;

/// How many threads come and go in each state, and how many are there at a time.
const THREADS: usize = 160;
const AT_A_TIME: usize = 8;

/// What threads do with.
#[derive(Default)]
struct Locks {
    mutex: sync::Mutex<()>,
    shared: sync::RwLock<()>,
    bare: parking_lot::slotless::Mutex<()>,
}

impl Locks {
    fn use_all(&self) {
        drop(self.mutex.lock());
        drop(self.shared.read());
        drop(self.bare.lock());
        drop(self.mutex.try_lock());
        let own = sync::Mutex::new(());
        drop(own.lock());
    }
}

pub(super) fn threads_come_and_go(trial: &mut Trial) -> Result<(), Failure> {
    let locks = Arc::new(Locks::default());
    states::in_each(trial, || {
        let mut come = 0;
        while come < THREADS {
            let theirs = Arc::clone(&locks);
            let what = format!("thread {} to {} use locks, and end", come + 1, come + AT_A_TIME);
            let ended = patiently(&what, move || {
                let use_all = || {
                    let locks = Arc::clone(&theirs);
                    std::thread::spawn(move || locks.use_all())
                };
                let threads: Vec<_> = (0..AT_A_TIME).map(|_| use_all()).collect();
                threads.into_iter().all(|thread| thread.join().is_ok())
            })?;
            Failure::unless_equal("whether threads end without a panic", &true, &ended)?;
            come += AT_A_TIME;
        }
        Ok(())
    })
}

/// Uses locks when it is dropped.
struct Last(Arc<Locks>);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.use_all();
    }
}

thread_local! {
    static EARLY: RefCell<Option<Last>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Which of a thread's values was there first: it is torn down last.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// The program's, before any lock was used.
    ValueFirst,
    /// What goes with the first use of a lock.
    LockFirst,
    /// Both, one before and one after.
    Between,
    /// The program's, while a lock is had and before anything was told of it: what
    /// hooks need comes after it, and is torn down before it.
    WhileLocked,
    /// No lock is used but in teardown.
    NoLock,
}

pub(super) fn teardown_may_lock(trial: &mut Trial) -> Result<(), Failure> {
    let locks = Arc::new(Locks::default());
    states::in_each(trial, || {
        for order in
            [Order::ValueFirst, Order::LockFirst, Order::Between, Order::WhileLocked, Order::NoLock]
        {
            let theirs = Arc::clone(&locks);
            patiently("threads that use locks in their teardown end", move || {
                live_and_end(order, &theirs);
            })?;
        }
        Ok(())
    })?;
    goes_on(trial, &locks)
}

/// A hook that panics in teardown is contained, and ends its session: whether one
/// goes on.
fn goes_on(trial: &mut Trial, locks: &Arc<Locks>) -> Result<(), Failure> {
    const AFTER: &str = "used after a teardown";
    let profiler = trial.profile(Recording::Everything)?;
    let theirs = Arc::clone(locks);
    let ended = patiently("threads that use locks in their teardown end", move || {
        live_and_end(Order::WhileLocked, &theirs);
    });
    if let Err(failure) = ended {
        return states::unless_failed(profiler, Err(failure));
    }
    drop(sync::Mutex::named(AFTER, ()).lock());
    let report = profiler.stop()?;
    let is_seen = report.locks.iter().any(|lock| lock.name.as_deref() == Some(AFTER));
    let what = "whether the session goes on after a thread has used locks in its teardown";
    Failure::unless_equal(what, &true, &is_seen).map_err(|failure| failure.after(report.notes))
}

fn live_and_end(order: Order, locks: &Arc<Locks>) {
    let locks = Arc::clone(locks);
    // Nothing in it panics: a hook's panics are contained, or end the process.
    let _ = std::thread::spawn(move || live(order, &locks)).join();
}

fn live(order: Order, locks: &Arc<Locks>) {
    let early = || EARLY.set(Some(Last(Arc::clone(locks))));
    let late = || LATE.set(Some(Last(Arc::clone(locks))));
    match order {
        Order::ValueFirst => {
            early();
            locks.use_all();
        }
        Order::LockFirst => {
            locks.use_all();
            late();
        }
        Order::Between => {
            early();
            locks.use_all();
            late();
        }
        Order::WhileLocked => {
            let _guard = locks.mutex.lock();
            late();
        }
        Order::NoLock => late(),
    }
}
