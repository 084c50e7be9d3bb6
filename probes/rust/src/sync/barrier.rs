//! The barrier.

use std::fmt;
use std::sync::BarrierWaitResult;

use lockscope_core::event::LockKind;
use lockscope_core::recorder::{self, Idle};

use super::mark::Mark;
use crate::watch::{self, PROBE, here};

const KIND: u32 = LockKind::BARRIER.0;

/// A point at which threads wait for each other: [`std::sync::Barrier`],
/// watched.
///
/// Time spent here is idleness, not contention; who comes last spends none.
///
/// ```
/// use lockscope::sync::Barrier;
///
/// static READY: Barrier = Barrier::named("ready", 1);
///
/// assert!(READY.wait().is_leader());
/// ```
///
/// Its size is 56 bytes more than std's.
pub struct Barrier {
    mark: Mark<KIND>,
    inner: std::sync::Barrier,
}

const _: () = assert!(size_of::<Barrier>() == size_of::<std::sync::Barrier>() + 56);

impl Barrier {
    /// A barrier for `n` threads; the caller's line is its creation site.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn new(n: usize) -> Self {
        Self { mark: Mark::new(), inner: std::sync::Barrier::new(n) }
    }

    /// As [`Barrier::new`], with a name by which reports call it.
    #[inline]
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str, n: usize) -> Self {
        Self { mark: Mark::named(name), inner: std::sync::Barrier::new(n) }
    }

    /// Waits until as many threads as the barrier is for are here; one of them
    /// is told that it leads.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let idle = if watch::is_open() { recorder::idle_begin(&PROBE) } else { Idle::NONE };
        let result = self.inner.wait();
        recorder::idle_end(&PROBE, &self.mark, here(), idle);
        result
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
