//! A process for tests: it does what it is told, and notes it.

use std::sync::{Mutex, PoisonError};

use super::target::{Begun, Ended, State, Status, Switched, Target};
use crate::error::HostError;
use crate::report::model::ReportFile;
use crate::report::sample;

/// How a process may be doing.
pub(super) fn status() -> Status {
    Status {
        pid: 4711,
        command: ["./indexer", "--threads", "8"].map(str::to_owned).to_vec(),
        state: State::Running,
        backend: "wrapper".to_owned(),
        backend_version: "0.1.0".to_owned(),
        settings: [("period", "100"), ("max_locks", "20000")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        session: 1,
        started_unix_ns: Some(1_790_000_000_000_000_000),
        length_ns: Some(12_345_678_901),
        samples: Some(45_210),
        report: Some("/srv/lockscope.json".to_owned()),
        backends: ["adaptive", "lazy", "wrapper"].map(str::to_owned).to_vec(),
    }
}

#[derive(Debug)]
pub(super) struct Fake {
    /// What it was told, in order.
    pub(super) told: Mutex<Vec<String>>,
    pub(super) report: ReportFile,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self { told: Mutex::default(), report: sample::populated() }
    }

    pub(super) fn told(&self) -> Vec<String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, what: String) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn ended() -> Ended {
        let report = Some("/srv/lockscope.json".to_owned());
        Ended { session: 1, backend: "wrapper".to_owned(), report }
    }
}

impl Target for Fake {
    fn status(&self) -> Status {
        self.note("status".to_owned());
        status()
    }

    fn start(&self) -> Result<Begun, HostError> {
        self.note("start".to_owned());
        Err(HostError::SessionRunning { backend: "wrapper".to_owned() })
    }

    fn stop(&self) -> Result<Ended, HostError> {
        self.note("stop".to_owned());
        Ok(Self::ended())
    }

    fn snapshot(&self) -> Result<ReportFile, HostError> {
        self.note("snapshot".to_owned());
        Ok(self.report.clone())
    }

    fn set(&self, key: &str, value: &str) -> Result<(), HostError> {
        self.note(format!("set {key} = {value}"));
        assert_ne!(key, "panic", "the host was told to panic");
        Ok(())
    }

    fn use_backend(
        &self,
        backend: &str,
        settings: &[(String, String)],
    ) -> Result<Switched, HostError> {
        self.note(format!("use {backend} {settings:?}"));
        let begun = Begun { session: 2, backend: backend.to_owned(), woken: false };
        Ok(Switched { ended: Some(Self::ended()), begun })
    }

    fn wake(&self, cause: &str) -> Result<(), HostError> {
        self.note(format!("wake {cause}"));
        Ok(())
    }
}
