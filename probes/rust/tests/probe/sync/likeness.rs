//! How like the originals the types are: sizes and auto traits.

use lockscope::sync as ours;

use crate::auto_traits::{Plain, Staying, Unsent, Unshared, auto_traits};

type Maker = Box<dyn FnOnce() -> u64>;
type Sender = Box<dyn FnOnce() -> u64 + Send>;

macro_rules! alike {
    ($($name:ident $(<$($arg:tt),*>)?;)*) => {$(
        let original = auto_traits!(std::sync::$name $(<$($arg),*>)?);
        let name = stringify!($name $(<$($arg),*>)?);
        assert_eq!(auto_traits!(ours::$name $(<$($arg),*>)?), original, "{name}");
    )*};
}

#[test]
fn auto_traits_are_the_originals() {
    alike! {
        Mutex<Plain>; Mutex<Unsent>; Mutex<Unshared>; Mutex<Staying>;
        RwLock<Plain>; RwLock<Unsent>; RwLock<Unshared>; RwLock<Staying>;
        OnceLock<Plain>; OnceLock<Unsent>; OnceLock<Unshared>; OnceLock<Staying>;
        LazyLock<Plain>; LazyLock<Unsent>; LazyLock<Unshared>; LazyLock<Staying>;
        LazyLock<Plain, Maker>; LazyLock<Plain, Sender>;
        MutexGuard<'static, Plain>; MutexGuard<'static, Unsent>;
        MutexGuard<'static, Unshared>; MutexGuard<'static, Staying>;
        RwLockReadGuard<'static, Plain>; RwLockReadGuard<'static, Unsent>;
        RwLockReadGuard<'static, Unshared>; RwLockReadGuard<'static, Staying>;
        RwLockWriteGuard<'static, Plain>; RwLockWriteGuard<'static, Unsent>;
        RwLockWriteGuard<'static, Unshared>; RwLockWriteGuard<'static, Staying>;
        Condvar; Once; Barrier;
    }
}

macro_rules! sizes {
    ($added:literal: $($name:ident $(<$data:ty>)?;)*) => {$(
        let original = size_of::<std::sync::$name $(<$data>)?>();
        let size = (original + $added).next_multiple_of(8);
        assert_eq!(size_of::<ours::$name $(<$data>)?>(), size, stringify!($name $(<$data>)?));
        assert_eq!(
            align_of::<ours::$name $(<$data>)?>(),
            align_of::<std::sync::$name $(<$data>)?>().max(8),
            stringify!($name $(<$data>)?)
        );
    )*};
}

#[test]
fn sizes_are_as_documented() {
    sizes! { 56:
        Mutex<()>; Mutex<u8>; Mutex<u64>; Mutex<[u8; 100]>;
        RwLock<()>; RwLock<u8>; RwLock<u64>; RwLock<[u8; 100]>;
        OnceLock<()>; OnceLock<u8>; OnceLock<u64>; OnceLock<String>;
        Condvar; Once; Barrier;
    }
    // A slot, and the lock around std's.
    sizes! { 60: LazyLock<u8>; LazyLock<u64>; LazyLock<String>; }
    macro_rules! guards {
        ($($name:ident)*) => {$(
            let original = size_of::<std::sync::$name<'_, u64>>();
            assert_eq!(size_of::<ours::$name<'_, u64>>(), original + 16, stringify!($name));
        )*};
    }
    guards!(MutexGuard RwLockReadGuard RwLockWriteGuard);
}

#[test]
fn a_guard_in_an_option_is_as_large_as_a_guard() {
    type Guard = ours::MutexGuard<'static, u64>;
    assert_eq!(size_of::<Option<Guard>>(), size_of::<Guard>());
}
