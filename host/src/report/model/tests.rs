//! The format is the one that `docs/report-format.md` describes.

use std::collections::{BTreeMap, BTreeSet};

use lockscope_core::event::{LockKind, Mode};
use serde_json::Value;

use super::super::pprof::Profile;
use super::super::sample::{populated, stacked};
use super::*;

const PAGE: &str = include_str!("../../../../docs/report-format.md");

/// A field as the page has it.
#[derive(Debug)]
struct Field<'a> {
    kind: &'a str,
    is_optional: bool,
}

/// The fields of each object: a section with a table whose first column is in
/// backquotes.
fn documented() -> BTreeMap<&'static str, BTreeMap<&'static str, Field<'static>>> {
    let mut objects: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    let mut object = "";
    for line in PAGE.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            object = heading;
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let (name, row) = row.split_once("` | ").expect("a name");
        let (kind, _) = row.split_once(" | ").expect("a type");
        let (kind, is_optional) =
            kind.strip_suffix(", optional").map_or((kind, false), |kind| (kind, true));
        let fields = objects.entry(object).or_default();
        assert!(fields.insert(name, Field { kind, is_optional }).is_none(), "{name} twice");
    }
    objects
}

/// Where a field stands in a report: the way to its object, and its name.
type Position = (Vec<String>, &'static str);

/// Compares a report with the page.
#[derive(Default)]
struct Comparison {
    page: BTreeMap<&'static str, BTreeMap<&'static str, Field<'static>>>,
    /// The first position of every field that occurs, by object and name.
    met: BTreeMap<(&'static str, &'static str), Position>,
}

impl Comparison {
    fn object(&mut self, value: &Value, object: &str, way: &[String]) {
        let (&object, fields) = self.page.get_key_value(object).expect(object);
        let fields: Vec<_> = fields.iter().map(|(name, field)| (*name, field.kind)).collect();
        let value = value.as_object().unwrap_or_else(|| panic!("{object}: {value}"));
        for name in value.keys() {
            let known = fields.iter().any(|(documented, _)| documented == name);
            assert!(known, "'{name}' of {object} is not in docs/report-format.md");
        }
        for (name, kind) in fields {
            let Some(inner) = value.get(name) else { continue };
            self.met.entry((object, name)).or_insert_with(|| (way.to_vec(), name));
            self.value(inner, kind, &[way, &[name.to_owned()]].concat());
        }
    }

    fn value(&mut self, value: &Value, kind: &str, way: &[String]) {
        if let Some(kind) = kind.strip_prefix("list of ") {
            let list = value.as_array().unwrap_or_else(|| panic!("{way:?} is no list"));
            for (index, item) in list.iter().enumerate() {
                self.value(item, kind, &[way, &[index.to_string()]].concat());
            }
        } else if let Some((_, object)) = kind.split_once("](#") {
            self.object(value, object.trim_end_matches(')'), way);
        } else {
            assert!(is(value, kind), "{way:?} is no {kind}: {value}");
        }
    }
}

fn is(value: &Value, kind: &str) -> bool {
    let are = |value: &Value, kinds: &[&str]| {
        let list = value.as_array().map_or(&[][..], Vec::as_slice);
        list.len() == kinds.len() && list.iter().zip(kinds).all(|(value, kind)| is(value, kind))
    };
    match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "number" => value.is_f64(),
        "bucket" => are(value, &["integer", "integer", "number"]),
        "pairs of string" => {
            value.as_array().is_some_and(|list| list.iter().all(|pair| are(pair, &["string"; 2])))
        }
        other => panic!("the page has a type of its own: {other}"),
    }
}

fn compared() -> (Value, Comparison) {
    let mut report = populated();
    // Not in reports that were written before there were filters.
    report.session.filters = Filters {
        include: vec!["site:src/*".to_owned()],
        exclude: vec!["kind:once".to_owned(), "name:log*".to_owned()],
    };
    // As a backend that sleeps has it, and a wait whose holder is known.
    report.session.asleep = true;
    report.pending[0].holder_thread = Some(4712);
    report.windows =
        vec![Window { cause: "a command".to_owned(), after_ns: 1, length_ns: 2, samples: 3 }];
    // A session that keeps stacks.
    report.session.stacks = Some(64);
    report.frames = stacked().frames;
    report.locks[0].sites[0].place.as_mut().unwrap().stack = vec![0, 1, 4];
    let report = serde_json::to_value(report).unwrap();
    let mut comparison = Comparison { page: documented(), ..Comparison::default() };
    comparison.object(&report, "report", &[]);
    (report, comparison)
}

#[test]
fn every_field_is_documented_and_every_documented_field_is_there() {
    let (_, Comparison { page, met }) = compared();
    let documented: BTreeSet<_> = page
        .iter()
        .flat_map(|(object, fields)| fields.keys().map(|name| (*object, *name)))
        .collect();
    assert_eq!(met.into_keys().collect::<BTreeSet<_>>(), documented);
}

#[test]
fn what_is_optional_may_be_absent_and_nothing_else() {
    let (report, Comparison { page, met }) = compared();
    for ((object, name), (way, _)) in met {
        let mut less = report.clone();
        let pointer: String = way.iter().map(|step| format!("/{step}")).collect();
        let parent = less.pointer_mut(&pointer).and_then(Value::as_object_mut).unwrap();
        parent.remove(name).unwrap();
        let is_optional = page[object][name].is_optional;
        let read = serde_json::from_value::<ReportFile>(less);
        assert_eq!(read.is_ok(), is_optional, "'{name}' of {object}: {:?}", read.err());
    }
}

#[test]
fn the_words_are_documented() {
    let kinds = (0..64).map(|kind| LockKind(kind).as_str());
    let modes = (0..8).map(|mode| Mode(mode).as_str());
    for word in kinds.chain(modes).chain([FORMAT]) {
        assert!(PAGE.contains(&format!("`{word}`")), "{word}");
    }
    assert!(PAGE.contains(&format!("`version` is {VERSION}.")));
}

#[test]
fn the_profiles_are_documented() {
    for profile in Profile::ALL {
        let row = PAGE.lines().find(|line| line.starts_with(&format!("| {} |", profile.as_str())));
        let row = row.unwrap_or_else(|| panic!("{profile:?}"));
        for (name, unit) in profile.sample_types() {
            assert!(row.contains(&format!("`{name}`/`{unit}`")), "{row}");
        }
        assert!(PAGE.contains(&format!("`OUT.{}.pb.gz`", profile.as_str())));
    }
}
