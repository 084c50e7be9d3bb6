//! The process as whoever controls it sees it, as far as one session goes.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use lockscope_core::backend::{BackendError, ErrorKind};

use super::FLUSHER;
use crate::config::{Config, Placed};
use crate::control::target::{Begun, Ended, State, Status, Switched, Target};
use crate::engine::ENGINE;
use crate::error::HostError;
use crate::loader::SearchPath;
use crate::report::model::{ReportFile, SessionInfo};

/// A process that was attached to, and its one session.
#[derive(Debug)]
pub(super) struct Process {
    config: Config,
    output: PathBuf,
    /// The session as it ended.
    ended: Mutex<Option<SessionInfo>>,
}

impl Process {
    pub(super) fn new(config: &Config, output: &Placed<PathBuf>) -> Self {
        let output = output.value.clone();
        Self { config: config.clone(), output, ended: Mutex::new(None) }
    }

    fn report(&self) -> String {
        self.output.to_string_lossy().into_owned()
    }

    fn cannot<T>(&self, what: &'static str) -> Result<T, HostError> {
        let message = "this host begins one session in a process; start the program again";
        let source = BackendError::new(ErrorKind::State, message);
        Err(HostError::Backend { backend: self.config.backend.value.clone(), what, source })
    }
}

impl Target for Process {
    fn status(&self) -> Status {
        let running = ENGINE.snapshot().ok().map(|report| report.session);
        let is_running = running.is_some();
        let session =
            running.or_else(|| self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let known =
            |what: fn(&SessionInfo) -> String| session.as_ref().map(what).unwrap_or_default();
        let running = session.as_ref().filter(|_| is_running);
        Status {
            pid: std::process::id(),
            command: session.as_ref().map(|session| session.command.clone()).unwrap_or_default(),
            state: if is_running { State::Running } else { State::Stopped },
            backend: known(|session| session.backend.clone()),
            backend_version: known(|session| session.backend_version.clone()),
            settings: session.as_ref().map(|session| session.settings.clone()).unwrap_or_default(),
            session: session.as_ref().map_or(0, |session| session.generation),
            started_unix_ns: running.map(|session| session.started_unix_ns),
            length_ns: running.map(|session| session.length_ns),
            samples: running.map(|session| session.samples),
            report: Some(self.report()),
            backends: SearchPath::new(&self.config).names(),
        }
    }

    fn start(&self) -> Result<Begun, HostError> {
        match ENGINE.snapshot() {
            Ok(report) => Err(HostError::SessionRunning { backend: report.session.backend }),
            Err(_) => self.cannot("start again"),
        }
    }

    fn stop(&self) -> Result<Ended, HostError> {
        let flusher = FLUSHER.get().ok_or(HostError::NoSession)?;
        let session = flusher.finish()?.session;
        let ended = Ended {
            session: session.generation,
            backend: session.backend.clone(),
            report: Some(self.report()),
        };
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        Ok(ended)
    }

    fn snapshot(&self) -> Result<ReportFile, HostError> {
        ENGINE.snapshot()
    }

    fn set(&self, _: &str, _: &str) -> Result<(), HostError> {
        self.cannot("change a key")
    }

    fn use_backend(&self, _: &str, _: &[(String, String)]) -> Result<Switched, HostError> {
        self.cannot("give way to another")
    }

    fn wake(&self, _: &str) -> Result<(), HostError> {
        self.cannot("wake")
    }
}
