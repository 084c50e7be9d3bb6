//! Sees to it that stacks lead through what the program loads while it runs.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::lock;
use crate::tell::tell;
use crate::threads;

/// How soon what was loaded is known. Asking the dynamic linker takes a microsecond.
const INTERVAL: Duration = Duration::from_millis(100);

/// A thread that is there while a session keeps stacks, and no longer.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    /// Taken while the engine is held, never the other way round.
    watch: Mutex<Watch>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Watch {
    is_wanted: bool,
    /// Whether there is a thread that asks.
    has_thread: bool,
}

impl Watcher {
    /// Whether the dynamic linker is to be asked.
    pub(super) fn set(&'static self, is_wanted: bool) {
        let mut watch = lock(&self.watch);
        if watch.is_wanted == is_wanted {
            return;
        }
        watch.is_wanted = is_wanted;
        self.changed.notify_all();
        if is_wanted && !watch.has_thread {
            match threads::spawn("lockscope-stack", || self.keep()) {
                Ok(_) => watch.has_thread = true,
                Err(error) => tell(format_args!(
                    "stacks end where they come to libraries that the program loads from now on, because the thread that asks for these cannot be started: {error}"
                )),
            }
        }
    }

    fn keep(&self) {
        let mut watch = lock(&self.watch);
        while watch.is_wanted {
            drop(watch);
            lockscope_stacks::refresh();
            watch = lock(&self.watch);
            if watch.is_wanted {
                let waited = self.changed.wait_timeout(watch, INTERVAL);
                watch = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        watch.has_thread = false;
    }
}
