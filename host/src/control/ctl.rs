//! `lockscope ctl`: one request, and what came of it in words.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::client::Client;
use super::error::ControlError;
use super::protocol::Request;
use super::target::{Begun, Ended, State, Status, Switched};
use crate::error::HostError;
use crate::report::file::{self, Text};
use crate::report::table::{self, TableOptions};
use crate::report::terminal;
use crate::report::text::clean;
use crate::report::units::{duration, thousands};

/// How long a process may take to greet: it may be busy with another command.
const GREETING: Duration = Duration::from_secs(10);
/// How long it may take to answer: ending a session writes a report.
const ANSWER: Duration = Duration::from_secs(60);

/// What `lockscope ctl` is asked for.
#[derive(Clone, Debug, Args)]
pub(crate) struct CtlArgs {
    /// The process; `lockscope ps` lists those that can be controlled.
    #[arg(value_name = "PID", value_parser = clap::value_parser!(u32).range(1..))]
    pid: u32,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Say how the process is doing.
    Status {
        /// Print the answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Begin a session, or wake the backend if it sleeps.
    Start,
    /// End the session and write its report.
    Stop,
    /// Print the table of the session so far, which goes on.
    Snapshot {
        /// Write the report to this file instead.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Print all of the report as JSON instead of the table.
        #[arg(long)]
        json: bool,
    },
    /// Change a key of the backend, for this session and later ones.
    Set {
        /// The key and its value, as in period=1000.
        #[arg(value_name = "KEY=VALUE", value_parser = crate::cli::assignment)]
        setting: (String, String),
    },
    /// End the session, write its report, and begin one of another backend.
    Use {
        /// The backend: its name, or the path of its plugin if it has a `/`.
        #[arg(value_name = "NAME|PATH")]
        backend: String,
        /// Keys of the backend.
        #[arg(value_name = "KEY=VALUE", value_parser = crate::cli::assignment)]
        settings: Vec<(String, String)>,
    },
    /// Wake the backend if it sleeps.
    Wake {
        /// Why, for the report.
        #[arg(long, default_value = "lockscope ctl")]
        cause: String,
    },
}

impl CtlArgs {
    /// Asks the process, and returns what is to be printed.
    ///
    /// # Errors
    ///
    /// [`ControlError`]: the process cannot be reached, or says no; what can
    /// be wrong with the file of a snapshot.
    pub(crate) fn execute(self) -> Result<String, HostError> {
        let mut client = Client::to(self.pid, GREETING)?;
        let request = match self.command {
            Command::Status { json: false } => {
                return Ok(shown(&client.ask(&Request::Status, ANSWER)?));
            }
            Command::Snapshot { output, json } => {
                return snapshot(&mut client, self.pid, output, json);
            }
            Command::Status { json: true } => Request::Status,
            Command::Start => Request::Start,
            Command::Stop => Request::Stop,
            Command::Set { setting: (key, value) } => Request::Set { key, value },
            Command::Use { backend, settings } => {
                Request::Use { backend: seen_from_anywhere(backend), settings }
            }
            Command::Wake { cause } => Request::Wake { cause },
        };
        let said = outcome(&mut client, self.pid, &request)?;
        Ok(format!("{said}\n"))
    }
}

/// Has the process do something, and says what came of it.
pub(super) fn outcome(
    client: &mut Client,
    pid: u32,
    request: &Request,
) -> Result<String, ControlError> {
    let said = match request {
        Request::Start => begun(&client.ask(request, ANSWER)?),
        Request::Stop => ended(&client.ask(request, ANSWER)?),
        Request::Use { .. } => switched(&client.ask(request, ANSWER)?),
        Request::Set { key, value } => {
            client.ask::<Value>(request, ANSWER)?;
            format!("{key} = {value}")
        }
        Request::Wake { .. } => {
            client.ask::<Value>(request, ANSWER)?;
            "the backend was woken".to_owned()
        }
        Request::Status | Request::Snapshot => {
            return Ok(format!("{:#}", client.ask::<Value>(request, ANSWER)?));
        }
    };
    Ok(format!("process {pid}: {}", clean(&said)))
}

/// The table, or the report as JSON, or the name of the file that it was
/// written to.
fn snapshot(
    client: &mut Client,
    pid: u32,
    output: Option<PathBuf>,
    json: bool,
) -> Result<String, HostError> {
    // As it came, with fields that this version does not know.
    let value: Value = client.ask(&Request::Snapshot, ANSWER)?;
    let named = PathBuf::from(format!("of process {pid}"));
    let text = Text::of(&named, value.to_string().into_bytes());
    let report = text.report()?;
    if let Some(path) = output {
        file::write_whole(&path, |out| writeln!(out, "{value}"))?;
        return Ok(format!("wrote {}\n", path.display()));
    }
    if json {
        return Ok(format!("{value:#}\n"));
    }
    let options = TableOptions {
        width: terminal::width(std::io::stdout()),
        colour: terminal::wants_colour(std::io::stdout()),
        ..TableOptions::default()
    };
    Ok(table::render(&report, &options))
}

/// The path of a plugin, which the process sees from another folder.
fn seen_from_anywhere(backend: String) -> String {
    if !backend.contains('/') {
        return backend;
    }
    match std::path::absolute(&backend) {
        Ok(path) => path.to_string_lossy().into_owned(),
        Err(_) => backend,
    }
}

fn begun(begun: &Begun) -> String {
    let Begun { session, backend, woken } = begun;
    if *woken {
        format!("the backend '{backend}' was asleep and is awake")
    } else {
        format!("session {session} has begun, under '{backend}'")
    }
}

fn ended(ended: &Ended) -> String {
    let Ended { session, backend, report } = ended;
    let report = match report {
        Some(path) => format!("wrote {path}"),
        None => "its report is not written to a file".to_owned(),
    };
    format!("session {session} has ended, under '{backend}'; {report}")
}

fn switched(switched: &Switched) -> String {
    let first = switched.ended.as_ref().map(|of| ended(of) + "; ").unwrap_or_default();
    first + &begun(&switched.begun)
}

/// The status in lines.
fn shown(status: &Status) -> String {
    let listed = |names: &mut dyn Iterator<Item = String>| {
        let names: Vec<String> = names.collect();
        if names.is_empty() { "none".to_owned() } else { clean(&names.join(", ")) }
    };
    let state = match (status.state, status.length_ns) {
        (State::Stopped, _) if status.session == 0 => "stopped, before the first session".into(),
        (State::Stopped, _) => format!("stopped, after session {}", status.session),
        (state, Some(ns)) => {
            format!("{}, session {} for {}", state.word(), status.session, duration(ns as f64))
        }
        (state, None) => format!("{}, session {}", state.word(), status.session),
    };
    let settings = status.settings.iter().map(|(key, value)| format!("{key} = {value}"));
    let lines = [
        ("state", Some(state)),
        ("backend", Some(clean(&format!("{} {}", status.backend, status.backend_version)))),
        ("settings", Some(listed(&mut settings.into_iter()))),
        ("samples", status.samples.map(thousands)),
        ("report", status.report.as_deref().map(clean)),
        ("backends", Some(listed(&mut status.backends.iter().cloned()))),
    ];
    let mut text = format!("process {}: {}\n", status.pid, clean(&status.command.join(" ")));
    for (name, value) in lines {
        if let Some(value) = value {
            text.push_str(&format!("  {name:<8}  {value}\n"));
        }
    }
    text
}
