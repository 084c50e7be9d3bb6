//! What every newtype over a `lock_api` type has.
//!
//! A newtype is there for its constructors, which know where they are called
//! from. All else is the inner type's, by dereference; methods are repeated so
//! that paths such as `Mutex::lock` work, and so that the call site passes.

/// Methods by reference, as the inner type has them.
macro_rules! forward {
    ($($(#[$meta:meta])* fn $name:ident(&self $(, $arg:ident: $ty:ty)*) $(-> $ret:ty)?;)*) => {$(
        $(#[$meta])*
        #[inline]
        #[track_caller]
        pub fn $name(&self $(, $arg: $ty)*) $(-> $ret)? {
            self.0.$name($($arg),*)
        }
    )*};
}

/// Unsafe methods by reference, as the inner type has them.
macro_rules! forward_unsafe {
    ($($(#[$meta:meta])* fn $name:ident(&self $(, $arg:ident: $ty:ty)*) $(-> $ret:ty)?;)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        ///
        /// - As of the method of the same name of the inner `lock_api` type.
        #[inline]
        #[track_caller]
        pub unsafe fn $name(&self $(, $arg: $ty)*) $(-> $ret)? {
            // SAFETY: the caller promises what the inner method asks for.
            unsafe { self.0.$name($($arg),*) }
        }
    )*};
}

/// Methods of an `Arc` of the type, as an `Arc` of the inner type has them.
#[cfg(feature = "arc_lock")]
macro_rules! forward_arc {
    ($($(#[$meta:meta])* fn $name:ident(self $(, $arg:ident: $ty:ty)*) -> $ret:ty;)*) => {$(
        $(#[$meta])*
        #[inline]
        #[track_caller]
        pub fn $name(self: &std::sync::Arc<Self> $(, $arg: $ty)*) -> $ret {
            Self::lend(self).$name($($arg),*)
        }
    )*};
}

/// Unsafe methods of an `Arc` of the type.
#[cfg(feature = "arc_lock")]
macro_rules! forward_arc_unsafe {
    ($($(#[$meta:meta])* fn $name:ident(self $(, $arg:ident: $ty:ty)*) -> $ret:ty;)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        ///
        /// - As of the method of the same name of the inner `lock_api` type.
        #[inline]
        pub unsafe fn $name(self: &std::sync::Arc<Self> $(, $arg: $ty)*) -> $ret {
            // SAFETY: the caller promises what the inner method asks for.
            unsafe { Self::lend(self).$name($($arg),*) }
        }
    )*};
}

/// Conversions and traits of a newtype over a lock with data: `$outer<$p, T>`
/// around `$inner`, for each `$p` that is a `$bound`.
macro_rules! newtype_of_lock {
    ($outer:ident<$p:ident: $bound:ident, T>, $inner:ty) => {
        impl<$p: $bound, T> $outer<$p, T> {
            /// Takes the value out of the lock.
            #[inline]
            pub fn into_inner(self) -> T {
                self.0.into_inner()
            }
        }

        impl<$p: $bound, T: ?Sized> $outer<$p, T> {
            /// The lock that a guard names, seen as what it is.
            #[inline]
            #[must_use]
            pub const fn from_inner(inner: &$inner) -> &Self {
                // SAFETY:
                // - The newtype is transparent over the inner type and adds no
                //   promise to it.
                unsafe { &*(core::ptr::from_ref(inner) as *const Self) }
            }

            /// The shared lock that an `Arc` guard names, seen as what it is.
            #[must_use]
            pub fn from_inner_arc(inner: std::sync::Arc<$inner>) -> std::sync::Arc<Self> {
                let inner = std::sync::Arc::into_raw(inner) as *const Self;
                // SAFETY:
                // - The pointer comes from `into_raw`.
                // - The newtype is transparent over the inner type: size,
                //   alignment and metadata are the same.
                unsafe { std::sync::Arc::from_raw(inner) }
            }

            /// The same `Arc` for the length of a call.
            #[cfg(feature = "arc_lock")]
            fn lend(
                this: &std::sync::Arc<Self>,
            ) -> core::mem::ManuallyDrop<std::sync::Arc<$inner>> {
                let inner = std::sync::Arc::as_ptr(this) as *const $inner;
                // SAFETY:
                // - As of `from_inner_arc`, the other way.
                // - The count is `this`'s, which outlives the call; it is not
                //   given up here.
                core::mem::ManuallyDrop::new(unsafe { std::sync::Arc::from_raw(inner) })
            }

            /// The value, through an exclusive borrow of the lock.
            #[inline]
            pub const fn get_mut(&mut self) -> &mut T {
                self.0.get_mut()
            }

            /// Where the value is.
            #[inline]
            pub const fn data_ptr(&self) -> *mut T {
                self.0.data_ptr()
            }
        }

        impl<$p: $bound, T: ?Sized> core::ops::Deref for $outer<$p, T> {
            type Target = $inner;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl<$p: $bound, T: ?Sized> core::ops::DerefMut for $outer<$p, T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        impl<$p: $bound, T: ?Sized + core::fmt::Debug> core::fmt::Debug for $outer<$p, T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }

        #[cfg(feature = "serde")]
        impl<$p: $bound, T: ?Sized + serde::Serialize> serde::Serialize for $outer<$p, T> {
            fn serialize<F: serde::Serializer>(&self, serializer: F) -> Result<F::Ok, F::Error> {
                self.0.serialize(serializer)
            }
        }

        /// A lock that was read from somewhere has no creation site.
        #[cfg(feature = "serde")]
        impl<'de, $p: $bound, T: serde::Deserialize<'de>> serde::Deserialize<'de>
            for $outer<$p, T>
        {
            fn deserialize<F: serde::Deserializer<'de>>(deserializer: F) -> Result<Self, F::Error> {
                serde::Deserialize::deserialize(deserializer).map(Self)
            }
        }
    };
}

/// What follows from the `new` of `$outer`, for each `$p` that is a `$bound`
/// or for the one that stands in its place.
macro_rules! made_by_new {
    ([$($p:ident: $bound:ident,)?] $outer:ty) => {
        impl<$($p: $bound,)? T: Default> Default for $outer {
            #[inline]
            #[track_caller]
            fn default() -> Self {
                Self::new(T::default())
            }
        }

        impl<$($p: $bound,)? T> From<T> for $outer {
            #[inline]
            #[track_caller]
            fn from(value: T) -> Self {
                Self::new(value)
            }
        }
    };
}

pub(super) use {forward, forward_unsafe, made_by_new, newtype_of_lock};
#[cfg(feature = "arc_lock")]
pub(super) use {forward_arc, forward_arc_unsafe};
