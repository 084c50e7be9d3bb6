//! The shape of the workspace, held over its manifests and sources.
//!
//! What a test here complains about is either a mistake or a decision; a
//! decision is written into the tables below, with its reason.

use std::collections::BTreeSet;

use xtask::command::Call;
use xtask::metadata::{self, Package};
use xtask::readme;
use xtask::sources::{self, Source};

const CORE: &str = "lockscope-core";
/// What backends are made of.
const BACKENDS: &str = "lockscope-backends";
/// What addresses are called: for probes that name places by them, and for the host.
const SYMBOLS: &str = "lockscope-symbols";
const STACKS: &str = "lockscope-stacks";
/// What libraries that are preloaded have in common.
const PRELOADED: &str = "lockscope-preloaded";

/// What a package may depend on of the workspace, by where its folder is. The
/// first that fits counts. Dependencies for tests alone are free, but for those
/// on packages that nothing may depend on.
const MAY_DEPEND_ON: &[(&str, May)] = &[
    ("core/symbols", May::On(&[])),
    ("core/stacks", May::On(&[CORE])),
    ("core", May::On(&[])),
    ("probes/preloaded", May::On(&[CORE, SYMBOLS])),
    ("probes/pthread", May::On(&[CORE, PRELOADED, SYMBOLS])),
    // What is waited for is told by the stack alone.
    ("probes/futex", May::On(&[CORE, PRELOADED, STACKS, SYMBOLS])),
    ("probes/", May::On(&[CORE])),
    ("backends/shared", May::On(&[CORE])),
    ("backends/", May::On(&[CORE, BACKENDS])),
    // Plugins and other libraries that the host's tests load.
    ("host/tests/plugins/", May::On(&[CORE])),
    ("host", May::On(&[CORE, STACKS, SYMBOLS])),
    ("demo", May::On(&["lockscope"])),
    ("xtask", May::On(&[])),
    ("benches", May::OnAnything),
    // The plugin that the kit is tested with, and its list of what can be wrong.
    ("conformance/mutants", May::On(&[CORE, BACKENDS])),
    ("conformance", May::OnAnything),
];

enum May {
    On(&'static [&'static str]),
    OnAnything,
}

/// Folders of packages on which nothing depends, and which nobody publishes.
const LEAVES: &[&str] = &["demo", "xtask", "benches"];

/// All of the workspace that a backend's own tests build, beside the backend: no
/// host, and no probe.
const SUITE_NEEDS: &[&str] =
    &["lockscope-backend-wrapper", "lockscope-backends", "lockscope-conformance", "lockscope-core"];

/// The one door to atomics, and what stands beside it.
const MAY_NAME_ATOMICS: &[(&str, &str)] = &[
    ("core/src/sync.rs", "the door"),
    ("probes/rust/src/sync.rs", "passes std's atomic module on, as a stand-in for std::sync must"),
];

/// Where the code that may name atomics by that door only is.
const THROUGH_THE_DOOR: &[&str] = &["core/", "probes/", "backends/", "host/"];

/// Every file with `unsafe` in code that ships, and what it needs it for.
const MAY_BE_UNSAFE: &[(&str, &str)] = &[
    ("backends/adaptive/src/backend.rs", "ends its session by the host's entry"),
    ("backends/adaptive/src/state.rs", "vouches for events: they come from probes"),
    ("backends/lazy/src/state.rs", "vouches for events: they come from probes"),
    ("backends/shared/src/keyed.rs", "a list that is walked while others add to it"),
    ("backends/shared/src/lazy.rs", "a pointer to a value that is made once"),
    ("backends/shared/src/record.rs", "reads a lock's name as the probe describes it"),
    ("backends/shared/src/tally.rs", "lends a pad for as long as it lives itself"),
    ("backends/shared/src/registry.rs", "the slot's word is the address of a record"),
    ("backends/sidetable/src/state.rs", "vouches for events, and for where ways lead to"),
    ("backends/sidetable/src/ways.rs", "ways are addresses that a thread remembers"),
    ("backends/wrapper/src/state.rs", "vouches for events: they come from probes"),
    ("core/src/backend.rs", "exports a plugin's header, by a macro"),
    ("core/src/backend/contain.rs", "entries with a context, called through the ABI"),
    ("core/src/clock.rs", "reads the time-stamp counter, and the system's clock"),
    ("core/src/event.rs", "a lock's slot and name are pointers in the ABI"),
    ("core/src/gate.rs", "who opens a gate answers for the hooks behind it"),
    ("core/src/hooks.rs", "function pointers of the ABI, shared by threads"),
    ("core/src/pad.rs", "a pad is lent through the ABI, by its address"),
    ("core/src/probe.rs", "function pointers of the ABI, shared by threads; a name as a pointer"),
    ("core/src/recorder.rs", "calls a backend's hooks"),
    ("core/src/recorder/again.rs", "leaves holds on what a backend has lent"),
    ("core/src/recorder/instant.rs", "calls a backend's hooks"),
    ("core/src/recorder/release.rs", "calls a backend's hooks"),
    ("core/src/recorder/wait.rs", "asks the host's filter, behind the gate"),
    ("core/src/site.rs", "a call site's file is a pointer in the ABI"),
    ("core/src/slot.rs", "is shared by threads, with a pointer to a name in it"),
    ("core/src/sync.rs", "asks the kernel for membarrier; a hint to the processor"),
    ("core/src/thread/pads.rs", "pads that a thread was lent, by address"),
    ("core/src/thread/table.rs", "thread states that others find, and that are never freed"),
    ("host/src/attach.rs", "exports what a probe calls; ends the process"),
    ("host/src/config.rs", "asks the kernel whether the process is set-user-id"),
    ("host/src/control/service.rs", "handlers for fork and the end; a service that forks may see"),
    (
        "host/src/control/system.rs",
        "sockets: peers, connecting, waiting, and closing them in a fork",
    ),
    ("host/src/control/top/signals.rs", "blocks signals, and asks whether they have come"),
    ("host/src/engine.rs", "a state that the child of a fork leaves behind"),
    ("host/src/engine/cost.rs", "calls a backend's hooks, to measure them"),
    ("host/src/engine/entrance.rs", "an entry with a context, called through the ABI"),
    (
        "host/src/engine/gates.rs",
        "gates that live in probes; a handler for fork; a reason that crosses the ABI",
    ),
    ("host/src/engine/naming.rs", "a probe tells of call sites through pointers"),
    ("host/src/engine/reporting.rs", "a probe tells of waits through pointers"),
    ("host/src/engine/state.rs", "opens gates"),
    ("host/src/filter.rs", "reads a lock's name and origin as its probe describes them"),
    ("host/src/loader.rs", "opens a library, and looks at what it exports"),
    ("host/src/loader/search.rs", "asks the dynamic linker where this library is"),
    ("host/src/output.rs", "asks for the parent's process id"),
    ("host/src/report/terminal.rs", "asks for the terminal's width"),
    ("host/src/run.rs", "restores the signal mask between fork and exec"),
    ("host/src/run/preload.rs", "asks who runs it"),
    ("host/src/run/child.rs", "waits for signals and passes them on; ends as the program did"),
    ("host/src/threads.rs", "blocks signals in the host's own threads"),
    ("host/src/wake_signal.rs", "writes to a pipe in a signal's handler"),
    ("probes/futex/src/attach.rs", "changes the environment before the program begins"),
    ("probes/futex/src/entry.rs", "a function without a frame, by the name of glibc's"),
    ("probes/futex/src/real.rs", "a function that the dynamic linker has found; errno"),
    ("probes/futex/src/wait.rs", "calls the kernel as the program has asked"),
    ("probes/futex/src/wake.rs", "calls the kernel as the program has asked"),
    ("probes/patched/parking_lot-0.12/src/condvar.rs", "parking_lot's raw waits are unsafe"),
    ("probes/patched/parking_lot-0.12/src/raw_mutex.rs", "lock_api's traits are unsafe"),
    ("probes/patched/parking_lot-0.12/src/raw_rwlock.rs", "lock_api's traits are unsafe"),
    ("probes/patched/parking_lot-0.12/src/raw_upgrade.rs", "lock_api's traits are unsafe"),
    ("probes/patched/parking_lot-0.12/src/thread_id.rs", "lock_api's traits are unsafe"),
    ("probes/patched/parking_lot-0.12/src/watched.rs", "keeps a word that belongs to the holder"),
    ("probes/patched/parking_lot-0.13/src/condvar.rs", "lock_api's traits are unsafe"),
    ("probes/patched/parking_lot-0.13/src/mutex.rs", "lock_api's traits are unsafe"),
    ("probes/patched/parking_lot-0.13/src/once.rs", "parks a thread, and wakes it"),
    ("probes/patched/parking_lot-0.13/src/rwlock.rs", "lock_api's traits are unsafe"),
    ("probes/patched/parking_lot-0.13/src/thread_id.rs", "lock_api's traits are unsafe"),
    (
        "probes/preloaded/src/attach.rs",
        "opens the host's library, and calls into it; the environment",
    ),
    ("probes/preloaded/src/places.rs", "tells the host of call sites through pointers"),
    ("probes/pthread/src/attach.rs", "asks the dynamic linker for functions; the environment"),
    ("probes/pthread/src/barrier.rs", "glibc's functions, which take pointers"),
    ("probes/pthread/src/condvar.rs", "glibc's functions, which take pointers"),
    ("probes/pthread/src/entry.rs", "functions without a frame, by the names of glibc's"),
    ("probes/pthread/src/mutex.rs", "glibc's functions, and words of its mutex"),
    ("probes/pthread/src/operation.rs", "a deadline, which is a pointer"),
    ("probes/pthread/src/origin.rs", "a function that the dynamic linker has found"),
    ("probes/pthread/src/own.rs", "memory of a thread that the assembler declares; errno"),
    ("probes/pthread/src/real.rs", "functions that the dynamic linker has found"),
    ("probes/pthread/src/rwlock.rs", "glibc's functions, which take pointers"),
    ("probes/pthread/src/semaphore.rs", "glibc's functions, which take pointers"),
    ("probes/pthread/src/spin.rs", "glibc's functions, which take pointers"),
    ("probes/pthread/src/watch.rs", "reads the owner that glibc notes in a lock"),
    ("probes/rust/src/around/condvar.rs", "makes a lock_api condition variable of a raw one"),
    ("probes/rust/src/around/probed.rs", "gives a lock up for its owner and takes it again"),
    ("probes/rust/src/around/raw_condvar.rs", "lock_api's traits are unsafe"),
    ("probes/rust/src/around/raw_mutex.rs", "lock_api's traits are unsafe"),
    ("probes/rust/src/around/raw_rwlock.rs", "lock_api's traits are unsafe"),
    ("probes/rust/src/around/raw_upgrade.rs", "lock_api's traits are unsafe"),
    ("probes/rust/src/attach.rs", "opens the host's library, and calls into it"),
    ("probes/rust/src/parking_lot/forward.rs", "lock_api's unsafe methods; its lock seen as ours"),
    ("probes/rust/src/sync/hold.rs", "takes a guard apart that has a destructor"),
    ("core/stacks/src/limits.rs", "the thread pointer, and the kernel's list of mappings"),
    ("core/stacks/src/mapped.rs", "memory from the kernel"),
    ("core/stacks/src/objects.rs", "what the dynamic linker shows of its objects"),
    ("core/stacks/src/walk.rs", "registers and the stack; what hooks read, by address"),
    ("core/symbols/src/module.rs", "asks the dynamic linker for its objects"),
];

/// Folders that are not held to `MAY_BE_UNSAFE`: they test and measure.
const FREE_TO_BE_UNSAFE: &[&str] = &["benches/", "conformance/", "conformance/mutants/"];

/// All that a program builds when it takes its locks from us.
const PROBE_NEEDS: &[&str] = &["cfg-if", "libc", "libloading", "lockscope", "lockscope-core"];

const MOST_LINES: usize = 800;

fn ours() -> Vec<(String, Package)> {
    let packages = metadata::of_workspace().expect("cargo metadata").packages;
    let in_root = |package: &Package| {
        let folder = package.folder.strip_prefix(metadata::root()).expect("in the workspace");
        folder.display().to_string()
    };
    packages.into_iter().map(|package| (in_root(&package), package)).collect()
}

fn tracked() -> Vec<Source> {
    sources::tracked().expect("git ls-files")
}

fn none(wrong: &[String], what: &str) {
    assert!(wrong.is_empty(), "{what}:\n  {}\n", wrong.join("\n  "));
}

#[test]
fn dependencies_run_one_way() {
    let packages = ours();
    let names: BTreeSet<&str> = packages.iter().map(|(_, package)| &*package.name).collect();
    let leaves: BTreeSet<&str> = packages
        .iter()
        .filter(|(folder, _)| LEAVES.contains(&&**folder))
        .map(|(_, package)| &*package.name)
        .collect();
    let mut wrong = Vec::new();
    for (folder, package) in &packages {
        let fits =
            |place: &str| folder == place || place.ends_with('/') && folder.starts_with(place);
        let Some((_, may)) = MAY_DEPEND_ON.iter().find(|(place, _)| fits(place)) else {
            wrong.push(format!("{folder}: add what it may depend on to MAY_DEPEND_ON"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| names.contains(&*d.name)) {
            let may = match may {
                May::OnAnything => true,
                May::On(allowed) => dependency.is_dev || allowed.contains(&&*dependency.name),
            };
            if !may || leaves.contains(&*dependency.name) {
                wrong.push(format!("{folder}/Cargo.toml: must not depend on {}", dependency.name));
            }
        }
    }
    none(&wrong, "dependencies run one way (ARCHITECTURE.md)");
}

#[test]
fn a_profiled_program_builds_little() {
    let tree = ["tree", "-p", "lockscope", "-e", "normal", "--no-default-features"];
    let tree = Call::cargo().args(tree).args(["--prefix", "none", "--format", "{p}"]).output();
    let tree = String::from_utf8(tree.expect("cargo tree")).expect("text");
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, PROBE_NEEDS.iter().copied().collect(), "a new one must earn its place");
}

#[test]
fn a_backends_tests_build_little() {
    let tree = ["tree", "-p", "lockscope-backend-wrapper", "-e", "normal,dev"];
    let tree = Call::cargo().args(tree).args(["--prefix", "none", "--format", "{p}"]).output();
    let tree = String::from_utf8(tree.expect("cargo tree")).expect("text");
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let ours = names.into_iter().filter(|name| name.starts_with("lockscope")).collect();
    assert_eq!(SUITE_NEEDS.iter().copied().collect::<BTreeSet<_>>(), ours);
}

#[test]
fn every_package_says_whose_and_whether_it_is_published() {
    for (folder, package) in ours() {
        assert_eq!(package.licence.as_deref(), Some("MIT OR Apache-2.0"), "{folder}/Cargo.toml");
        let is_private = LEAVES.contains(&&*folder) || folder.contains("/tests/");
        assert_eq!(package.is_published, !is_private, "{folder}/Cargo.toml: publish");
    }
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(metadata::root().join(file).is_file(), "{file} is missing");
    }
}

#[test]
fn atomics_are_taken_through_one_door() {
    let files = tracked();
    let mut wrong = Vec::new();
    for file in sources::shipping(&files) {
        let through_the_door = THROUGH_THE_DOOR.iter().any(|place| file.path.starts_with(place));
        if !through_the_door || MAY_NAME_ATOMICS.iter().any(|(path, _)| *path == file.path) {
            continue;
        }
        for line in file.shipping_lines() {
            let names_atomics =
                ["atomic::", "::atomic", "loom::", "shuttle::"].iter().any(|name| {
                    let word = name.trim_matches(':');
                    line.code.contains(name) && sources::has_word(&line.code, word)
                });
            if names_atomics {
                wrong.push(format!("{}:{}: {}", file.path, line.number, line.code.trim()));
            }
        }
    }
    none(&wrong, "take atomics from lockscope_core::sync, so that models see them");
}

#[test]
fn unsafe_stands_in_few_named_files() {
    let files = tracked();
    let found: BTreeSet<&str> = sources::shipping(&files)
        .into_iter()
        .filter(|file| !FREE_TO_BE_UNSAFE.iter().any(|place| file.path.starts_with(place)))
        .filter(|file| {
            file.shipping_lines().iter().any(|line| sources::has_word(&line.code, "unsafe"))
        })
        .map(|file| &*file.path)
        .collect();
    let named: BTreeSet<&str> = MAY_BE_UNSAFE.iter().map(|(path, _)| *path).collect();
    let new: Vec<_> = found.difference(&named).map(|path| (*path).to_owned()).collect();
    none(&new, "do without unsafe, or name these in MAY_BE_UNSAFE with the reason");
    let gone: Vec<_> = named.difference(&found).map(|path| (*path).to_owned()).collect();
    none(&gone, "there is no unsafe any more in these: take them out of MAY_BE_UNSAFE");
}

#[test]
fn a_package_without_unsafe_forbids_it() {
    let files = tracked();
    let mut wrong = Vec::new();
    for (folder, package) in ours() {
        let is_safe =
            !MAY_BE_UNSAFE.iter().any(|(path, _)| path.starts_with(&format!("{folder}/")));
        if !is_safe || FREE_TO_BE_UNSAFE.contains(&&*format!("{folder}/")) {
            continue;
        }
        for root in package.roots {
            let path = root.strip_prefix(metadata::root()).expect("ours").display().to_string();
            let forbids = |file: &Source| {
                file.shipping_lines().iter().any(|line| line.code == "#![forbid(unsafe_code)]")
            };
            let ships = sources::shipping(&files).into_iter().find(|file| file.path == path);
            if ships.is_some_and(|file| !forbids(file)) {
                wrong.push(path);
            }
        }
    }
    none(&wrong, "add #![forbid(unsafe_code)]");
}

#[test]
fn no_file_is_too_long_to_read() {
    let mut wrong = Vec::new();
    for file in tracked() {
        let is_ours = [".rs", ".md", ".toml"].iter().any(|end| file.path.ends_with(end));
        let lines = file.text.lines().count();
        if is_ours && lines > MOST_LINES {
            wrong.push(format!("{}: {lines} lines", file.path));
        }
    }
    none(&wrong, "split these by noun");
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // In parts, so that this file does not find itself.
    let mut places =
        vec![["/ro", "ot/"].concat(), ["/ho", "me/"].concat(), ["/Us", "ers/"].concat()];
    places.push(metadata::root().display().to_string());
    let mut wrong = Vec::new();
    for file in tracked() {
        for (line, number) in file.text.lines().zip(1..) {
            if let Some(place) = places.iter().find(|place| line.contains(&***place)) {
                wrong.push(format!("{}:{number}: {place}", file.path));
            }
        }
    }
    none(&wrong, "these are somebody's own folders");
}

#[test]
fn the_readme_begins_with_demo_and_test_and_says_nothing_untried() {
    let files = tracked();
    let Some(readme) = files.iter().find(|file| file.path == "README.md") else {
        return;
    };
    let commands = readme::commands_in(&readme.text);
    assert_eq!(commands[..2.min(commands.len())], ["cargo xtask demo", "cargo xtask test"]);
    let is_known = |command: &&str| readme::COMMANDS.iter().any(|(known, _)| known == command);
    let unknown: Vec<_> =
        commands.iter().filter(|command| !is_known(command)).map(|c| (*c).to_owned()).collect();
    none(&unknown, "add these to COMMANDS in xtask/src/readme.rs, with how they are tried");
}
