// `Mutex`, `FairMutex` and `ReentrantMutex`, every method and trait.

use std::cell::Cell;
use std::time::{Duration, Instant};

use family::{
    FairMutex, FairMutexGuard, MappedFairMutexGuard, MappedMutexGuard, MappedReentrantMutexGuard,
    Mutex, MutexGuard, ReentrantMutex, ReentrantMutexGuard,
};

use crate::swap::{Found, panic_of};

static COUNT: Mutex<u32> = Mutex::new(0);
static FAIR: FairMutex<u32> = FairMutex::new(0);
static AGAIN: ReentrantMutex<Cell<u32>> = ReentrantMutex::new(Cell::new(0));

const MOMENT: Duration = Duration::from_millis(1);

pub(super) fn run(found: &mut Found) {
    mutex(found);
    mutex_guards(found);
    fair_mutex(found);
    reentrant(found);
    reentrant_guards(found);
    by_force(found);
    unsized_data(found);
    #[cfg(feature = "arc_lock")]
    sharing(found);
    #[cfg(feature = "serde")]
    find!(found: serde_json::to_string(&Mutex::new([1, 2])).unwrap());
}

fn mutex(found: &mut Found) {
    *COUNT.lock() = 1;
    *COUNT.lock() += 1;
    find!(found: COUNT, COUNT.lock(), COUNT.try_lock(), COUNT.is_locked());
    find!(found: COUNT.try_lock_for(MOMENT), COUNT.try_lock_until(Instant::now()));
    let guard: MutexGuard<'_, u32> = COUNT.lock();
    find!(found: guard, guard.to_string(), COUNT, COUNT.is_locked(), COUNT.try_lock());
    find!(found: COUNT.try_lock_for(MOMENT), COUNT.try_lock_until(Instant::now()));
    drop(guard);
    let mut owned = Mutex::from(1);
    *owned.get_mut() += 1;
    find!(found: owned, owned.into_inner(), Mutex::<u8>::default());
    find!(found: panic_of(|| {
        let _guard = COUNT.lock();
        panic!("with a guard");
    }));
    find!(found: COUNT.lock());
    find!(found: std::thread::scope(|scope| scope.spawn(|| *COUNT.lock()).join().unwrap()));
}

fn mutex_guards(found: &mut Found) {
    let mutex = Mutex::new((1, [2, 3]));
    find!(found: MutexGuard::mutex(&mutex.lock()).is_locked(), mutex.is_locked());
    let mapped: MappedMutexGuard<'_, [i32; 2]> = MutexGuard::map(mutex.lock(), |pair| &mut pair.1);
    find!(found: mapped, mutex.is_locked());
    let mapped = MappedMutexGuard::map(mapped, |array| &mut array[0]);
    find!(found: MappedMutexGuard::try_map(mapped, |_| None::<&mut u8>));
    find!(found: MutexGuard::try_map(mutex.lock(), |pair| Some(&mut pair.0)));
    find!(found: MutexGuard::try_map_or_err(mutex.lock(), |_| Err::<&mut u8, _>("no")).is_err());
    let mapped = MutexGuard::map(mutex.lock(), |pair| &mut pair.0);
    find!(found: MappedMutexGuard::try_map_or_err(mapped, |value| Ok::<_, ()>(value)).is_ok());
    MappedMutexGuard::unlock_fair(MutexGuard::map(mutex.lock(), |pair| &mut pair.0));
    let mut guard = mutex.lock();
    find!(found: MutexGuard::unlocked(&mut guard, || mutex.is_locked()));
    find!(found: MutexGuard::unlocked_fair(&mut guard, || mutex.try_lock().is_some()));
    MutexGuard::bump(&mut guard);
    MutexGuard::unlock_fair(guard);
    find!(found: mutex);
    let leaked = Mutex::new(1);
    *MutexGuard::leak(leaked.lock()) += 1;
    find!(found: leaked, leaked.into_inner());
}

fn fair_mutex(found: &mut Found) {
    *FAIR.lock() = 1;
    let mut guard: FairMutexGuard<'_, u32> = FAIR.lock();
    FairMutexGuard::bump(&mut guard);
    find!(found: guard, FAIR, FAIR.try_lock(), FAIR.try_lock_for(MOMENT));
    let mapped: MappedFairMutexGuard<'_, u32> = FairMutexGuard::map(guard, |value| value);
    find!(found: mapped, FAIR.try_lock_until(Instant::now()));
    drop(mapped);
    find!(found: FAIR.lock(), FAIR.is_locked(), FairMutex::from(1).into_inner());
}

fn reentrant(found: &mut Found) {
    AGAIN.lock().set(1);
    let outer: ReentrantMutexGuard<'_, Cell<u32>> = AGAIN.lock();
    let inner = (AGAIN.lock(), AGAIN.try_lock(), AGAIN.try_lock_for(MOMENT));
    inner.0.set(outer.get() + 1);
    find!(found: outer, inner, AGAIN, AGAIN.try_lock_until(Instant::now()));
    find!(found: AGAIN.is_locked(), AGAIN.is_owned_by_current_thread());
    std::thread::scope(|scope| {
        let other = || (AGAIN.is_owned_by_current_thread(), AGAIN.try_lock().is_none());
        find!(found: scope.spawn(other).join().unwrap());
        find!(found: scope.spawn(|| format!("{AGAIN:?}")).join().unwrap());
    });
    drop((outer, inner));
    find!(found: AGAIN.is_locked());
    let mut owned = ReentrantMutex::from(1);
    *owned.get_mut() += 1;
    find!(found: owned, owned.into_inner(), ReentrantMutex::<u8>::default());
}

fn reentrant_guards(found: &mut Found) {
    let mutex = ReentrantMutex::new((1, 2));
    let mapped: MappedReentrantMutexGuard<'_, i32> =
        ReentrantMutexGuard::map(mutex.lock(), |pair| &pair.1);
    find!(found: mapped);
    find!(found: MappedReentrantMutexGuard::try_map(mapped, |_| None::<&u8>));
    find!(found: ReentrantMutexGuard::try_map(mutex.lock(), |pair| Some(&pair.0)));
    let mut guard = mutex.lock();
    find!(found: ReentrantMutexGuard::remutex(&guard).is_locked());
    find!(found: ReentrantMutexGuard::unlocked(&mut guard, || mutex.is_locked()));
    find!(found: ReentrantMutexGuard::unlocked_fair(&mut guard, || mutex.is_locked()));
    ReentrantMutexGuard::bump(&mut guard);
    ReentrantMutexGuard::unlock_fair(guard);
    find!(found: mutex.is_locked());
}

fn by_force(found: &mut Found) {
    let (mutex, again) = (Mutex::new(1), ReentrantMutex::new(1));
    core::mem::forget((mutex.lock(), again.lock()));
    find!(found: mutex.is_locked(), again.is_locked());
    // SAFETY: both are locked, by the guards that were forgotten.
    unsafe {
        mutex.force_unlock(Default::default());
        again.force_unlock();
    }
    core::mem::forget((mutex.lock(), again.lock()));
    // SAFETY: as above; the guard that is made stands for the one forgotten.
    unsafe {
        *mutex.make_guard_unchecked(Default::default()) += 1;
        again.force_unlock_fair();
    }
    core::mem::forget(mutex.lock());
    // SAFETY: as above.
    unsafe { mutex.force_unlock_fair(Default::default()) };
    // SAFETY: nobody else has the mutex, and the raw one is only asked.
    find!(found: mutex.is_locked(), unsafe { *mutex.data_ptr() });
    let (_, value) = mutex.into_inner_with_raw();
    find!(found: value, again.into_inner_with_raw().2);
}

fn unsized_data(found: &mut Found) {
    let boxed: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2]));
    let shared: std::sync::Arc<FairMutex<dyn std::fmt::Debug>> =
        std::sync::Arc::new(FairMutex::new("text"));
    let again: &ReentrantMutex<[u8]> = &ReentrantMutex::new([3, 4]);
    boxed.lock().reverse();
    find!(found: boxed, shared, again, boxed.lock(), shared.try_lock(), again.lock());
}

#[cfg(feature = "arc_lock")]
fn sharing(found: &mut Found) {
    use family::{ArcMutexGuard, ArcReentrantMutexGuard};
    use std::sync::Arc;

    let (mutex, again) = (Arc::new(Mutex::new(1)), Arc::new(ReentrantMutex::new(1)));
    let mut guard = mutex.lock_arc();
    *guard += 1;
    find!(found: mutex, mutex.try_lock_arc().is_none(), mutex.try_lock_arc_for(MOMENT).is_none());
    find!(found: ArcMutexGuard::unlocked(&mut guard, || mutex.try_lock_arc().is_some()));
    find!(found: ArcMutexGuard::unlocked_fair(&mut guard, || mutex.is_locked()));
    ArcMutexGuard::bump(&mut guard);
    find!(found: ArcMutexGuard::mutex(&guard).is_locked(), Arc::strong_count(&mutex));
    ArcMutexGuard::unlock_fair(guard);
    find!(found: ArcMutexGuard::into_arc(mutex.lock_arc()).is_locked());
    find!(found: mutex.try_lock_arc_until(Instant::now()).is_some(), Arc::strong_count(&mutex));
    let mut guard = again.lock_arc();
    find!(found: again.try_lock_arc().is_some(), again.try_lock_arc_for(MOMENT).is_some());
    find!(found: ArcReentrantMutexGuard::unlocked(&mut guard, || again.is_locked()));
    ArcReentrantMutexGuard::bump(&mut guard);
    find!(found: again.try_lock_arc_until(Instant::now()).is_some(), *guard);
    ArcReentrantMutexGuard::unlock_fair(guard);
    find!(found: again.is_locked(), Arc::strong_count(&again));
}
