//! Profiling from code, with the host linked into the program.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Overrides, Place, Sources, duration_text};
use crate::control::{self, target::Target};
use crate::engine::{ENGINE, Plan};
use crate::error::HostError;
use crate::keeper::{By, Keeper};
use crate::output;
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
    /// Nothing if profiling is switched off.
    keeper: Option<Arc<Keeper>>,
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
    /// `LOCKSCOPE_*` variables, `lockscope.toml` and the defaults. `strict` has
    /// no meaning here; if `enabled` is false, the session begins and ends
    /// without an error, and records nothing.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What has been recorded so far. The session goes on.
    ///
    /// # Errors
    ///
    /// What the backend says; [`HostError::Forked`] in a fork of the process
    /// that started the session; [`HostError::NoSession`] if somebody has ended
    /// it from outside.
    pub fn snapshot(&self) -> Result<ReportFile, HostError> {
        match &self.keeper {
            Some(keeper) => keeper.snapshot(),
            None => Ok(ReportFile::switched_off()),
        }
    }

    /// Wakes a backend that sleeps; `cause` is for the report.
    ///
    /// # Errors
    ///
    /// A backend that never sleeps says so; [`HostError::Forked`] and
    /// [`HostError::NoSession`] as for [`Profiler::snapshot`].
    pub fn wake(&self, cause: &str) -> Result<(), HostError> {
        self.keeper.as_ref().map_or(Ok(()), |keeper| keeper.wake(cause))
    }

    /// Changes a key of the running session's backend, or `stacks`.
    ///
    /// # Errors
    ///
    /// What the backend says of the key and its value; [`HostError::Forked`] and
    /// [`HostError::NoSession`] as for [`Profiler::snapshot`].
    pub fn set(&self, key: &str, value: &str) -> Result<(), HostError> {
        self.keeper.as_ref().map_or(Ok(()), |keeper| keeper.set(key, value))
    }

    /// Ends the session and begins one of another backend in the same moment: no
    /// operation falls between them. What the old one has recorded.
    ///
    /// `backend` is a name, or the path of a plugin if it has a `/`, and
    /// `settings` are keys and values of its configuration. If an output was
    /// named, the old session's report is written there, and the new one's to
    /// another file beside it, with the session's number before the extension.
    ///
    /// # Errors
    ///
    /// What is wrong with the backend or its settings: then the old session goes
    /// on. [`HostError::Report`] if the report cannot be written, and
    /// [`HostError::Forked`] as for [`Profiler::snapshot`].
    pub fn switch(
        &self,
        backend: &str,
        settings: &[(String, String)],
    ) -> Result<ReportFile, HostError> {
        let Some(keeper) = &self.keeper else { return Ok(ReportFile::switched_off()) };
        keeper
            .switch(backend, settings, By::Program)?
            .map(|ended| ended.report)
            .ok_or(HostError::NoSession)
    }

    /// Ends the session: when this returns, nothing more is recorded. Writes
    /// the report, if an output was named. If somebody has ended the session
    /// from outside, its report.
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
        let Some(keeper) = self.keeper.take() else { return Ok(ReportFile::switched_off()) };
        let report = keeper.finish();
        if let Err(HostError::Forked { .. }) = report {
            // Its thread was not forked: there is nothing to give back.
            core::mem::forget(keeper);
        } else {
            keeper.join();
        }
        report
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

    /// Watches only locks that match this pattern, or another one that is
    /// included: `name:GLOB`, `site:GLOB`, `module:GLOB` or `kind:GLOB`.
    #[must_use]
    pub fn include(mut self, pattern: impl Into<String>) -> Self {
        self.overrides.add("include", pattern, Place::Builder("include()"));
        self
    }

    /// Does not watch locks that match this pattern: see [`Builder::include`].
    #[must_use]
    pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
        self.overrides.add("exclude", pattern, Place::Builder("exclude()"));
        self
    }

    /// Has this signal, such as `SIGUSR2`, wake a backend that sleeps.
    #[must_use]
    pub fn wake_signal(mut self, signal: impl Into<String>) -> Self {
        self.overrides.set("wake_signal", signal, Place::Builder("wake_signal()"));
        self
    }

    /// Keeps up to so many frames of the stack of each operation that is recorded, from
    /// 1 to 128; 0 keeps no stacks.
    #[must_use]
    pub fn stacks(mut self, frames: u32) -> Self {
        self.overrides.set("stacks", frames.to_string(), Place::Builder("stacks()"));
        self
    }

    /// Whether the process opens its control socket.
    #[must_use]
    pub fn control(mut self, opens: bool) -> Self {
        self.overrides.set("control", opens.to_string(), Place::Builder("control()"));
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
        if !config.enabled.value {
            return Ok(Profiler { keeper: None, running: false });
        }
        ENGINE.listen();
        if let Some(refusal) = ENGINE.refusal() {
            return Err(refusal);
        }
        let plan = Plan::new(&config)?;
        // Absolute: the program may go elsewhere, and others are told of it.
        let output = output::absolute(config.output_of(std::process::id()));
        let writes = config.output.is_some();
        let keeper = Arc::new(Keeper::begin(&plan, &config, output, writes)?);
        if config.control.value {
            control::serve(Arc::clone(&keeper) as Arc<dyn Target>);
        }
        Ok(Profiler { keeper: Some(keeper), running: true })
    }
}
