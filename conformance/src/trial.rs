//! What a check has at hand: the plugin, in a process that is its own.

use core::mem::ManuallyDrop;
use core::ops::Deref;
use std::path::{Path, PathBuf};

use lockscope_core::backend::Setting;
use lockscope_host::loader::Plugin;
use lockscope_host::report::model::ReportFile;
use lockscope_host::{Builder, HostError, Profiler};

use crate::keys::Recording;
use crate::random::Random;
use crate::subject::Subject;
use crate::verdict::Failure;

/// One check of one rule.
#[derive(Debug)]
pub struct Trial {
    path: PathBuf,
    seed: u64,
    set: Vec<(String, String)>,
    plugin: Option<Plugin>,
}

impl Trial {
    /// A trial of the plugin at `path`, with values for its keys that the user
    /// gave.
    #[must_use]
    pub fn new(path: PathBuf, seed: u64, set: Vec<(String, String)>) -> Self {
        Self { path, seed, set, plugin: None }
    }

    /// The plugin's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From which everything random follows.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Random numbers.
    #[must_use]
    pub fn random(&self) -> Random {
        Random::new(self.seed)
    }

    /// The plugin, opened.
    ///
    /// # Errors
    ///
    /// That it cannot be: the matter of LOAD-01.
    pub fn plugin(&mut self) -> Result<&Plugin, Failure> {
        let plugin = match self.plugin.take() {
            Some(plugin) => plugin,
            None => {
                Plugin::open(&self.path).map_err(|error| Failure::blocked_by("LOAD-01", error))?
            }
        };
        Ok(self.plugin.insert(plugin))
    }

    /// A new instance of the backend, not yet initialised.
    ///
    /// # Errors
    ///
    /// That there can be none: the matter of LOAD-01 or LOAD-02.
    pub fn fresh(&mut self) -> Result<Subject, Failure> {
        let plugin = self.plugin()?;
        Subject::new(plugin).map_err(blocked)
    }

    /// A new instance that is to record this.
    ///
    /// # Errors
    ///
    /// That it refuses: the matter of LOAD-05; and those of [`Trial::fresh`].
    pub fn subject(&mut self, recording: Recording) -> Result<Subject, Failure> {
        self.subject_with(recording, &[])
    }

    /// The same, with more values for keys, if it has them.
    ///
    /// # Errors
    ///
    /// Those of [`Trial::subject`].
    pub fn subject_with(
        &mut self,
        recording: Recording,
        more: &[(&str, &str)],
    ) -> Result<Subject, Failure> {
        let subject = self.fresh()?;
        let settings = self.settings_with(&subject, recording, more)?;
        subject.init(&settings).map_err(|error| Failure::blocked_by("LOAD-05", error))?;
        Ok(subject)
    }

    /// What an instance is to be initialised with, so that it records this.
    ///
    /// # Errors
    ///
    /// That the plugin cannot be opened: the matter of LOAD-01.
    pub fn settings(
        &mut self,
        subject: &Subject,
        recording: Recording,
    ) -> Result<Vec<Setting>, Failure> {
        self.settings_with(subject, recording, &[])
    }

    fn settings_with(
        &mut self,
        subject: &Subject,
        recording: Recording,
        more: &[(&str, &str)],
    ) -> Result<Vec<Setting>, Failure> {
        let given = self.given(recording, more)?;
        let given: Vec<_> = given.iter().map(|(key, value)| (&**key, &**value)).collect();
        Ok(subject.settings(&given))
    }

    /// A session of this process that is still to be started, of real locks, in
    /// which the backend is to record this.
    ///
    /// # Errors
    ///
    /// That the plugin cannot be opened: the matter of LOAD-01.
    pub fn session(&mut self, recording: Recording) -> Result<Builder, Failure> {
        introduce_probe();
        let given = self.given(recording, &[])?;
        let path = self.plugin()?.path.to_string_lossy().into_owned();
        let builder = Profiler::builder().backend(path).control(false);
        Ok(given.into_iter().fold(builder, |builder, (key, value)| builder.set(&key, value)))
    }

    /// A running session of this process, of real locks.
    ///
    /// # Errors
    ///
    /// That it does not start: the matter of LOAD-05; and those of
    /// [`Trial::session`].
    pub fn profile(&mut self, recording: Recording) -> Result<Profile, Failure> {
        let profiler = self.session(recording)?.start().map_err(blocked)?;
        Ok(Profile(ManuallyDrop::new(profiler)))
    }

    /// The values for those keys that the backend has: what the check needs, then
    /// what the user says.
    pub(crate) fn given(
        &mut self,
        recording: Recording,
        more: &[(&str, &str)],
    ) -> Result<Vec<(String, String)>, Failure> {
        let more = more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let mut all: Vec<_> = more.chain(recording.keys()).collect();
        all.extend(self.set.iter().cloned().chain(recording.awake()));
        let keys = &self.plugin()?.description.keys;
        let mut given = Vec::<(String, String)>::new();
        for (key, value) in all {
            let is_new = !given.iter().any(|(known, _)| *known == key);
            if is_new && keys.iter().any(|known| *known.name == *key) {
                given.push((key, value));
            }
        }
        Ok(given)
    }
}

/// A running session of this process. If a check ends without having stopped it,
/// nobody does: what was found wrong may be what would keep the process from its
/// end.
#[derive(Debug)]
pub struct Profile(ManuallyDrop<Profiler>);

impl Profile {
    /// See [`Profiler::stop`].
    ///
    /// # Errors
    ///
    /// Those of [`Profiler::stop`].
    pub fn stop(self) -> Result<ReportFile, HostError> {
        ManuallyDrop::into_inner(self.0).stop()
    }
}

impl Deref for Profile {
    type Target = Profiler;

    fn deref(&self) -> &Profiler {
        &self.0
    }
}

/// Whose matter it is that the host cannot use the plugin.
fn blocked(error: HostError) -> Failure {
    let rule = match error {
        // Of its table: that of the plugin was looked at when it was opened.
        HostError::PluginPlane { .. } => "LOAD-02",
        HostError::Init { .. } | HostError::Backend { .. } => "LOAD-05",
        _ => "LOAD-01",
    };
    Failure::blocked_by(rule, error)
}

/// The first lock operation of a process looks for a host; those of other threads
/// meanwhile are not recorded.
fn introduce_probe() {
    drop(lockscope::sync::Mutex::new(()).lock());
}
