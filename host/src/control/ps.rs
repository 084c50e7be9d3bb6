//! `lockscope ps`: the processes that can be controlled.

use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::client::{Client, Found};
use super::error::ControlError;
use super::folder::{self, Folder};
use super::protocol::Request;
use super::target::Status;
use crate::report::terminal;
use crate::report::text::{clean, cut_right, width};
use crate::report::units::{duration, thousands};
use crate::tell::tell;

/// How long a process has to answer.
const PATIENCE: Duration = Duration::from_millis(500);
/// How many processes are asked at a time.
const AT_A_TIME: usize = 16;

/// What stands where nothing is known.
const NOTHING: &str = "–";
const GAP: usize = 2;
const HEADS: [&str; 5] = ["pid", "backend", "state", "since", "samples"];

/// What `lockscope ps` is asked for.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct PsArgs {}

/// A process that listens, or cannot be asked.
#[derive(Debug)]
struct Process {
    pid: u32,
    status: Result<Status, ControlError>,
}

impl PsArgs {
    /// Asks all processes, and returns what is to be printed. Says on stderr
    /// which folders were not looked into, and why.
    pub(crate) fn execute(self) -> String {
        let mut sockets = Vec::new();
        for user in folder::users() {
            for place in folder::places_of(user) {
                match Folder::open(place, user) {
                    Ok(None) => {}
                    Ok(Some(folder)) => {
                        let pids = folder.processes().into_iter();
                        sockets.extend(pids.map(|pid| (folder.clone(), pid)));
                    }
                    Err(error) => tell(error),
                }
            }
        }
        listing(&asked(&sockets), terminal::width(std::io::stdout()))
    }
}

/// Those that are there, ascending.
fn asked(sockets: &[(Folder, u32)]) -> Vec<Process> {
    let mut processes = Vec::new();
    for some in sockets.chunks(AT_A_TIME) {
        std::thread::scope(|scope| {
            let asking: Vec<_> =
                some.iter().map(|(folder, pid)| scope.spawn(|| ask(folder, *pid))).collect();
            processes.extend(asking.into_iter().filter_map(|asked| asked.join().ok().flatten()));
        });
    }
    processes.sort_by_key(|process| process.pid);
    processes
}

/// The process, unless it has ended.
fn ask(folder: &Folder, pid: u32) -> Option<Process> {
    let status = match Client::at(folder, pid, PATIENCE) {
        Ok(Found::Client(mut client)) => client.ask(&Request::Status, PATIENCE),
        Ok(Found::Stale | Found::Nothing) => return None,
        Err(error) => Err(error),
    };
    Some(Process { pid, status })
}

fn listing(processes: &[Process], room: Option<usize>) -> String {
    if processes.is_empty() {
        return "No process can be controlled. Start one with `lockscope run -- PROGRAM`; it listens from its first watched lock on.\n".to_owned();
    }
    let mut rows = vec![(HEADS.map(str::to_owned), "command".to_owned())];
    rows.extend(processes.iter().map(|process| (cells(process), command(process))));
    let widths: [usize; HEADS.len()] = core::array::from_fn(|column| {
        rows.iter().map(|(cells, _)| width(&cells[column])).max().unwrap_or(0)
    });
    rows.iter().map(|(cells, command)| line(cells, command, &widths, room)).collect()
}

fn line(
    cells: &[String; HEADS.len()],
    command: &str,
    widths: &[usize; HEADS.len()],
    room: Option<usize>,
) -> String {
    let mut line = String::new();
    for ((cell, width_of), head) in cells.iter().zip(widths).zip(HEADS) {
        let blanks = " ".repeat(width_of.saturating_sub(width(cell)));
        // Numbers stand on the right.
        let is_text = matches!(head, "backend" | "state");
        line.push_str(&if is_text { format!("{cell}{blanks}") } else { format!("{blanks}{cell}") });
        line.push_str(&" ".repeat(GAP));
    }
    line.push_str(command);
    let line = match room {
        Some(room) => cut_right(&line, room),
        None => line,
    };
    format!("{}\n", line.trim_end())
}

fn cells(process: &Process) -> [String; HEADS.len()] {
    let nothing = || NOTHING.to_owned();
    let pid = process.pid.to_string();
    match &process.status {
        Ok(status) => [
            pid,
            clean(&status.backend),
            status.state.word().to_owned(),
            status.length_ns.map_or_else(nothing, |ns| format!("{} ago", duration(ns as f64))),
            status.samples.map_or_else(nothing, thousands),
        ],
        Err(error) => {
            let state = match error {
                ControlError::Silent { .. } => "no answer",
                ControlError::Version { .. } => "other version",
                _ => "unreachable",
            };
            [pid, nothing(), state.to_owned(), nothing(), nothing()]
        }
    }
}

/// What the process says it is, or else what the kernel says.
fn command(process: &Process) -> String {
    match &process.status {
        Ok(status) => clean(&status.command.join(" ")),
        Err(_) => {
            let path = Path::new("/proc").join(process.pid.to_string()).join("cmdline");
            let line = std::fs::read(path).unwrap_or_default();
            clean(&String::from_utf8_lossy(&line).replace('\0', " "))
        }
    }
}

#[cfg(test)]
mod tests;
