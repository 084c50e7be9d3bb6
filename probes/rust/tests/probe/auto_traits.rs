//! Asking a type at compile time which auto traits it has.

/// Whether a type is a trait's: an inherent constant hides a trait's.
macro_rules! is {
    ($type:ty: $bound:path) => {{
        #[allow(dead_code, reason = "only its constants are asked")]
        struct Is<T: ?Sized>(core::marker::PhantomData<T>);
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

/// All auto traits that a lock or a guard may have or lack.
macro_rules! auto_traits {
    ($type:ty) => {
        [
            $crate::auto_traits::is!($type: Send),
            $crate::auto_traits::is!($type: Sync),
            $crate::auto_traits::is!($type: Unpin),
            $crate::auto_traits::is!($type: std::panic::UnwindSafe),
            $crate::auto_traits::is!($type: std::panic::RefUnwindSafe),
        ]
    };
}

pub(crate) use {auto_traits, is};

/// Every auto trait, and none of those that data can take away.
pub(crate) type Plain = u64;
/// May neither be sent nor shared.
pub(crate) type Unsent = std::rc::Rc<u64>;
/// May be sent but not shared.
pub(crate) type Unshared = std::cell::Cell<u64>;
/// May be shared but not sent, as a guard.
pub(crate) type Staying = std::sync::MutexGuard<'static, u64>;

#[test]
fn the_question_has_both_answers() {
    assert!(is!(Plain: Send) && !is!(Unsent: Send) && !is!(Unshared: Sync));
    assert!(is!(Staying: Sync) && !is!(Staying: Send));
}
