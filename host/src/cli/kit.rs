//! Commands that are another program's: the conformance kit's.
//!
//! What only the author of a backend needs, the command does not carry: it passes
//! everything on, and becomes that program.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use clap::Args;

use crate::error::HostError;
use crate::tell::tell;

/// The program: beside this command, or else on the PATH.
const PROGRAM: &str = "lockscope-conformance";

/// The status that says that nothing was judged: 1 would be a judgement.
const NOT_RUN_STATUS: i32 = 2;

/// Arguments that are not ours.
#[derive(Debug, Args)]
pub(super) struct PassedOn {
    /// What the program takes: `--help` has it say what that is.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

impl PassedOn {
    /// Becomes the kit's program, with its command of this name.
    pub(super) fn become_kit(&self, command: &'static str) -> ! {
        let error = match program() {
            Some(path) => {
                let mut kit = std::process::Command::new(&path);
                let source = kit.arg(command).args(&self.arguments).exec();
                HostError::KitStart { path, source }
            }
            None => HostError::NoKit { command, program: PROGRAM },
        };
        tell(&error);
        std::process::exit(NOT_RUN_STATUS)
    }
}

fn program() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|here| Some(here.parent()?.join(PROGRAM)));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&on_path).map(|folder| folder.join(PROGRAM));
    beside.into_iter().chain(on_path).find(|path| path.is_file())
}
