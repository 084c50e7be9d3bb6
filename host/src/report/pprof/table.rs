//! What a profile's samples point to: strings, functions, locations.
//!
//! Viewers print names and labels on terminals as they are, so what a terminal
//! would obey is replaced before.

use std::collections::HashMap;

use super::super::model::{Place, PlaceIdentity};
use super::super::text::clean;
use super::proto::{Function, Label, Line, Location, Mapping, Profile, ValueType};

/// The only mapping: the program. Viewers want one, and look for no symbols in
/// one that has them.
const PROGRAM: u64 = 1;

/// The tables of a profile while it is made.
pub(super) struct Tables {
    strings: Vec<String>,
    string_numbers: HashMap<String, i64>,
    functions: Vec<Function>,
    locations: Vec<Location>,
    location_ids: HashMap<Option<PlaceIdentity>, u64>,
    program: i64,
}

impl Tables {
    pub(super) fn new(program: &str) -> Self {
        let mut tables = Self {
            strings: Vec::new(),
            string_numbers: HashMap::new(),
            functions: Vec::new(),
            locations: Vec::new(),
            location_ids: HashMap::new(),
            program: 0,
        };
        // The format wants the empty string first.
        tables.string("");
        tables.program = tables.string(program);
        tables
    }

    /// The number of a string.
    pub(super) fn string(&mut self, text: &str) -> i64 {
        if let Some(number) = self.string_numbers.get(text) {
            return *number;
        }
        let number = self.strings.len() as i64;
        self.strings.push(text.to_owned());
        self.string_numbers.insert(text.to_owned(), number);
        number
    }

    pub(super) fn value_type(&mut self, name: &str, unit: &str) -> ValueType {
        ValueType { r#type: self.string(name), unit: self.string(unit) }
    }

    pub(super) fn label(&mut self, key: &str, text: &str) -> Label {
        Label { key: self.string(key), str: self.string(&clean(text)), num: 0 }
    }

    pub(super) fn number(&mut self, key: &str, num: i64) -> Label {
        Label { key: self.string(key), str: 0, num }
    }

    /// The location of a call site, or one that says `unknown`.
    pub(super) fn location(&mut self, place: Option<&Place>, unknown: &str) -> u64 {
        let identity = place.map(Place::identity);
        if let Some(id) = self.location_ids.get(&identity) {
            return *id;
        }
        let name = place.map_or_else(|| unknown.to_owned(), Place::label);
        let name = self.string(&clean(&name));
        let filename = place.map_or(0, |place| self.string(&place.file));
        // One function, one location, one number: ids begin with 1.
        let id = self.locations.len() as u64 + 1;
        self.functions.push(Function { id, name, system_name: name, filename });
        let line = place.map_or(0, |place| i64::from(place.line));
        self.locations.push(Location {
            id,
            mapping_id: PROGRAM,
            line: vec![Line { function_id: id, line }],
        });
        self.location_ids.insert(identity, id);
        id
    }

    /// Completes `profile` by the tables that its samples point to.
    pub(super) fn into_profile(self, profile: Profile) -> Profile {
        let mapping = Mapping {
            id: PROGRAM,
            filename: self.program,
            has_functions: true,
            has_filenames: true,
            has_line_numbers: true,
        };
        Profile {
            mapping: vec![mapping],
            location: self.locations,
            function: self.functions,
            string_table: self.strings,
            ..profile
        }
    }
}
