//! Waiting for threads that may never come.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use lockscope_core::sync::{AtomicU32, Ordering};

use crate::verdict::Failure;

/// How long something that should happen at once is waited for: long enough for a
/// machine with much else to do.
pub(in crate::rules) const PATIENCE: Duration = Duration::from_secs(3);

/// How often a thread must be seen asleep, one time after the other.
const LOOKS: u32 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_micros(100);

/// Has a thread of its own `act`, and waits for it with patience; the thread is
/// left alone if it does not come back. `what` it does is for the failure.
pub(in crate::rules) fn patiently<T: Send + 'static>(
    what: &str,
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let (done, is_done) = channel();
    std::thread::spawn(move || {
        // Nobody listens any more if it took too long.
        let _ = done.send(act());
    });
    let within = PATIENCE.as_secs();
    is_done.recv_timeout(PATIENCE).map_err(|error| {
        Failure::new(
            what,
            match error {
                RecvTimeoutError::Timeout => format!("it did not happen within {within} s"),
                RecvTimeoutError::Disconnected => "its thread panicked".to_owned(),
            },
        )
    })
}

/// A thread that is about to sleep, as others see it.
#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Sleeper {
    /// The kernel's number of the thread; 0 until it has said so.
    thread: Arc<AtomicU32>,
}

impl Sleeper {
    /// To be said by the thread, right before it does what it will sleep in.
    pub(in crate::rules) fn lies_down(&self) {
        // SAFETY: the call has no arguments.
        let thread = unsafe { libc::gettid() };
        // Relaxed: the number alone is looked at.
        self.thread.store(thread as u32, Ordering::Relaxed);
    }

    /// Waits until the thread sleeps, as far as the kernel knows.
    pub(in crate::rules) fn until_asleep(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = 0;
        while seen < LOOKS {
            if Instant::now() > deadline {
                return Err(Failure::new(
                    "a thread that waits for a lock sleeps",
                    format!("it did not within {} s", PATIENCE.as_secs()),
                ));
            }
            std::thread::sleep(BETWEEN_LOOKS);
            seen = if self.is_asleep() { seen + 1 } else { 0 };
        }
        Ok(())
    }

    fn is_asleep(&self) -> bool {
        let thread = self.thread.load(Ordering::Relaxed);
        let stat = std::fs::read_to_string(format!("/proc/self/task/{thread}/stat"));
        // Behind the name, which is in brackets and may contain some.
        stat.is_ok_and(|stat| {
            stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('S'))
        })
    }
}
