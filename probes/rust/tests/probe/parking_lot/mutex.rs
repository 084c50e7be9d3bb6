//! `Mutex` and `FairMutex`: what is seen of their operations.

use std::time::{Duration, Instant};

use lockscope::parking_lot::{
    FairMutex, MappedMutexGuard, Mutex, MutexGuard, lock_api::RawMutex as _, slotless,
};
use lockscope_core::LockKind;
use lockscope_core::gate::state;

use crate::backend::{Backend, EXCLUSIVE, FAILED, RELEASED, contend, summary};

const TABLE_LINE: u32 = line!() + 1;
static TABLE: Mutex<u64> = Mutex::new(0);
static NAMED: FairMutex<u64> = FairMutex::named("queue", 0);

#[test]
fn every_acquisition_is_seen_where_it_stands() {
    let backend = Backend::open(1);
    let mut lines = Vec::new();
    let (mutex, made) = (Mutex::named("table", 0), line!());
    at!(lines, *mutex.lock() += 1);
    at!(lines, *mutex.try_lock().unwrap() += 1);
    at!(lines, *mutex.try_lock_for(Duration::from_secs(1)).unwrap() += 1);
    at!(lines, *mutex.try_lock_until(Instant::now()).unwrap() += 1);
    at!(lines, *Mutex::lock(&mutex) += 1);
    at!(lines, MutexGuard::unlock_fair(mutex.lock()));
    let seen = backend.seen();
    let expected: Vec<_> =
        lines.into_iter().map(|line| (RELEASED, EXCLUSIVE, false, line)).collect();
    assert_eq!(summary(&seen), expected);
    for seen in &seen {
        assert_eq!(seen.file(), file!());
        assert_eq!(seen.name, Some("table"));
        assert_eq!(seen.created, Some((file!().to_owned(), made)));
        assert_eq!(seen.lock_kind, LockKind::MUTEX);
        assert!(seen.counted && seen.weight == 1 && seen.id != 0);
        assert!(seen.times[0] == seen.times[1] && seen.times[1] <= seen.times[2]);
    }
    assert_eq!(mutex.into_inner(), 5);
}

#[test]
fn a_static_knows_the_line_of_its_definition() {
    let backend = Backend::open(1);
    *TABLE.lock() += 1;
    *NAMED.lock() += 1;
    let seen = backend.seen();
    assert_eq!(seen[0].created, Some((file!().to_owned(), TABLE_LINE)));
    assert_eq!((seen[0].name, seen[1].name), (None, Some("queue")));
    assert_ne!(seen[0].id, seen[1].id);
}

#[test]
fn other_constructors_know_their_line_too() {
    let backend = Backend::open(1);
    let made = [(Mutex::from(1), line!()), (Mutex::default(), line!())];
    for (mutex, line) in made {
        drop(mutex.lock());
        assert_eq!(backend.one().created, Some((file!().to_owned(), line)));
    }
}

#[test]
fn one_in_seven_is_one_in_seven() {
    let backend = Backend::open(7);
    let mutex = Mutex::new(());
    for _ in 0..70 {
        drop(mutex.lock());
    }
    let seen = backend.seen();
    assert_eq!(seen.len(), 10);
    assert!(seen.iter().all(|seen| seen.weight == 7 && seen.counted));
}

#[test]
fn a_lock_without_slot_is_counted_by_thread_and_known_by_address() {
    let backend = Backend::open(7);
    let mutex = slotless::Mutex::new(0);
    let mut line = 0;
    for _ in 0..70 {
        line = line!() + 1;
        *mutex.lock() += 1;
    }
    let seen = backend.seen();
    assert_eq!(seen.len(), 10);
    for seen in seen {
        assert_eq!((seen.weight, seen.counted, seen.id), (7, false, 0));
        assert_eq!((seen.name, &seen.created, seen.line()), (None, &None, line));
        let place = core::ptr::from_ref(&mutex).addr();
        assert!((place..place + size_of_val(&mutex)).contains(&seen.address));
    }
}

#[test]
fn what_fails_is_told_and_what_waited_too() {
    let backend = Backend::open(1);
    let mutex = FairMutex::new(0);
    let guard = mutex.lock();
    let mut lines = Vec::new();
    at!(lines, assert!(mutex.try_lock().is_none()));
    at!(lines, assert!(mutex.try_lock_for(Duration::from_millis(1)).is_none()));
    at!(lines, assert!(mutex.try_lock_until(Instant::now()).is_none()));
    let seen = backend.seen();
    assert_eq!(
        summary(&seen),
        [
            (FAILED, EXCLUSIVE, false, lines[0]),
            (FAILED, EXCLUSIVE, true, lines[1]),
            (FAILED, EXCLUSIVE, true, lines[2]),
        ]
    );
    assert!(seen.iter().all(|seen| seen.times[1] == seen.times[2]));
    drop(guard);
    assert_eq!(backend.one().kind, RELEASED);
}

#[test]
fn a_wait_names_who_held_the_lock() {
    for state in [state::OPEN, state::WATCH] {
        let backend = Backend::closed();
        let mutex = Mutex::new(0);
        backend.start(state, 1);
        // A watched lock is met by its first contention, which names nobody.
        contend(mutex.lock(), || drop(mutex.lock()));
        backend.seen();
        let (guard, holder) = (mutex.lock(), line!());
        let mut waiter = 0;
        contend(guard, || {
            waiter = line!() + 1;
            drop(mutex.lock());
        });
        let waited = backend.seen().pop().unwrap();
        assert_eq!(summary(core::slice::from_ref(&waited)), [(RELEASED, EXCLUSIVE, true, waiter)]);
        assert_eq!(waited.weight, 1);
        assert!(waited.times.is_sorted());
        if state == state::OPEN {
            assert_eq!(waited.holder, Some((file!().to_owned(), holder)));
        }
    }
}

#[test]
fn a_timed_lock_that_waited_and_got_it_is_contended() {
    let backend = Backend::open(1);
    let mutex = Mutex::new(0);
    contend(mutex.lock(), || drop(mutex.try_lock_for(Duration::from_secs(60)).unwrap()));
    let contended: Vec<_> = backend.seen().iter().map(|seen| seen.contended).collect();
    assert_eq!(contended, [false, true]);
}

#[test]
fn watching_sees_contention_alone() {
    let backend = Backend::closed();
    backend.start(state::WATCH, 1);
    let mutex = Mutex::new(0);
    for _ in 0..100 {
        *mutex.lock() += 1;
    }
    assert_eq!(backend.seen().len(), 0);
}

#[test]
fn a_mapped_guard_ends_the_hold_once() {
    let backend = Backend::open(1);
    let mutex = Mutex::new((1, [2, 3]));
    let mapped = MutexGuard::map(mutex.lock(), |pair| &mut pair.1);
    let mut mapped = MappedMutexGuard::map(mapped, |array| &mut array[0]);
    *mapped = 7;
    let refused = MutexGuard::try_map(Mutex::new(0).lock(), |_| None::<&mut u8>).is_err();
    assert!(refused);
    assert_eq!(backend.seen().len(), 1, "the hold of the lock that was not mapped");
    drop(mapped);
    backend.one();
    assert_eq!(mutex.into_inner().1[0], 7);
}

#[test]
fn a_forgotten_or_leaked_guard_is_no_event() {
    let backend = Backend::open(1);
    let mutex = Mutex::new(5);
    core::mem::forget(mutex.lock());
    assert!(mutex.is_locked());
    // SAFETY: the lock is held by the guard that was forgotten.
    unsafe { mutex.force_unlock(Default::default()) };
    *MutexGuard::leak(mutex.lock()) += 1;
    // SAFETY: the lock is held by the guard that was leaked.
    unsafe { mutex.force_unlock_fair(Default::default()) };
    assert_eq!(backend.seen().len(), 0);
    assert_eq!(*mutex.lock(), 6);
    backend.one();
}

#[test]
fn unlocking_in_between_splits_the_hold() {
    let backend = Backend::open(1);
    let mutex = Mutex::new(0);
    let (mut guard, line) = (mutex.lock(), line!());
    MutexGuard::unlocked(&mut guard, || assert!(mutex.try_lock().is_some()));
    drop(guard);
    let seen = backend.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].line(), line);
    // The documented exception: the closure that locks again is lock_api's.
    assert!(seen[2].file().contains("lock_api"), "{:?}", seen[2].site);
}

#[test]
fn a_bump_is_an_unlock_and_a_lock() {
    let backend = Backend::open(1);
    let mutex = Mutex::new(0);
    let (mut guard, first) = (mutex.lock(), line!());
    let second = line!() + 1;
    MutexGuard::bump(&mut guard);
    drop(guard);
    assert_eq!(
        summary(&backend.seen()),
        [(RELEASED, EXCLUSIVE, false, first), (RELEASED, EXCLUSIVE, false, second)]
    );
}

#[test]
fn a_bump_lets_a_waiter_in_on_any_gate() {
    for state in [state::CLOSED, state::WATCH, state::OPEN] {
        let backend = Backend::closed();
        if state != state::CLOSED {
            backend.start(state, 1);
        }
        let mutex = Mutex::new(false);
        let mut guard = mutex.lock();
        std::thread::scope(|scope| {
            scope.spawn(|| *mutex.lock() = true);
            while !*guard {
                MutexGuard::bump(&mut guard);
            }
        });
        drop(guard);
        assert!(!mutex.is_locked());
    }
}

#[test]
fn the_lock_that_a_guard_names_is_the_lock() {
    let backend = Backend::closed();
    let mutex = Mutex::named("this", 1);
    let guard = mutex.lock();
    assert!(core::ptr::eq(Mutex::from_inner(MutexGuard::mutex(&guard)), &mutex));
    drop((guard, backend));
}

#[test]
fn unsized_data_is_locked_as_sized() {
    let backend = Backend::open(1);
    let numbers: &Mutex<[u8]> = &Mutex::new([1, 2, 3]);
    numbers.lock().reverse();
    let text: Box<Mutex<dyn ToString>> = Box::new(Mutex::new(7));
    assert_eq!(text.lock().to_string(), "7");
    assert_eq!(*numbers.try_lock().unwrap(), [3, 2, 1]);
    assert_eq!(backend.seen().len(), 3);
}

#[test]
fn data_is_reached_without_locking() {
    let backend = Backend::open(1);
    let mut mutex = Mutex::new(1);
    *mutex.get_mut() += 1;
    // SAFETY: nobody else has the mutex.
    assert_eq!(unsafe { *mutex.data_ptr() }, 2);
    // SAFETY: the raw mutex is only asked, and not unlocked.
    assert!(!unsafe { mutex.raw() }.is_locked());
    let (raw, value) = mutex.into_inner_with_raw();
    assert_eq!(*Mutex::from_raw(raw, value + 1).lock(), 3);
    assert_eq!(backend.seen().len(), 1);
}

#[test]
fn debug_output_is_the_original_s() {
    let backend = Backend::closed();
    let (ours, theirs) = (Mutex::new(1), parking_lot::Mutex::new(1));
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    let guards = (ours.lock(), theirs.lock());
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    assert_eq!(format!("{:?}", guards.0), format!("{:?}", guards.1));
    drop((guards, backend));
}

#[cfg(feature = "send_guard")]
#[test]
fn a_guard_that_was_sent_ends_its_hold_once() {
    use crate::backend::this_thread;

    let backend = Backend::open(1);
    let mutex = Mutex::new(0);
    drop(mutex.lock());
    assert_eq!(backend.one().thread, this_thread());
    let (guard, line) = (mutex.lock(), line!());
    let teller = std::thread::scope(|scope| {
        let teller = scope.spawn(move || {
            drop(guard);
            this_thread()
        });
        teller.join().unwrap()
    });
    let seen = backend.one();
    assert_eq!((seen.thread, seen.line()), (teller, line));
    drop(mutex.lock());
    backend.one();
}

#[cfg(feature = "arc_lock")]
#[test]
fn a_sharing_guard_is_as_any_other() {
    use lockscope::parking_lot::ArcMutexGuard;
    use std::sync::Arc;

    let backend = Backend::open(1);
    let mutex = Arc::new(Mutex::named("shared", 0));
    let mut lines = Vec::new();
    at!(lines, *mutex.lock_arc() += 1);
    at!(lines, *mutex.try_lock_arc().unwrap() += 1);
    at!(lines, *mutex.try_lock_arc_for(Duration::ZERO).unwrap() += 1);
    at!(lines, *mutex.try_lock_arc_until(Instant::now()).unwrap() += 1);
    let seen = backend.seen();
    assert_eq!(seen.iter().map(|seen| seen.line()).collect::<Vec<_>>(), lines);
    assert!(seen.iter().all(|seen| seen.name == Some("shared")));
    let guard = mutex.lock_arc();
    assert_eq!(Arc::strong_count(&mutex), 2);
    let same = Mutex::from_inner_arc(ArcMutexGuard::into_arc(guard));
    assert!(Arc::ptr_eq(&same, &mutex));
    drop(mutex);
    assert_eq!(Arc::into_inner(same).unwrap().into_inner(), 4);
}

#[cfg(feature = "serde")]
#[test]
fn a_mutex_is_written_as_its_value() {
    let backend = Backend::closed();
    let mutex: Mutex<Vec<u8>> = serde_json::from_str("[1,2]").unwrap();
    assert_eq!(serde_json::to_string(&mutex).unwrap(), "[1,2]");
    drop(backend);
}
