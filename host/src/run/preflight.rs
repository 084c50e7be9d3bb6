//! Whether a program can be profiled, found out before it starts: what is
//! wrong is then said in terms of the flags, and by one process.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::config::{Config, PREFIX, Place, Placed, duration_text, shout};
use crate::engine::{CLOCK_VARIABLE, ENGINE, Plan, clock_to_be_told};
use crate::error::HostError;
use crate::filter::{LockPattern, joined};
use crate::loader::host_library;
use crate::output::{self, Pattern, RUN_VARIABLE};

/// The report, if nobody names one.
const DEFAULT_OUTPUT: &str = "lockscope.json";

/// A program can be profiled, and this is how.
#[derive(Debug)]
pub(super) struct Preflight {
    pub(super) output: Pattern,
    variables: Vec<(String, OsString)>,
}

impl Preflight {
    /// Finds and loads everything, and starts a session of nothing.
    pub(super) fn new(config: &Config) -> Result<Self, HostError> {
        let library = host_library()?;
        let output = output(config);
        let pattern = Pattern(output.value.clone());
        output::check(&Placed { value: pattern.of(std::process::id()), ..output })?;
        let plan = Plan::new(config)?;
        ENGINE.start(&plan)?;
        ENGINE.stop()?;
        let variables = variables(config, &plan, library, &pattern);
        Ok(Self { output: pattern, variables })
    }

    /// What the program's environment must say, all else of ours removed.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &OsString)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// Absolute, since the program may go elsewhere before its first lock.
fn output(config: &Config) -> Placed<PathBuf> {
    let named = config.output.clone();
    output::absolute(named.unwrap_or_else(|| Placed::built_in(DEFAULT_OUTPUT.into())))
}

fn variables(
    config: &Config,
    plan: &Plan,
    library: PathBuf,
    output: &Pattern,
) -> Vec<(String, OsString)> {
    let mut variables: Vec<(String, OsString)> = [
        ("HOST", library.into_os_string()),
        // Everything is resolved: no file is to be read again.
        ("CONFIG", OsString::new()),
        ("BACKEND", plan.plugin.path.clone().into_os_string()),
        ("OUTPUT", output.0.clone().into_os_string()),
        ("FLUSH_INTERVAL", duration_text(config.flush_interval.value).into()),
        ("STRICT", config.strict.value.to_string().into()),
        ("INCLUDE", list(&config.include)),
        ("EXCLUDE", list(&config.exclude)),
        ("CONTROL", config.control.value.to_string().into()),
        ("STACKS", config.stacks.value.to_string().into()),
        ("MAX_STACKS", config.max_stacks.value.to_string().into()),
    ]
    .map(|(name, value)| (format!("{PREFIX}{name}"), value))
    .into();
    if let Some(signal) = &config.wake_signal {
        variables.push((format!("{PREFIX}WAKE_SIGNAL"), signal.value.to_string().into()));
    }
    variables.push((RUN_VARIABLE.to_owned(), std::process::id().to_string().into()));
    if let Some(clock) = clock_to_be_told() {
        variables.push((CLOCK_VARIABLE.to_owned(), clock.into()));
    }
    if let Some(folders) = folders(config) {
        variables.push((format!("{PREFIX}PLUGIN_PATH"), folders));
    }
    // The program may be told to use another backend while it runs.
    variables.extend(config.settings_of_others(&plan.plugin.description.name));
    let backend = shout(&plan.plugin.description.name);
    for (key, value, place) in &plan.settings.settings {
        if *place != Place::BuiltIn {
            variables.push((format!("{PREFIX}{backend}_{}", shout(key)), value.into()));
        }
    }
    variables
}

/// Folders of plugins, from wherever the program goes; nothing if there are
/// none. One with a colon in its path cannot be named in a variable.
fn folders(config: &Config) -> Option<OsString> {
    let absolute = |folder: &Placed<PathBuf>| std::path::absolute(&folder.value).ok();
    let folders: Vec<PathBuf> = config.plugin_path.iter().filter_map(absolute).collect();
    let named = folders.iter().filter(|folder| !folder.to_string_lossy().contains(':'));
    let folders = std::env::join_paths(named).ok()?;
    (!folders.is_empty()).then_some(folders)
}

fn list(patterns: &[Placed<LockPattern>]) -> OsString {
    let texts: Vec<String> = patterns.iter().map(|pattern| pattern.value.to_string()).collect();
    joined(texts.iter().map(String::as_str)).into()
}
