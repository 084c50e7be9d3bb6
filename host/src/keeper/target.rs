//! The process as whoever controls it sees it.

use super::{By, Ended as Kept, Keeper};
use crate::control::target::{Begun, Ended, State, Status, Switched, Target};
use crate::engine::{ENGINE, Standing, command_line};
use crate::error::HostError;
use crate::loader::SearchPath;
use crate::report::model::{ReportFile, SessionInfo};

/// Why a backend was woken that was to be started.
const CAUSE: &str = "lockscope ctl start";

impl Target for Keeper {
    fn status(&self) -> Status {
        let standing = ENGINE.standing();
        let mut status = self.at_rest();
        if let Some(standing) = standing {
            status.state = if standing.is_asleep { State::Asleep } else { State::Running };
            status.session = standing.number;
            status.started_unix_ns = Some(standing.started_unix_ns);
            status.length_ns = Some(standing.length_ns);
            status.samples = ENGINE.snapshot().ok().map(|report| report.session.samples);
            status.backend = standing.backend;
            status.backend_version = standing.backend_version;
            status.settings = standing.settings;
        }
        status
    }

    fn start(&self) -> Result<Begun, HostError> {
        if let Some(standing) = ENGINE.standing().filter(|standing| standing.is_asleep) {
            self.wake(CAUSE)?;
            return Ok(begun(standing, true));
        }
        Self::start(self)?;
        running().map(|standing| begun(standing, false))
    }

    fn stop(&self) -> Result<Ended, HostError> {
        Self::stop(self).map(ended)
    }

    fn snapshot(&self) -> Result<ReportFile, HostError> {
        Self::snapshot(self)
    }

    fn set(&self, key: &str, value: &str) -> Result<(), HostError> {
        Self::set(self, key, value)
    }

    fn use_backend(
        &self,
        backend: &str,
        settings: &[(String, String)],
    ) -> Result<Switched, HostError> {
        let before = self.switch(backend, settings, By::Command)?;
        Ok(Switched { ended: before.map(ended), begun: begun(running()?, false) })
    }

    fn wake(&self, cause: &str) -> Result<(), HostError> {
        Self::wake(self, cause)
    }
}

impl Keeper {
    /// The status while no session runs, or what of it does not depend on that.
    fn at_rest(&self) -> Status {
        let state = super::guarded(&self.shared.state);
        let last = state.last.as_ref().map(|report| &report.session);
        let path = self.shared.path(state.sessions);
        let text = |what: fn(&SessionInfo) -> &String| last.map(what).cloned().unwrap_or_default();
        Status {
            pid: std::process::id(),
            command: command_line(),
            state: State::Stopped,
            backend: text(|session| &session.backend),
            backend_version: text(|session| &session.backend_version),
            settings: last.map(|session| session.settings.clone()).unwrap_or_default(),
            session: last.map_or(0, |session| session.generation),
            started_unix_ns: None,
            length_ns: None,
            samples: None,
            report: Some(path.to_string_lossy().into_owned()),
            backends: SearchPath::new(&state.config).names(),
        }
    }
}

/// The session that was just begun, unless somebody else was as quick to end it.
fn running() -> Result<Standing, HostError> {
    ENGINE.standing().ok_or(HostError::NoSession)
}

fn begun(standing: Standing, woken: bool) -> Begun {
    Begun { session: standing.number, backend: standing.backend, woken }
}

fn ended(Kept { report, path }: Kept) -> Ended {
    Ended {
        session: report.session.generation,
        backend: report.session.backend,
        report: path.map(|path| path.to_string_lossy().into_owned()),
    }
}
