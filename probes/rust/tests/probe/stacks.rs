//! When a stack is taken, and whose it is: what the host is asked for.

use lockscope_core::gate::state;

use crate::backend::{Backend, FAILED, IDLE, RELEASED, contend, until_waiting};

/// A session with stacks, which samples one operation in `period`.
fn stacked(state: u32, period: u32) -> Backend {
    let backend = Backend::closed();
    backend.start_with_stacks(state, period);
    backend
}

#[test]
fn each_sample_has_the_stack_of_its_acquisition() {
    let backend = stacked(state::OPEN, 1);
    let mutex = lockscope::sync::Mutex::new(());
    for number in 0..3 {
        let line = line!() + 1;
        drop(mutex.lock());
        let seen = backend.one();
        assert_eq!((seen.kind, seen.stack, seen.line()), (RELEASED, Some(number), line));
    }
    let read = lockscope::parking_lot::RwLock::new(());
    drop(read.read());
    assert_eq!(backend.one().stack, Some(3));
}

#[test]
fn what_is_not_sampled_has_none_taken() {
    let backend = stacked(state::OPEN, u32::MAX);
    let mutex = lockscope::sync::Mutex::new(());
    (0..100).for_each(|_| drop(mutex.lock()));
    assert_eq!((backend.seen().len(), backend.stacks()), (0, 0));
    backend.stop();
    drop(mutex.lock());
    assert_eq!(backend.stacks(), 0);
}

#[test]
fn a_wait_has_its_stack_taken_before_it_begins() {
    let backend = stacked(state::OPEN, u32::MAX);
    let mutex = lockscope::sync::Mutex::new(());
    let line = line!() + 1;
    let held = mutex.lock();
    std::thread::scope(|scope| {
        scope.spawn(|| drop(mutex.lock()));
        until_waiting(1);
        assert_eq!(backend.stacks(), 1);
        drop(held);
    });
    let seen = backend.one();
    assert_eq!((seen.contended, seen.stack), (true, Some(0)));
    // A stack is nobody's to blame: who held the lock is a place.
    assert_eq!(seen.holder.map(|(_, line)| line), Some(line));
}

#[test]
fn a_wait_that_is_not_drawn_has_none_unless_it_is_long() {
    let backend = stacked(state::WATCH, 1);
    let look = || lockscope::probe().gate.set_contended_period(u32::MAX);
    look();
    let mutex = lockscope::parking_lot::Mutex::new(());
    contend(mutex.lock(), || drop(mutex.lock()));
    assert_eq!((backend.seen().len(), backend.stacks()), (0, 0));
    let held = mutex.lock();
    std::thread::scope(|scope| {
        scope.spawn(|| drop(mutex.lock()));
        until_waiting(1);
        look();
        drop(held);
    });
    let seen = backend.one();
    assert_eq!((seen.weight, seen.stack), (1, Some(0)));
}

#[test]
fn what_fails_and_what_is_idle_has_one() {
    let backend = stacked(state::OPEN, u32::MAX);
    let mutex = lockscope::sync::Mutex::new(());
    let held = mutex.lock();
    assert!(mutex.try_lock().is_err());
    let seen = backend.one();
    assert_eq!((seen.kind, seen.stack), (FAILED, Some(0)));
    let condvar = lockscope::sync::Condvar::new();
    drop(condvar.wait_timeout(held.unwrap(), std::time::Duration::from_millis(1)));
    let idle = backend.seen().into_iter().find(|seen| seen.kind == IDLE).unwrap();
    assert!(idle.stack.is_some());
}

#[test]
fn two_at_a_time_have_one_each() {
    let backend = stacked(state::OPEN, 1);
    let (one, other) = (lockscope::sync::Mutex::new(()), lockscope::sync::Mutex::new(()));
    let (first, second) = (one.lock(), other.lock());
    drop(first);
    drop(second);
    let stacks: Vec<_> = backend.seen().into_iter().map(|seen| seen.stack).collect();
    assert_eq!(stacks, [Some(0), Some(1)]);
}
