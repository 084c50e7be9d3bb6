//! As much of a host as moves one probe's gate.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lockscope_core::backend::{
    Contained, LockProfilerBackend, Pace, SessionRef, Setting, TableRef,
};
use lockscope_core::clock::{self, ClockScale};
use lockscope_core::gate::{Opening, state};
use lockscope_core::hooks::HookTable;
use lockscope_core::report::{LockReport, Report};
use lockscope_core::sync::{AtomicU32, AtomicU64, Ordering};
use lockscope_core::{Probe, Session};
use lockscope_lazy::Lazy;

/// One test at a time: the gate belongs to the process.
static TURN: Mutex<()> = Mutex::new(());
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// A session of the backend, asked for its pace when a test says so.
pub(crate) struct Host {
    backend: Contained<Lazy>,
    hooks: *const HookTable,
    pub(crate) pace: Pace,
    _turn: MutexGuard<'static, ()>,
}

fn probe() -> &'static Probe {
    lockscope::probe()
}

fn next_generation() -> u32 {
    GENERATION.fetch_add(1, Ordering::Relaxed) + 1
}

extern "C" fn next_lock_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0xffff << 48);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

unsafe extern "C" fn abandon(_: *const core::ffi::c_void, _: *const u8, _: usize) {
    unreachable!("the backend has panicked");
}

impl Host {
    /// A session with these settings, in which every operation of a window is
    /// sampled.
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // The very first operation of the process looks for a host.
        drop(lockscope::sync::Mutex::new(()).lock());
        let backend = Contained::<Lazy>::new();
        let plain = [("wake_on_wait_percent", "0"), ("watch_percent", "100"), ("period", "1")];
        let plain = plain.iter().filter(|(key, _)| settings.iter().all(|(own, _)| own != key));
        let settings = plain.chain(settings);
        let settings: Vec<_> = settings
            .map(|(key, value)| Setting { key: (*key).into(), value: (*value).into() })
            .collect();
        backend.init(settings.into()).unwrap();
        let session = Session {
            generation: next_generation(),
            reserved: 0,
            clock: ClockScale::NANOSECONDS,
            started: clock::monotonic_ns(),
            seed: 1,
            next_lock_id,
            abandon,
            context: core::ptr::null(),
        };
        backend.start(SessionRef((&raw const session).cast())).unwrap();
        let TableRef(hooks) = backend.hooks();
        let closed = Pace { gate: state::CLOSED, ..Pace::STEADY };
        let mut host = Self { backend, hooks: hooks.cast(), pace: closed, _turn: turn };
        host.ask();
        host
    }

    /// Asks how it is to go on, and sees to it, until nothing is due at once.
    pub(crate) fn ask(&mut self) {
        loop {
            let before = self.pace.gate;
            self.pace = self.backend.pace().unwrap();
            if self.pace.gate != before {
                self.move_gate();
            }
            if self.pace.ask_after_ns > 0 {
                return;
            }
        }
    }

    fn move_gate(&self) {
        let opening = Opening {
            state: self.pace.gate,
            generation: next_generation(),
            hooks: self.hooks,
            tsc: false,
            expedited: false,
            contended_period: self.pace.contended_period,
        };
        match opening.state {
            state::CLOSED => probe().gate.close(),
            // SAFETY:
            // - the backend is leaked, and its table with it;
            // - generations follow each other, and all has been quiet since the
            //   last one;
            // - only the test that has the turn opens it.
            _ => unsafe { probe().gate.open(&opening) },
        }
        (probe().quiesce)(probe());
    }

    pub(crate) fn wake(&mut self, cause: &str) {
        self.backend.wake(cause.into()).unwrap();
        self.ask();
        assert_eq!(self.pace.gate, state::OPEN);
    }

    /// Waits until the window is over.
    pub(crate) fn sleep(&mut self) {
        self.backend.configure("window_ms".into(), "1".into()).unwrap();
        self.wake("to end soon");
        self.ask_until(|pace| pace.gate != state::OPEN);
    }

    /// Asks again and again. The minute is for a test that fails, so that it says
    /// so.
    pub(crate) fn ask_until(&mut self, is_so: impl Fn(&Pace) -> bool) {
        let begin = Instant::now();
        while !is_so(&self.pace) {
            assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", self.pace);
            std::thread::sleep(Duration::from_millis(1));
            self.ask();
        }
    }

    pub(crate) fn report(&self) -> Report {
        self.backend.snapshot().unwrap()
    }

    /// Closes the gate, ends the session, and says what was recorded.
    pub(crate) fn stop(mut self) -> Report {
        self.pace.gate = state::CLOSED;
        self.move_gate();
        self.backend.stop().unwrap();
        self.report()
    }
}

/// Acquisitions, of what the report says of these locks.
pub(crate) fn acquisitions<'a>(locks: impl IntoIterator<Item = &'a LockReport>) -> f64 {
    let sites = locks.into_iter().flat_map(|lock| lock.sites.iter());
    sites.map(|site| site.acquisitions.value).sum()
}

/// Samples, by window.
pub(crate) fn samples(report: &Report) -> Vec<u64> {
    report.windows.iter().map(|window| window.samples).collect()
}
