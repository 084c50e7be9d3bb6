//! A backend whose session goes at a pace that a test sets.

use std::sync::{Mutex, PoisonError};

use lockscope_core::backend::{Backend, BackendError, Description, Pace, Setting};
use lockscope_core::report::Report;
use lockscope_core::sync::{AtomicU32, Ordering};
use lockscope_core::{Countdown, Event, LockRef, Session};

/// Any backend, as it is but for its pace.
#[derive(Debug, Default)]
pub(crate) struct Paced<B> {
    inner: B,
    /// Of acquisitions that have to wait, one in so many is recorded; 0 for as
    /// many as the backend wants.
    contended_period: AtomicU32,
    /// How the gates are to stand, one after the other and again from the
    /// first, and for how many nanoseconds.
    windows: Mutex<Vec<(u32, u64)>>,
    asked: AtomicU32,
}

impl<B> Paced<B> {
    /// Has one in so many acquisitions that have to wait recorded, if it is not
    /// 1.
    pub(crate) fn thin(&self, contended_period: u32) {
        // Relaxed, here as below: a simulated host asks on the same thread.
        let period = if contended_period == 1 { 0 } else { contended_period };
        self.contended_period.store(period, Ordering::Relaxed);
    }

    /// Has the gates stand so, each for so many nanoseconds.
    pub(crate) fn open_and_close(&self, windows: &[(u32, u64)]) {
        *self.windows.lock().unwrap_or_else(PoisonError::into_inner) = windows.to_vec();
    }
}

impl<B: Backend> Backend for Paced<B> {
    fn describe() -> Description {
        B::describe()
    }

    fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
        self.inner.init(settings)
    }

    fn start(&self, session: &Session) -> Result<(), BackendError> {
        self.asked.store(0, Ordering::Relaxed);
        self.inner.start(session)
    }

    fn stop(&self) -> Result<(), BackendError> {
        self.inner.stop()
    }

    fn configure(&self, key: &str, value: &str) -> Result<(), BackendError> {
        self.inner.configure(key, value)
    }

    fn snapshot(&self) -> Result<Report, BackendError> {
        self.inner.snapshot()
    }

    fn pace(&self) -> Pace {
        let mut pace = self.inner.pace();
        let period = self.contended_period.load(Ordering::Relaxed);
        if period > 0 {
            pace.contended_period = period;
        }
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if !windows.is_empty() {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed) as usize;
            (pace.gate, pace.ask_after_ns) = windows[asked % windows.len()];
        }
        pace
    }

    fn wake(&self, cause: &str) -> Result<(), BackendError> {
        self.inner.wake(cause)
    }

    fn meet(&self, lock: Option<&LockRef>) -> Countdown {
        self.inner.meet(lock)
    }

    #[inline]
    fn event(&self, event: &Event) -> Countdown {
        self.inner.event(event)
    }

    fn dropped(&self, lock: &LockRef) {
        self.inner.dropped(lock);
    }
}
