//! What a process can be asked for: the server's side of the host.

use serde::{Deserialize, Serialize};

use crate::error::HostError;
use crate::report::model::ReportFile;

/// The process, as whoever controls it sees it.
///
/// Called by the server's thread, one call at a time. Whatever it returns is
/// written to the client when nothing of the host is held any more.
pub(crate) trait Target: Send + Sync {
    /// How the process is doing.
    fn status(&self) -> Status;

    /// Begins a session of the backend that was used last, or wakes the one
    /// that runs and sleeps.
    ///
    /// # Errors
    ///
    /// [`HostError::SessionRunning`] if a session runs and is awake, and what
    /// the backend says.
    fn start(&self) -> Result<Begun, HostError>;

    /// Ends the session, and writes its report.
    ///
    /// # Errors
    ///
    /// [`HostError::NoSession`], and what the backend and the report's file
    /// say.
    fn stop(&self) -> Result<Ended, HostError>;

    /// What the session has recorded so far.
    ///
    /// # Errors
    ///
    /// [`HostError::NoSession`], and what the backend says.
    fn snapshot(&self) -> Result<ReportFile, HostError>;

    /// Changes a key of the backend, for this session and later ones.
    ///
    /// # Errors
    ///
    /// What the backend says of the key and its value.
    fn set(&self, key: &str, value: &str) -> Result<(), HostError>;

    /// Ends the session, if one runs, writes its report, and begins one of
    /// another backend, by its name, or by the path of its plugin if it has a
    /// `/`.
    ///
    /// # Errors
    ///
    /// What is wrong with the backend or its settings: then nothing has
    /// changed.
    fn use_backend(
        &self,
        backend: &str,
        settings: &[(String, String)],
    ) -> Result<Switched, HostError>;

    /// Wakes the backend, if it sleeps; `cause` is for the report.
    ///
    /// # Errors
    ///
    /// [`HostError::NoSession`], and what the backend says.
    fn wake(&self, cause: &str) -> Result<(), HostError>;
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// A session runs.
    Running,
    /// A session runs, and its backend waits to be woken.
    Asleep,
    /// No session runs.
    Stopped,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Asleep => "asleep",
            Self::Stopped => "stopped",
        }
    }
}

/// How a process is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The process, as it numbers itself.
    pub(crate) pid: u32,
    /// Its command line.
    pub(crate) command: Vec<String>,
    pub(crate) state: State,
    /// The backend of the session, or else of the last one.
    pub(crate) backend: String,
    pub(crate) backend_version: String,
    /// The backend's configuration: key and value.
    pub(crate) settings: Vec<(String, String)>,
    /// Number of the session, or else of the last one, in its process, from 1;
    /// 0 if there was none.
    pub(crate) session: u32,
    /// When the session began, in nanoseconds since 1970-01-01 UTC; nothing if
    /// none runs.
    pub(crate) started_unix_ns: Option<u64>,
    /// How long it has run, in nanoseconds; nothing if none runs.
    pub(crate) length_ns: Option<u64>,
    /// Samples taken in the session; nothing if none runs.
    pub(crate) samples: Option<u64>,
    /// Where the session's report goes, or else that of the last one went;
    /// nothing if no report is written.
    pub(crate) report: Option<String>,
    /// Names of the backends that are there, sorted.
    pub(crate) backends: Vec<String>,
}

/// A session that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// Its number in its process, from 1.
    pub(crate) session: u32,
    pub(crate) backend: String,
    /// Where its report is; nothing if the process writes none.
    pub(crate) report: Option<String>,
}

/// A session that has begun, or was woken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// Its number in its process, from 1.
    pub(crate) session: u32,
    pub(crate) backend: String,
    /// Whether it ran before, asleep.
    pub(crate) woken: bool,
}

/// One session instead of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Switched {
    /// Nothing if no session was running.
    pub(crate) ended: Option<Ended>,
    pub(crate) begun: Begun,
}
