//! The sessions of a backend, one after the other.

use lockscope_core::Session;
use lockscope_core::backend::{BackendError, ErrorKind};
use lockscope_core::clock::ClockScale;
use lockscope_core::sync::{Mutex, MutexGuard, PoisonError};

/// Whether a session runs, and what is to be known of it, or of the last one.
#[derive(Debug, Default)]
pub struct Life(Mutex<Lived>);

#[derive(Debug, Default)]
struct Lived {
    is_running: bool,
    /// None before the first session.
    clock: Option<ClockScale>,
}

impl Life {
    fn lived(&self) -> MutexGuard<'_, Lived> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins. To be asked before anything of the last one is
    /// forgotten.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] if one is running.
    pub fn begin(&self, session: &Session) -> Result<(), BackendError> {
        let mut lived = self.lived();
        if lived.is_running {
            return Err(wrong("a session is running; stop it before the next one starts"));
        }
        *lived = Lived { is_running: true, clock: Some(session.clock) };
        Ok(())
    }

    /// The session ends.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] if none is running.
    pub fn end(&self) -> Result<(), BackendError> {
        if core::mem::replace(&mut self.lived().is_running, false) {
            return Ok(());
        }
        Err(wrong("no session is running; start one before it is stopped"))
    }

    /// How the ticks of the running session, or else of the last one, become
    /// nanoseconds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::State`] if no session was ever started.
    pub fn clock(&self) -> Result<ClockScale, BackendError> {
        let never = || wrong("no session was started yet; start one before it is looked at");
        self.lived().clock.ok_or_else(never)
    }
}

fn wrong(message: &str) -> BackendError {
    BackendError::new(ErrorKind::State, message)
}
