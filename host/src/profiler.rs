//! Profiling from code, with the host linked into the program.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Config, Overrides, Place, Placed, Sources, duration_text};
use crate::engine::{ENGINE, Plan};
use crate::error::HostError;
use crate::flush::Flusher;
use crate::report::model::ReportFile;
use crate::tell::tell;

/// A running session. Dropping it ends the session.
///
/// ```no_run
/// use lockscope_host::Profiler;
///
/// let profiler = Profiler::builder().backend("wrapper").period(100).start()?;
/// // … the program's work …
/// let report = profiler.stop()?;
/// println!("{} locks", report.locks.len());
/// # Ok::<(), lockscope_host::HostError>(())
/// ```
#[derive(Debug)]
pub struct Profiler {
    flusher: Option<Flusher>,
    pid: u32,
    running: bool,
}

/// What a session is to be: see [`Profiler::builder`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    overrides: Overrides,
    folders: Vec<String>,
}

impl Profiler {
    /// Begins to describe a session. What is not said here is taken from
    /// `LOCKSCOPE_*` variables, `lockscope.toml` and the defaults; `strict`
    /// and `enabled` have no meaning here.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What has been recorded so far. The session goes on.
    ///
    /// # Errors
    ///
    /// What the backend says; [`HostError::Forked`] in a fork of the process
    /// that started the session.
    pub fn snapshot(&self) -> Result<ReportFile, HostError> {
        self.check_owner()?;
        ENGINE.snapshot()
    }

    /// Ends the session: when this returns, nothing more is recorded. Writes
    /// the report, if an output was named.
    ///
    /// # Errors
    ///
    /// What the backend says; [`HostError::Report`] if the report cannot be
    /// written; [`HostError::Forked`] as for [`Profiler::snapshot`].
    pub fn stop(mut self) -> Result<ReportFile, HostError> {
        self.end()
    }

    fn end(&mut self) -> Result<ReportFile, HostError> {
        self.running = false;
        if let Err(forked) = self.check_owner() {
            // Its thread was not forked: there is nothing to give back.
            core::mem::forget(self.flusher.take());
            return Err(forked);
        }
        let Some(mut flusher) = self.flusher.take() else { return ENGINE.stop() };
        let report = flusher.finish();
        flusher.join();
        report
    }

    fn check_owner(&self) -> Result<(), HostError> {
        let pid = std::process::id();
        if self.pid == pid { Ok(()) } else { Err(HostError::Forked { owner: self.pid, pid }) }
    }
}

impl Drop for Profiler {
    fn drop(&mut self) {
        if !self.running {
            return;
        }
        match self.end() {
            // A fork drops its copy: the session is not its own.
            Ok(_) | Err(HostError::Forked { .. }) => {}
            Err(error) => tell(&error),
        }
    }
}

impl Builder {
    /// The backend: its name, or the path of its plugin if it has a `/`.
    #[must_use]
    pub fn backend(mut self, backend: impl Into<String>) -> Self {
        self.overrides.set("backend", backend, Place::Builder("backend()"));
        self
    }

    /// One operation in `period` is sampled.
    #[must_use]
    pub fn period(mut self, period: u32) -> Self {
        self.overrides.set("period", period.to_string(), Place::Builder("period()"));
        self
    }

    /// A key of the backend's own configuration.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<String>) -> Self {
        self.overrides.setting(key, value, Place::Builder("set()"));
        self
    }

    /// Writes the report to this file, while the session runs and at its end.
    #[must_use]
    pub fn output(mut self, path: impl Into<PathBuf>) -> Self {
        let path = path.into().to_string_lossy().into_owned();
        self.overrides.set("output", path, Place::Builder("output()"));
        self
    }

    /// Writes the report at least once in `interval`.
    #[must_use]
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        let place = Place::Builder("flush_interval()");
        self.overrides.set("flush_interval", duration_text(interval), place);
        self
    }

    /// Looks for plugins in this folder too, after those that were named
    /// before and before all others.
    #[must_use]
    pub fn plugin_path(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folders.push(folder.into().to_string_lossy().into_owned());
        self
    }

    /// Reads this configuration file instead of `lockscope.toml`.
    #[must_use]
    pub fn config(mut self, path: impl Into<PathBuf>) -> Self {
        self.overrides.config(path.into(), Place::Builder("config()"));
        self
    }

    /// Starts the session.
    ///
    /// # Errors
    ///
    /// Everything that can be wrong with the configuration, the plugin, or
    /// the output; [`HostError::SessionRunning`] if there is a session.
    pub fn start(mut self) -> Result<Profiler, HostError> {
        if !self.folders.is_empty() {
            self.overrides.plugin_path(self.folders, Place::Builder("plugin_path()"));
        }
        let config = Config::resolve(&Sources::of_process(), &self.overrides)?;
        ENGINE.listen();
        if let Some(refusal) = ENGINE.refusal() {
            return Err(refusal);
        }
        ENGINE.start(&Plan::new(&config)?)?;
        let pid = std::process::id();
        let mut profiler = Profiler { flusher: None, pid, running: true };
        if config.output.is_some() {
            let output: Placed<PathBuf> = config.output_of(pid);
            profiler.flusher = Some(Flusher::spawn(output, config.flush_interval.value)?);
        }
        Ok(profiler)
    }
}
