//! What flags or the builder say: the last word.

use std::path::PathBuf;

use super::settings::CHOSEN;
use super::{Given, Owner, Place, Placed};

/// What flags or the builder say: the last word.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub(super) given: Vec<Given>,
    pub(super) config: Option<Placed<PathBuf>>,
}

impl Overrides {
    /// Sets one of the host's keys, or the chosen backend's `period`.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<String>, place: Place) {
        self.given.push(Given::new(Owner::Host, key, vec![value.into()], place));
    }

    /// Adds to one of the host's lists. What sources before this one say of the
    /// list does not count any more.
    pub(crate) fn add(&mut self, key: &str, value: impl Into<String>, place: Place) {
        let is_same = |given: &&mut Given| {
            given.owner == Owner::Host && given.key == key && given.place == place
        };
        match self.given.iter_mut().find(is_same) {
            Some(given) => given.values.push(value.into()),
            None => self.set(key, value, place),
        }
    }

    /// Adds folders to the search path for plugins.
    pub(crate) fn plugin_path(&mut self, folders: Vec<String>, place: Place) {
        self.given.push(Given::new(Owner::Host, "plugin_path", folders, place));
    }

    /// Sets a key of the chosen backend.
    pub(crate) fn setting(&mut self, key: &str, value: impl Into<String>, place: Place) {
        let owner = Owner::Backend(CHOSEN.to_owned());
        self.given.push(Given::new(owner, key, vec![value.into()], place));
    }

    /// Names the configuration file.
    pub(crate) fn config(&mut self, path: PathBuf, place: Place) {
        self.config = Some(Placed { value: path, place });
    }
}
