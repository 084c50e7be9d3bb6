//! Configuration by `lockscope.toml`.

use std::io::ErrorKind;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FILE_NAME, Given, KEYS, LISTS, Owner, Place, Placed, Sources, unknown_key, variables};
use crate::error::HostError;

/// A configuration file that may be there.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) path: PathBuf,
    /// Who named it; nobody did if it is the one of the current folder.
    named: Option<Place>,
}

/// The file to read: the one that is named last, or that of the current
/// folder. An empty name stands for none.
pub(super) fn locate(sources: &Sources, flag: Option<&Placed<PathBuf>>) -> Option<Located> {
    let named = flag.cloned().or_else(|| {
        let value = sources.variable(variables::CONFIG)?;
        Some(Placed {
            value: PathBuf::from(value),
            place: Place::Variable(variables::CONFIG.to_owned()),
        })
    });
    let named = match named {
        Some(named) if named.value.as_os_str().is_empty() => return None,
        Some(named) => Located { path: named.value, named: Some(named.place) },
        None => Located { path: FILE_NAME.into(), named: None },
    };
    match &sources.folder {
        // A file of the current folder is shown as people wrote it.
        Some(folder) if std::env::current_dir().ok().as_ref() != Some(folder) => {
            Some(Located { path: folder.join(&named.path), ..named })
        }
        Some(_) => Some(named),
        None => named.named.is_some().then_some(named),
    }
}

/// What the file says; `None` if it is not there and nobody named it.
pub(super) fn read(located: &Located) -> Result<Option<Vec<Given>>, HostError> {
    let path = &located.path;
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let Some(place) = located.named.clone() else { return Ok(None) };
            return Err(HostError::ConfigMissing { path: path.clone(), place });
        }
        Err(source) => {
            return Err(HostError::ConfigUnreadable { path: path.clone(), source });
        }
    };
    let document = Document { path, text: &text };
    let table = DeTable::parse(&text).map_err(|error| document.syntax(&error))?;
    document.top(table.get_ref()).map(Some)
}

/// What the file says of one of the host's keys, whatever else is wrong in it.
pub(super) fn look_up(located: &Located, key: &str) -> Option<Given> {
    let path = &located.path;
    let text = std::fs::read_to_string(path).ok()?;
    let table = DeTable::parse(&text).ok()?;
    let document = Document { path, text: &text };
    let (key, value) = table.get_ref().get_key_value(key)?;
    let place = document.place(key.span().start);
    document.entry(Owner::Host, key.get_ref(), value, place).ok()
}

struct Document<'a> {
    path: &'a PathBuf,
    text: &'a str,
}

impl Document<'_> {
    fn top(&self, table: &DeTable<'_>) -> Result<Vec<Given>, HostError> {
        let mut given = Vec::new();
        for (key, value) in table.iter() {
            let name = key.get_ref().as_ref();
            let place = self.place(key.span().start);
            match value.get_ref() {
                DeValue::Table(backend) if !KEYS.contains(&name) => {
                    self.backend(name, backend, &mut given)?;
                }
                _ if !KEYS.contains(&name) => return Err(unknown_key(name, place, &KEYS)),
                _ => given.push(self.entry(Owner::Host, key.get_ref(), value, place)?),
            }
        }
        // `period` is the chosen backend's; its own table is more exact.
        given.sort_by_key(|given| given.owner != Owner::Host);
        Ok(given)
    }

    fn backend(
        &self,
        name: &str,
        table: &DeTable<'_>,
        given: &mut Vec<Given>,
    ) -> Result<(), HostError> {
        for (key, value) in table.iter() {
            let place = self.place(key.span().start);
            let owner = Owner::Backend(name.to_owned());
            given.push(self.entry(owner, key.get_ref(), value, place)?);
        }
        Ok(())
    }

    fn entry(
        &self,
        owner: Owner,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        place: Place,
    ) -> Result<Given, HostError> {
        let values = match value.get_ref() {
            DeValue::Array(list) => list.iter().map(|item| scalar(item.get_ref())).collect(),
            single => scalar(single).map(|text| vec![text]),
        };
        let text = &self.text[value.span()];
        let list = LISTS.iter().find(|(name, _)| *name == key && owner == Owner::Host);
        let given = Given::new(owner, key, Vec::new(), place);
        match (values, list) {
            (Some(values), list) if values.len() == 1 || list.is_some() => {
                Ok(Given { values, ..given })
            }
            (_, Some((_, expected))) => Err(given.bad(text, expected, None)),
            _ => Err(given.bad(text, "a single text, number, true or false", None)),
        }
    }

    fn place(&self, offset: usize) -> Place {
        Place::File { path: self.path.clone(), line: self.position(offset).0 }
    }

    /// Line and column, from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    fn syntax(&self, error: &toml::de::Error) -> HostError {
        let (line, column) = self.position(error.span().map_or(0, |span| span.start));
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        HostError::ConfigSyntax { path: self.path.clone(), line, column, message }
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.clone().into_owned(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) | DeValue::Table(_) => return None,
    })
}
