//! Other people's crates, which lock by parking_lot 0.12: the same program with the locks
//! as they are and with those that are watched, each a process of its own, in turns.
//!
//! A crate's locks are exchanged by a patch of its whole workspace, so both cannot be in
//! one program, and not in this one either: see `benches/real`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::record::{Cell, Row, Table};
use crate::rows::shown;
use crate::stats::Ratio;
use crate::watching::{Backend, Watching};
use crate::workload::{LEAST_ROUNDS, Size};

/// The table.
pub const REAL: &str = "real";

/// The workloads: what the program calls them, and what a column is called.
const WORKLOADS: [(&str, &str); 3] = [
    ("prometheus", "prometheus 0.14: look a counter up, and add"),
    ("quick_cache", "quick_cache 0.7: ask a cache, and fill it"),
    ("r2d2", "r2d2 0.8: get a connection, and give it back"),
];

/// Where both programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Those in `folder`.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn start(&self, name: &str, variables: &[(String, String)]) -> Result<Program, String> {
        let path = self.folder.join(name);
        let mut command = Command::new(&path);
        // What is set for the bench is not meant for them.
        for (variable, _) in std::env::vars_os() {
            if variable.as_encoded_bytes().starts_with(b"LOCKSCOPE_") {
                command.env_remove(variable);
            }
        }
        command.envs(variables.iter().cloned()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            format!("cannot start {}: {error}; `cargo xtask bench` builds it", path.display())
        })?;
        let (asked, told) = (child.stdin.take(), child.stdout.take());
        let (asked, told) = asked.zip(told).ok_or("a pipe that was asked for is not there")?;
        Ok(Program { child, asked: Some(asked), told: BufReader::new(told) })
    }

    /// What the crates cost, never watched and by each of the backends.
    ///
    /// # Errors
    ///
    /// A sentence that says what a program failed at, or that nothing was seen of it.
    pub fn table(&self, backends: &[Backend], size: &Size) -> Result<Table, String> {
        let title = "Other people's crates, by two threads: throughput relative to the same with bare locks";
        let mut table = Table::new(REAL, title, &WORKLOADS.map(|(_, column)| column));
        eprintln!("{title}");
        let mut bare = self.start("real-bare", &[])?;
        let mut row = |title: &str, variables: &[(String, String)]| {
            let mut watched = self.start("real-watched", variables)?;
            let cells: Result<Vec<_>, String> = WORKLOADS
                .iter()
                .map(|(name, _)| Ok(Some(Cell::Ratio(ratio(&mut watched, &mut bare, name, size)?))))
                .collect();
            watched.end()?;
            Ok::<_, String>(shown(Row { title: title.to_owned(), cells: cells? }))
        };
        table.rows.push(row("never started", &[])?);
        for watching in backends.iter().flat_map(Backend::periods) {
            let report = self.folder.join(format!("real-{}.json", std::process::id()));
            let variables = variables(&watching, &report);
            table.rows.push(row(&watching.title, &variables)?);
            was_watched(&watching, &report)?;
        }
        bare.end()?;
        Ok(table)
    }
}

/// What has a program with watched locks load the host that stands beside this bench, as
/// `lockscope run` does.
fn variables(watching: &Watching, report: &Path) -> Vec<(String, String)> {
    let bench = std::env::current_exe().unwrap_or_default();
    let folder = bench.parent().unwrap_or(Path::new("."));
    let host = folder.join("liblockscope_host.so");
    let mut all = vec![
        ("LOCKSCOPE_HOST".to_owned(), host.display().to_string()),
        ("LOCKSCOPE_PLUGIN_PATH".to_owned(), folder.display().to_string()),
        ("LOCKSCOPE_OUTPUT".to_owned(), report.display().to_string()),
        // Or it would go on without being watched, and be measured so.
        ("LOCKSCOPE_STRICT".to_owned(), "true".to_owned()),
        ("LOCKSCOPE_CONTROL".to_owned(), "false".to_owned()),
    ];
    all.extend(watching.variables());
    all
}

/// That the program was seen to lock; and the report, which nobody reads, is gone.
fn was_watched(watching: &Watching, report: &Path) -> Result<(), String> {
    let failed = |error: &dyn core::fmt::Display| {
        format!("{watching:?}: no report of the watched program: {error}")
    };
    let text = std::fs::read_to_string(report).map_err(|error| failed(&error))?;
    std::fs::remove_file(report).map_err(|error| failed(&error))?;
    let seen: serde_json::Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    match seen["session"]["samples"].as_u64() {
        None | Some(0) => Err(failed(&"nothing was sampled")),
        Some(_) => Ok(()),
    }
}

/// A program that runs, and does what it is asked for.
struct Program {
    child: Child,
    /// None at its end.
    asked: Option<ChildStdin>,
    told: BufReader<ChildStdout>,
}

impl Program {
    /// How long it took to do it so often in each thread.
    fn time(&mut self, workload: &str, n: u64) -> Result<Duration, String> {
        let failed = |error: &dyn core::fmt::Display| format!("{workload}, {n} times: {error}");
        let asked = self.asked.as_mut().ok_or_else(|| failed(&"the program has ended"))?;
        writeln!(asked, "{workload} {n}").map_err(|error| failed(&error))?;
        let mut line = String::new();
        self.told.read_line(&mut line).map_err(|error| failed(&error))?;
        // Nothing, if what came of it was not right: the program has said so itself.
        let ns = line.trim().parse().map_err(|_| failed(&"the program gave no time"))?;
        Ok(Duration::from_nanos(ns))
    }

    fn end(&mut self) -> Result<(), String> {
        drop(self.asked.take());
        let status = self.child.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("the program ended with {status}")) }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.asked.is_some() {
            // Best effort, after an error that is told: it ends by itself, too, when nobody
            // asks any more.
            let _ = self.end();
        }
    }
}

/// The ratio of throughputs.
fn ratio(
    watched: &mut Program,
    bare: &mut Program,
    workload: &str,
    size: &Size,
) -> Result<Ratio, String> {
    let n = size.operations;
    bare.time(workload, n)?;
    watched.time(workload, n)?;
    let (began, mut ratios) = (Instant::now(), Vec::new());
    while ratios.len() < size.rounds
        && (ratios.len() < LEAST_ROUNDS || began.elapsed() < size.budget)
    {
        // Whoever goes first does so every other time.
        let (watched, bare) = if ratios.len() % 2 == 0 {
            let watched = watched.time(workload, n)?;
            (watched, bare.time(workload, n)?)
        } else {
            let bare = bare.time(workload, n)?;
            (watched.time(workload, n)?, bare)
        };
        ratios.push(watched.as_secs_f64() / bare.as_secs_f64());
    }
    Ok(Ratio::of(ratios).inverse())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let size = Size { rounds: 1, operations: 1, budget: Duration::MAX };
        let error = Programs::new("/nowhere".into()).table(&[], &size).unwrap_err();
        assert!(error.starts_with("cannot start /nowhere/real-bare: "), "{error}");
        assert!(error.ends_with("; `cargo xtask bench` builds it"), "{error}");
    }

    #[test]
    fn a_program_that_nobody_saw_is_not_measured() {
        let watching = Backend::named("wrapper").unwrap().one_in_100();
        let report = std::env::temp_dir().join(format!("lockscope-real-{}", std::process::id()));
        let error = was_watched(&watching, &report).unwrap_err();
        assert!(error.contains("no report of the watched program"), "{error}");
        std::fs::write(&report, "{\"session\":{\"samples\":0}}").unwrap();
        let error = was_watched(&watching, &report).unwrap_err();
        assert!(error.ends_with("nothing was sampled"), "{error}");
        std::fs::write(&report, "{\"session\":{\"samples\":3}}").unwrap();
        was_watched(&watching, &report).unwrap();
        assert!(!report.exists());
    }
}
