//! Memory that is not the allocator's, and that costs nothing before it is used.

use lockscope_core::sync::{AtomicU32, AtomicU64};

/// What is empty where all its bytes are 0.
///
/// # Safety
///
/// - A value of zeroes is valid, and nothing is to be dropped.
pub(crate) unsafe trait Zeroed {
    /// The same, where memory cannot be made of bytes: in a model.
    #[cfg(any(lockscope_loom, lockscope_shuttle))]
    fn zero() -> Self;
}

macro_rules! zeroed {
    ($($type:ty),*) => {
        $(
            // SAFETY: an integer.
            unsafe impl Zeroed for $type {
                #[cfg(any(lockscope_loom, lockscope_shuttle))]
                fn zero() -> Self {
                    Self::new(0)
                }
            }
        )*
    };
}

zeroed!(AtomicU32, AtomicU64);

/// A list of so many, which are 0 at first. Its pages come when they are touched.
#[derive(Debug)]
pub(crate) struct Mapped<T> {
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    start: core::ptr::NonNull<T>,
    #[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
    len: usize,
    #[cfg(any(lockscope_loom, lockscope_shuttle))]
    all: Vec<T>,
}

// SAFETY: it owns what it points to.
unsafe impl<T: Send> Send for Mapped<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Mapped<T> {}

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
impl<T: Zeroed> Mapped<T> {
    /// # Errors
    ///
    /// What the kernel says, if it has no room.
    pub(crate) fn new(len: usize) -> std::io::Result<Self> {
        let (read_write, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        let bytes = len * size_of::<T>();
        // SAFETY: a new mapping, at an address that the kernel chooses.
        let start = unsafe {
            libc::mmap(core::ptr::null_mut(), bytes, read_write, kind | libc::MAP_NORESERVE, -1, 0)
        };
        match core::ptr::NonNull::new(start.cast::<T>()) {
            Some(place) if start != libc::MAP_FAILED => Ok(Self { start: place, len }),
            _ => Err(std::io::Error::last_os_error()),
        }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY:
        // - so many were mapped, aligned to a page, and zeroes are values;
        // - they are unmapped by `drop` alone.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

#[cfg(not(any(lockscope_loom, lockscope_shuttle)))]
impl<T> Drop for Mapped<T> {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, and borrowed by nobody.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len * size_of::<T>()) };
    }
}

#[cfg(any(lockscope_loom, lockscope_shuttle))]
impl<T: Zeroed> Mapped<T> {
    pub(crate) fn new(len: usize) -> std::io::Result<Self> {
        Ok(Self { all: (0..len).map(|_| T::zero()).collect() })
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        &self.all
    }
}
