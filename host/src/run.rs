//! `lockscope run`: a program, profiled from its first lock operation to its
//! end, and otherwise as if it had been started alone.

mod child;
mod conclusion;
mod libraries;
mod preflight;
mod preload;
mod program;
mod progress;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::attach::STRICT_STATUS;
use crate::config::{Config, Overrides, PREFIX, Sources};
use crate::tell::tell;

pub(crate) use child::{Ending, become_ending};
pub(crate) use preload::{CHILDREN_VARIABLE, ProbeChoice};

use child::SignalMask;
use conclusion::Conclusion;
use preflight::Preflight;
use preload::Preload;
use progress::Progress;

/// What a shell answers for a command that is not there.
const NOT_FOUND_STATUS: i32 = 127;
/// What a shell answers for a command that cannot be executed.
const NOT_EXECUTABLE_STATUS: i32 = 126;

/// A program to be profiled.
#[derive(Debug)]
pub(crate) struct Run {
    /// The program and its arguments; at least one.
    pub(crate) command: Vec<OsString>,
    /// What the flags say.
    pub(crate) overrides: Overrides,
    /// By what its locks are watched.
    pub(crate) probe: ProbeChoice,
    /// Whether the locks of processes that the program starts are watched.
    pub(crate) all_children: bool,
}

impl Run {
    /// Runs the program to its end.
    pub(crate) fn execute(&self) -> Ending {
        if self.probe == ProbeChoice::None {
            return self.unprofiled();
        }
        let sources = Sources::of_process();
        let prepared = match Config::resolve(&sources, &self.overrides) {
            Ok(config) if !config.enabled.value => return self.unprofiled(),
            Ok(config) => Preflight::new(&config),
            Err(error) => Err(error),
        };
        match prepared {
            Ok(preflight) => match Preload::of(self.probe, self.all_children, &self.command[0]) {
                Preload::Impossible(why) => {
                    self.impossible(&why, Config::is_strict(&sources, &self.overrides))
                }
                preload => self.profiled(&preflight, &preload),
            },
            Err(error) if Config::is_strict(&sources, &self.overrides) => {
                tell(format_args!("{error}; the program was not started, because of --strict"));
                Ending::Exited(STRICT_STATUS)
            }
            Err(error) => {
                tell(format_args!("{error}; the program runs unprofiled"));
                self.unprofiled()
            }
        }
    }

    /// For a program into which nothing can be loaded.
    fn impossible(&self, why: &str, is_strict: bool) -> Ending {
        if is_strict {
            tell(format_args!("{why}; the program was not started, because of --strict"));
            return Ending::Exited(STRICT_STATUS);
        }
        tell(format_args!("{why}; the program runs unprofiled"));
        self.unprofiled()
    }

    fn unprofiled(&self) -> Ending {
        let mut command = self.command();
        command.env_remove("LOCKSCOPE_HOST");
        self.wait(command, None).0
    }

    fn profiled(&self, preflight: &Preflight, preload: &Preload) -> Ending {
        let mut command = self.command();
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(PREFIX) {
                command.env_remove(name);
            }
        }
        command.envs(preflight.variables());
        command.envs(preload.variable());
        if self.all_children {
            command.env(CHILDREN_VARIABLE, "true");
        }
        if let Some(told) = preload.told() {
            tell(told);
        }
        let started = unix_ns();
        let (ending, pid) = self.wait(command, Some(Progress::new(preflight, started)));
        if let Some(pid) = pid {
            let output = &preflight.output;
            let program = Path::new(&self.command[0]);
            Conclusion { program, pid, ending, output, started_unix_ns: started }.tell();
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
            tell(format_args!("the program {program} was not found; check its path"));
            return Ending::Exited(NOT_FOUND_STATUS);
        }
        tell(format_args!(
            "the program {program} cannot be executed: {error}; check that it is a program and that you may run it"
        ));
        Ending::Exited(NOT_EXECUTABLE_STATUS)
    }
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
