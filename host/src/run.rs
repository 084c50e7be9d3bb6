//! `lockscope run`: a program, profiled from its first lock operation to its
//! end, and otherwise as if it had been started alone.

mod child;
mod preflight;
mod progress;
mod terminal;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::attach::STRICT_STATUS;
use crate::config::{Config, Overrides, PREFIX, Sources};
use crate::error::HostError;
use crate::report::file;
use crate::report::model::ReportFile;
use crate::report::table::render;

pub(crate) use child::{Ending, become_ending};

use child::SignalMask;
use preflight::Preflight;
use progress::Progress;

/// What a shell answers for a command that is not there.
const NOT_FOUND_STATUS: i32 = 127;
/// What a shell answers for a command that cannot be executed.
const NOT_EXECUTABLE_STATUS: i32 = 126;
/// The report, if nobody names one.
const DEFAULT_OUTPUT: &str = "lockscope.json";

/// A program to be profiled.
#[derive(Debug)]
pub(crate) struct Run {
    /// The program and its arguments; at least one.
    pub(crate) command: Vec<OsString>,
    /// What the flags say.
    pub(crate) overrides: Overrides,
    /// Whether `--strict` was given: it counts even if the configuration
    /// cannot be read.
    pub(crate) strict: bool,
}

impl Run {
    /// Runs the program to its end.
    pub(crate) fn execute(&self) -> Ending {
        let config = Config::resolve(&Sources::of_process(), &self.overrides);
        let strict = self.strict || config.as_ref().is_ok_and(|config| config.strict.value);
        let prepared = match config {
            Ok(config) if !config.enabled.value => return self.unprofiled(),
            Ok(config) => Preflight::new(&config),
            Err(error) => Err(error),
        };
        match prepared {
            Ok(preflight) => self.profiled(&preflight),
            Err(error) if strict => {
                eprintln!("lockscope: {error}; the program was not started, because of --strict");
                Ending::Exited(STRICT_STATUS)
            }
            Err(error) => {
                eprintln!("lockscope: {error}; the program runs unprofiled");
                self.unprofiled()
            }
        }
    }

    fn unprofiled(&self) -> Ending {
        let mut command = self.command();
        command.env_remove("LOCKSCOPE_HOST");
        self.wait(command, None).0
    }

    fn profiled(&self, preflight: &Preflight) -> Ending {
        let mut command = self.command();
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(PREFIX) {
                command.env_remove(name);
            }
        }
        command.envs(preflight.variables());
        let started = unix_ns();
        let (ending, pid) = self.wait(command, Some(Progress::new(preflight, started)));
        if let Some(pid) = pid {
            self.conclude(&preflight.output.replaced(pid), started);
        }
        ending
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        command
    }

    /// Starts the program, passes signals on, and waits for its end; with the
    /// process's number, if it could be started.
    fn wait(&self, mut command: Command, progress: Option<Progress>) -> (Ending, Option<u32>) {
        let mask = SignalMask::block();
        let theirs = mask.clone();
        // SAFETY: between fork and exec only the signal mask is set, which is
        // safe there.
        unsafe { command.pre_exec(move || theirs.restore()) };
        match command.spawn() {
            Ok(child) => {
                let pid = child.id();
                (child::wait(child, &mask, progress), Some(pid))
            }
            Err(error) => (self.not_started(&error), None),
        }
    }

    fn not_started(&self, error: &std::io::Error) -> Ending {
        let program = Path::new(&self.command[0]).display();
        if error.kind() == ErrorKind::NotFound {
            eprintln!("lockscope: the program {program} was not found; check its path");
            return Ending::Exited(NOT_FOUND_STATUS);
        }
        eprintln!(
            "lockscope: the program {program} cannot be executed: {error}; check that it is a program and that you may run it"
        );
        Ending::Exited(NOT_EXECUTABLE_STATUS)
    }

    /// Shows what the program's session has left. On stderr: the program's
    /// stdout is its own.
    fn conclude(&self, output: &Path, started: u64) {
        match fresh_report(output, started) {
            Ok(Some(report)) => {
                eprint!("{}", render(&report, &terminal::table_options()));
                if !report.session.complete {
                    eprintln!(
                        "lockscope: the program ended without running its exit handlers; what came after the last writing of the report is not in it."
                    );
                }
                eprintln!("lockscope: wrote {}", output.display());
            }
            Ok(None) => eprintln!(
                "lockscope: {} used no lock that lockscope watches, so there is no report. Take its locks from the crate `lockscope` (`lockscope::sync` or `lockscope::parking_lot`), or look above for a warning.",
                Path::new(&self.command[0]).display()
            ),
            Err(error) => eprintln!("lockscope: {error}"),
        }
    }
}

/// The report at `output`, unless it is of an earlier run.
fn fresh_report(output: &Path, started: u64) -> Result<Option<ReportFile>, HostError> {
    if !output.exists() {
        return Ok(None);
    }
    match file::read(output) {
        Ok(report) if report.session.started_unix_ns >= started => Ok(Some(report)),
        Ok(_) => Ok(None),
        // What stands there may never have been a report.
        Err(_) if modified_before(output, started) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn modified_before(path: &Path, unix_ns: u64) -> bool {
    let modified = path.metadata().and_then(|of| of.modified()).ok();
    modified
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .is_some_and(|since| since.as_nanos() < u128::from(unix_ns))
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The path of a report, in which `{pid}` stands for the process.
#[derive(Clone, Debug)]
pub(crate) struct OutputPattern(PathBuf);

impl OutputPattern {
    /// The path for one process.
    pub(crate) fn replaced(&self, pid: u32) -> PathBuf {
        self.0.to_string_lossy().replace("{pid}", &pid.to_string()).into()
    }
}
