//! Four threads on one lock, whatever the gate does.

use std::cell::Cell;

use lockscope::sync::{Condvar, Mutex, Once, OnceLock, RwLock, RwLockWriteGuard};
use lockscope_core::gate::state;

use crate::backend::Backend;
use crate::hammer::{Pair, TOTAL, hammer};

#[test]
fn a_mutex_excludes() {
    let mutex = Mutex::new(Pair::default());
    hammer(1, || mutex.lock().unwrap().step());
    assert_eq!(mutex.into_inner().unwrap().steps(), TOTAL);
}

#[test]
fn a_rwlock_excludes() {
    let rwlock = RwLock::new(Pair::default());
    // Read; write; write, and downgraded: four records.
    hammer(4, || {
        rwlock.read().unwrap().check();
        rwlock.write().unwrap().step();
        let mut write = rwlock.write().unwrap();
        write.step();
        RwLockWriteGuard::downgrade(write).check();
    });
    assert_eq!(rwlock.into_inner().unwrap().steps(), 2 * TOTAL);
}

#[test]
fn threads_take_turns_by_a_condition() {
    for state in [state::CLOSED, state::WATCH, state::OPEN] {
        let backend = Backend::closed();
        if state != state::CLOSED {
            backend.start(state, 3);
        }
        let (turn, changed) = (Mutex::new(0), Condvar::new());
        std::thread::scope(|scope| {
            for own in 0..4 {
                let (turn, changed) = (&turn, &changed);
                scope.spawn(move || {
                    for _ in 0..50 {
                        let guard = turn.lock().unwrap();
                        let wait = |turn: &mut usize| *turn % 4 != own;
                        *changed.wait_while(guard, wait).unwrap() += 1;
                        changed.notify_all();
                    }
                });
            }
        });
        assert_eq!(*turn.lock().unwrap(), 200);
    }
}

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn one_of_many_initialises() {
    for state in [state::CLOSED, state::WATCH, state::OPEN] {
        let backend = Backend::closed();
        if state != state::CLOSED {
            backend.start(state, 1);
        }
        for _ in 0..100 {
            let (once, cell) = (Once::new(), OnceLock::new());
            let runs: u32 = std::thread::scope(|scope| {
                let run = || {
                    once.call_once(|| RUNS.set(RUNS.get() + 1));
                    cell.get_or_init(|| RUNS.set(RUNS.get() + 1));
                    RUNS.get()
                };
                let threads = [scope.spawn(run), scope.spawn(run), scope.spawn(run)];
                threads.map(|thread| thread.join().unwrap()).into_iter().sum()
            });
            assert_eq!(runs, 2);
        }
    }
}
