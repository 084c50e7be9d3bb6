//! Call sites: where in the program an operation stands.

use core::panic::Location;

/// A place in the program, as the probe that saw it names places.
///
/// For Rust locks it is the address of a `&'static Location`, passed for
/// nothing by `#[track_caller]`; for interposers it is a return address. Only
/// the probe can tell what it means (its [`resolve`](crate::probe::Probe::resolve)
/// entry does): `Location` has no stable layout, so a plugin must not look.
/// 0 stands for "not known".
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
