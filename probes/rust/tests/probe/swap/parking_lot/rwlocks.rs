// `RwLock` and `RecursiveRwLock`, every method and trait.

use std::time::{Duration, Instant};

use family::{
    MappedRwLockReadGuard, MappedRwLockWriteGuard, RecursiveRwLock, RecursiveRwLockReadGuard,
    RecursiveRwLockUpgradableReadGuard, RecursiveRwLockWriteGuard, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard,
};

use crate::swap::Found;

static TABLE: RwLock<[u32; 2]> = RwLock::new([0, 0]);
static TREE: RecursiveRwLock<u32> = RecursiveRwLock::new(0);

const MOMENT: Duration = Duration::from_millis(1);

pub(super) fn run(found: &mut Found) {
    free(found);
    held(found);
    changes(found);
    upgrades_that_fail(found);
    with_upgraded(found);
    guards(found);
    recursive(found);
    by_force(found);
    #[cfg(feature = "arc_lock")]
    sharing(found);
    #[cfg(feature = "serde")]
    find!(found: serde_json::to_string(&RwLock::new([1, 2])).unwrap());
}

fn free(found: &mut Found) {
    *TABLE.write() = [1, 2];
    let now = Instant::now();
    find!(found: TABLE, TABLE.is_locked(), TABLE.is_locked_exclusive());
    find!(found: TABLE.read(), TABLE.try_read(), TABLE.try_read_for(MOMENT));
    find!(found: TABLE.try_read_until(now), TABLE.write(), TABLE.try_write());
    find!(found: TABLE.try_write_for(MOMENT), TABLE.try_write_until(now));
    find!(found: TABLE.upgradable_read(), TABLE.try_upgradable_read());
    find!(found: TABLE.try_upgradable_read_for(MOMENT), TABLE.try_upgradable_read_until(now));
    let mut owned = RwLock::from(1);
    *owned.get_mut() += 1;
    // SAFETY: nobody else has the lock.
    find!(found: owned, unsafe { *owned.data_ptr() }, owned.into_inner());
    find!(found: RwLock::<u8>::default().into_inner_with_raw().1);
    let boxed: Box<RwLock<[u8]>> = Box::new(RwLock::new([1, 2]));
    boxed.write().reverse();
    find!(found: boxed, boxed.read(), boxed.upgradable_read());
}

fn all_ways(found: &mut Found) {
    let now = Instant::now();
    find!(found: TABLE, TABLE.is_locked(), TABLE.is_locked_exclusive());
    find!(found: TABLE.try_read(), TABLE.try_read_for(MOMENT), TABLE.try_read_until(now));
    find!(found: TABLE.try_write(), TABLE.try_write_for(MOMENT), TABLE.try_write_until(now));
    find!(found: TABLE.try_upgradable_read(), TABLE.try_upgradable_read_for(MOMENT));
    find!(found: TABLE.try_upgradable_read_until(now));
}

fn held(found: &mut Found) {
    let read: RwLockReadGuard<'_, [u32; 2]> = TABLE.read();
    find!(found: read, RwLockReadGuard::rwlock(&read).is_locked());
    all_ways(found);
    drop(read);
    let read: RwLockUpgradableReadGuard<'_, [u32; 2]> = TABLE.upgradable_read();
    find!(found: read, RwLockUpgradableReadGuard::rwlock(&read).is_locked());
    all_ways(found);
    drop(read);
    let write: RwLockWriteGuard<'_, [u32; 2]> = TABLE.write();
    find!(found: write, RwLockWriteGuard::rwlock(&write).is_locked());
    all_ways(found);
}

fn changes(found: &mut Found) {
    let mut write = TABLE.write();
    write[0] += 1;
    let read = RwLockWriteGuard::downgrade(write);
    find!(found: read, TABLE.try_write());
    drop(read);
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(TABLE.write());
    find!(found: upgradable, TABLE.try_upgradable_read(), TABLE.try_read());
    let mut write = RwLockUpgradableReadGuard::upgrade(upgradable);
    write[0] += 1;
    drop(write);
    let now = Instant::now();
    find!(found: RwLockUpgradableReadGuard::try_upgrade(TABLE.upgradable_read()));
    find!(found: RwLockUpgradableReadGuard::try_upgrade_for(TABLE.upgradable_read(), MOMENT));
    find!(found: RwLockUpgradableReadGuard::try_upgrade_until(TABLE.upgradable_read(), now));
    let read = RwLockUpgradableReadGuard::downgrade(TABLE.upgradable_read());
    find!(found: read, TABLE.try_upgradable_read().is_some());
}

fn upgrades_that_fail(found: &mut Found) {
    let reader = TABLE.read();
    let read = TABLE.upgradable_read();
    let read = RwLockUpgradableReadGuard::try_upgrade(read).unwrap_err();
    let read = RwLockUpgradableReadGuard::try_upgrade_for(read, MOMENT).unwrap_err();
    let read = RwLockUpgradableReadGuard::try_upgrade_until(read, Instant::now()).unwrap_err();
    find!(found: read, TABLE.try_upgradable_read());
    drop((read, reader));
    find!(found: TABLE.is_locked());
}

fn with_upgraded(found: &mut Found) {
    let mut read = TABLE.upgradable_read();
    find!(found: read.with_upgraded(|table| table[1] += 1), read);
    find!(found: read.try_with_upgraded(|table| table[1]));
    find!(found: read.try_with_upgraded_for(MOMENT, |table| table[1]));
    find!(found: read.try_with_upgraded_until(Instant::now(), |table| table[1]));
    let reader = TABLE.read();
    find!(found: read.try_with_upgraded(|_| ()), read.try_with_upgraded_for(MOMENT, |_| ()));
    find!(found: read.try_with_upgraded_until(Instant::now(), |_| ()));
    drop(reader);
}

fn guards(found: &mut Found) {
    let rwlock = RwLock::new((1, 2));
    let mapped: MappedRwLockReadGuard<'_, i32> =
        RwLockReadGuard::map(rwlock.read(), |pair| &pair.0);
    find!(found: mapped, MappedRwLockReadGuard::map(mapped, |value| value));
    let mapped: MappedRwLockWriteGuard<'_, i32> =
        RwLockWriteGuard::map(rwlock.write(), |pair| &mut pair.1);
    find!(found: mapped, MappedRwLockWriteGuard::try_map(mapped, |_| None::<&mut u8>));
    find!(found: RwLockReadGuard::try_map(rwlock.read(), |_| None::<&u8>));
    find!(found: RwLockWriteGuard::try_map(rwlock.write(), |pair| Some(&mut pair.0)));
    MappedRwLockReadGuard::unlock_fair(RwLockReadGuard::map(rwlock.read(), |pair| &pair.0));
    MappedRwLockWriteGuard::unlock_fair(RwLockWriteGuard::map(rwlock.write(), |p| &mut p.0));
    let mut read = rwlock.read();
    RwLockReadGuard::bump(&mut read);
    find!(found: RwLockReadGuard::unlocked(&mut read, || rwlock.try_write().is_some()));
    find!(found: RwLockReadGuard::unlocked_fair(&mut read, || rwlock.is_locked()));
    RwLockReadGuard::unlock_fair(read);
    let mut write = rwlock.write();
    RwLockWriteGuard::bump(&mut write);
    find!(found: RwLockWriteGuard::unlocked(&mut write, || rwlock.try_write().is_some()));
    find!(found: RwLockWriteGuard::unlocked_fair(&mut write, || rwlock.is_locked()));
    RwLockWriteGuard::unlock_fair(write);
    let mut read = rwlock.upgradable_read();
    RwLockUpgradableReadGuard::bump(&mut read);
    find!(found: RwLockUpgradableReadGuard::unlocked(&mut read, || rwlock.try_write().is_some()));
    find!(found: RwLockUpgradableReadGuard::unlocked_fair(&mut read, || rwlock.is_locked()));
    RwLockUpgradableReadGuard::unlock_fair(read);
    find!(found: rwlock.is_locked());
}

fn recursive(found: &mut Found) {
    *TREE.write() = 1;
    let first: RecursiveRwLockReadGuard<'_, u32> = TREE.read();
    let second: RecursiveRwLockUpgradableReadGuard<'_, u32> = TREE.upgradable_read();
    find!(found: first, second, TREE.try_read(), TREE.try_write(), TREE);
    drop(first);
    let write: RecursiveRwLockWriteGuard<'_, u32> =
        RecursiveRwLockUpgradableReadGuard::upgrade(second);
    find!(found: write, TREE, RecursiveRwLock::from(1).into_inner());
}

fn by_force(found: &mut Found) {
    let rwlock = RwLock::new(1);
    core::mem::forget(rwlock.read());
    // SAFETY: held by the guard that was forgotten, here and below.
    unsafe { rwlock.force_unlock_read(Default::default()) };
    core::mem::forget(rwlock.write());
    // SAFETY: as above.
    unsafe { rwlock.force_unlock_write(Default::default()) };
    core::mem::forget(rwlock.read());
    // SAFETY: as above.
    unsafe { rwlock.force_unlock_read_fair(Default::default()) };
    core::mem::forget(rwlock.write());
    // SAFETY: as above.
    unsafe { rwlock.force_unlock_write_fair(Default::default()) };
    core::mem::forget((rwlock.read(), rwlock.upgradable_read()));
    // SAFETY: as above; the guards that are made stand for those forgotten.
    let guards = unsafe {
        (
            rwlock.make_read_guard_unchecked(Default::default()),
            rwlock.make_upgradable_guard_unchecked(Default::default()),
        )
    };
    find!(found: guards);
    drop(guards);
    core::mem::forget(rwlock.write());
    // SAFETY: as above.
    find!(found: unsafe { rwlock.make_write_guard_unchecked(Default::default()) });
    find!(found: rwlock.is_locked());
}

#[cfg(feature = "arc_lock")]
fn sharing(found: &mut Found) {
    use family::{ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard};
    use std::sync::Arc;

    let rwlock = Arc::new(RwLock::new(1));
    let now = Instant::now();
    find!(found: rwlock.read_arc(), rwlock.try_read_arc(), rwlock.try_read_arc_for(MOMENT));
    find!(found: rwlock.try_read_arc_until(now), rwlock.write_arc(), rwlock.try_write_arc());
    find!(found: rwlock.try_write_arc_for(MOMENT), rwlock.try_write_arc_until(now));
    find!(found: rwlock.upgradable_read_arc(), rwlock.try_upgradable_read_arc());
    find!(found: rwlock.try_upgradable_read_arc_for(MOMENT));
    find!(found: rwlock.try_upgradable_read_arc_until(now));
    let mut write = ArcRwLockUpgradableReadGuard::upgrade(rwlock.upgradable_read_arc());
    *write += 1;
    find!(found: ArcRwLockWriteGuard::unlocked(&mut write, || rwlock.is_locked()));
    ArcRwLockWriteGuard::bump(&mut write);
    let mut read = ArcRwLockWriteGuard::downgrade(write);
    ArcRwLockReadGuard::bump(&mut read);
    find!(found: read, ArcRwLockReadGuard::rwlock(&read).is_locked(), Arc::strong_count(&rwlock));
    ArcRwLockReadGuard::unlock_fair(read);
    let read = ArcRwLockWriteGuard::downgrade_to_upgradable(rwlock.write_arc());
    find!(found: ArcRwLockUpgradableReadGuard::try_upgrade(read).is_ok());
    let mut read = rwlock.upgradable_read_arc();
    find!(found: read.with_upgraded(|value| *value), read.try_with_upgraded(|value| *value));
    drop(ArcRwLockUpgradableReadGuard::downgrade(read));
    find!(found: ArcRwLockReadGuard::into_arc(rwlock.read_arc()), Arc::strong_count(&rwlock));
}
