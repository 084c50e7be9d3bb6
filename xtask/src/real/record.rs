//! What was found, as it is kept.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::text_of;
use crate::command::Call;
use crate::error::Error;
use crate::metadata;

/// One run over all programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What it was found on.
    pub provenance: Provenance,
    /// What was found of each program.
    pub programs: Vec<Found>,
}

/// What a run was done on, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The processor, as it calls itself.
    pub machine: String,
    /// How many cores there were.
    pub cores: u64,
    /// The system.
    pub system: String,
    /// The commit, with `+` if the tree was changed.
    pub commit: String,
    /// How many threads wanted to run when it began, on average, in hundredths: those of
    /// others.
    pub load: u64,
    /// The command that does it again.
    pub command: String,
}

/// What was found of one program.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The program.
    pub name: String,
    /// What it did.
    pub work: String,
    /// Acquisitions a second, by the independent count.
    pub per_s: f64,
    /// Recorded acquisitions to counted ones, where every operation is recorded.
    pub every: f64,
    /// The same of the estimate from one in 100.
    pub sampled: f64,
    /// The lock that was waited for longest, or held if none was.
    pub top: String,
    /// With a closed gate.
    pub closed: Compared,
    /// With one operation in 100 recorded.
    pub one_in_100: Compared,
}

/// A way to start a program, to starting it plainly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// The processor's time for the same work.
    pub cpu: Spread,
    /// Work in the same time.
    pub throughput: Spread,
}

/// Ratios of several rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The one in the middle.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

impl Spread {
    /// Of at least one ratio; 0 of none.
    #[must_use]
    pub fn of(ratios: impl Iterator<Item = f64>) -> Self {
        let mut ratios: Vec<f64> = ratios.collect();
        ratios.sort_by(f64::total_cmp);
        let at = |index: usize| ratios.get(index).copied().unwrap_or_default();
        let last = ratios.len().saturating_sub(1);
        Self { median: (at(last / 2) + at(last.div_ceil(2))) / 2.0, least: at(0), most: at(last) }
    }

    fn to_json(self) -> Value {
        json!([rounded(self.median), rounded(self.least), rounded(self.most)])
    }

    fn read(value: &Value) -> Option<Self> {
        let at = |index: usize| value[index].as_f64();
        Some(Self { median: at(0)?, least: at(1)?, most: at(2)? })
    }
}

/// To what can be told of a ratio.
fn rounded(ratio: f64) -> f64 {
    (ratio * 1e4).round() / 1e4
}

impl Compared {
    fn to_json(self) -> Value {
        json!({ "cpu": self.cpu.to_json(), "throughput": self.throughput.to_json() })
    }

    fn read(value: &Value) -> Option<Self> {
        let spread = |key: &str| Spread::read(&value[key]);
        Some(Self { cpu: spread("cpu")?, throughput: spread("throughput")? })
    }
}

impl Found {
    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "work": self.work,
            "per_s": self.per_s.round(),
            "every": rounded(self.every),
            "sampled": rounded(self.sampled),
            "top": self.top,
            "closed": self.closed.to_json(),
            "one_in_100": self.one_in_100.to_json(),
        })
    }

    fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| Some(value[key].as_str()?.to_owned());
        let number = |key: &str| value[key].as_f64();
        Some(Self {
            name: text("name")?,
            work: text("work")?,
            per_s: number("per_s")?,
            every: number("every")?,
            sampled: number("sampled")?,
            top: text("top")?,
            closed: Compared::read(&value["closed"])?,
            one_in_100: Compared::read(&value["one_in_100"])?,
        })
    }
}

impl Provenance {
    /// Of this machine and tree, at this moment.
    ///
    /// # Errors
    ///
    /// git does not say which commit it is.
    pub fn of_now(command: String) -> Result<Self, Error> {
        let said = |args: &[&str]| {
            let said = Call::new("git").args(args).output()?;
            Ok::<_, Error>(String::from_utf8_lossy(&said).trim().to_owned())
        };
        let mut commit = said(&["rev-parse", "--short", "HEAD"])?;
        if !said(&["status", "--porcelain"])?.is_empty() {
            commit.push('+');
        }
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let value = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key))?;
            let value = line.split_once([':', '='])?.1.trim().trim_matches('"');
            Some(value.to_owned())
        };
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load: f64 = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
        Ok(Self {
            machine: value(&cpu, "model name").unwrap_or_else(|| "an unknown processor".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
            system: value(&release, "PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned()),
            commit,
            load: (load * 100.0).round() as u64,
            command,
        })
    }

    fn to_json(&self) -> Value {
        json!({
            "machine": self.machine,
            "cores": self.cores,
            "system": self.system,
            "commit": self.commit,
            "load": self.load,
            "command": self.command,
        })
    }

    fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| Some(value[key].as_str()?.to_owned());
        Some(Self {
            machine: text("machine")?,
            cores: value["cores"].as_u64()?,
            system: text("system")?,
            commit: text("commit")?,
            load: value["load"].as_u64()?,
            command: text("command")?,
        })
    }
}

impl Record {
    fn path() -> PathBuf {
        metadata::root().join("benches/record/real-programs.json")
    }

    /// Keeps it in place of the one before.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn keep(&self) -> Result<(), Error> {
        let programs: Vec<Value> = self.programs.iter().map(Found::to_json).collect();
        let all = json!({ "provenance": self.provenance.to_json(), "programs": programs });
        let path = Self::path();
        let text = format!("{all:#}\n");
        fs::write(&path, text).map_err(|source| Error::File { path, source })
    }

    /// The one that is kept.
    ///
    /// # Errors
    ///
    /// There is none, or it is no record.
    pub fn load() -> Result<Self, Error> {
        let path = Self::path();
        let text = text_of(&path)?;
        Self::read(&text).ok_or_else(|| {
            let source = std::io::Error::other(
                "this is no record of real programs; `cargo xtask real-programs --record` makes one",
            );
            Error::File { path, source }
        })
    }

    fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let programs = value["programs"].as_array()?.iter().map(Found::read);
        Some(Self {
            provenance: Provenance::read(&value["provenance"])?,
            programs: programs.collect::<Option<_>>()?,
        })
    }
}

/// A report of lockscope's.
pub(super) struct Report(Value);

impl Report {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = text_of(path)?;
        serde_json::from_str(&text).map(Self).map_err(|source| Error::File {
            path: path.to_owned(),
            source: std::io::Error::other(source),
        })
    }

    fn locks(&self) -> impl Iterator<Item = &Value> {
        self.0["locks"].as_array().into_iter().flatten()
    }

    /// All that was acquired, and what had not ended when the session did.
    pub(super) fn acquisitions(&self) -> f64 {
        let sites = self.locks().flat_map(|lock| lock["sites"].as_array().into_iter().flatten());
        let ended: f64 = sites.filter_map(|site| site["acquisitions"]["value"].as_f64()).sum();
        let losses = self.0["losses"].as_array().into_iter().flatten();
        ended + losses.filter_map(|loss| loss["count"].as_f64()).sum::<f64>()
    }

    /// What the first lock of the report is called.
    pub(super) fn top(&self) -> String {
        let place = |place: &Value| {
            let file = place["file"].as_str().filter(|file| !file.is_empty())?;
            let line = place["line"].as_u64().filter(|line| *line > 0);
            Some(line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")))
        };
        let name = |lock: &Value| {
            let made = lock["name"].as_str().map(str::to_owned).or_else(|| place(&lock["created"]));
            let acquired = || {
                let at = place(&lock["sites"][0]["place"])?;
                Some(format!("an allocated one, acquired at {at}"))
            };
            Some(format!("{}, a {}", made.or_else(acquired)?, lock["kind"].as_str()?))
        };
        let is_lock = |lock: &&Value| !matches!(lock["kind"].as_str(), Some("condvar" | "barrier"));
        self.locks().find(is_lock).and_then(name).unwrap_or_else(|| "none".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_the_rounds() {
        let spread = Spread::of([1.2, 1.0, 1.1].into_iter());
        assert_eq!((spread.median, spread.least, spread.most), (1.1, 1.0, 1.2));
        assert_eq!(Spread::of([3.0].into_iter()).median, 3.0);
    }

    #[test]
    fn what_is_no_record_is_told_from_one() {
        assert!(Record::read("{}").is_none());
        assert!(Record::read("").is_none());
    }
}
