//! What the plugin exports, and what it says of itself.

use core::mem::offset_of;

use lockscope_core::HookTable;
use lockscope_core::backend::{Description, Key};
use lockscope_host::loader::Plugin;

use crate::keys::Recording;
use crate::script::Script;
use crate::simulation::Simulation;
use crate::trial::Trial;
use crate::verdict::Failure;

pub(super) fn loads(trial: &mut Trial) -> Result<(), Failure> {
    Plugin::open(trial.path())
        .map(drop)
        .map_err(|error| Failure::new("a plugin that this host can use", error.to_string()))
}

pub(super) fn table_is_ours(trial: &mut Trial) -> Result<(), Failure> {
    let plugin = trial.plugin()?;
    let (_, table) = plugin.create().map_err(|error| {
        Failure::new("a table of this version, with its own size", error.to_string())
    })?;
    let entries = [
        ("meet", offset_of!(HookTable, meet)),
        ("event", offset_of!(HookTable, event)),
        ("dropped", offset_of!(HookTable, dropped)),
    ];
    for (name, at) in entries {
        // As a word: a function pointer that is null must not be looked at as one.
        // SAFETY: the table is as large as we think, and lives for ever.
        let entry = unsafe { core::ptr::from_ref(table).byte_add(at).cast::<usize>().read() };
        if entry == 0 {
            return Err(Failure::new(format!("a function as entry '{name}'"), "null"));
        }
    }
    if table.admits.is_some() {
        return Err(Failure::new("the entry 'admits' left to the host: null", "a function"));
    }
    Ok(())
}

pub(super) fn describes_itself_always_the_same(trial: &mut Trial) -> Result<(), Failure> {
    let first = trial.plugin()?.description.clone();
    let again = |when: &str, trial: &Trial| -> Result<(), Failure> {
        let plugin = Plugin::open(trial.path())?;
        same(when, &first, &plugin.description)
    };
    again("the second time", trial)?;
    let subject = trial.subject(Recording::Usual)?;
    again("once it is initialised", trial)?;
    let simulation = Simulation::start(&subject, trial.seed(), &Script::default())?;
    again("while a session runs", trial)?;
    simulation.stop()?;
    again("after a session", trial)
}

fn same(when: &str, first: &Description, again: &Description) -> Result<(), Failure> {
    let (first, again) = (lines(first), lines(again));
    let mut pairs = first.iter().zip(&again);
    if let Some((first, again)) = pairs.find(|(first, again)| first != again) {
        return Err(Failure::new(format!("{when}, again: {first}"), again));
    }
    Failure::unless_equal(&format!("keys {when}"), &first.len(), &again.len())
}

fn lines(description: &Description) -> Vec<String> {
    let Description { name, version, summary, keys } = description;
    let line = |key: &Key| format!("key {} = {}: {}", key.name, key.default, key.help);
    let mut lines =
        vec![format!("name {name}"), format!("version {version}"), format!("summary {summary}")];
    lines.extend(keys.iter().map(line));
    lines
}

pub(super) fn description_is_complete(trial: &mut Trial) -> Result<(), Failure> {
    let Description { name, version, summary, keys } = &trial.plugin()?.description;
    one_word("the name", name)?;
    not_empty("the version", version)?;
    not_empty("the summary", summary)?;
    for (number, key) in keys.iter().enumerate() {
        one_word("the name of a key", &key.name)?;
        if keys[..number].iter().any(|other| other.name == key.name) {
            return Err(Failure::new(
                "each key described once",
                format!("two keys '{}'", key.name),
            ));
        }
        let help = format!("the help of '{}'", key.name);
        not_empty(&help, &key.help)?;
        if !key.help.trim_end().ends_with(['.', '!', '?']) {
            let expected = format!("{help} to be a sentence, with a full stop");
            return Err(Failure::new(expected, format!("'{}'", key.help)));
        }
    }
    Ok(())
}

fn one_word(what: &str, text: &str) -> Result<(), Failure> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if !text.is_empty() && text.chars().all(fits) {
        return Ok(());
    }
    Err(Failure::new(format!("{what} in the letters a–z, 0–9, _ and -"), format!("'{text}'")))
}

fn not_empty(what: &str, text: &str) -> Result<(), Failure> {
    if text.trim().is_empty() {
        return Err(Failure::new(format!("{what} to say something"), "nothing"));
    }
    Ok(())
}

pub(super) fn unknown_queries_are_answered_by_none(trial: &mut Trial) -> Result<(), Failure> {
    let mut random = trial.random();
    let subject = trial.subject(Recording::Usual)?;
    // Ids that are given one day are small.
    let ids = (0..100).map(|_| random.bits() | 1 << 63).chain([u64::MAX]);
    for id in ids {
        if !subject.answers_nothing_to(id) {
            return Err(Failure::new(format!("null for the unknown id {id:#x}"), "a pointer"));
        }
    }
    Ok(())
}
