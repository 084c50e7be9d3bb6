//! `ReentrantMutex`: the outermost lock is the acquisition.

use std::time::{Duration, Instant};

use lockscope::parking_lot::{ReentrantMutex, ReentrantMutexGuard, slotless};
use lockscope_core::LockKind;

use crate::backend::{Backend, EXCLUSIVE, FAILED, RELEASED, summary, until_waiting};

#[test]
fn locking_again_is_the_same_hold() {
    let backend = Backend::open(1);
    let (mutex, made) = (ReentrantMutex::named("tree", 3), line!());
    let (outer, line) = (mutex.lock(), line!());
    let inner = (mutex.lock(), mutex.try_lock().unwrap());
    assert_eq!(*inner.0 + *inner.1, 6);
    assert!(mutex.is_owned_by_current_thread());
    drop(inner);
    assert_eq!(backend.seen().len(), 0);
    drop(outer);
    let seen = backend.one();
    assert_eq!(summary(core::slice::from_ref(&seen)), [(RELEASED, EXCLUSIVE, false, line)]);
    assert_eq!(seen.file(), file!());
    assert_eq!(seen.name, Some("tree"));
    assert_eq!(seen.created, Some((file!().to_owned(), made)));
    assert_eq!(seen.lock_kind, LockKind::REENTRANT);
}

#[test]
fn every_way_in_knows_its_line() {
    let backend = Backend::open(1);
    let (with, without) = (ReentrantMutex::new(0), slotless::ReentrantMutex::new(0));
    let mut lines = Vec::new();
    at!(lines, drop(with.lock()));
    at!(lines, drop(with.try_lock().unwrap()));
    at!(lines, drop(with.try_lock_for(Duration::ZERO).unwrap()));
    at!(lines, drop(with.try_lock_until(Instant::now()).unwrap()));
    at!(lines, drop(without.lock()));
    at!(lines, drop(without.try_lock().unwrap()));
    let seen = backend.seen();
    assert_eq!(seen.iter().map(|seen| seen.line()).collect::<Vec<_>>(), lines);
    assert!(seen.iter().all(|seen| seen.file() == file!()));
}

#[test]
fn what_is_announced_for_an_inner_lock_goes_to_nobody_else() {
    let backend = Backend::open(1);
    let (first, second) = (ReentrantMutex::new(0), ReentrantMutex::new(0));
    let outer = first.lock();
    drop(first.lock());
    let mut guard = second.lock();
    ReentrantMutexGuard::unlocked(&mut guard, || {});
    drop(guard);
    let again = backend.seen().pop().unwrap();
    assert!(again.file().contains("lock_api"), "{:?}", again.site);
    drop(outer);
}

#[test]
fn another_thread_waits_or_is_refused() {
    let backend = Backend::open(1);
    let mutex = ReentrantMutex::new(0);
    let (guard, holder) = (mutex.lock(), line!());
    let (mut refused, mut waited) = (0, 0);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            refused = line!() + 1;
            assert!(mutex.try_lock().is_none());
            waited = line!() + 1;
            drop(mutex.lock());
        });
        until_waiting(1);
        drop(guard);
        waiter.join().unwrap();
    });
    let seen = backend.seen();
    assert_eq!(
        summary(&seen),
        [
            (FAILED, EXCLUSIVE, false, refused),
            (RELEASED, EXCLUSIVE, false, holder),
            (RELEASED, EXCLUSIVE, true, waited),
        ]
    );
    assert_eq!(seen[2].holder, Some((file!().to_owned(), holder)));
}

#[test]
fn a_mapped_guard_and_a_bump_are_holds_too() {
    let backend = Backend::open(1);
    let mutex = ReentrantMutex::new((1, 2));
    let mut guard = mutex.lock();
    ReentrantMutexGuard::bump(&mut guard);
    backend.one();
    let mapped = ReentrantMutexGuard::map(guard, |pair| &pair.1);
    assert_eq!(*mapped, 2);
    drop(mapped);
    backend.one();
    assert!(!mutex.is_locked());
}

#[cfg(feature = "arc_lock")]
#[test]
fn sharing_guards_know_their_line() {
    let backend = Backend::open(1);
    let mutex = std::sync::Arc::new(ReentrantMutex::new(0));
    let mut lines = Vec::new();
    at!(lines, drop(mutex.lock_arc()));
    at!(lines, drop(mutex.try_lock_arc().unwrap()));
    at!(lines, drop(mutex.try_lock_arc_for(Duration::ZERO).unwrap()));
    at!(lines, drop(mutex.try_lock_arc_until(Instant::now()).unwrap()));
    let seen = backend.seen();
    assert_eq!(seen.iter().map(|seen| seen.line()).collect::<Vec<_>>(), lines);
    assert_eq!(std::sync::Arc::strong_count(&mutex), 1);
}
