//! `Condvar`: a wait splits the hold, and is idleness.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::time::Duration;

use lockscope::sync::{Condvar, Mutex};
use lockscope_core::gate::state;
use lockscope_core::{EventKind, LockKind, Mode};

use crate::backend::{
    Backend, EXCLUSIVE, IDLE, RELEASED, SHARED, Seen, contend, summary, this_thread,
};

static CHANGED: Condvar = Condvar::named("changed");

/// The events of one wait: hold, idleness, hold.
fn expected_of(lock: u32, wait: u32) -> [(EventKind, Mode, bool, u32); 3] {
    [
        (RELEASED, EXCLUSIVE, false, lock),
        (IDLE, SHARED, false, wait),
        (RELEASED, EXCLUSIVE, false, wait),
    ]
}

/// Has a thread wait, by `wait`, for the value to become true; what it did, and
/// what it returned.
fn wait_for_true<R: Send>(
    backend: &Backend,
    condvar: &Condvar,
    wait: impl FnOnce(&Mutex<bool>, &dyn Fn()) -> R + Send,
) -> (Vec<Seen>, R) {
    let mutex = Mutex::named("state", false);
    let (sender, receiver) = channel();
    let (answer, waiter) = std::thread::scope(|scope| {
        let mutex = &mutex;
        let waiter = scope.spawn(move || {
            let answer = wait(mutex, &|| sender.send(()).unwrap());
            (answer, this_thread())
        });
        receiver.recv().unwrap();
        // The other owns the mutex until it waits.
        *mutex.lock().unwrap() = true;
        condvar.notify_one();
        waiter.join().unwrap()
    });
    let seen: Vec<_> = backend.seen().into_iter().filter(|seen| seen.thread == waiter).collect();
    assert!(seen.iter().all(|seen| seen.file() == file!()));
    (seen, answer)
}

#[test]
fn a_wait_ends_the_hold_and_is_no_contention() {
    let backend = Backend::open(1);
    let (condvar, made) = (Condvar::named("changed"), line!());
    let (seen, (lock, wait)) = wait_for_true(&backend, &condvar, |mutex, locked| {
        let (mut ready, lock) = (mutex.lock().unwrap(), line!());
        locked();
        let wait = line!() + 2;
        while !*ready {
            ready = condvar.wait(ready).unwrap();
        }
        (lock, wait)
    });
    assert_eq!(summary(&seen), expected_of(lock, wait));
    assert_eq!((seen[1].lock_kind, seen[1].name), (LockKind::CONDVAR, Some("changed")));
    assert_eq!(seen[1].created, in_this_file!(made));
    assert_eq!((seen[2].lock_kind, seen[2].name), (LockKind::MUTEX, Some("state")));
    assert!(seen[1].times[0] >= seen[0].times[2], "idleness begins after the hold");
    assert!(seen[2].times[0] >= seen[1].times[2], "the new hold begins after the idleness");
}

#[test]
fn a_wait_with_a_condition_is_seen_where_it_stands() {
    let backend = Backend::open(1);
    let (seen, (lock, wait)) = wait_for_true(&backend, &CHANGED, |mutex, locked| {
        let (ready, lock) = (mutex.lock().unwrap(), line!());
        locked();
        let (seen, wait) = (CHANGED.wait_while(ready, |ready| !*ready), line!());
        assert!(*seen.unwrap());
        (lock, wait)
    });
    assert_eq!(summary(&seen), expected_of(lock, wait));
    assert_eq!(seen[1].name, Some("changed"));
}

#[test]
fn a_wait_in_time_is_seen_where_it_stands() {
    let backend = Backend::open(1);
    let minute = Duration::from_secs(60);
    let (seen, (lock, wait)) = wait_for_true(&backend, &CHANGED, |mutex, locked| {
        let (ready, lock) = (mutex.lock().unwrap(), line!());
        locked();
        let (seen, wait) = (CHANGED.wait_timeout_while(ready, minute, |ready| !*ready), line!());
        assert!(!seen.unwrap().1.timed_out());
        (lock, wait)
    });
    assert_eq!(summary(&seen), expected_of(lock, wait));
}

#[test]
fn a_wait_that_times_out_knows_its_line() {
    let backend = Backend::open(1);
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let moment = Duration::from_millis(1);
    let mut lines = Vec::new();
    let guard = at!(lines, mutex.lock()).unwrap();
    let (guard, outcome) = at!(lines, condvar.wait_timeout(guard, moment)).unwrap();
    assert!(outcome.timed_out());
    let waited = at!(lines, condvar.wait_timeout_while(guard, moment, |_| true)).unwrap();
    assert!(waited.1.timed_out());
    #[expect(deprecated, reason = "it is watched all the same")]
    let waited = at!(lines, condvar.wait_timeout_ms(waited.0, 1)).unwrap();
    assert!(!waited.1);
    drop(waited);
    let seen = backend.seen();
    let mut expected = vec![(RELEASED, EXCLUSIVE, false, lines[0])];
    for &line in &lines[1..] {
        expected.extend_from_slice(&expected_of(0, line)[1..]);
    }
    assert_eq!(summary(&seen), expected);
}

#[test]
fn a_condition_that_does_not_hold_waits_for_nothing() {
    let backend = Backend::open(1);
    let (mutex, condvar) = (Mutex::new(0), Condvar::default());
    let (guard, line) = (mutex.lock().unwrap(), line!());
    let guard = condvar.wait_while(guard, |_| false).unwrap();
    let (guard, outcome) = condvar.wait_timeout_while(guard, Duration::MAX, |_| false).unwrap();
    assert!(!outcome.timed_out());
    assert_eq!(backend.seen().len(), 0);
    drop(guard);
    assert_eq!(backend.one().line(), line);
}

#[test]
fn a_condition_is_asked_under_a_hold() {
    let backend = Backend::open(1);
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let (mut asked, mut during) = (0, Vec::new());
    let guard = mutex.lock().unwrap();
    let moment = Duration::from_millis(1);
    let condition = |_: &mut i32| {
        asked += 1;
        during.push(backend.seen().len());
        true
    };
    drop(condvar.wait_timeout_while(guard, moment, condition));
    // First asked before anything ended; then after each hold and idleness.
    assert_eq!(during[0], 0);
    assert!(asked >= 2 && during[1..].iter().all(|&ended| ended == 2), "{during:?}");
}

#[test]
fn a_panic_in_a_condition_ends_its_hold_and_poisons() {
    let backend = Backend::open(1);
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let mut lines = Vec::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let guard = at!(lines, mutex.lock()).unwrap();
        drop(condvar.wait_while(guard, |_| panic!("this condition fails on purpose")));
    }));
    assert!(panicked.is_err() && mutex.is_poisoned());
    mutex.clear_poison();
    let moment = Duration::from_millis(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let guard = at!(lines, mutex.lock()).unwrap();
        let mut asked = 0;
        let condition = |_: &mut i32| {
            asked += 1;
            assert!(asked < 2, "this condition fails on purpose");
            true
        };
        drop(at!(lines, condvar.wait_timeout_while(guard, moment, condition)));
    }));
    assert!(panicked.is_err() && mutex.is_poisoned());
    assert!(!mutex.try_lock().is_err_and(|e| matches!(e, std::sync::TryLockError::WouldBlock)));
    let first = [(RELEASED, EXCLUSIVE, false, lines[0])];
    let second = expected_of(lines[1], lines[2]);
    assert_eq!(summary(&backend.seen())[..4], [&first[..], &second].concat());
}

#[test]
fn a_mutex_that_is_taken_when_the_wait_ends_is_no_contention() {
    let backend = Backend::open(1);
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        let (mutex, condvar) = (&mutex, &condvar);
        scope.spawn(move || {
            let guard = mutex.lock().unwrap();
            sender.send(()).unwrap();
            drop(condvar.wait_while(guard, |value| *value == 0));
        });
        receiver.recv().unwrap();
        let mut guard = mutex.lock().unwrap();
        *guard = 1;
        condvar.notify_all();
    });
    // This thread may have had to wait for the other to wait; the other has not.
    let here = this_thread();
    assert!(backend.seen().iter().all(|seen| seen.thread == here || !seen.contended));
}

#[test]
fn who_waits_for_the_mutex_is_let_in_by_the_wait() {
    let backend = Backend::open(1);
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let (guard, holder) = (mutex.lock().unwrap(), line!());
    let waiting = (guard, &condvar);
    /// Lets go of the mutex by waiting, for at most a minute.
    struct WaitOnDrop<'a>(Option<(lockscope::sync::MutexGuard<'a, i32>, &'a Condvar)>);
    impl Drop for WaitOnDrop<'_> {
        fn drop(&mut self) {
            let (guard, condvar) = self.0.take().unwrap();
            let minute = Duration::from_secs(60);
            let waited = condvar.wait_timeout_while(guard, minute, |value| *value == 0);
            assert!(!waited.unwrap().1.timed_out());
        }
    }
    contend(WaitOnDrop(Some(waiting)), || {
        *mutex.lock().unwrap() = 1;
        condvar.notify_one();
    });
    let waits: Vec<_> = backend.seen().into_iter().filter(|seen| seen.contended).collect();
    assert_eq!(waits.len(), 1);
    assert_eq!(waits[0].holder, in_this_file!(holder));
}

#[test]
fn a_watched_wait_is_idleness_alone() {
    let backend = Backend::closed();
    backend.start(state::WATCH, 1);
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    drop(condvar.wait_timeout(mutex.lock().unwrap(), Duration::from_millis(1)));
    assert_eq!(backend.one().kind, IDLE);
}

#[test]
fn a_wait_with_a_condition_sees_the_change_on_any_gate() {
    for state in [state::CLOSED, state::WATCH, state::OPEN] {
        let backend = Backend::closed();
        if state != state::CLOSED {
            backend.start(state, 1);
        }
        let (mutex, condvar) = (Mutex::new(0), Condvar::new());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let wait = || condvar.wait_while(mutex.lock().unwrap(), |value| *value < 3);
                scope.spawn(move || assert_eq!(*wait().unwrap(), 3));
            }
            for _ in 0..3 {
                *mutex.lock().unwrap() += 1;
                condvar.notify_all();
            }
        });
    }
}

#[test]
fn debug_output_is_std_s() {
    assert_eq!(format!("{:?}", Condvar::new()), format!("{:?}", std::sync::Condvar::new()));
}
