//! Configuration: what holds, and who said so.
//!
//! Built-in defaults, then `lockscope.toml`, then `LOCKSCOPE_*` variables,
//! then flags or the builder: each overrides the one before. A key that does
//! not exist is an error wherever it stands, because a setting that is
//! silently ignored is worse than none.

mod file;
mod overrides;
mod place;
mod settings;
mod signal;
mod value;
mod variables;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use overrides::Overrides;
pub use place::{Place, Placed};
pub use settings::Resolved;
pub(crate) use settings::shout;
pub use signal::Signal;
pub(crate) use value::duration_text;

use crate::error::{HostError, nearest};
use crate::filter::LockPattern;
use crate::output::Pattern;

/// The file that is read from the current folder if none is named.
pub const FILE_NAME: &str = "lockscope.toml";
/// What all variables begin with.
pub(crate) const PREFIX: &str = "LOCKSCOPE_";
const STRICT: &str = "strict";
const ENABLED: &str = "enabled";
/// Also taken by a session that runs.
pub(crate) const STACKS: &str = "stacks";
/// Keys that every backend's configuration stands beside.
pub(crate) const KEYS: [&str; 13] = [
    "backend",
    "output",
    "flush_interval",
    "plugin_path",
    STRICT,
    ENABLED,
    "include",
    "exclude",
    "control",
    "wake_signal",
    STACKS,
    "max_stacks",
    "period",
];
/// Keys that have a list, and what that is a list of.
const LISTS: [(&str, &str); 3] =
    [("plugin_path", FOLDERS), ("include", PATTERNS), ("exclude", PATTERNS)];

/// The report of a process that profiles itself, if nobody names one.
const DEFAULT_OUTPUT: &str = "lockscope-{pid}.json";
/// Each takes a quarter of a kilobyte, if it has thirty frames.
const DEFAULT_MAX_STACKS: u32 = 16_384;
/// What `plugin_path` takes.
const FOLDERS: &str = "a folder, or a list of folders";
/// What `include` and `exclude` take.
const PATTERNS: &str =
    "a pattern, or a list of patterns, each name:GLOB, site:GLOB, module:GLOB or kind:GLOB";
/// What every key takes.
const UTF_8: &str = "text in UTF-8";

/// The configuration that holds.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the backend, or path of its plugin if it has a `/`.
    pub backend: Placed<String>,
    /// Where the report goes. `{pid}` in it stands for the process.
    pub output: Option<Placed<PathBuf>>,
    /// Longest time between two writings of the report.
    pub flush_interval: Placed<Duration>,
    /// Folders in which plugins are looked for first.
    pub plugin_path: Vec<Placed<PathBuf>>,
    /// Whether an error ends the program instead of leaving it unprofiled.
    pub strict: Placed<bool>,
    /// Whether anything is profiled at all.
    pub enabled: Placed<bool>,
    /// A lock is watched if it matches one of these, or if there are none,
    pub include: Vec<Placed<LockPattern>>,
    /// and if it matches none of these.
    pub exclude: Vec<Placed<LockPattern>>,
    /// Whether the process opens its control socket.
    pub control: Placed<bool>,
    /// The signal that wakes the backend if it sleeps.
    pub wake_signal: Option<Placed<Signal>>,
    /// How many frames of its stack are kept of an operation that is recorded; 0 for
    /// none.
    pub stacks: Placed<u32>,
    /// How many stacks are kept in the process.
    pub max_stacks: Placed<u32>,
    /// The configuration file that was read.
    pub file: Option<PathBuf>,
    /// Values for backends, lowest precedence first.
    settings: Vec<Given>,
}

/// One value that somebody gave.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// Whose it is.
    pub(crate) owner: Owner,
    /// Its key.
    pub(crate) key: String,
    /// The value, as text; lists have several.
    pub(crate) values: Vec<String>,
    /// Whether it was text: else what stands above is only like it.
    pub(crate) is_text: bool,
    /// Who gave it.
    pub(crate) place: Place,
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// One of [`KEYS`].
    Host,
    /// The backend of this name.
    Backend(String),
    /// To be seen once the backends' names are known: the rest of a variable.
    Variable,
}

/// Where configuration comes from, apart from flags and the builder.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The process's variables.
    pub variables: Vec<(OsString, OsString)>,
    /// The folder of `lockscope.toml`, and of relative paths.
    pub folder: Option<PathBuf>,
}

impl Sources {
    /// Those of this process; none if it has more rights than who started it.
    #[must_use]
    pub fn of_process() -> Self {
        Self::honoured(is_privileged(), || Self {
            variables: std::env::vars_os().collect(),
            folder: std::env::current_dir().ok(),
        })
    }

    /// A program that has more rights than who started it takes nothing from
    /// the environment, and the current folder is part of that.
    fn honoured(privileged: bool, sources: impl FnOnce() -> Self) -> Self {
        if privileged { Self::default() } else { sources() }
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&OsString> {
        self.variables.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// Whether this process has more rights than who started it (set-user-id,
/// capabilities).
#[must_use]
pub fn is_privileged() -> bool {
    // SAFETY: the call reads a word that the kernel left for the process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

impl Config {
    /// The configuration that holds, apart from what only the backend knows.
    ///
    /// If nothing is to be profiled, whatever else is wrong does not matter.
    ///
    /// # Errors
    ///
    /// A file that is named and absent, unreadable, or not TOML; a key that
    /// does not exist; a value that its key cannot have.
    pub fn resolve(sources: &Sources, overrides: &Overrides) -> Result<Self, HostError> {
        let resolved = Self::resolve_whole(sources, overrides);
        if resolved.is_err()
            && let Some(given) = Self::given(sources, overrides, ENABLED).next_back()
            && value::boolean(&given).ok() == Some(false)
        {
            let enabled = Placed { value: false, place: given.place };
            return Ok(Self { enabled, ..Self::built_in() });
        }
        resolved
    }

    fn resolve_whole(sources: &Sources, overrides: &Overrides) -> Result<Self, HostError> {
        let mut config = Self::built_in();
        if let Some(file) = file::locate(sources, overrides.config.as_ref()) {
            config.read(&file)?;
        }
        for given in variables::read(sources).into_iter().chain(overrides.given.iter().cloned()) {
            config.apply(given)?;
        }
        Ok(config)
    }

    /// The same configuration with a few things changed: what somebody asks of
    /// a running process.
    ///
    /// Settings of whichever backend is chosen were meant for the one that was:
    /// they do not go on to another.
    pub(crate) fn with(&self, overrides: &Overrides) -> Result<Self, HostError> {
        let mut changed = self.clone();
        let is_other = |given: &Given| given.owner == Owner::Host && given.key == "backend";
        if overrides.given.iter().any(is_other) {
            let chosen = Owner::Backend(settings::CHOSEN.to_owned());
            changed.settings.retain(|given| given.owner != chosen);
        }
        for given in &overrides.given {
            changed.apply(given.clone())?;
        }
        Ok(changed)
    }

    /// Whether an error is to be the end, even if the configuration itself is
    /// what is wrong: then whatever of it can be read decides.
    pub(crate) fn is_strict(sources: &Sources, overrides: &Overrides) -> bool {
        if let Ok(config) = Self::resolve(sources, overrides) {
            return config.strict.value;
        }
        let given = Self::given(sources, overrides, STRICT);
        given.filter_map(|given| value::boolean(&given).ok()).next_back().unwrap_or(false)
    }

    /// What is said of one of the host's keys, however wrong all else may be.
    fn given(
        sources: &Sources,
        overrides: &Overrides,
        key: &'static str,
    ) -> impl DoubleEndedIterator<Item = Given> {
        let file = file::locate(sources, overrides.config.as_ref());
        let in_file = file.and_then(|file| file::look_up(&file, key));
        let given = in_file.into_iter().chain(variables::read(sources));
        given
            .chain(overrides.given.iter().cloned())
            .filter(move |given| given.owner == Owner::Host && given.key == key)
    }

    fn built_in() -> Self {
        Self {
            backend: Placed::built_in("wrapper".to_owned()),
            output: None,
            flush_interval: Placed::built_in(Duration::from_secs(10)),
            plugin_path: Vec::new(),
            strict: Placed::built_in(false),
            enabled: Placed::built_in(true),
            include: Vec::new(),
            exclude: Vec::new(),
            control: Placed::built_in(true),
            wake_signal: None,
            stacks: Placed::built_in(0),
            max_stacks: Placed::built_in(DEFAULT_MAX_STACKS),
            file: None,
            settings: Vec::new(),
        }
    }

    fn read(&mut self, file: &file::Located) -> Result<(), HostError> {
        if let Some(given) = file::read(file)? {
            self.file = Some(file.path.clone());
            for given in given {
                self.apply(given)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, given: Given) -> Result<(), HostError> {
        if given.owner != Owner::Host || given.key == "period" {
            self.settings.push(given);
            return Ok(());
        }
        let place = given.place.clone();
        match given.key.as_str() {
            "backend" => {
                let value = given.one("the name of a backend, or the path of a plugin")?;
                let value = if value.contains('/') { place.anchor(&value) } else { value };
                self.backend = Placed { value, place };
            }
            "output" => {
                let value = place.anchor(&given.one("the path of a file")?).into();
                self.output = Some(Placed { value, place });
            }
            "flush_interval" => {
                self.flush_interval = Placed { value: value::duration(&given)?, place };
            }
            "plugin_path" => {
                let folders = given.all(FOLDERS)?.iter().map(|folder| place.anchor(folder).into());
                self.plugin_path =
                    folders.map(|value| Placed { value, place: place.clone() }).collect();
            }
            STRICT => self.strict = Placed { value: value::boolean(&given)?, place },
            ENABLED => self.enabled = Placed { value: value::boolean(&given)?, place },
            "include" => self.include = value::patterns(&given)?,
            "exclude" => self.exclude = value::patterns(&given)?,
            "control" => self.control = Placed { value: value::boolean(&given)?, place },
            "wake_signal" => {
                self.wake_signal = signal::signal(&given)?.map(|value| Placed { value, place });
            }
            STACKS => self.stacks = Placed { value: value::frames(&given)?, place },
            "max_stacks" => self.max_stacks = Placed { value: value::max_stacks(&given)?, place },
            _ => return Err(unknown_key(&given.key, place, &KEYS)),
        }
        Ok(())
    }

    /// The file that the report of process `pid` goes to.
    #[must_use]
    pub fn output_of(&self, pid: u32) -> Placed<PathBuf> {
        let Placed { value, place } = self.output_pattern();
        Placed { value: value.of(pid), place }
    }

    pub(crate) fn output_pattern(&self) -> Placed<Pattern> {
        let output = self.output.clone();
        let Placed { value, place } =
            output.unwrap_or_else(|| Placed::built_in(DEFAULT_OUTPUT.into()));
        Placed { value: Pattern(value), place }
    }
}

impl Given {
    pub(crate) fn new(owner: Owner, key: &str, values: Vec<String>, place: Place) -> Self {
        Self { owner, key: key.to_owned(), values, is_text: true, place }
    }

    /// The one value that it must have.
    fn one(&self, expected: &'static str) -> Result<String, HostError> {
        match self.values.as_slice() {
            [value] if !value.is_empty() && self.is_text => Ok(value.clone()),
            values => Err(self.bad(&values.join(", "), expected, None)),
        }
    }

    /// Its values, of which none may be empty.
    fn all(&self, expected: &'static str) -> Result<&[String], HostError> {
        if self.values.iter().any(String::is_empty) || !self.is_text {
            return Err(self.bad(&self.values.join(", "), expected, None));
        }
        Ok(&self.values)
    }

    fn bad(&self, value: &str, expected: &'static str, nearest: Option<String>) -> HostError {
        let expected = if self.is_text { expected } else { UTF_8 };
        HostError::BadValue {
            key: self.key.clone(),
            value: value.to_owned(),
            place: self.place.clone(),
            expected,
            nearest,
        }
    }
}

pub(crate) fn unknown_key(key: &str, place: Place, valid: &[&str]) -> HostError {
    HostError::UnknownKey {
        key: key.to_owned(),
        place,
        nearest: nearest(key, valid.iter().copied()),
        valid: if valid.is_empty() { "nothing".to_owned() } else { valid.join(", ") },
    }
}

/// `path`, seen from `folder` if it is relative.
pub(crate) fn anchored(folder: &Path, path: &str) -> String {
    folder.join(path).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
