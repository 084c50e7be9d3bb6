//! How like the originals the types are: sizes and auto traits.

use core::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use lockscope::parking_lot as ours;
use lockscope::parking_lot::slotless;

/// Whether a type is a trait's: an inherent constant hides a trait's.
macro_rules! is {
    ($type:ty: $bound:path) => {{
        #[allow(dead_code, reason = "only its constants are asked")]
        struct Is<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code, reason = "nobody asks it about a type that is the trait's")]
        trait Not {
            const ANSWER: bool = false;
        }
        impl<T: ?Sized> Not for Is<T> {}
        impl<T: ?Sized + $bound> Is<T> {
            #[allow(dead_code, reason = "hidden from types that are not the trait's")]
            const ANSWER: bool = true;
        }
        <Is<$type>>::ANSWER
    }};
}

macro_rules! auto_traits {
    ($type:ty) => {
        [
            is!($type: Send),
            is!($type: Sync),
            is!($type: Unpin),
            is!($type: UnwindSafe),
            is!($type: RefUnwindSafe),
        ]
    };
}

macro_rules! alike {
    ($($($name:ident)::+ $(<$($arg:tt),*>)?;)*) => {$(
        let original = auto_traits!(parking_lot::$($name)::+ $(<$($arg),*>)?);
        let name = stringify!($($name)::+ $(<$($arg),*>)?);
        assert_eq!(auto_traits!(ours::$($name)::+ $(<$($arg),*>)?), original, "{name}");
        assert_eq!(auto_traits!(slotless::$($name)::+ $(<$($arg),*>)?), original, "{name}");
    )*};
}

type Plain = u64;
type Unsent = Rc<u64>;
type Unshared = std::cell::Cell<u64>;

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
fn the_question_has_both_answers() {
    assert!(is!(Plain: Send) && !is!(Unsent: Send) && !is!(Unshared: Sync));
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
    assert_eq!(size_of::<ours::MutexGuard<'_, u64>>(), 16);
    assert_eq!(size_of::<ours::ReentrantMutexGuard<'_, u64>>(), 8);
}
