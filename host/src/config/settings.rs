//! A backend's own keys, once it is known which it has.

use std::ffi::OsString;

use lockscope_core::backend::{BackendError, Description, Setting};

use super::{Config, Given, KEYS, Owner, PREFIX, Place, unknown_key};
use crate::error::{HostError, nearest};

/// Stands for the backend that is chosen, whatever its name.
pub(super) const CHOSEN: &str = "";

/// A backend's configuration, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Key, value and origin, in the order of the backend's description.
    pub settings: Vec<(String, String, Place)>,
}

impl Resolved {
    /// As a backend takes it.
    #[must_use]
    pub fn for_backend(&self) -> Vec<Setting> {
        self.settings
            .iter()
            .map(|(key, value, _)| Setting {
                key: key.as_str().into(),
                value: value.as_str().into(),
            })
            .collect()
    }

    /// As a report shows it.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        self.settings.iter().map(|(key, value, _)| (key.clone(), value.clone())).collect()
    }

    /// The settings that `error` may mean: those whose key it names, or else
    /// all that somebody gave.
    pub(crate) fn in_question(&self, error: &BackendError) -> String {
        let named = |key: &str| {
            error.message.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == key)
        };
        let show = |settings: Vec<&(String, String, Place)>| {
            settings
                .iter()
                .map(|(key, value, place)| format!("{key} = {value}: {place}"))
                .collect::<Vec<_>>()
                .join("; ")
        };
        let meant: Vec<_> = self.settings.iter().filter(|(key, ..)| named(key)).collect();
        if !meant.is_empty() {
            return show(meant);
        }
        show(self.settings.iter().filter(|(_, _, place)| *place != Place::BuiltIn).collect())
    }
}

impl Config {
    /// The configuration of the chosen backend, which says of itself what
    /// `description` says; `others` are the names of further backends that
    /// are there, whose keys are not looked at.
    ///
    /// # Errors
    ///
    /// A key that the chosen backend does not have, or that belongs to a
    /// backend that is not there.
    pub fn settings_for(
        &self,
        description: &Description,
        others: &[String],
    ) -> Result<Resolved, HostError> {
        let mut resolved: Vec<(String, String, Place)> = description
            .keys
            .iter()
            .map(|key| (key.name.to_string(), key.default.to_string(), Place::BuiltIn))
            .collect();
        for given in &self.settings {
            let Some(key) = own_key(given, description, others)? else { continue };
            let value = given.one("a value")?;
            match resolved.iter_mut().find(|(name, ..)| *name == key) {
                Some(entry) => *entry = (key, value, given.place.clone()),
                None => {
                    let keys: Vec<&str> =
                        description.keys.iter().map(|key| key.name.as_str()).collect();
                    return Err(unknown_key(&key, given.place.clone(), &keys));
                }
            }
        }
        Ok(Resolved { settings: resolved })
    }
}

impl Config {
    /// What is configured for other backends than `chosen`, as variables.
    pub(crate) fn settings_of_others(&self, chosen: &str) -> Vec<(String, OsString)> {
        let variable = |given: &Given| {
            let name = match &given.owner {
                Owner::Backend(name) if name == chosen || name == CHOSEN => return None,
                Owner::Backend(name) => format!("{PREFIX}{}_{}", shout(name), shout(&given.key)),
                Owner::Variable if is_of(&given.key, chosen) => return None,
                Owner::Variable => format!("{PREFIX}{}", given.key),
                Owner::Host => return None,
            };
            Some((name, given.values.first()?.into()))
        };
        self.settings.iter().filter_map(variable).collect()
    }
}

/// Whether the rest of a variable's name is that of a key of this backend.
fn is_of(rest: &str, backend: &str) -> bool {
    rest.strip_prefix(&shout(backend)).is_some_and(|key| key.starts_with('_'))
}

/// The key, if it is one of the chosen backend.
fn own_key(
    given: &Given,
    description: &Description,
    others: &[String],
) -> Result<Option<String>, HostError> {
    let chosen = description.name.as_str();
    match &given.owner {
        Owner::Host => Ok(Some(given.key.clone())),
        Owner::Backend(name) if name == chosen || name == CHOSEN => Ok(Some(given.key.clone())),
        Owner::Backend(name) if others.contains(name) => Ok(None),
        Owner::Backend(name) => {
            let names = others.iter().map(String::as_str).chain([chosen]).chain(KEYS);
            let mut valid: Vec<&str> = names.collect();
            valid.sort_unstable();
            valid.dedup();
            Err(unknown_key(name, given.place.clone(), &valid))
        }
        Owner::Variable => variable_key(given, description, others),
    }
}

fn variable_key(
    given: &Given,
    description: &Description,
    others: &[String],
) -> Result<Option<String>, HostError> {
    let belongs_to = |name: &str| given.key.strip_prefix(&format!("{}_", shout(name)));
    if let Some(key) = belongs_to(&description.name) {
        let key = key.to_ascii_lowercase();
        if description.keys.iter().any(|known| known.name == key.as_str()) {
            return Ok(Some(key));
        }
    } else if others.iter().any(|name| belongs_to(name).is_some()) {
        return Ok(None);
    }
    let own = description
        .keys
        .iter()
        .map(|key| format!("{PREFIX}{}_{}", shout(&description.name), shout(&key.name)));
    let valid: Vec<String> = KEYS
        .iter()
        .chain(&["config"])
        .map(|key| format!("{PREFIX}{}", shout(key)))
        .chain(own)
        .collect();
    let name = format!("{PREFIX}{}", given.key);
    Err(HostError::UnknownKey {
        nearest: nearest(&name, valid.iter().map(String::as_str)),
        key: name,
        place: given.place.clone(),
        valid: valid.join(", "),
    })
}

/// A name as variables have it.
pub(crate) fn shout(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}
