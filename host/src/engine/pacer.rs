//! Asks backends in time how their sessions are to go on.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::{ENGINE, lock};
use crate::tell::tell;
use crate::threads;

/// A thread that is there while a backend wants to be asked, and no longer.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// Taken while the engine is held, never the other way round.
    appointment: Mutex<Appointment>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Appointment {
    /// When a backend is to be asked.
    at: Option<Instant>,
    /// Whether there is a thread that will.
    has_thread: bool,
}

impl Pacer {
    /// The backend of the running session is to be asked at this time, or not.
    pub(super) fn set(&'static self, at: Option<Instant>) {
        let mut appointment = lock(&self.appointment);
        if appointment.at == at {
            return;
        }
        appointment.at = at;
        self.changed.notify_all();
        if at.is_some() && !appointment.has_thread {
            match threads::spawn("lockscope-pace", || self.keep()) {
                Ok(_) => appointment.has_thread = true,
                Err(error) => tell(format_args!(
                    "the backend is not asked how its session is to go on, because the thread for it cannot be started: {error}"
                )),
            }
        }
    }

    /// Keeps appointments until there are no more.
    fn keep(&self) {
        let mut appointment = lock(&self.appointment);
        loop {
            let Some(at) = appointment.at else {
                appointment.has_thread = false;
                return;
            };
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(appointment);
                ENGINE.ask_if_due();
                appointment = lock(&self.appointment);
            } else {
                let waited = self.changed.wait_timeout(appointment, left);
                appointment = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}
