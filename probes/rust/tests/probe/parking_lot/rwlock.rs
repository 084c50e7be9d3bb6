//! `RwLock` and `RecursiveRwLock`: each mode, and each change of mode.

use std::time::{Duration, Instant};

use lockscope::parking_lot::{
    RecursiveRwLock, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, slotless,
};
use lockscope_core::{LockKind, Mode};

use crate::backend::{
    Backend, EXCLUSIVE, FAILED, RELEASED, SHARED, Seen, contend, summary, until_waiting,
};

const UPGRADABLE: Mode = Mode::UPGRADABLE;

fn modes_and_lines(seen: &[Seen]) -> Vec<(Mode, u32)> {
    assert!(seen.iter().all(|seen| seen.kind == RELEASED && !seen.contended), "{seen:#?}");
    assert!(seen.iter().all(|seen| seen.file() == file!()), "{seen:#?}");
    seen.iter().map(|seen| (seen.mode, seen.line())).collect()
}

#[test]
fn every_mode_is_seen_where_it_stands() {
    let backend = Backend::open(1);
    let (rwlock, made) = (RwLock::named("routes", 0), line!());
    let second = Duration::from_secs(1);
    let now = Instant::now();
    let mut lines = Vec::new();
    drop(at!(lines, rwlock.read()));
    drop(at!(lines, rwlock.try_read()).unwrap());
    drop(at!(lines, rwlock.try_read_for(second)).unwrap());
    drop(at!(lines, rwlock.try_read_until(now)).unwrap());
    drop(at!(lines, rwlock.write()));
    drop(at!(lines, rwlock.try_write()).unwrap());
    drop(at!(lines, rwlock.try_write_for(second)).unwrap());
    drop(at!(lines, rwlock.try_write_until(now)).unwrap());
    drop(at!(lines, rwlock.upgradable_read()));
    drop(at!(lines, rwlock.try_upgradable_read()).unwrap());
    drop(at!(lines, rwlock.try_upgradable_read_for(second)).unwrap());
    drop(at!(lines, rwlock.try_upgradable_read_until(now)).unwrap());
    let seen = backend.seen();
    let modes = [[SHARED; 4], [EXCLUSIVE; 4], [UPGRADABLE; 4]].concat();
    assert_eq!(modes_and_lines(&seen), modes.into_iter().zip(lines).collect::<Vec<_>>());
    for seen in seen {
        assert_eq!(seen.name, Some("routes"));
        assert_eq!(seen.created, Some((file!().to_owned(), made)));
        assert_eq!(seen.lock_kind, LockKind::RWLOCK);
        assert!(seen.counted, "the answer arms what led here");
    }
}

#[test]
fn downgrading_splits_the_hold_by_mode() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    let mut lines = Vec::new();
    let write = at!(lines, rwlock.write());
    drop(at!(lines, RwLockWriteGuard::downgrade(write)));
    let write = at!(lines, rwlock.write());
    let upgradable = at!(lines, RwLockWriteGuard::downgrade_to_upgradable(write));
    drop(at!(lines, RwLockUpgradableReadGuard::downgrade(upgradable)));
    let modes = [EXCLUSIVE, SHARED, EXCLUSIVE, UPGRADABLE, SHARED];
    let expected: Vec<_> = modes.into_iter().zip(lines).collect();
    assert_eq!(modes_and_lines(&backend.seen()), expected);
    assert!(!rwlock.is_locked());
}

#[test]
fn upgrading_splits_the_hold_by_mode() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    let second = Duration::from_secs(1);
    let mut lines = Vec::new();
    let read = at!(lines, rwlock.upgradable_read());
    drop(at!(lines, RwLockUpgradableReadGuard::upgrade(read)));
    let read = at!(lines, rwlock.upgradable_read());
    drop(at!(lines, RwLockUpgradableReadGuard::try_upgrade(read)).unwrap());
    let read = at!(lines, rwlock.upgradable_read());
    drop(at!(lines, RwLockUpgradableReadGuard::try_upgrade_for(read, second)).unwrap());
    let read = at!(lines, rwlock.upgradable_read());
    let write = at!(lines, RwLockUpgradableReadGuard::try_upgrade_until(read, Instant::now()));
    drop(write.unwrap());
    let modes = [UPGRADABLE, EXCLUSIVE].repeat(4);
    let expected: Vec<_> = modes.into_iter().zip(lines).collect();
    assert_eq!(modes_and_lines(&backend.seen()), expected);
    let mut read = rwlock.upgradable_read();
    read.with_upgraded(|value| *value += 1);
    assert_eq!(*read, 1);
    drop(read);
    let modes: Vec<_> = backend.seen().iter().map(|seen| seen.mode).collect();
    assert_eq!(modes, [UPGRADABLE, EXCLUSIVE, UPGRADABLE]);
}

#[test]
fn an_upgrade_that_fails_leaves_the_hold_whole() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    let mut lines = Vec::new();
    let reader = rwlock.read();
    let read = at!(lines, rwlock.upgradable_read());
    let read = at!(lines, RwLockUpgradableReadGuard::try_upgrade(read)).unwrap_err();
    let moment = Duration::from_millis(1);
    let read = at!(lines, RwLockUpgradableReadGuard::try_upgrade_for(read, moment)).unwrap_err();
    let now = Instant::now();
    let read = at!(lines, RwLockUpgradableReadGuard::try_upgrade_until(read, now)).unwrap_err();
    drop(read);
    assert_eq!(
        summary(&backend.seen()),
        [
            (FAILED, EXCLUSIVE, false, lines[1]),
            (FAILED, EXCLUSIVE, true, lines[2]),
            (FAILED, EXCLUSIVE, true, lines[3]),
            (RELEASED, UPGRADABLE, false, lines[0]),
        ]
    );
    drop(reader);
    assert_eq!(backend.one().mode, SHARED);
}

#[test]
fn an_upgrade_that_waits_for_readers_is_contended() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    let mut lines = Vec::new();
    let reader = at!(lines, rwlock.read());
    contend(reader, || {
        let read = at!(lines, rwlock.upgradable_read());
        drop(at!(lines, RwLockUpgradableReadGuard::upgrade(read)));
    });
    let mut seen = summary(&backend.seen());
    seen.sort_by_key(|event| event.3);
    assert_eq!(
        seen,
        [
            (RELEASED, SHARED, false, lines[0]),
            (RELEASED, UPGRADABLE, false, lines[1]),
            (RELEASED, EXCLUSIVE, true, lines[2]),
        ]
    );
    contend(rwlock.read(), || {
        let read = rwlock.upgradable_read();
        let minute = Duration::from_secs(60);
        drop(RwLockUpgradableReadGuard::try_upgrade_for(read, minute).unwrap());
    });
    let contended: Vec<_> = backend.seen().into_iter().filter(|seen| seen.contended).collect();
    assert_eq!(contended.len(), 1);
    assert_eq!(contended[0].mode, EXCLUSIVE);
}

#[test]
fn readers_and_writers_wait_for_each_other() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    drop(rwlock.write());
    backend.seen();
    let mut lines = Vec::new();
    contend(at!(lines, rwlock.write()), || drop(at!(lines, rwlock.read())));
    let seen = backend.seen();
    assert_eq!(
        summary(&seen),
        [(RELEASED, EXCLUSIVE, false, lines[0]), (RELEASED, SHARED, true, lines[1])]
    );
    assert_eq!(seen[1].holder, Some((file!().to_owned(), lines[0])));
    lines.clear();
    contend(at!(lines, rwlock.read()), || drop(at!(lines, rwlock.write())));
    let seen = backend.seen();
    assert_eq!(
        summary(&seen),
        [(RELEASED, SHARED, false, lines[0]), (RELEASED, EXCLUSIVE, true, lines[1])]
    );
    assert_eq!(seen[1].holder, Some((file!().to_owned(), lines[0])));
}

#[test]
fn what_fails_is_told_by_the_mode_that_was_asked_for() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    let write = rwlock.write();
    let (zero, now) = (Duration::ZERO, Instant::now());
    assert!(rwlock.try_read().is_none());
    assert!(rwlock.try_write().is_none());
    assert!(rwlock.try_upgradable_read().is_none());
    assert!(rwlock.try_read_for(zero).is_none() && rwlock.try_read_until(now).is_none());
    assert!(rwlock.try_write_for(zero).is_none() && rwlock.try_write_until(now).is_none());
    assert!(rwlock.try_upgradable_read_for(zero).is_none());
    assert!(rwlock.try_upgradable_read_until(now).is_none());
    let seen: Vec<_> = summary(&backend.seen()).into_iter().map(|s| (s.0, s.1, s.2)).collect();
    let at_once = [SHARED, EXCLUSIVE, UPGRADABLE].map(|mode| (FAILED, mode, false));
    let in_time = [SHARED, SHARED, EXCLUSIVE, EXCLUSIVE, UPGRADABLE, UPGRADABLE];
    assert_eq!(
        seen,
        [at_once.to_vec(), in_time.map(|mode| (FAILED, mode, true)).to_vec()].concat()
    );
    drop(write);
}

#[test]
fn a_recursive_reader_passes_a_waiting_writer() {
    let backend = Backend::open(1);
    let rwlock = RecursiveRwLock::named("recursive", 0);
    let outer = rwlock.read();
    let mut inner = None;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| *rwlock.write() = 1);
        until_waiting(1);
        inner = Some(*rwlock.read());
        drop(outer);
        writer.join().unwrap();
    });
    assert_eq!((inner, *rwlock.read()), (Some(0), 1));
    let seen = backend.seen();
    let modes: Vec<_> = seen.iter().map(|seen| (seen.mode, seen.contended)).collect();
    assert_eq!(modes, [(SHARED, false), (SHARED, false), (EXCLUSIVE, true), (SHARED, false)]);
    assert!(seen.iter().all(|seen| seen.name == Some("recursive")));
}

#[test]
fn guards_bump_map_and_unlock_fairly() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new((1, 2));
    let mut read = rwlock.read();
    RwLockReadGuard::bump(&mut read);
    RwLockReadGuard::unlock_fair(read);
    let mut write = rwlock.write();
    RwLockWriteGuard::bump(&mut write);
    drop(RwLockWriteGuard::map(write, |pair| &mut pair.1));
    let mut upgradable = rwlock.upgradable_read();
    RwLockUpgradableReadGuard::bump(&mut upgradable);
    RwLockUpgradableReadGuard::unlock_fair(upgradable);
    let seen: Vec<_> = backend.seen().into_iter().map(|seen| (seen.kind, seen.mode)).collect();
    let modes = [SHARED, SHARED, EXCLUSIVE, EXCLUSIVE, UPGRADABLE, UPGRADABLE];
    assert_eq!(seen, modes.map(|mode| (RELEASED, mode)));
    assert!(!rwlock.is_locked());
}

#[test]
fn a_lock_without_slot_knows_its_modes_too() {
    let backend = Backend::open(1);
    let rwlock = slotless::RwLock::new(0);
    let mut lines = Vec::new();
    drop(at!(lines, rwlock.read()));
    drop(at!(lines, rwlock.write()));
    let read = at!(lines, rwlock.upgradable_read());
    drop(at!(lines, lock_api::RwLockUpgradableReadGuard::upgrade(read)));
    let seen = backend.seen();
    let modes = [SHARED, EXCLUSIVE, UPGRADABLE, EXCLUSIVE];
    assert_eq!(modes_and_lines(&seen), modes.into_iter().zip(lines).collect::<Vec<_>>());
    assert!(seen.iter().all(|seen| seen.id == 0 && seen.counted && seen.created.is_none()));
}

#[test]
fn readers_are_counted_by_thread() {
    let backend = Backend::open(7);
    let rwlock = RwLock::new(());
    for _ in 0..70 {
        drop(rwlock.read());
    }
    let seen = backend.seen();
    assert_eq!(seen.len(), 10);
    assert!(seen.iter().all(|seen| seen.weight == 7 && !seen.counted));
}

#[test]
fn a_forgotten_guard_is_no_event() {
    let backend = Backend::open(1);
    let rwlock = RwLock::new(0);
    core::mem::forget(rwlock.read());
    // SAFETY: the lock is held by the guard that was forgotten.
    unsafe { rwlock.force_unlock_read(Default::default()) };
    core::mem::forget(rwlock.write());
    assert!(rwlock.is_locked_exclusive());
    // SAFETY: as above.
    unsafe { rwlock.force_unlock_write(Default::default()) };
    assert_eq!(backend.seen().len(), 0);
    assert!(!rwlock.is_locked());
}

#[cfg(feature = "arc_lock")]
#[test]
fn sharing_guards_are_as_any_other() {
    use lockscope::parking_lot::{ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard};
    use std::sync::Arc;

    let backend = Backend::open(1);
    let rwlock = Arc::new(RwLock::new(0));
    let mut lines = Vec::new();
    drop(at!(lines, rwlock.read_arc()));
    let read = at!(lines, rwlock.upgradable_read_arc());
    let write = at!(lines, ArcRwLockUpgradableReadGuard::upgrade(read));
    drop(at!(lines, ArcRwLockWriteGuard::downgrade(write)));
    drop(at!(lines, rwlock.try_write_arc_for(Duration::ZERO)).unwrap());
    let modes = [SHARED, UPGRADABLE, EXCLUSIVE, SHARED, EXCLUSIVE];
    let expected: Vec<_> = modes.into_iter().zip(lines).collect();
    assert_eq!(modes_and_lines(&backend.seen()), expected);
    assert_eq!(Arc::strong_count(&rwlock), 1);
}

#[cfg(feature = "serde")]
#[test]
fn a_lock_is_written_as_its_value() {
    let backend = Backend::closed();
    let rwlock: RwLock<Vec<u8>> = serde_json::from_str("[1,2]").unwrap();
    assert_eq!(serde_json::to_string(&rwlock).unwrap(), "[1,2]");
    drop(backend);
}
