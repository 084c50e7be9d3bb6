//! Load.

mod configuration;
mod footprint;
mod interface;
mod life;

use crate::rule::{Family, Level, Rule, Verified};

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
            check: Some(interface::loads),
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
            check: Some(interface::table_is_ours),
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
            check: Some(interface::describes_itself_always_the_same),
        },
        Rule {
            id: "LOAD-04",
            level: Level::Must,
            sentence: "The description is complete: a name of one word in lower case (a–z, 0–9, _ and -), a version, a summary, and keys that are named once, in the same letters, and explained in a sentence.",
            intent: "People choose a backend by its name and set its keys by theirs, in files, flags and variables; the help is all that they are told of a key.",
            verified: &[Verified::Sampled],
            look: &[
                "What does `lockscope backends inspect` show of the plugin?",
                "Is a key added twice, by two lists of keys?",
            ],
            check: Some(interface::description_is_complete),
        },
        Rule {
            id: "LOAD-05",
            level: Level::Must,
            sentence: "With the values that it describes as its defaults, a backend initialises, starts and stops.",
            intent: "Whoever sets nothing gets these values.",
            verified: &[Verified::Sampled],
            look: &[
                "Is each default one of the values that the key's help names?",
                "Does a default need something of the system that is not always there?",
            ],
            check: Some(configuration::defaults_can_be_used),
        },
        Rule {
            id: "LOAD-06",
            level: Level::Must,
            sentence: "A second initialisation either replaces the first one, or is an error of kind State or Setting after which the first one holds.",
            intent: "A host may find out late that the configuration is another; a backend that is half one and half the other reports what nobody configured.",
            verified: &[Verified::Sampled],
            look: &[
                "Does `init` unwrap something that can be set only once?",
                "Does `init` take all values anew, or only those that it does not have yet?",
            ],
            check: Some(configuration::second_init_replaces_or_is_refused),
        },
        Rule {
            id: "LOAD-07",
            level: Level::Must,
            sentence: "A value that a key cannot have, and a key that there is not, are errors of kind Setting whose message names the key.",
            intent: "A typing error in a configuration should be found where it was made; a value that is silently another one is found by nobody.",
            verified: &[Verified::Sampled],
            look: &[
                "Is the text parsed with `lockscope_backends::settings::Key::parse`, or are errors of parsing turned into a default?",
                "Does `configure` refuse keys that it does not know?",
            ],
            check: Some(configuration::what_cannot_be_used_is_named),
        },
        Rule {
            id: "LOAD-08",
            level: Level::Must,
            sentence: "Two instances of a backend share nothing: each reports what it was told, and nothing else.",
            intent: "A host changes from one session to another without a gap, and for a moment has two.",
            verified: &[Verified::Property],
            look: &[
                "Is there a `static` that belongs to a session?",
                "Does a thread-local cache tell instances apart?",
            ],
            check: Some(configuration::instances_share_nothing),
        },
        Rule {
            id: "LOAD-09",
            level: Level::Must,
            sentence: "No entry writes to standard output or standard error.",
            intent: "Both belong to the program, and may be what another program reads.",
            verified: &[Verified::Sampled],
            look: &[
                "Is there a `println!`, `eprintln!` or `dbg!` left?",
                "Does a library that the backend uses log?",
            ],
            check: Some(footprint::nothing_is_printed),
        },
        Rule {
            id: "LOAD-10",
            level: Level::Must,
            sentence: "No entry changes the handler of a signal, or the signals that a thread blocks.",
            intent: "Signals are the program's, and there is one handler for each.",
            verified: &[Verified::Sampled],
            look: &[
                "Does a library that the backend uses install handlers?",
                "Does the backend wake up by a signal? That is the host's: see `wake_signal`.",
            ],
            check: Some(footprint::signals_are_left_alone),
        },
        Rule {
            id: "LOAD-11",
            level: Level::Must,
            sentence: "After stop, no thread of the backend is left.",
            intent: "A stopped backend is dormant, and a thread may be in the way of a fork, a sandbox, or a count of threads.",
            verified: &[Verified::Sampled],
            look: &[
                "Is the thread joined in `stop`, also if it sleeps?",
                "Could `pace` do what the thread is for?",
            ],
            check: Some(footprint::no_thread_is_left),
        },
        Rule {
            id: "LOAD-12",
            level: Level::Must,
            sentence: "After stop, no file descriptor of the backend is left.",
            intent: "Sessions come and go in a process that lives for months, and descriptors are few.",
            verified: &[Verified::Sampled],
            look: &[
                "Is a file, a counter or a socket kept for the next session?",
                "Is a descriptor closed on every way out of `start`?",
            ],
            check: Some(footprint::no_descriptor_is_left),
        },
        Rule {
            id: "LOAD-13",
            level: Level::Should,
            sentence: "An error is a sentence that ends in what to do.",
            intent: "It is shown as it stands to somebody who has never heard of the backend.",
            verified: &[Verified::Sampled],
            look: &[
                "Does the message say what was expected, what was found, and then what to do, as in \"no session is running; start one before it is stopped\"?",
                "Is it the text of another error, passed on?",
            ],
            check: Some(configuration::errors_say_what_to_do),
        },
        Rule {
            id: "LOAD-14",
            level: Level::Must,
            sentence: "A query whose id the backend does not know is answered by null.",
            intent: "It is how a later host asks whether a backend has something that came after version 1: any other answer is taken for it.",
            verified: &[Verified::Sampled],
            look: &["Is `query` implemented by hand, and does its last arm answer null?"],
            check: Some(interface::unknown_queries_are_answered_by_none),
        },
    ],
};
