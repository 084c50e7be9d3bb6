//! Load.

use core::mem::offset_of;

use lockscope_core::HookTable;
use lockscope_core::backend::Description;
use lockscope_host::loader::Plugin;

use crate::keys::Recording;
use crate::rule::{Family, Level, Rule, Verified};
use crate::script::Script;
use crate::simulation::Simulation;
use crate::trial::Trial;
use crate::verdict::Failure;

pub(super) static FAMILY: Family = Family {
    id: "LOAD",
    title: "Load",
    about: "What a plugin is before its first session, and what it leaves alone in the process that loads it.",
    rules: &[
        Rule {
            id: "LOAD-01",
            level: Level::Must,
            sentence: "The plugin loads: its interface has the version, and its structures the layout, of this host.",
            intent: "What crosses the boundary is memory that both sides must read in the same way.",
            verified: &[Verified::Sampled],
            look: &[
                "Was the plugin built with the lockscope-core of this kit, unchanged?",
                "Does it export `lockscope_backend_v1`, by `lockscope_core::export_backend!`?",
                "Is the file the one that was built last?",
            ],
            check: Some(loads),
        },
        Rule {
            id: "LOAD-02",
            level: Level::Must,
            sentence: "The hook table says its own size and version, and each of its entries is there.",
            intent: "Probes call through it without another look: a table that is not what they think crashes the program.",
            verified: &[Verified::Sampled],
            look: &[
                "Is the table made by `lockscope_core::backend::Contained`, or by hand?",
                "Was the plugin built with the lockscope-core of this kit?",
            ],
            check: Some(table_is_ours),
        },
        Rule {
            id: "LOAD-03",
            level: Level::Must,
            sentence: "A plugin describes itself before it is initialised, and always in the same way.",
            intent: "The host reads the keys first, to check the configuration against them; a second reader must see the same keys.",
            verified: &[Verified::Sampled],
            look: &[
                "Does `describe` depend on anything that changes?",
                "Are the keys listed in a fixed order?",
            ],
            check: Some(describes_itself_always_the_same),
        },
    ],
};

fn loads(trial: &mut Trial) -> Result<(), Failure> {
    Plugin::open(trial.path())
        .map(drop)
        .map_err(|error| Failure::new("a plugin that this host can use", error.to_string()))
}

fn table_is_ours(trial: &mut Trial) -> Result<(), Failure> {
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
    Failure::unless_equal("the host's entry 'admits'", &true, &table.admits.is_none())
}

fn describes_itself_always_the_same(trial: &mut Trial) -> Result<(), Failure> {
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
    if first == again {
        return Ok(());
    }
    Err(Failure::new(format!("the same description {when}: {first:?}"), format!("{again:?}")))
}
