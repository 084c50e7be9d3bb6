//! What can go wrong in the host: sentences that end in what to do.

use std::fmt;
use std::path::PathBuf;

use lockscope_core::backend::{BackendError, DataPlane};

use crate::config::Place;

/// An error of the host.
///
/// Every message says what was expected, what was found, where, and what to
/// do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A plugin's file does not exist.
    #[error("the plugin {} does not exist; check the path, or run `lockscope backends` to see what is there", path.display())]
    PluginMissing {
        /// The plugin's file.
        path: PathBuf,
    },
    /// A plugin's file cannot be read.
    #[error("the plugin {} cannot be read: {source}; make it a file that the user who runs the program can read", path.display())]
    PluginUnreadable {
        /// The plugin's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A plugin's file has no content.
    #[error("the plugin {} is an empty file; build or copy it again", path.display())]
    PluginEmpty {
        /// The plugin's file.
        path: PathBuf,
    },
    /// A plugin's file is not what the linker makes.
    #[error("the plugin {} is not a shared library: expected an ELF file, found {found}; name a file that a crate of type cdylib was built into", path.display())]
    PluginNotElf {
        /// The plugin's file.
        path: PathBuf,
        /// What the file begins with.
        found: String,
    },
    /// A plugin is for another kind of machine.
    #[error("the plugin {} was built for {found}, this program runs on {expected}; build it for {expected}", path.display())]
    PluginMachine {
        /// The plugin's file.
        path: PathBuf,
        /// What the plugin was built for.
        found: String,
        /// What runs here.
        expected: String,
    },
    /// A plugin's file is ELF, and not a shared library.
    #[error("the plugin {} is {found}, expected a shared library; build it as a crate of type cdylib", path.display())]
    PluginNotShared {
        /// The plugin's file.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// A plugin's file ends before its content does.
    #[error("the plugin {} is cut off: its header speaks of {expected} bytes, the file has {found}; build or copy it again", path.display())]
    PluginCut {
        /// The plugin's file.
        path: PathBuf,
        /// Bytes that it must have.
        expected: u64,
        /// Bytes that it has.
        found: u64,
    },
    /// The dynamic linker refused a plugin.
    #[error("the plugin {} cannot be opened: {}; install what it needs, or build it again on this system", path.display(), reason(source))]
    PluginOpen {
        /// The plugin's file.
        path: PathBuf,
        /// What the dynamic linker said.
        source: libloading::Error,
    },
    /// A shared library is not a plugin.
    #[error("{} is a shared library and not a lockscope plugin: it does not export the symbol '{}'; write `lockscope_core::export_backend!` in it, or name another file", path.display(), lockscope_core::backend::SYMBOL)]
    PluginSymbol {
        /// The plugin's file.
        path: PathBuf,
    },
    /// A plugin was built with an abi_stable that this one does not know.
    #[error("the plugin {} was built with {found}, this host with {expected}; build both with the same release of abi_stable", path.display())]
    PluginStable {
        /// The plugin's file.
        path: PathBuf,
        /// The plugin's abi_stable.
        found: String,
        /// The host's.
        expected: String,
    },
    /// A plugin speaks another version of the interface.
    #[error("the plugin {} has ABI version {found}, this host speaks {expected}; install the plugin's release for ABI version {expected}, or the host's for {found}", path.display())]
    PluginVersion {
        /// The plugin's file.
        path: PathBuf,
        /// The plugin's version.
        found: String,
        /// The host's.
        expected: String,
    },
    /// A plugin's types are laid out otherwise than the host's.
    #[error("the plugin {} does not have the layout of ABI version {version} ({what}: expected {expected}, found {found}); build it with the lockscope-core of this host, unchanged", path.display())]
    PluginLayout {
        /// The plugin's file.
        path: PathBuf,
        /// The version that both claim.
        version: &'static str,
        /// What differs.
        what: String,
        /// The host's.
        expected: String,
        /// The plugin's.
        found: String,
    },
    /// A plugin's data plane differs.
    #[error("the plugin {} was built with another data plane: {}; build it with the lockscope-core of this host", path.display(), PlaneDifference(found))]
    PluginPlane {
        /// The plugin's file.
        path: PathBuf,
        /// The plugin's data plane.
        found: Box<DataPlane>,
    },
    /// A plugin could not say what it is, or make a backend.
    #[error("the plugin {} fails when it is asked to {what}: {source}", path.display())]
    PluginFails {
        /// The plugin's file.
        path: PathBuf,
        /// What it was asked for.
        what: &'static str,
        /// What it answered.
        source: BackendError,
    },

    /// No plugin with this name was found.
    #[error(
        "no backend named '{name}' was found ({place}){} Searched: {searched}. Run `lockscope backends` to see what is there, or name the plugin's file",
        suggestion(nearest)
    )]
    BackendUnknown {
        /// The name.
        name: String,
        /// Where the name stood.
        place: Place,
        /// A name that is there and looks like it.
        nearest: Option<String>,
        /// The folders that were searched, and why.
        searched: String,
    },
    /// Two plugins in one folder have the same name.
    #[error("two plugins in one folder are named '{name}': {} and {}; neither is used. Remove one of them, or name the file that you mean", first.display(), second.display())]
    BackendAmbiguous {
        /// The name.
        name: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A backend did not take its configuration.
    #[error(
        "the backend '{backend}' cannot be initialised: {source}{}",
        settings_in_question(settings)
    )]
    Init {
        /// The backend's name.
        backend: String,
        /// What it answered.
        source: BackendError,
        /// The settings that it may mean, as `key = value (place)`.
        settings: String,
    },
    /// A backend did not do what it was asked to.
    #[error("the backend '{backend}' cannot {what}: {source}")]
    Backend {
        /// The backend's name.
        backend: String,
        /// What it was asked to do.
        what: &'static str,
        /// What it answered.
        source: BackendError,
    },

    /// A session is running already.
    #[error(
        "a session of the backend '{backend}' is running in this process, and there can be one at a time; stop it first"
    )]
    SessionRunning {
        /// The running backend.
        backend: String,
    },
    /// No session is running.
    #[error("no session is running in this process; start one first")]
    NoSession,
    /// The program has ended its profiling itself.
    #[error(
        "the program has ended its profiling, and begins another session itself if it wants one; look at it when it does"
    )]
    Finished,
    /// The session belongs to the process that this one was forked from.
    #[error(
        "the session belongs to process {owner}, of which this process ({pid}) is a fork; start a session of its own"
    )]
    Forked {
        /// Who started the session.
        owner: u32,
        /// Who asks.
        pid: u32,
    },
    /// The process has more probes than lock ids and gates are made for.
    #[error(
        "the probe '{probe}' is one too many: a process can have {limit} of them; use fewer copies of the crate `lockscope`"
    )]
    ProbeTooMany {
        /// The probe that came last.
        probe: String,
        /// How many there can be.
        limit: usize,
    },
    /// Another host has the probe.
    #[error(
        "the probe '{probe}' is watched by another host in this process; use either `lockscope run` or `Profiler::builder()`, not both"
    )]
    ProbeOccupied {
        /// The probe's name.
        probe: String,
    },
    /// A probe speaks another version of the data plane.
    #[error(
        "the program was built with a probe of version {found_version} ({found_size} bytes), this host speaks version {version} ({size} bytes); build the program with the release of `lockscope` that this host belongs to"
    )]
    ProbeVersion {
        /// The probe's version.
        found_version: u32,
        /// The probe's size.
        found_size: u32,
        /// The host's version.
        version: u32,
        /// The host's size.
        size: u32,
    },

    /// A configuration file that was named does not exist.
    #[error("the configuration file {} does not exist ({place}); create it, or name another one", path.display())]
    ConfigMissing {
        /// The file.
        path: PathBuf,
        /// Where it was named.
        place: Place,
    },
    /// A configuration file cannot be read.
    #[error("the configuration file {} cannot be read: {source}; make it a text file that the user who runs the program can read, or name another one", path.display())]
    ConfigUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A configuration file is not TOML.
    #[error("the configuration file {} is not TOML: line {line}, column {column}: {message}; correct it there", path.display())]
    ConfigSyntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser said.
        message: String,
    },
    /// A configuration key that does not exist.
    #[error(
        "unknown key '{key}' ({place}){} Valid here: {valid}. Correct or remove it",
        suggestion(nearest)
    )]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it stood.
        place: Place,
        /// The valid one that is nearest, if any is near.
        nearest: Option<String>,
        /// All valid ones.
        valid: String,
    },
    /// A value that its key cannot have.
    #[error(
        "the value '{value}' of '{key}' ({place}) cannot be used: expected {expected}{} Correct it there",
        suggestion(nearest)
    )]
    BadValue {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Where it stood.
        place: Place,
        /// What values there are.
        expected: &'static str,
        /// The valid one that is nearest, if any is near.
        nearest: Option<String>,
    },

    /// Reports cannot be written where they should.
    #[error("the report cannot be written to {} ({place}): {source}; name a file in a folder that exists and can be written, with -o or LOCKSCOPE_OUTPUT", path.display())]
    Output {
        /// The report's file.
        path: PathBuf,
        /// Where it was named.
        place: Place,
        /// What the system said.
        source: std::io::Error,
    },
    /// A report cannot be written or read.
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
    /// A process cannot be controlled.
    #[error(transparent)]
    Control(#[from] crate::control::ControlError),
    /// What should be printed cannot be.
    #[error("stdout cannot be written: {source}; check where the output of the command goes")]
    Print {
        /// What the system said.
        source: std::io::Error,
    },
    /// The program that judges backends is not installed.
    #[error(
        "`lockscope {command}` needs the program {program}, which is neither beside this command nor on the PATH; build it with `cargo build -p {program}` in lockscope's sources, and leave it there or copy it beside this command"
    )]
    NoKit {
        /// What was asked for.
        command: &'static str,
        /// The program.
        program: &'static str,
    },
    /// The program that judges backends cannot be started.
    #[error("{} cannot be started: {source}; make it a file that you can execute", path.display())]
    KitStart {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The host's library is not installed beside the command.
    #[error(
        "the library liblockscope_host.so, which programs under `lockscope run` open, was not found; looked for it in {searched}. Install it beside the command, or in ../lib/lockscope from there"
    )]
    HostLibrary {
        /// The folders that were searched.
        searched: String,
    },
    /// Stacks cannot be taken on this kind of machine.
    #[error(
        "stacks cannot be kept on this machine ({place}): expected Linux on x86_64 or aarch64, found {} on {}; set stacks to 0",
        std::env::consts::OS,
        std::env::consts::ARCH
    )]
    StacksUnsupported {
        /// Who wants them.
        place: Place,
    },
    /// The system refused something that the host needs.
    #[error(
        "the host cannot {what}: {source}; free what the process or the machine has run out of"
    )]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What lies at the bottom of an error: libloading's own text only says which
/// call failed.
fn reason(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), reason)
}

/// The end of a sentence about a name that is not valid.
fn suggestion(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(|| ".".to_owned(), |name| format!("; did you mean '{name}'?"))
}

fn settings_in_question(settings: &str) -> String {
    if settings.is_empty() { String::new() } else { format!(" [{settings}]") }
}

/// The fields of a data plane that are not the host's.
struct PlaneDifference<'a>(&'a DataPlane);

impl fmt::Display for PlaneDifference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, ours) = (self.0, &DataPlane::OURS);
        let fields = [
            ("version", found.version, ours.version),
            ("bytes of HookTable", found.hook_table, ours.hook_table),
            ("bytes of Session", found.session, ours.session),
            ("bytes of Event", found.event, ours.event),
            ("bytes of LockRef", found.lock_ref, ours.lock_ref),
            ("bytes of Slot", found.slot, ours.slot),
        ];
        let differing = fields.iter().filter(|(_, found, ours)| found != ours);
        for (position, (what, found, ours)) in differing.enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{what}: expected {ours}, found {found}")?;
        }
        Ok(())
    }
}

/// The valid name that is nearest to `name`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<String> {
    valid
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().div_ceil(3))
        .map(|(_, candidate)| candidate.to_owned())
}
