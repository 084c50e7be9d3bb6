//! A process's sessions, one after the other, and what becomes of their reports.
//!
//! The report of a session is written while it runs as well: a program that is
//! killed loses at most what came after the last writing.

mod target;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::config::{Config, Overrides, Place, Placed, STACKS};
use crate::engine::{ENGINE, Plan, Stacks};
use crate::error::HostError;
use crate::output;
use crate::report::file;
use crate::report::model::ReportFile;
use crate::tell::tell;
use crate::threads;
use crate::wake_signal;

/// The first writing comes soon, so that a short program that is killed
/// leaves something; the time doubles up to the configured interval.
const FIRST: Duration = Duration::from_millis(250);

/// Begins and ends the sessions of this process, and keeps their reports.
#[derive(Debug)]
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    pid: u32,
}

#[derive(Debug)]
struct Shared {
    /// Where the first session's report goes.
    output: Placed<PathBuf>,
    /// Whether reports are written of their own accord, and not only when
    /// somebody ends a session of whom the program does not know.
    writes: bool,
    /// Held while a session begins or ends, and while a report is written.
    state: Mutex<State>,
    finished: Condvar,
}

#[derive(Debug)]
struct State {
    /// What the next session is made of.
    config: Config,
    /// Sessions that were begun here.
    sessions: u32,
    /// The last report of the last session that has ended.
    last: Option<ReportFile>,
    /// There will be no more sessions.
    is_finished: bool,
    /// A failure to write was told; it is told once.
    is_told: bool,
}

/// A session that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) report: ReportFile,
    /// Where it was written, if it was.
    pub(crate) path: Option<PathBuf>,
}

/// Who ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The program, which gets the report.
    Program,
    /// Somebody else, for whom it is written in any case.
    Command,
}

impl Keeper {
    /// Begins the first session, of `plan`, which `config` has led to. Its
    /// report, and those of sessions to come, go to `output`; if it `writes`,
    /// also while they run.
    pub(crate) fn begin(
        plan: &Plan,
        config: &Config,
        output: Placed<PathBuf>,
        writes: bool,
    ) -> Result<Self, HostError> {
        if writes {
            output::check(&output)?;
        }
        ENGINE.start(plan)?;
        if let Some(signal) = &config.wake_signal {
            wake_signal::wakes(signal.value).inspect_err(|_| {
                let _ = ENGINE.stop();
            })?;
        }
        let config = config.clone();
        let interval = config.flush_interval.value;
        let state = State { config, sessions: 1, last: None, is_finished: false, is_told: false };
        let shared = Shared { output, writes, state: Mutex::new(state), finished: Condvar::new() };
        let keeper =
            Self { shared: Arc::new(shared), thread: Mutex::new(None), pid: std::process::id() };
        if writes {
            keeper.spawn(interval).inspect_err(|_| {
                // There is no session whose report nobody writes.
                let _ = ENGINE.stop();
            })?;
        }
        Ok(keeper)
    }

    fn spawn(&self, interval: Duration) -> Result<(), HostError> {
        let shared = Arc::clone(&self.shared);
        let thread = threads::spawn("lockscope-flush", move || shared.run(interval))
            .map_err(|source| HostError::System { what: "start its thread", source })?;
        *guarded(&self.thread) = Some(thread);
        Ok(())
    }

    /// What the running session has recorded so far.
    pub(crate) fn snapshot(&self) -> Result<ReportFile, HostError> {
        self.check_owner()?;
        ENGINE.snapshot()
    }

    /// Begins another session, as the last one was to be.
    pub(crate) fn start(&self) -> Result<(), HostError> {
        let mut state = self.open_state()?;
        ENGINE.start(&Plan::new(&state.config)?)?;
        state.sessions += 1;
        Ok(())
    }

    /// Ends the session and writes its report.
    pub(crate) fn stop(&self) -> Result<Ended, HostError> {
        let mut state = self.state()?;
        let report = ENGINE.stop()?;
        self.shared.ended(&mut state, report, By::Command)
    }

    /// Ends the session, writes its report, and begins one of another backend,
    /// with these settings, in the same moment. If no session runs, begins one.
    pub(crate) fn switch(
        &self,
        backend: &str,
        settings: &[(String, String)],
        by: By,
    ) -> Result<Option<Ended>, HostError> {
        let mut state = self.open_state()?;
        let mut overrides = Overrides::default();
        overrides.set("backend", backend, Place::Command("use"));
        for (key, value) in settings {
            overrides.setting(key, value, Place::Command("use"));
        }
        let config = state.config.with(&overrides)?;
        let plan = Plan::new(&config)?;
        let ended = match ENGINE.switch(&plan) {
            Ok(report) => Some(self.shared.ended(&mut state, report, by)),
            Err(HostError::NoSession) => {
                ENGINE.start(&plan)?;
                None
            }
            Err(error) => return Err(error),
        };
        state.config = config;
        state.sessions += 1;
        ended.transpose()
    }

    /// Changes a key of the backend, or how many frames of stacks are kept, for this
    /// session and those to come.
    pub(crate) fn set(&self, key: &str, value: &str) -> Result<(), HostError> {
        let mut state = self.state()?;
        let mut overrides = Overrides::default();
        if key == STACKS {
            overrides.set(key, value, Place::Command("set"));
            let config = state.config.with(&overrides)?;
            ENGINE.keep_stacks(&Stacks::new(&config))?;
            state.config = config;
            return Ok(());
        }
        ENGINE.configure(key, value)?;
        overrides.setting(key, value, Place::Command("set"));
        state.config = state.config.with(&overrides)?;
        Ok(())
    }

    /// Wakes the running session's backend. Whatever else is going on does not
    /// hold this up.
    pub(crate) fn wake(&self, cause: &str) -> Result<(), HostError> {
        self.check_owner()?;
        ENGINE.wake(cause)
    }

    /// Ends the session, if one runs, and writes its report: the last one. There
    /// will be no other session here.
    pub(crate) fn finish(&self) -> Result<ReportFile, HostError> {
        let mut state = self.state()?;
        state.is_finished = true;
        self.shared.finished.notify_all();
        match ENGINE.stop() {
            Ok(report) => Ok(self.shared.ended(&mut state, report, By::Program)?.report),
            Err(HostError::NoSession) => state.last.clone().ok_or(HostError::NoSession),
            Err(error) => Err(error),
        }
    }

    /// Waits for the thread; to be called after [`Keeper::finish`].
    pub(crate) fn join(&self) {
        if let Some(thread) = guarded(&self.thread).take() {
            // If it panicked, its message is on stderr already.
            let _ = thread.join();
        }
    }

    /// The state, if this is its process. The fork of a process has its locks as
    /// they stood, and not the threads that would give them back.
    fn state(&self) -> Result<MutexGuard<'_, State>, HostError> {
        self.check_owner()?;
        Ok(guarded(&self.shared.state))
    }

    /// The state, if more sessions can begin here.
    fn open_state(&self) -> Result<MutexGuard<'_, State>, HostError> {
        let state = self.state()?;
        if state.is_finished { Err(HostError::Finished) } else { Ok(state) }
    }

    fn check_owner(&self) -> Result<(), HostError> {
        let pid = std::process::id();
        if self.pid == pid { Ok(()) } else { Err(HostError::Forked { owner: self.pid, pid }) }
    }
}

impl Shared {
    /// Writes the last report of the session that has just ended.
    fn ended(&self, state: &mut State, report: ReportFile, by: By) -> Result<Ended, HostError> {
        state.last = Some(report.clone());
        let path = (self.writes || by == By::Command).then(|| self.path(state.sessions));
        if let Some(path) = &path {
            file::write(path, &report)?;
        }
        Ok(Ended { report, path })
    }

    /// Where the report of the session with this number goes, from 1.
    fn path(&self, session: u32) -> PathBuf {
        output::of_session(&self.output.value, session)
    }

    fn run(&self, interval: Duration) {
        let mut pause = FIRST.min(interval);
        loop {
            let state = guarded(&self.state);
            let waited = self
                .finished
                .wait_timeout_while(state, pause, |state| !state.is_finished)
                .unwrap_or_else(PoisonError::into_inner);
            let (mut state, _) = waited;
            if state.is_finished {
                return;
            }
            self.flush(&mut state);
            pause = (pause * 2).min(interval);
        }
    }

    fn flush(&self, state: &mut State) {
        let path = self.path(state.sessions);
        match ENGINE.snapshot().and_then(|report| Ok(file::write(&path, &report)?)) {
            // Somebody has ended the session: its report is written.
            Ok(()) | Err(HostError::NoSession) => {}
            Err(error) => {
                if !core::mem::replace(&mut state.is_told, true) {
                    tell(format_args!(
                        "{error}; the session goes on, and its report is tried again"
                    ));
                }
            }
        }
    }
}

fn guarded<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
