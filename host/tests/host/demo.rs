//! The demo teaches what it is meant to: one lock too hot, and the cure.

use std::path::{Path, PathBuf};

use lockscope_host::report::model::{Lock, ReportFile};

use crate::support::{folder, for_each_backend, lockscope, plugins, report, stderr};

/// Enough that the waits for the hot lock are beyond doubt, whoever else uses
/// the machine.
const FILES: usize = 64;
const LINES: usize = 250;
const THREADS: &str = "4";
/// The texts are indexed again and again up to this: an optimised demo must not
/// end before its session has begun.
const BYTES: &str = "20000000";

/// The demo, which belongs to another package: whoever tests the workspace has
/// built it.
fn demo() -> Option<PathBuf> {
    let path = plugins().parent()?.join("lockscope-demo");
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there; `cargo build --workspace` builds it", path.display());
    None
}

/// Texts of many words that are not worth an entry, and few that are: what has
/// to be done with the index takes little of the time, so that threads meet at
/// it only if one splits lines while it has it.
fn write_texts(folder: &Path) {
    let line = |line: usize| format!("{} word{}\n", "the and of to in is it ".repeat(4), line % 50);
    let text: String = (0..LINES).map(line).collect();
    for file in 0..FILES {
        std::fs::write(folder.join(format!("{file}.txt")), &text).unwrap();
    }
}

/// What the backend reports of the demo, run with these flags on the texts in
/// `folder`, and told nothing else: one that sleeps is woken by what the demo is
/// about.
fn profiled(name: &str, demo: &Path, folder: &Path, flags: &[&str]) -> ReportFile {
    let mut command = lockscope(folder);
    command.args(["run", "--strict", "--backend", name, "--plugin-path"]).arg(plugins());
    command.arg("--").arg(demo).args(flags).args(["--threads", THREADS]);
    command.args(["--at-least", BYTES]).arg(folder);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    report(&folder.join("lockscope.json"))
}

fn wait_ns(report: &ReportFile, name: &str) -> f64 {
    let of_name = report.locks.iter().filter(|lock| lock.name.as_deref() == Some(name));
    of_name.map(Lock::wait_ns).sum()
}

fn the_index_is_the_bottleneck_until_it_is_sharded(name: &str) {
    let Some(demo) = demo() else { return };
    let dir = folder();
    write_texts(dir.path());
    let whole = profiled(name, &demo, dir.path(), &[]);
    assert_eq!(whole.locks[0].name.as_deref(), Some("word index"), "{:?}", whole.locks[0]);
    let sharded = profiled(name, &demo, dir.path(), &["--sharded"]);
    let (before, after) = (wait_ns(&whole, "word index"), wait_ns(&sharded, "index shard"));
    assert_eq!(wait_ns(&sharded, "word index"), 0.0);
    assert!(after < before / 2.0, "{after} ns of waiting, and {before} before");
}

for_each_backend!(the_index_is_the_bottleneck_until_it_is_sharded,);
