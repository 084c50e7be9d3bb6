// `OnceLock` and `LazyLock`, every method and trait.

use std::ops::{Deref, DerefMut};

use family::{Arc, LazyLock, OnceLock, Weak, atomic};

use crate::swap::{Found, panic_of};

static GREETING: OnceLock<String> = OnceLock::new();
static RUNS: atomic::AtomicU32 = atomic::AtomicU32::new(0);
static SQUARES: LazyLock<Vec<u32>> = LazyLock::new(|| {
    RUNS.fetch_add(1, atomic::Ordering::Relaxed);
    (0..4).map(|n| n * n).collect()
});

pub(super) fn run(found: &mut Found) {
    statics(found);
    once_lock(found);
    once_lock_traits(found);
    lazy_lock(found);
    broken(found);
    shared(found);
}

fn statics(found: &mut Found) {
    find!(found: GREETING.get_or_init(|| "hello".to_owned()), GREETING.get(), GREETING);
    find!(found: SQUARES[2], SQUARES.len(), RUNS.load(atomic::Ordering::Relaxed));
}

fn once_lock(found: &mut Found) {
    let mut cell = OnceLock::new();
    find!(found: cell, cell.get(), cell.get_mut());
    find!(found: cell.set(1), cell.set(2), cell.get(), cell.wait(), cell.get_or_init(|| 3));
    if let Some(value) = cell.get_mut() {
        *value += 1;
    }
    find!(found: cell, cell.take(), cell.take(), cell);
    find!(found: cell.get_or_init(|| 5), cell.into_inner());
    find!(found: OnceLock::<u8>::new().into_inner());
    let empty = OnceLock::<u8>::new();
    find!(found: panic_of(|| *empty.get_or_init(|| panic!("no value"))), empty);
    find!(found: empty.get_or_init(|| 6));
}

fn once_lock_traits(found: &mut Found) {
    let (one, empty) = (OnceLock::from(1), OnceLock::default());
    find!(found: one == one.clone(), one == empty, empty == empty.clone(), one, empty);
    find!(found: Into::<OnceLock<&str>>::into("text"));
    fn is_eq<T: Eq + Clone + Default + std::fmt::Debug>(_: &T) {}
    is_eq(&one);
}

fn lazy_lock(found: &mut Found) {
    let text = String::from("own");
    let mut lazy = LazyLock::new(move || text + "ed");
    find!(found: lazy, LazyLock::get(&lazy), LazyLock::get_mut(&mut lazy));
    find!(found: LazyLock::force(&lazy), lazy.len(), lazy.deref(), LazyLock::get(&lazy));
    lazy.push('!');
    lazy.deref_mut().push('?');
    LazyLock::force_mut(&mut lazy).push('.');
    find!(found: lazy, LazyLock::get_mut(&mut lazy), *lazy);
    let mut by_owner = LazyLock::new(|| 1);
    find!(found: LazyLock::force_mut(&mut by_owner), *by_owner);
    find!(found: LazyLock::<Vec<u8>>::default(), *LazyLock::<Vec<u8>>::default());
    let by_pointer: LazyLock<u8> = LazyLock::new(|| 2);
    find!(found: *by_pointer);
}

fn broken(found: &mut Found) {
    let mut lazy = LazyLock::<u8>::new(|| panic!("no value"));
    find!(found: panic_of(|| *lazy), panic_of(|| *lazy), panic_of(|| *LazyLock::force(&lazy)));
    find!(found: panic_of(|| *LazyLock::force_mut(&mut lazy)), LazyLock::get(&lazy), lazy);
    let mut by_owner = LazyLock::<u8>::new(|| panic!("no value for an owner"));
    find!(found: panic_of(|| *LazyLock::force_mut(&mut by_owner)), panic_of(|| *by_owner));
    find!(found: LazyLock::get_mut(&mut by_owner), by_owner);
}

fn shared(found: &mut Found) {
    let runs = atomic::AtomicU32::new(0);
    let count = || runs.fetch_add(1, atomic::Ordering::Relaxed);
    let (cell, lazy) = (Arc::new(OnceLock::new()), LazyLock::new(count));
    let weak: Weak<OnceLock<u32>> = Arc::downgrade(&cell);
    std::thread::scope(|scope| {
        scope.spawn(|| *cell.wait());
        for _ in 0..3 {
            scope.spawn(|| (*cell.get_or_init(count), *lazy));
        }
    });
    drop((cell, lazy));
    find!(found: runs, weak.upgrade());
}
