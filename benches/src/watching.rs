//! The sessions whose cost is measured, of whatever backends are found.
//!
//! A backend's keys are its own. But where backends have a key of one name, it means
//! the same, so what a backend can be asked for follows from the keys that it has:
//! one of the suite's own and one that somebody else has written are measured alike.

use core::fmt;
use std::path::Path;

use lockscope_host::Profiler;
use lockscope_host::config::{Config, Overrides, Place, Placed, Sources};
use lockscope_host::loader::{Plugin, SearchPath};

/// A backend, by what is to be known of it.
#[derive(Clone, Debug)]
pub struct Backend {
    /// What rows are called by.
    pub name: String,
    /// What the host finds it by: its name, or its plugin's path.
    asked: String,
    keys: Vec<String>,
}

impl Backend {
    fn of(plugin: &Plugin, asked: String) -> Self {
        let description = &plugin.description;
        let keys = description.keys.iter().map(|key| key.name.to_string()).collect();
        Self { name: description.name.to_string(), asked, keys }
    }

    /// All that are found where the host looks, by name.
    ///
    /// # Errors
    ///
    /// A sentence that says why the host cannot look.
    pub fn all() -> Result<Vec<Self>, String> {
        let config = config()?;
        let mut all: Vec<Self> = SearchPath::new(&config)
            .candidates()
            .into_iter()
            .filter(|candidate| candidate.shadowed_by.is_none())
            .filter_map(|candidate| candidate.plugin.ok())
            .map(|plugin| Self::of(&plugin, plugin.description.name.to_string()))
            .collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// The one that somebody asks for, by name or path.
    ///
    /// # Errors
    ///
    /// A sentence that says why it cannot be used.
    pub fn named(asked: &str) -> Result<Self, String> {
        let (plugin, asked) = plugin(asked)?;
        Ok(Self::of(&plugin, asked))
    }

    /// What the host finds it by.
    #[must_use]
    pub fn asked(&self) -> &str {
        &self.asked
    }

    /// Opens its plugin.
    ///
    /// # Errors
    ///
    /// A sentence that says why it cannot be used.
    pub fn plugin(&self) -> Result<Plugin, String> {
        plugin(&self.asked).map(|(plugin, _)| plugin)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|own| own == key)
    }

    fn session(&self, title: &str, settings: &[(&'static str, &'static str)]) -> Watching {
        let has = |(key, _): &&(&str, &str)| self.has(key);
        Watching {
            title: format!("{}{title}", self.name),
            name: self.name.clone(),
            asked: self.asked.clone(),
            settings: ALWAYS.iter().chain(settings).filter(has).copied().collect(),
            exclude: "",
            stacks: 0,
        }
    }

    /// One operation in a hundred, or whatever it takes for that.
    #[must_use]
    pub fn one_in_100(&self) -> Watching {
        match (self.rises(), self.sleeps()) {
            (true, _) => self.session("", &[]),
            (_, true) => self.session(", awake, one in 100", &AWAKE_ONE_IN_100),
            _ => self.session(", one in 100", &[("period", "100")]),
        }
    }

    /// Every operation, if it can be told to.
    #[must_use]
    pub fn every_operation(&self) -> Option<Watching> {
        (self.has("period") && !self.rises() && !self.sleeps())
            .then(|| self.session(", every operation", &[("period", "1")]))
    }

    /// One operation in a thousand, one in a hundred, and every one: what of these it
    /// can be asked for.
    #[must_use]
    pub fn periods(&self) -> Vec<Watching> {
        let rarely = (self.has("period") && !self.rises() && !self.sleeps())
            .then(|| self.session(", one in 1000", &[("period", "1000")]));
        rarely.into_iter().chain([self.one_in_100()]).chain(self.every_operation()).collect()
    }

    /// One session for each period that cost is measured against, if it keeps to one.
    #[must_use]
    pub fn every_period(&self) -> Vec<Watching> {
        if self.rises() || !self.has("period") {
            return Vec::new();
        }
        let awake = if self.sleeps() { ", awake" } else { "" };
        let [wake, window, _] = AWAKE_ONE_IN_100;
        EVERY_PERIOD
            .iter()
            .map(|(period, how)| {
                self.session(&format!("{awake}, {how}"), &[wake, window, ("period", period)])
            })
            .collect()
    }

    /// Whether its periods grow by themselves.
    pub(crate) fn rises(&self) -> bool {
        self.has("max_period")
    }

    /// Whether it sleeps until something wakes it.
    pub(crate) fn sleeps(&self) -> bool {
        self.has("wake_at_start")
    }

    /// All that an uncontended lock is measured with.
    #[must_use]
    pub fn uncontended(&self) -> Vec<Watching> {
        let mut all = Vec::new();
        if self.sleeps() {
            // Without the glances that it takes by default, which are a part of the
            // time that is too long for one measurement: see the next row for what they
            // cost while they last.
            all.push(self.session(", asleep", &[("wake_on_wait_percent", "0")]));
            if self.has("wake_on_contentions") {
                all.push(self.session(
                    ", asleep, watching all the time",
                    &[UNREACHED, ("watch_percent", "100")],
                ));
            }
        } else if self.rises() {
            return vec![self.session(", of a quiet lock", &[])];
        } else if self.has("period") {
            all.push(self.session(", one in 1000", &[("period", "1000")]));
        }
        let sampled = self.one_in_100();
        let excluded = Watching {
            title: format!("{}, of a lock that is excluded", self.name),
            exclude: "kind:*",
            ..sampled.clone()
        };
        let every = self.every_operation();
        let stacked = every.iter().flat_map(|every| [sampled.with_stacks(), every.with_stacks()]);
        let stacked: Vec<Watching> = stacked.collect();
        all.push(sampled);
        all.extend(every);
        all.extend(stacked);
        if !self.sleeps() {
            all.push(excluded);
        }
        all
    }

    /// All that memory is measured with.
    #[must_use]
    pub fn memory(&self) -> Vec<Watching> {
        let asleep = self.sleeps().then(|| self.session(", asleep", &[]));
        let all = asleep.into_iter().chain([self.one_in_100()]).chain(self.every_operation());
        all.map(|watching| Watching {
            settings: [watching.settings, self.session("", &[MANY]).settings].concat(),
            ..watching
        })
        .collect()
    }

    /// Asleep, and recording every operation once it is woken.
    #[must_use]
    pub fn to_be_woken(&self) -> Option<Watching> {
        self.sleeps().then(|| self.session("", &[("period", "1"), ("window_ms", "20")]))
    }
}

/// So that a bench that does nothing but lock stays watched.
const ALWAYS: [(&str, &str); 1] = [("auto_disable_ops_per_sec", "0")];
/// A trigger that nothing pulls.
const UNREACHED: (&str, &str) = ("wake_on_contentions", "1000000000");
/// A window that does not end.
const AWAKE_ONE_IN_100: [(&str, &str); 3] =
    [("wake_at_start", "1"), ("window_ms", "3600000"), ("period", "100")];
/// Periods, and how rows call them.
const EVERY_PERIOD: [(&str, &str); 5] = [
    ("1", "every operation"),
    ("10", "one in 10"),
    ("100", "one in 100"),
    ("1000", "one in 1000"),
    ("10000", "one in 10000"),
];
const MANY: (&str, &str) = ("max_locks", "2000000");

/// The plugin that somebody asks for, by name or path, and what the host finds it by.
fn plugin(asked: &str) -> Result<(Plugin, String), String> {
    if asked.contains('/') {
        let path = std::path::absolute(asked).map_err(|error| error.to_string())?;
        let plugin = Plugin::open(Path::new(&path)).map_err(|error| error.to_string())?;
        return Ok((plugin, path.to_string_lossy().into_owned()));
    }
    let asked = Placed { value: asked.to_owned(), place: Place::Flag("--backend") };
    let found = SearchPath::new(&config()?).find(&asked).map_err(|error| error.to_string())?;
    let name = found.plugin.description.name.to_string();
    Ok((found.plugin, name))
}

fn config() -> Result<Config, String> {
    Config::resolve(&Sources::of_process(), &Overrides::default())
        .map_err(|error| error.to_string())
}

/// A session whose cost is measured.
#[derive(Clone)]
pub struct Watching {
    /// What its row is called.
    pub title: String,
    /// The backend's.
    name: String,
    asked: String,
    settings: Vec<(&'static str, &'static str)>,
    /// A pattern of locks that are not watched; empty for none.
    exclude: &'static str,
    /// How many frames of stacks are kept.
    stacks: u32,
}

/// More frames than the suite has.
const ALL_FRAMES: u32 = 64;

impl Watching {
    /// Whether nothing escapes it.
    #[must_use]
    pub fn sees_all(&self) -> bool {
        self.settings.contains(&("period", "1"))
    }

    /// The same, with the stacks of what is recorded.
    fn with_stacks(&self) -> Self {
        let title = format!("{}, with stacks", self.title);
        Self { title, stacks: ALL_FRAMES, ..self.clone() }
    }

    /// What starts it in a program that finds its host by the environment.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let of_key = |(key, value): &(&str, &str)| {
            (format!("LOCKSCOPE_{}_{key}", self.name).to_uppercase(), (*value).to_owned())
        };
        let host = [
            ("LOCKSCOPE_BACKEND".to_owned(), self.asked.clone()),
            ("LOCKSCOPE_STACKS".to_owned(), self.stacks.to_string()),
        ];
        host.into_iter().chain(self.settings.iter().map(of_key)).collect()
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it cannot: then there is nothing to measure.
    #[must_use]
    pub fn start(&self) -> Profiler {
        let builder = Profiler::builder().backend(&*self.asked).control(false);
        let builder = builder.stacks(self.stacks);
        let builder = self.settings.iter().fold(builder, |b, (key, value)| b.set(key, *value));
        let builder = if self.exclude.is_empty() { builder } else { builder.exclude(self.exclude) };
        builder.start().unwrap_or_else(|error| panic!("the bench cannot start {self:?}: {error}"))
    }
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}
