//! `lockscope report`: every form of a report, and every way to ask wrongly.

pub(crate) mod go;
mod terminal;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use lockscope_host::report::folded;
use lockscope_host::report::model::ReportFile;
use lockscope_host::report::pprof::{Profile, encode};
use lockscope_host::report::table::{SortKey, TableOptions, render};
use tempfile::TempDir;

use crate::support::{files, folder, lockscope, stderr, stdout};

/// A report in which every field says something.
const EXAMPLE: &str = include_str!("report/example.json");

fn example() -> ReportFile {
    serde_json::from_str(EXAMPLE).unwrap()
}

/// A folder with the example as `r.json`.
fn example_folder() -> TempDir {
    let dir = folder();
    std::fs::write(dir.path().join("r.json"), EXAMPLE).unwrap();
    dir
}

/// `lockscope report` with these arguments, in `folder`.
fn report(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = lockscope(folder);
    command.arg("report").args(arguments);
    command
}

fn output(folder: &Path, arguments: &[&str]) -> Output {
    report(folder, arguments).output().unwrap()
}

/// What is printed by a command that succeeds and has nothing to complain of.
fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = output(folder, arguments);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    stdout(&output)
}

/// The complaint of a command that fails and prints nothing else.
fn complaint(folder: &Path, arguments: &[&str]) -> String {
    let output = output(folder, arguments);
    let said = stderr(&output);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""), "{said}");
    said.strip_prefix("lockscope: ").unwrap_or_else(|| panic!("{said}")).trim_end().to_owned()
}

#[test]
fn the_table() {
    let dir = example_folder();
    assert_eq!(printed(dir.path(), &["r.json"]), render(&example(), &TableOptions::default()));
    assert_eq!(files(dir.path()), ["r.json"]);
}

#[test]
fn flags_of_the_table() {
    let dir = example_folder();
    let flags = ["r.json", "--top", "2", "--sort", "hold", "--width", "80", "--no-color"];
    let options =
        TableOptions { top: 2, sort: SortKey::Hold, width: Some(80), ..TableOptions::default() };
    assert_eq!(printed(dir.path(), &flags), render(&example(), &options));
    for (key, sort) in [("wait", SortKey::Wait), ("contentions", SortKey::Contentions)] {
        let options = TableOptions { sort, ..TableOptions::default() };
        let text = printed(dir.path(), &["--sort", key, "r.json"]);
        assert_eq!(text, render(&example(), &options));
    }
}

#[test]
fn json_is_the_whole_file_with_what_this_version_does_not_know() {
    let dir = example_folder();
    let text = EXAMPLE.replacen('{', "{\"made_later\": [1.25],", 1);
    std::fs::write(dir.path().join("later.json"), &text).unwrap();
    let found: serde_json::Value =
        serde_json::from_str(&printed(dir.path(), &["--json", "later.json"])).unwrap();
    assert_eq!(found, serde_json::from_str::<serde_json::Value>(&text).unwrap());
    assert_eq!(found["made_later"][0], 1.25);
}

#[test]
fn a_report_from_a_pipe() {
    for flags in [&["/dev/stdin"][..], &["/dev/stdin", "--json"]] {
        let mut command = report(Path::new("/"), flags);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(EXAMPLE.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
        assert!(stdout(&output).contains("src/pool.rs"));
    }
}

#[test]
fn three_profiles_and_their_names() {
    let dir = example_folder();
    assert_eq!(
        printed(dir.path(), &["r.json", "--pprof", "locks"]),
        "wrote locks.mutex.pb.gz\nwrote locks.block.pb.gz\nwrote locks.hold.pb.gz\n"
    );
    for profile in Profile::ALL {
        let name = format!("locks.{}.pb.gz", profile.as_str());
        let mut decoder =
            flate2::read::GzDecoder::new(std::fs::File::open(dir.path().join(name)).unwrap());
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut decoder, &mut bytes).unwrap();
        assert_eq!(bytes, encode(&example(), profile));
    }
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    assert_eq!(
        printed(dir.path(), &["r.json", "--pprof", "folder"]),
        "wrote folder/mutex.pb.gz\nwrote folder/block.pb.gz\nwrote folder/hold.pb.gz\n"
    );
}

#[test]
fn folded_stacks_go_to_a_file_or_are_printed() {
    let dir = example_folder();
    let expected = folded::render(&example());
    assert_eq!(printed(dir.path(), &["r.json", "--folded", "-"]), expected);
    assert_eq!(printed(dir.path(), &["r.json", "--folded", "f.txt"]), "wrote f.txt\n");
    assert_eq!(std::fs::read_to_string(dir.path().join("f.txt")).unwrap(), expected);
}

#[test]
fn every_form_at_once() {
    let dir = example_folder();
    let flags = ["r.json", "--json", "--pprof", "p.pb.gz", "--folded", "f.txt"];
    let output = output(dir.path(), &flags);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(serde_json::from_str::<ReportFile>(&stdout(&output)).unwrap(), example());
    assert_eq!(
        stderr(&output),
        "wrote p.mutex.pb.gz\nwrote p.block.pb.gz\nwrote p.hold.pb.gz\nwrote f.txt\n"
    );
    assert_eq!(
        files(dir.path()),
        ["f.txt", "p.block.pb.gz", "p.hold.pb.gz", "p.mutex.pb.gz", "r.json"]
    );
}

#[test]
fn wrong_flags() {
    let dir = example_folder();
    for (arguments, expected) in [
        (&[][..], "<FILE>"),
        (&["r.json", "r.json"], "unexpected argument 'r.json'"),
        (&["r.json", "--top", "all"], "invalid value 'all' for '--top <N>'"),
        (&["r.json", "--top", "-1"], "'-1'"),
        (&["r.json", "--sort", "size"], "[possible values: wait, hold, contentions]"),
        (&["r.json", "--pprof"], "'--pprof <OUT>'"),
        (&["r.json", "--pprof", ""], "'--pprof <OUT>'"),
        (&["r.json", "--jsno"], "a similar argument exists: '--json'"),
    ] {
        let output = output(dir.path(), arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert_eq!(files(dir.path()), ["r.json"]);
}

#[test]
fn flags_that_exclude_each_other() {
    let dir = example_folder();
    assert_eq!(
        complaint(dir.path(), &["r.json", "--pprof", "-"]),
        "--pprof writes three files and cannot print them; give it a name to begin theirs with, as in `--pprof locks`"
    );
    assert_eq!(
        complaint(dir.path(), &["r.json", "--json", "--folded", "-"]),
        "--json and `--folded -` cannot both print; give --folded the name of a file"
    );
    assert_eq!(files(dir.path()), ["r.json"]);
}

#[test]
fn what_is_no_report() {
    let dir = example_folder();
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    let half = &EXAMPLE[..EXAMPLE.len() / 2];
    let newer = EXAMPLE.replacen("\"version\": 1", "\"version\": 2", 1);
    let less = EXAMPLE.replacen("\"losses\"", "\"gains\"", 1);
    for (name, text) in [
        ("empty", ""),
        ("half", half),
        ("text", "Hello"),
        ("other.json", "{\"format\": \"har\"}"),
        ("newer.json", &newer),
        ("less.json", &less),
    ] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    for (name, begin) in [
        ("nothing", "the report nothing does not exist; "),
        ("folder", "folder is a folder, not a report; "),
        ("empty", "the report empty is an empty file; "),
        ("half", "the report half is not whole: "),
        ("text", "the file text is not JSON: "),
        ("other.json", "the file other.json is not a lockscope report: "),
        ("newer.json", "the report newer.json has version 2 of the format, "),
        (
            "less.json",
            "the report less.json does not follow version 1 of the format: missing field `losses`",
        ),
    ] {
        for flags in [&[][..], &["--json"], &["--pprof", "p"], &["--folded", "-"]] {
            let said = complaint(dir.path(), &[flags, &[name]].concat());
            assert!(said.starts_with(begin), "{name}: {said}");
        }
    }
    let written = files(dir.path());
    assert!(written.iter().all(|name| !name.starts_with("p.")), "{written:?}");
}

#[test]
fn where_nothing_can_be_written() {
    let dir = example_folder();
    let end = "cannot be written: No such file or directory (os error 2); name a file in a folder that exists, has room and can be written";
    assert_eq!(
        complaint(dir.path(), &["r.json", "--pprof", "nowhere/p"]),
        format!("the file nowhere/p.mutex.pb.gz {end}")
    );
    assert_eq!(
        complaint(dir.path(), &["r.json", "--folded", "nowhere/f"]),
        format!("the file nowhere/f {end}")
    );
    // A folder, and a disk without room.
    let said = complaint(dir.path(), &["r.json", "--folded", "."]);
    assert!(said.starts_with("the file . cannot be written: "), "{said}");
    let said = complaint(dir.path(), &["r.json", "--folded", "/dev/full"]);
    assert!(said.starts_with("the file /dev/full cannot be written: No space left"), "{said}");
    assert_eq!(files(dir.path()), ["r.json"]);
}

#[test]
fn a_reader_who_has_read_enough_is_no_reason_to_complain() {
    let dir = example_folder();
    for flags in [&[][..], &["--json"], &["--folded", "-"], &["--folded", "f"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = report(dir.path(), flags);
        let output = command.arg("r.json").stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{flags:?}");
    }
}

#[test]
fn a_full_disk_on_the_other_side_is() {
    let dir = example_folder();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = report(dir.path(), &["r.json"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        "lockscope: the report cannot be printed: No space left on device (os error 28); check where the output of the command goes\n"
    );
}
