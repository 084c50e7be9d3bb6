//! The command's arguments, and what it prints.

mod kit;

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Overrides, Place, Placed, Sources};
use crate::control::{CtlArgs, PsArgs};
#[cfg(feature = "top")]
use crate::control::{TOP_KEYS, TopArgs};
use crate::error::HostError;
use crate::loader::{Candidate, Plugin, SearchPath};
use crate::report::command::{self, ReportArgs};
use crate::run::{ProbeChoice, Run, become_ending};
use crate::tell::tell;

/// What stands below the help of `lockscope`.
const FIRST_STEPS: &str = "\
First steps:
  lockscope run -- ./app --its-own-flags   run a program, and print the table
  lockscope report lockscope.json          print it again
  lockscope ps                             list what runs, for `ctl` and `top`";

/// What stands below the help of `lockscope run`.
const CONFIGURATION: &str = "\
Flags override LOCKSCOPE_* variables, and those override lockscope.toml.
Everything from PROGRAM on is the program's own; `--` before it is good style.
The exit status is the program's; 125, 126 and 127 say that it did not start.";

/// Shows which locks of a program cost time, who waits, and who makes them
/// wait.
#[derive(Debug, Parser)]
#[command(name = "lockscope", version, after_help = FIRST_STEPS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a program and profile its locks.
    #[command(after_help = CONFIGURATION)]
    Run(RunArgs),
    /// Show a report again, or turn it into another format.
    Report(ReportArgs),
    /// List the backends that are there, and where they were found.
    Backends(BackendsArgs),
    /// List the processes that can be controlled.
    Ps(PsArgs),
    /// Look at a running process, or change how it is profiled.
    Ctl(CtlArgs),
    /// Show the table of a running process as it grows.
    #[cfg(feature = "top")]
    #[command(after_help = TOP_KEYS)]
    Top(TopArgs),
    /// Judge a backend's plugin by the rules of SPEC.md.
    #[command(disable_help_flag = true)]
    Conformance(kit::PassedOn),
    /// Write a new backend that conforms.
    #[command(disable_help_flag = true)]
    NewBackend(kit::PassedOn),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Backend: its name, or the path of its plugin.
    #[arg(long, value_name = "NAME|PATH")]
    backend: Option<String>,
    /// Sample one operation in N.
    #[arg(long, value_name = "N")]
    period: Option<String>,
    /// Write the report to this file; `{pid}` stands for the process.
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// Write the report at least this often, as in 500ms, 10s or 1m.
    #[arg(long, value_name = "TIME")]
    flush_interval: Option<String>,
    /// Set a key of the backend; `lockscope backends inspect` lists them.
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Watch only locks that match: name:GLOB, site:GLOB, module:GLOB or
    /// kind:GLOB. Can be repeated.
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// Do not watch locks that match. Can be repeated.
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Do not open the socket by which `lockscope ctl` reaches the program.
    #[arg(long)]
    no_control: bool,
    /// Let this signal wake a backend that sleeps, as in SIGUSR2.
    #[arg(long, value_name = "SIGNAL")]
    wake_signal: Option<String>,
    /// Keep the call stack of each operation that is recorded: N frames, or 64.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "64")]
    stacks: Option<String>,
    /// By what the program's locks are watched.
    #[arg(long, value_enum, value_name = "PROBE", default_value_t)]
    probe: ProbeChoice,
    /// Watch the locks of processes that the program starts as well.
    #[arg(long)]
    all_children: bool,
    /// Do not run the program if it cannot be profiled: exit with 125.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    common: CommonArgs,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

#[derive(Debug, Args)]
struct CommonArgs {
    /// Read this configuration file instead of lockscope.toml.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Look for plugins in this folder first. Can be repeated.
    #[arg(long, value_name = "DIR", global = true)]
    plugin_path: Vec<String>,
}

#[derive(Debug, Args)]
struct BackendsArgs {
    #[command(subcommand)]
    command: Option<BackendsCommand>,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Debug, Subcommand)]
enum BackendsCommand {
    /// Show one plugin, or say exactly why it cannot be loaded.
    Inspect {
        /// The plugin's file, or the name of its backend.
        #[arg(value_name = "PATH|NAME")]
        plugin: PathBuf,
    },
}

/// Runs the command with this process's arguments, and ends the process.
pub fn main() -> ! {
    let done = match Cli::parse().command {
        Command::Run(arguments) => become_ending(arguments.run().execute()),
        Command::Report(arguments) => {
            command::run(&arguments, &mut std::io::stdout().lock()).map_err(HostError::from)
        }
        Command::Backends(arguments) => arguments.execute(),
        Command::Ps(arguments) => print(&arguments.execute()),
        Command::Ctl(arguments) => arguments.execute().and_then(|said| print(&said)),
        #[cfg(feature = "top")]
        Command::Top(arguments) => arguments.execute(),
        Command::Conformance(arguments) => arguments.become_kit("conformance"),
        Command::NewBackend(arguments) => arguments.become_kit("new-backend"),
    };
    if let Err(error) = &done {
        tell(error);
    }
    std::process::exit(i32::from(done.is_err()))
}

pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| "expected KEY=VALUE, as in max_locks=20000".to_owned())
}

impl CommonArgs {
    fn add_to(&self, overrides: &mut Overrides) {
        if let Some(path) = &self.config {
            overrides.config(path.clone(), Place::Flag("--config"));
        }
        if !self.plugin_path.is_empty() {
            overrides.plugin_path(self.plugin_path.clone(), Place::Flag("--plugin-path"));
        }
    }
}

impl RunArgs {
    fn run(self) -> Run {
        let mut overrides = Overrides::default();
        let flags = [
            ("backend", self.backend, "--backend"),
            ("period", self.period, "--period"),
            ("output", self.output, "--output"),
            ("flush_interval", self.flush_interval, "--flush-interval"),
            ("control", self.no_control.then(|| "false".to_owned()), "--no-control"),
            ("wake_signal", self.wake_signal, "--wake-signal"),
            ("stacks", self.stacks, "--stacks"),
            ("strict", self.strict.then(|| "true".to_owned()), "--strict"),
        ];
        for (key, value, flag) in flags {
            if let Some(value) = value {
                overrides.set(key, value, Place::Flag(flag));
            }
        }
        let lists =
            [("include", self.include, "--include"), ("exclude", self.exclude, "--exclude")];
        for (key, patterns, flag) in lists {
            for pattern in patterns {
                overrides.add(key, pattern, Place::Flag(flag));
            }
        }
        for (key, value) in self.set {
            overrides.setting(&key, value, Place::Flag("--set"));
        }
        self.common.add_to(&mut overrides);
        let Self { program: command, probe, all_children, .. } = self;
        Run { command, overrides, probe, all_children }
    }
}

impl BackendsArgs {
    fn execute(&self) -> Result<(), HostError> {
        let mut overrides = Overrides::default();
        self.common.add_to(&mut overrides);
        let text = match &self.command {
            Some(BackendsCommand::Inspect { plugin }) => inspection(&named(plugin, &overrides)?),
            None => listing(&SearchPath::new(&configured(&overrides)?)),
        };
        print(&text)
    }
}

fn configured(overrides: &Overrides) -> Result<Config, HostError> {
    Config::resolve(&Sources::of_process(), overrides)
}

/// The plugin at this path, or else the one of this name. Only a name needs
/// the configuration.
fn named(plugin: &Path, overrides: &Overrides) -> Result<Plugin, HostError> {
    match plugin.to_str() {
        Some(name) if !name.contains('/') && !name.contains('.') && !plugin.exists() => {
            let name = Placed { value: name.to_owned(), place: Place::Argument("inspect") };
            Ok(SearchPath::new(&configured(overrides)?).find(&name)?.plugin)
        }
        _ => Plugin::open(plugin),
    }
}

/// Prints to stdout. A reader who has gone is no reason to complain.
fn print(text: &str) -> Result<(), HostError> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => Err(HostError::Print { source }),
        _ => Ok(()),
    }
}

fn listing(path: &SearchPath) -> String {
    let candidates = path.candidates();
    let mut text: String = candidates.iter().map(listed).collect();
    if candidates.is_empty() {
        text.push_str(
            "No backend was found. Install one in a folder below, or name its own with --plugin-path.\n",
        );
    }
    text.push_str("Searched, first to last:\n");
    for step in &path.steps {
        let absent = if step.folder.is_dir() { "" } else { ", does not exist" };
        text.push_str(&format!("  {} ({}{absent})\n", step.folder.display(), step.why));
    }
    text
}

fn listed(candidate: &Candidate) -> String {
    let file = candidate.path.display();
    match &candidate.plugin {
        Ok(Plugin { description, .. }) => {
            let shadow = candidate.shadowed_by.as_ref().map(|other| {
                if other.parent() == candidate.path.parent() {
                    format!("  has the name of {}: remove one of them\n", other.display())
                } else {
                    format!("  shadowed by {}\n", other.display())
                }
            });
            format!(
                "{} {}: {}\n  {file} ({})\n{}",
                description.name,
                description.version,
                description.summary,
                candidate.why,
                shadow.unwrap_or_default()
            )
        }
        Err(error) => format!("cannot be loaded: {file}\n  {error}\n"),
    }
}

fn inspection(plugin: &Plugin) -> String {
    let Plugin { path, description, abi_version, data_plane, .. } = plugin;
    let mut text = format!(
        "{} {}: {}\n  file         {}\n  ABI version  {abi_version}\n  data plane   version {}, {} bytes of hook table, {} of session, {} of event, {} of lock, {} of slot, {} of pad\n",
        description.name,
        description.version,
        description.summary,
        path.display(),
        data_plane.version,
        data_plane.hook_table,
        data_plane.session,
        data_plane.event,
        data_plane.lock_ref,
        data_plane.slot,
        data_plane.pad,
    );
    if description.keys.is_empty() {
        text.push_str("  no configuration keys\n");
    }
    for key in &description.keys {
        text.push_str(&format!("  {} = {}\n    {}\n", key.name, key.default, key.help));
    }
    text
}
