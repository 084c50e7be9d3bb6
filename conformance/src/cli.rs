//! The command's arguments, and what it prints.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::report;
use crate::rule::Rule;
use crate::rules;
use crate::runner::{Kit, Task, be_child};
use crate::trial::Trial;

/// Judges lockscope backends.
#[derive(Debug, Parser)]
#[command(name = "lockscope-conformance", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge a compiled plugin by the rules of SPEC.md.
    Conformance(ConformanceArgs),
}

#[derive(Debug, Args)]
struct ConformanceArgs {
    /// The plugin's file.
    #[arg(value_name = "PLUGIN", required_unless_present = "list")]
    plugin: Option<PathBuf>,
    /// Judge by this rule alone. Can be repeated.
    #[arg(long, value_name = "ID")]
    rule: Vec<String>,
    /// Judge by the rules of this family. Can be repeated.
    #[arg(long, value_name = "NAME")]
    family: Vec<String>,
    /// From which everything random follows.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Give a key of the backend a value, as in --set period=1. Can be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// List the rules, and what proves that they are found out.
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
    text.split_once('=')
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| "expected KEY=VALUE, as in period=1".to_owned())
}

/// Runs the command with this process's arguments, and ends the process.
pub fn main() -> ! {
    let Command::Conformance(arguments) = Cli::parse().command;
    std::process::exit(arguments.execute())
}

impl ConformanceArgs {
    fn execute(self) -> i32 {
        let mut stdout = std::io::stdout().lock();
        if self.list {
            let _ = stdout.write_all(report::text::list().as_bytes());
            return 0;
        }
        let Some(plugin) = self.plugin else { return 2 };
        if let Some(task) = self.child.task() {
            be_child(&task, Trial::new(plugin, self.seed, self.set), self.child.memory);
        }
        let rules = match selected(&self.rule, &self.family) {
            Ok(rules) => rules,
            Err(error) => {
                eprintln!("lockscope-conformance: {error}");
                return 2;
            }
        };
        if !plugin.is_file() {
            eprintln!(
                "lockscope-conformance: there is no file {}; check the path",
                plugin.display()
            );
            return 2;
        }
        let program = match std::env::current_exe() {
            Ok(program) => program,
            Err(error) => {
                eprintln!("lockscope-conformance: cannot find itself: {error}");
                return 2;
            }
        };
        let plugin = std::path::absolute(&plugin).unwrap_or(plugin);
        let kit = Kit { seed: self.seed, set: self.set, ..Kit::new(program, plugin) };
        let run = kit.run(&rules);
        let _ = stdout.write_all(report::text::run(&kit, &run).as_bytes());
        i32::from(!run.conforms())
    }
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

/// The rules that were asked for: all, if none was named.
fn selected(ids: &[String], families: &[String]) -> Result<Vec<&'static Rule>, String> {
    for id in ids {
        rules::find(id).ok_or_else(|| format!("there is no rule '{id}'"))?;
    }
    for name in families {
        rules::family(name).ok_or_else(|| format!("there is no family '{name}'"))?;
    }
    let is_chosen = |rule: &&'static Rule| {
        ids.is_empty() && families.is_empty()
            || ids.iter().any(|id| rule.id.eq_ignore_ascii_case(id))
            || families
                .iter()
                .any(|name| rules::family(name).is_some_and(|family| family.id == rule.family()))
    };
    Ok(rules::all().filter(is_chosen).collect())
}
