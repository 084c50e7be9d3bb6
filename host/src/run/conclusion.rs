//! What the processes of a run have left behind. All of it is shown on
//! stderr: the program's stdout is its own.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::Ending;
use crate::error::HostError;
use crate::output::{Pattern, is_stream, of_session};
use crate::report::file;
use crate::report::model::ReportFile;
use crate::report::table::{TableOptions, render};
use crate::report::terminal;
use crate::tell::{show, tell};

/// Reports that are named one by one; of more, only the number is told.
const NAMED: usize = 10;

/// A run that has ended.
#[derive(Debug)]
pub(super) struct Conclusion<'a> {
    pub(super) program: &'a Path,
    pub(super) pid: u32,
    pub(super) ending: Ending,
    pub(super) output: &'a Pattern,
    /// When it started: what is older is of an earlier run.
    pub(super) started_unix_ns: u64,
}

impl Conclusion<'_> {
    /// Shows the program's report, and names those of processes that it
    /// started.
    pub(super) fn tell(&self) {
        let first = self.output.of(self.pid);
        if is_stream(&first) {
            return tell(format_args!("the report, if there is one, went to {}", first.display()));
        }
        let sessions = self.sessions(&first);
        let own = sessions.last().cloned().unwrap_or(first);
        let others = self.others(&own);
        match self.fresh(&own) {
            Ok(Some(report)) => self.show(&report, &own),
            Ok(None) => match others.as_slice() {
                [] => self.tell_of_none(),
                [(path, report)] => return self.show_adopted(report, path, &own),
                _ => self.tell_of_others(),
            },
            Err(error) => tell(&error),
        }
        for path in &sessions[..sessions.len().saturating_sub(1)] {
            tell(format_args!("an earlier session of the program wrote {}", path.display()));
        }
        name(&others);
    }

    /// The files of the program's sessions, the first of which writes to `first`.
    fn sessions(&self, first: &Path) -> Vec<PathBuf> {
        let paths = (1..).map(|session| of_session(first, session));
        paths.take_while(|path| matches!(self.fresh(path), Ok(Some(_)))).collect()
    }

    fn show(&self, report: &ReportFile, path: &Path) {
        show(&render(report, &table_options()));
        if !report.session.complete {
            tell(
                "the program ended without running its exit handlers; what came after the last writing of the report is not in it.",
            );
        }
        tell(format_args!("wrote {}", path.display()));
    }

    /// The only report of a run is the one that was asked for, whichever
    /// process made it: a shell or a build tool uses no watched locks.
    fn show_adopted(&self, report: &ReportFile, path: &Path, own: &Path) {
        let adopted = report.session.complete && std::fs::rename(path, own).is_ok();
        self.show(report, if adopted { own } else { path });
    }

    fn tell_of_none(&self) {
        const REMEDY: &str = "Take its locks from the crate `lockscope` (`lockscope::sync` or `lockscope::parking_lot`), watch the pthread locks of its libraries with `--probe pthread`, the waits of Rust code with `--probe futex`, or look above for a warning.";
        let program = self.program.display();
        match self.ending {
            Ending::Exited(_) => tell(format_args!(
                "{program} used no lock that lockscope watches, so there is no report. {REMEDY}"
            )),
            Ending::Killed(signal) => tell(format_args!(
                "{program} was killed by signal {signal} before its report was written for the first time, or it used no lock that lockscope watches. To have the report sooner, give a shorter --flush-interval. {REMEDY}"
            )),
        }
    }

    fn tell_of_others(&self) {
        tell(format_args!(
            "{} used no lock that lockscope watches, but processes that it started did. Show what they wrote with `lockscope report FILE`.",
            self.program.display()
        ));
    }

    fn others(&self, own: &Path) -> Vec<(PathBuf, ReportFile)> {
        let files = self.output.of_descendants().files().into_iter();
        files
            .filter(|path| path != own)
            .filter_map(|path| self.fresh(&path).ok()?.map(|report| (path, report)))
            .collect()
    }

    /// The report at `path`, unless it is of an earlier run.
    fn fresh(&self, path: &Path) -> Result<Option<ReportFile>, HostError> {
        if !path.exists() {
            return Ok(None);
        }
        match file::read(path) {
            Ok(report) if report.session.started_unix_ns >= self.started_unix_ns => {
                Ok(Some(report))
            }
            Ok(_) => Ok(None),
            // What stands there may never have been a report.
            Err(_) if self.is_older(path) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn is_older(&self, path: &Path) -> bool {
        let modified = path.metadata().and_then(|of| of.modified()).ok();
        modified
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .is_some_and(|since| since.as_nanos() < u128::from(self.started_unix_ns))
    }
}

/// How the table is to look on stderr.
fn table_options() -> TableOptions {
    let stderr = std::io::stderr();
    TableOptions {
        width: terminal::width(&stderr),
        colour: terminal::wants_colour(stderr),
        ..TableOptions::default()
    }
}

fn name(reports: &[(PathBuf, ReportFile)]) {
    for (path, report) in reports.iter().take(NAMED) {
        let session = &report.session;
        let command = session.command.join(" ");
        tell(format_args!("process {} ({command}) wrote {}", session.pid, path.display()));
    }
    if let Some(more @ 1..) = reports.len().checked_sub(NAMED) {
        tell(format_args!("{more} more processes wrote reports of their own beside these"));
    }
}
