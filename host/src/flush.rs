//! The report's file while a session runs: a program that is killed loses at
//! most what came after the last writing.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::config::Placed;
use crate::engine::ENGINE;
use crate::error::HostError;
use crate::output;
use crate::report::file;
use crate::report::model::ReportFile;
use crate::tell::tell;
use crate::threads;

/// The first writing comes soon, so that a short program that is killed
/// leaves something; the time doubles up to the configured interval.
const FIRST: Duration = Duration::from_millis(250);

/// Writes the report of the running session again and again.
#[derive(Debug)]
pub(crate) struct Flusher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    pid: u32,
}

#[derive(Debug)]
struct Shared {
    output: Placed<PathBuf>,
    progress: Mutex<Progress>,
    finished: Condvar,
}

#[derive(Debug, Default)]
struct Progress {
    /// The last report is being written, or was.
    finished: bool,
    /// A failure was told; it is told once.
    told: bool,
}

impl Flusher {
    /// Begins to write the running session's report to `output`, at least
    /// once in `interval`.
    pub(crate) fn spawn(output: Placed<PathBuf>, interval: Duration) -> Result<Self, HostError> {
        output::check(&output)?;
        let shared = Arc::new(Shared {
            output,
            progress: Mutex::new(Progress::default()),
            finished: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let thread = threads::spawn("lockscope-flush", move || theirs.run(interval))
            .map_err(|source| HostError::System { what: "start its thread", source })?;
        Ok(Self { shared, thread: Some(thread), pid: std::process::id() })
    }

    /// Ends the session and writes its last report.
    pub(crate) fn finish(&self) -> Result<ReportFile, HostError> {
        let pid = std::process::id();
        if self.pid != pid {
            // The fork of a process has its locks as they stood, and not the
            // threads that would give them back.
            return Err(HostError::Forked { owner: self.pid, pid });
        }
        let mut progress = self.shared.progress();
        progress.finished = true;
        self.shared.finished.notify_all();
        let report = ENGINE.stop()?;
        file::write(&self.shared.output.value, &report)?;
        Ok(report)
    }

    /// Waits for the thread; to be called after [`Flusher::finish`].
    pub(crate) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // If it panicked, its message is on stderr already.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, interval: Duration) {
        let mut pause = FIRST.min(interval);
        loop {
            let progress = self.progress();
            let waited = self
                .finished
                .wait_timeout_while(progress, pause, |progress| !progress.finished)
                .unwrap_or_else(PoisonError::into_inner);
            let (mut progress, _) = waited;
            if progress.finished {
                return;
            }
            self.flush(&mut progress);
            pause = (pause * 2).min(interval);
        }
    }

    fn flush(&self, progress: &mut Progress) {
        let written = ENGINE.snapshot().and_then(|report| {
            file::write(&self.output.value, &report)?;
            Ok(())
        });
        if let Err(error) = written
            && !core::mem::replace(&mut progress.told, true)
        {
            tell(format_args!("{error}; the session goes on, and its report is tried again"));
        }
    }
}
