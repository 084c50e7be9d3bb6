//! What a profile's samples point to: strings, functions, locations.
//!
//! Viewers print names and labels on terminals as they are, so what a terminal
//! would obey is replaced before.

use std::collections::HashMap;

use super::super::model::{Frame, Place};
use super::super::text::clean;
use super::proto::{Function, Label, Line, Location, Mapping, Profile, ValueType};

/// The first mapping: the program. Viewers want one, and look for no symbols in
/// one that has them.
const PROGRAM: u64 = 1;

/// What a location is of: one place, or a call with what was inlined into it.
#[derive(PartialEq, Eq, Hash)]
enum Spot {
    Place(Option<(String, u32, u32, u64)>),
    Call(Vec<Frame>),
}

/// The tables of a profile while it is made.
pub(super) struct Tables {
    strings: Vec<String>,
    string_numbers: HashMap<String, i64>,
    functions: Vec<Function>,
    locations: Vec<Location>,
    location_ids: HashMap<Spot, u64>,
    /// By name and file.
    function_ids: HashMap<(i64, i64), u64>,
    /// Files, in the order of their numbers.
    mappings: Vec<i64>,
}

impl Tables {
    pub(super) fn new(program: &str) -> Self {
        let mut tables = Self {
            strings: Vec::new(),
            string_numbers: HashMap::new(),
            functions: Vec::new(),
            locations: Vec::new(),
            location_ids: HashMap::new(),
            function_ids: HashMap::new(),
            mappings: Vec::new(),
        };
        // The format wants the empty string first.
        tables.string("");
        tables.mapping(program);
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

    /// The number of an object.
    fn mapping(&mut self, file: &str) -> u64 {
        let file = self.string(file);
        let known = self.mappings.iter().position(|mapping| *mapping == file);
        let at = known.unwrap_or_else(|| {
            self.mappings.push(file);
            self.mappings.len() - 1
        });
        at as u64 + 1
    }

    fn function(&mut self, name: &str, file: &str) -> u64 {
        let key = (self.string(&clean(name)), self.string(file));
        let next = self.functions.len() as u64 + 1;
        let id = *self.function_ids.entry(key).or_insert(next);
        if id == next {
            let (name, filename) = key;
            self.functions.push(Function { id, name, system_name: name, filename });
        }
        id
    }

    /// The locations of a stack, or of a call site alone, the innermost first.
    pub(super) fn locations<'a>(
        &mut self,
        place: Option<&Place>,
        stack: impl Iterator<Item = &'a Frame>,
        unknown: &str,
    ) -> Vec<u64> {
        let frames: Vec<&Frame> = stack.collect();
        if frames.is_empty() {
            return vec![self.location(place, unknown)];
        }
        // Functions that were inlined into one another are one location.
        frames.chunk_by(|inner, _| inner.inlined).map(|call| self.call(call)).collect()
    }

    fn call(&mut self, frames: &[&Frame]) -> u64 {
        let spot = Spot::Call(frames.iter().map(|frame| (*frame).clone()).collect());
        if let Some(id) = self.location_ids.get(&spot) {
            return *id;
        }
        let (object, address) = frames.last().map_or(("", 0), |last| (&*last.object, last.address));
        let mapping_id = if object.is_empty() { PROGRAM } else { self.mapping(object) };
        let line = frames
            .iter()
            .map(|frame| Line {
                function_id: self.function(&frame.function, &frame.file),
                line: frame.line.into(),
            })
            .collect();
        self.new_location(spot, Location { mapping_id, address, line, ..Location::default() })
    }

    /// The location of a call site, or one that says `unknown`.
    fn location(&mut self, place: Option<&Place>, unknown: &str) -> u64 {
        let spot = Spot::Place(place.map(|place| {
            let address = if place.file.is_empty() { place.address } else { 0 };
            (place.file.clone(), place.line, place.column, address)
        }));
        if let Some(id) = self.location_ids.get(&spot) {
            return *id;
        }
        let name = place.map_or_else(|| unknown.to_owned(), Place::label);
        let function_id = self.function(&name, place.map_or("", |place| &place.file));
        let line = vec![Line { function_id, line: place.map_or(0, |place| place.line.into()) }];
        self.new_location(spot, Location { mapping_id: PROGRAM, line, ..Location::default() })
    }

    fn new_location(&mut self, spot: Spot, location: Location) -> u64 {
        // Ids begin with 1.
        let id = self.locations.len() as u64 + 1;
        self.locations.push(Location { id, ..location });
        self.location_ids.insert(spot, id);
        id
    }

    /// Completes `profile` by the tables that its samples point to.
    pub(super) fn into_profile(self, profile: Profile) -> Profile {
        let mapping = |(filename, id)| Mapping {
            id,
            filename,
            has_functions: true,
            has_filenames: true,
            has_line_numbers: true,
        };
        Profile {
            mapping: self.mappings.into_iter().zip(PROGRAM..).map(mapping).collect(),
            location: self.locations,
            function: self.functions,
            string_table: self.strings,
            ..profile
        }
    }
}
