//! The command's arguments, and what it prints.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::error::{KitError, nearest};
use crate::new_backend::{self, NewBackendArgs};
use crate::report::{Format, text};
use crate::rule::{Family, Rule};
use crate::rules;
use crate::runner::{Kit, Task, be_child};
use crate::trial::Trial;

/// What stands below the help of `lockscope conformance`.
const STATUS: &str = "\
Exit status: 0 if the plugin conforms, 1 if not, 2 if nothing could be judged.
A rule that a plugin SHOULD keep is shown if it is broken, and does not count.";

/// Nothing was judged.
const NOT_RUN_STATUS: i32 = 2;

/// Judges lockscope backends.
#[derive(Debug, Parser)]
#[command(name = "lockscope-conformance", bin_name = "lockscope", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge a backend's plugin by the rules of SPEC.md.
    #[command(after_help = STATUS)]
    Conformance(ConformanceArgs),
    /// Write a crate with a small backend that passes all rules, to begin with.
    NewBackend(NewBackendArgs),
}

#[derive(Debug, Args)]
struct ConformanceArgs {
    /// The plugin's file.
    #[arg(value_name = "PLUGIN", required_unless_present = "list")]
    plugin: Option<PathBuf>,
    /// Judge by this rule, as in EVENT-01. Can be repeated.
    #[arg(long, value_name = "ID")]
    rule: Vec<String>,
    /// Judge by the rules of this family, as in EVENT. Can be repeated.
    #[arg(long, value_name = "NAME")]
    family: Vec<String>,
    /// From which everything random follows.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How to print what was found out.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,
    /// Expect this rule to be broken, for a reason; it is an error if it is kept.
    /// Can be repeated.
    #[arg(long, value_name = "ID=REASON", value_parser = expectation)]
    xfail: Vec<(String, String)>,
    /// Give a key of the backend this value in every check that does not need
    /// another. Can be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// List the rules, how each is verified, and what proves its check.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    child: ChildArgs,
}

/// For the processes that make the checks.
#[derive(Debug, Args)]
struct ChildArgs {
    #[arg(long, hide = true, value_name = "ID")]
    child: Option<String>,
    #[arg(long, hide = true)]
    child_describe: bool,
    #[arg(long, hide = true, default_value_t = u64::MAX)]
    memory: u64,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    pair(text).ok_or_else(|| "expected KEY=VALUE, as in max_locks=1000".to_owned())
}

fn expectation(text: &str) -> Result<(String, String), String> {
    let pair = pair(text).filter(|(_, reason)| !reason.is_empty());
    pair.ok_or_else(|| "expected ID=REASON, as in TIME-02='holds are not measured'".to_owned())
}

fn pair(text: &str) -> Option<(String, String)> {
    let (left, right) = text.split_once('=')?;
    let (left, right) = (left.trim(), right.trim());
    (!left.is_empty()).then(|| (left.to_owned(), right.to_owned()))
}

/// Runs the command with this process's arguments, and ends the process.
pub fn main() -> ! {
    let status = match Cli::parse().command {
        Command::Conformance(arguments) => {
            arguments.execute().unwrap_or_else(|error| not_run(&error))
        }
        Command::NewBackend(arguments) => {
            new_backend::run(&arguments).map_or_else(|error| not_run(&error), |()| 0)
        }
    };
    std::process::exit(status)
}

fn not_run(error: &dyn core::fmt::Display) -> i32 {
    eprintln!("lockscope: {error}");
    NOT_RUN_STATUS
}

impl ConformanceArgs {
    fn execute(self) -> Result<i32, KitError> {
        let Some(plugin) = self.plugin.filter(|_| !self.list) else {
            print(&text::list());
            return Ok(0);
        };
        if let Some(task) = self.child.task() {
            be_child(&task, Trial::new(plugin, self.seed, self.set), self.child.memory);
        }
        let rules = selected(&self.rule, &self.family)?;
        let xfail = self.xfail.into_iter().map(expected).collect::<Result<_, _>>()?;
        let program = std::env::current_exe().map_err(|source| KitError::Program { source })?;
        let plugin = std::path::absolute(&plugin).unwrap_or(plugin);
        let kit = Kit { seed: self.seed, set: self.set, xfail, ..Kit::new(program, plugin) };
        let run = kit.run(&rules)?;
        print(&self.format.render(&kit, &run));
        Ok(i32::from(!run.conforms()))
    }
}

/// Prints to stdout. A reader who has gone is no reason to complain: the exit
/// status says the rest.
fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

impl ChildArgs {
    fn task(&self) -> Option<Task> {
        match &self.child {
            _ if self.child_describe => Some(Task::Describe),
            Some(id) => Some(Task::Check(id.clone())),
            None => None,
        }
    }
}

fn rule(id: &str) -> Result<&'static Rule, KitError> {
    let unknown = || {
        let nearest = nearest(id, rules::all().map(|rule| rule.id));
        KitError::UnknownRule { id: id.to_owned(), nearest }
    };
    rules::find(id).ok_or_else(unknown)
}

fn family(name: &str) -> Result<&'static Family, KitError> {
    let unknown = || {
        let nearest = nearest(name, rules::FAMILIES.iter().map(|family| family.id));
        KitError::UnknownFamily { name: name.to_owned(), nearest }
    };
    rules::family(name).ok_or_else(unknown)
}

fn expected((id, reason): (String, String)) -> Result<(&'static Rule, String), KitError> {
    let rule = rule(&id)?;
    if rule.check.is_none() {
        return Err(KitError::NotDecided { id: rule.id });
    }
    Ok((rule, reason))
}

/// The rules that were asked for: all, if none was named.
fn selected(ids: &[String], families: &[String]) -> Result<Vec<&'static Rule>, KitError> {
    let ids = ids.iter().map(|id| rule(id)).collect::<Result<Vec<_>, _>>()?;
    let families = families.iter().map(|name| family(name)).collect::<Result<Vec<_>, _>>()?;
    let is_chosen = |rule: &&'static Rule| {
        ids.is_empty() && families.is_empty()
            || ids.iter().any(|chosen| chosen.id == rule.id)
            || families.iter().any(|family| family.id == rule.family())
    };
    Ok(rules::all().filter(is_chosen).collect())
}
