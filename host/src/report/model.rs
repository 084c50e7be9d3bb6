//! The report file, version 1: documented in `docs/report-format.md`.
//!
//! A report file is one JSON object of type [`ReportFile`]. Readers reject a
//! `version` greater than they know and ignore fields that they do not know;
//! fields are added, never renamed, within a version.

use std::fmt;
use std::iter::Sum;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The value of [`ReportFile::format`].
pub const FORMAT: &str = "lockscope-report";
/// The value of [`ReportFile::version`].
pub const VERSION: u32 = 1;

/// Everything that one session saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportFile {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The session behind the numbers.
    pub session: SessionInfo,
    /// Locks, by descending wait time.
    pub locks: Vec<Lock>,
    /// Acquisitions that had not ended when the report was made.
    pub pending: Vec<PendingAcquisition>,
    /// When the session was awake, oldest first; empty if it never slept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// What was seen and not recorded.
    pub losses: Vec<Loss>,
    /// Sentences that a reader should know.
    pub notes: Vec<String>,
    /// What stacks are made of: see [`Place::stack`]. Empty if none were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<Frame>,
}

/// A session, and the process that it watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// The backend's name.
    pub backend: String,
    /// The backend's version.
    pub backend_version: String,
    /// The plugin's file.
    pub plugin: String,
    /// The probes that saw locks.
    pub probes: Vec<String>,
    /// The backend's configuration: key and value.
    pub settings: Vec<(String, String)>,
    /// Which locks were watched, if not all.
    #[serde(default, skip_serializing_if = "Filters::is_empty")]
    pub filters: Filters,
    /// The sampling periods that were in force, oldest first.
    pub periods: Vec<u32>,
    /// Number of the session in its process, from 1.
    pub generation: u32,
    /// Start, in nanoseconds since 1970-01-01 UTC.
    pub started_unix_ns: u64,
    /// How long it had run when the report was made, in nanoseconds.
    pub length_ns: u64,
    /// Whether the session had ended when the report was made.
    pub complete: bool,
    /// Whether the backend slept when the report was made, or when the session
    /// ended.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub asleep: bool,
    /// The process.
    pub pid: u32,
    /// Its command line.
    pub command: Vec<String>,
    /// Samples taken.
    pub samples: u64,
    /// What a sample costs here, in nanoseconds: the backend's own work and two
    /// readings of the clock, measured before the backend's first session.
    /// Nothing if it could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_cost_ns: Option<f64>,
    /// How many frames were kept of the stack of each operation; nothing if none were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacks: Option<u32>,
}

/// Patterns of locks, as the configuration has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filters {
    /// A lock had to match one of these, if there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// A lock must not match any of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

/// A total and its standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// The estimate.
    pub value: f64,
    /// Its standard error, in the same unit; 0 if it was counted for certain.
    pub standard_error: f64,
}

/// A source location, or an address if no more is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Source file; empty if not known.
    pub file: String,
    /// Line, from 1; 0 if not known.
    pub line: u32,
    /// Column, from 1; 0 if not known.
    pub column: u32,
    /// The address by which the probe names the place.
    pub address: u64,
    /// The calls that led here, by their numbers in [`ReportFile::frames`]: from the
    /// function that the place is in to the one that its thread began with. Empty if
    /// that was not recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<u32>,
}

/// A function on a stack, and where it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    /// Its name; or the object and the address in it; or, in parentheses, why the
    /// stack ends here.
    pub function: String,
    /// Source file; empty if not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// Line, from 1; 0 if not known.
    #[serde(default, skip_serializing_if = "is_0")]
    pub line: u32,
    /// The file of the object; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub object: String,
    /// The address that its call returns to; 0 if not known.
    #[serde(default, skip_serializing_if = "is_0")]
    pub address: u64,
    /// Whether it was inlined into the next one: both are one call.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub inlined: bool,
}

/// A lock, or all dropped locks of one origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// Never reused in the process; 0 if several are folded.
    pub id: u64,
    /// How many locks stand here.
    pub locks: u64,
    /// What it is: `mutex`, `rwlock`, …
    pub kind: String,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it was made, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Place>,
    /// The probe that saw it.
    pub probe: String,
    /// By call site and mode, by descending wait time.
    pub sites: Vec<Site>,
    /// Who made whom wait, by descending time.
    pub blame: Vec<Blame>,
}

/// What one call site did with one lock, in one mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// Where it stands; nothing if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// `write`, `read` or `upgradable`.
    pub mode: String,
    /// Samples behind the numbers.
    pub samples: u64,
    /// Acquisitions, contended or not.
    pub acquisitions: Total,
    /// Acquisitions that had to wait.
    pub contentions: Total,
    /// Tries and timed acquisitions that ended without the lock.
    pub failures: Total,
    /// How many idle times there were.
    pub idles: Total,
    /// Waits, in nanoseconds.
    pub wait_ns: Times,
    /// Holds, in nanoseconds.
    pub hold_ns: Times,
    /// Idle times, in nanoseconds.
    pub idle_ns: Times,
}

/// Durations, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// Their sum.
    pub total: Total,
    /// The longest that was seen.
    pub max: u64,
    /// `[lower, upper, weight]` of each bucket that is not empty, ascending.
    pub histogram: Vec<(u64, u64, f64)>,
}

/// Who made whom wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blame {
    /// Who held the lock when the wait began; nothing if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Place>,
    /// Who waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiter: Option<Place>,
    /// How often.
    pub contentions: Total,
    /// How long, in nanoseconds.
    pub wait_ns: Total,
}

/// An acquisition that had not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingAcquisition {
    /// The lock's id; 0 for a lock without slot.
    pub lock: u64,
    /// The kernel's number of the thread.
    pub thread: u64,
    /// Whether it still waits; otherwise it holds the lock.
    pub waiting: bool,
    /// Where the operation stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Who held the lock when the wait began, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Place>,
    /// The thread that held the lock alone when the wait began, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder_thread: Option<u64>,
    /// How long it has waited, or held, in nanoseconds.
    pub for_ns: u64,
}

/// A time in which a session that sleeps was awake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// What woke it.
    pub cause: String,
    /// When it began, in nanoseconds since the session did.
    pub after_ns: u64,
    /// How long it was awake.
    pub length_ns: u64,
    /// Samples taken in it.
    pub samples: u64,
}

/// Something that was seen and not recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What, and why.
    pub what: String,
    /// How many.
    pub count: u64,
}

fn is_0<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

impl Filters {
    /// Whether all locks were watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

impl fmt::Display for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [("include", &self.include), ("exclude", &self.exclude)];
        let given = lists.iter().filter(|(_, patterns)| !patterns.is_empty());
        let texts: Vec<String> =
            given.map(|(key, patterns)| format!("{key} {}", patterns.join(", "))).collect();
        f.write_str(&texts.join("; "))
    }
}

impl ReportFile {
    /// The report of a session that was to record nothing.
    pub(crate) fn switched_off() -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            session: SessionInfo {
                backend: String::new(),
                backend_version: String::new(),
                plugin: String::new(),
                probes: Vec::new(),
                settings: Vec::new(),
                filters: Filters::default(),
                periods: Vec::new(),
                generation: 0,
                started_unix_ns: 0,
                length_ns: 0,
                complete: true,
                asleep: false,
                pid: std::process::id(),
                command: Vec::new(),
                samples: 0,
                sample_cost_ns: None,
                stacks: None,
            },
            locks: Vec::new(),
            pending: Vec::new(),
            windows: Vec::new(),
            losses: Vec::new(),
            notes: vec![
                "Nothing was recorded, because profiling is switched off by `enabled = false`."
                    .to_owned(),
            ],
            frames: Vec::new(),
        }
    }
}

impl AddAssign for Total {
    /// Adds an independent total: variances add up, standard errors do not.
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        self.standard_error = self.standard_error.hypot(other.standard_error);
    }
}

impl Sum for Total {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |mut total, part| {
            total += part;
            total
        })
    }
}

/// What makes two places the same: see [`Place::identity`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlaceIdentity {
    file: String,
    line: u32,
    column: u32,
    address: u64,
    stack: Vec<u32>,
}

impl Place {
    /// The place, for comparing: a source location if it is known, whatever
    /// its address, because a compiler may place one location several times. Two
    /// stacks that lead there are two.
    #[must_use]
    pub fn identity(&self) -> PlaceIdentity {
        PlaceIdentity {
            file: self.file.clone(),
            line: self.line,
            column: self.column,
            address: if self.file.is_empty() { self.address } else { 0 },
            stack: self.stack.clone(),
        }
    }

    /// The place as people write it: `file:line`, or the address in hexadecimal.
    /// A symbol, which a probe names where it knows no file, has no line.
    #[must_use]
    pub fn label(&self) -> String {
        if self.file.is_empty() {
            format!("{:#x}", self.address)
        } else if self.line == 0 {
            self.file.clone()
        } else {
            format!("{}:{}", self.file, self.line)
        }
    }
}

impl Lock {
    /// What people call the lock: its name, or where it was made, or its id.
    #[must_use]
    pub fn label(&self) -> String {
        match (&self.name, &self.created) {
            (Some(name), _) => name.clone(),
            (None, Some(created)) => created.label(),
            (None, None) if self.id == 0 => format!("{} of unknown origin", self.kind),
            (None, None) => format!("lock {}", self.id),
        }
    }

    /// Time spent waiting for it, in nanoseconds.
    #[must_use]
    pub fn wait_ns(&self) -> f64 {
        self.sites.iter().map(|site| site.wait_ns.total.value).sum()
    }

    /// How often it was acquired.
    #[must_use]
    pub fn acquisitions(&self) -> f64 {
        self.sites.iter().map(|site| site.acquisitions.value).sum()
    }
}
