//! How like the originals the types are: sizes and auto traits.

use lockscope::parking_lot as ours;
use lockscope::parking_lot::slotless;

use crate::auto_traits::{Plain, Unsent, Unshared, auto_traits, is};

macro_rules! alike {
    ($($($name:ident)::+ $(<$($arg:tt),*>)?;)*) => {$(
        let original = auto_traits!(parking_lot::$($name)::+ $(<$($arg),*>)?);
        let name = stringify!($($name)::+ $(<$($arg),*>)?);
        assert_eq!(auto_traits!(ours::$($name)::+ $(<$($arg),*>)?), original, "{name}");
        assert_eq!(auto_traits!(slotless::$($name)::+ $(<$($arg),*>)?), original, "{name}");
    )*};
}

#[test]
fn auto_traits_are_the_originals() {
    alike! {
        Mutex<Plain>; Mutex<Unsent>; Mutex<Unshared>;
        FairMutex<Plain>; FairMutex<Unsent>; FairMutex<Unshared>;
        RwLock<Plain>; RwLock<Unsent>; RwLock<Unshared>;
        RecursiveRwLock<Plain>; RecursiveRwLock<Unsent>; RecursiveRwLock<Unshared>;
        ReentrantMutex<Plain>; ReentrantMutex<Unsent>; ReentrantMutex<Unshared>;
        MutexGuard<'static, Plain>; MutexGuard<'static, Unsent>; MutexGuard<'static, Unshared>;
        MappedMutexGuard<'static, Plain>; MappedMutexGuard<'static, Unshared>;
        FairMutexGuard<'static, Plain>; MappedFairMutexGuard<'static, Plain>;
        RwLockReadGuard<'static, Plain>; RwLockReadGuard<'static, Unshared>;
        RwLockWriteGuard<'static, Plain>; RwLockUpgradableReadGuard<'static, Plain>;
        MappedRwLockReadGuard<'static, Plain>; MappedRwLockWriteGuard<'static, Plain>;
        RecursiveRwLockReadGuard<'static, Plain>; RecursiveRwLockWriteGuard<'static, Plain>;
        RecursiveRwLockUpgradableReadGuard<'static, Plain>;
        ReentrantMutexGuard<'static, Plain>; MappedReentrantMutexGuard<'static, Plain>;
        Condvar; Once;
    }
}

#[test]
fn guards_may_be_sent_if_the_feature_says_so() {
    assert_eq!(is!(ours::MutexGuard<'static, Plain>: Send), cfg!(feature = "send_guard"));
}

macro_rules! sizes {
    ($($name:ident $(<$data:ty>)?: $with:literal;)*) => {$(
        let original = size_of::<parking_lot::$name $(<$data>)?>();
        let name = stringify!($name $(<$data>)?);
        assert_eq!(size_of::<slotless::$name $(<$data>)?>(), original, "{name} without slot");
        assert_eq!(
            align_of::<slotless::$name $(<$data>)?>(),
            align_of::<parking_lot::$name $(<$data>)?>(),
            "{name} without slot"
        );
        assert_eq!(size_of::<ours::$name $(<$data>)?>(), $with, "{name} with slot");
    )*};
}

#[test]
fn sizes_are_as_documented() {
    sizes! {
        Mutex<()>: 64; Mutex<u8>: 72; Mutex<u64>: 72; Mutex<[u8; 100]>: 168;
        FairMutex<()>: 64; FairMutex<u64>: 72;
        RwLock<()>: 64; RwLock<u8>: 72; RwLock<u64>: 72;
        RecursiveRwLock<()>: 64; RecursiveRwLock<u64>: 72;
        ReentrantMutex<()>: 88; ReentrantMutex<u64>: 96;
        Condvar: 64; Once: 64;
    }
}
