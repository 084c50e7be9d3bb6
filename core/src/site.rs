//! Call sites: where in the program an operation stands.

use core::panic::Location;

const STACK: usize = 1 << (usize::BITS - 1);
const NUMBER_SHIFT: u32 = 3;

/// A place in the program, as the probe that saw it names places.
///
/// For Rust locks it is the address of a `&'static Location`, passed for
/// nothing by `#[track_caller]`; for interposers it is a return address. Only
/// the probe can tell what it means (its [`resolve`](crate::probe::Probe::resolve)
/// entry does): `Location` has no stable layout, so a plugin must not look.
/// 0 stands for "not known".
///
/// Where a session keeps stacks, the site of an operation is that of its whole
/// stack, if there is room: see [`CallSite::is_stack`]. A backend keys its tallies
/// by it all the same, and knows nothing of it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct CallSite(pub usize);

impl CallSite {
    /// A place that is not known.
    pub const UNKNOWN: Self = Self(0);

    /// The site of a Rust source location.
    #[inline]
    #[must_use]
    pub fn of(location: &'static Location<'static>) -> Self {
        Self(core::ptr::from_ref(location) as usize)
    }

    /// A stack that the host keeps under this number, which is less than 2⁶⁰.
    ///
    /// No address of a program has the top bit set, in any of the architectures
    /// that lockscope runs on: so neither a `Location` nor a return address can be
    /// taken for a stack.
    #[inline]
    #[must_use]
    pub fn stack(number: usize) -> Self {
        // Moved up, because whoever makes a hash of sites takes them for addresses.
        Self(STACK | number << NUMBER_SHIFT)
    }

    /// Whether it stands for a whole stack: only the host that keeps it can tell
    /// what it means, and only it is asked.
    #[inline]
    #[must_use]
    pub fn is_stack(self) -> bool {
        self.0 & STACK != 0
    }

    /// The number under which the host keeps the stack; `None` for a plain site.
    #[inline]
    #[must_use]
    pub fn stack_number(self) -> Option<usize> {
        self.is_stack().then_some((self.0 & !STACK) >> NUMBER_SHIFT)
    }

    /// Whether the place is known.
    #[inline]
    #[must_use]
    pub fn is_known(self) -> bool {
        self.0 != 0
    }
}

/// What a probe knows about a [`CallSite`]: text borrowed for the process's life.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SiteInfo {
    /// UTF-8 path of the source file, not terminated; null if not known.
    pub file: *const u8,
    /// Bytes at `file`.
    pub file_len: usize,
    /// Line, from 1; 0 if not known.
    pub line: u32,
    /// Column, from 1; 0 if not known.
    pub column: u32,
}

impl SiteInfo {
    /// Nothing known.
    pub const UNKNOWN: Self = Self { file: core::ptr::null(), file_len: 0, line: 0, column: 0 };

    /// The file's path, if known.
    ///
    /// # Safety
    ///
    /// - `file` and `file_len` must be as a probe filled them in.
    #[must_use]
    pub unsafe fn file(&self) -> Option<&'static str> {
        if self.file.is_null() {
            return None;
        }
        // SAFETY: the probe borrowed `file` from a `&'static str`.
        let bytes = unsafe { core::slice::from_raw_parts(self.file, self.file_len) };
        core::str::from_utf8(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_no_place() {
        let place = CallSite::of(Location::caller());
        assert_eq!(place.stack_number(), None);
        assert!(!CallSite::UNKNOWN.is_stack());
        for number in [0, 1, 77, (1 << 60) - 1] {
            let stack = CallSite::stack(number);
            assert!(stack.is_known() && stack.is_stack());
            assert_eq!(stack.stack_number(), Some(number));
        }
    }
}
