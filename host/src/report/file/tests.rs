//! What is written is read again; what is not whole is refused.

mod any;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::sample::{empty, populated};
use super::*;

/// A folder with a file of this text, and the file's path.
fn file(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report.json");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

/// The message about a file of this text, which is called FILE in it.
fn complaint(text: impl AsRef<[u8]>) -> String {
    let (_folder, path) = file(text);
    message(&path)
}

fn message(path: &Path) -> String {
    let error = read(path).expect_err("not a report");
    error.to_string().replace(path.to_str().unwrap(), "FILE")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

proptest! {
    #[test]
    fn whatever_is_written_is_read(report in any::report()) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("report.json");
        write(&path, &report).unwrap();
        prop_assert_eq!(read(&path).unwrap(), report);
    }
}

#[test]
fn unknown_fields_are_no_error_and_are_kept() {
    let mut value = serde_json::to_value(populated()).unwrap();
    value["made_later"] = "a word".into();
    value["locks"][0]["sites"][0]["made_later"] = 18_446_744_073_709_551_615_u64.into();
    let (_folder, path) = file(value.to_string());
    assert_eq!(read(&path).unwrap(), populated());
    assert_eq!(Text::read(&path).unwrap().value().unwrap(), value);
}

#[test]
fn a_report_that_is_cut_short_anywhere_is_refused() {
    let mut report = populated();
    // Cut within a character, too.
    report.locks[0].name = Some("鎖 \"\\ \u{1}".to_owned());
    // And within a number.
    report.locks[0].sites[0].wait_ns.total.value = -1.5e-300;
    let text = serde_json::to_vec(&report).unwrap();
    for length in 0..text.len() {
        match (Text { path: Path::new("FILE"), bytes: text[..length].to_vec() }.report()) {
            Err(ReportError::Truncated { bytes, .. }) => assert_eq!(bytes, length as u64),
            other => panic!("{length} bytes: {other:?}"),
        }
    }
}

#[test]
fn a_reader_never_sees_half_a_report() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report.json");
    let reports = [empty(), populated()];
    write(&path, &reports[0]).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = [0, 0];
            while !done.load(Ordering::Relaxed) {
                let found = read(&path).unwrap();
                let which = reports.iter().position(|report| *report == found);
                seen[which.expect("one of both")] += 1;
            }
            seen
        });
        // Until the reader must have met both, on a machine however busy.
        for round in 1..200 {
            write(&path, &reports[round % 2]).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert_eq!(names(folder.path()), ["report.json"]);
}

#[test]
fn what_cannot_be_written_leaves_the_old_and_nothing_else() {
    let (folder, path) = file("the old one");
    let failed = write_whole(&path, |out| {
        out.write_all(&[b'x'; 100_000])?;
        Err(io::Error::other("the disk is full"))
    });
    let message = failed.expect_err("it failed").to_string();
    assert_eq!(
        message.replace(path.to_str().unwrap(), "FILE"),
        "the file FILE cannot be written: the disk is full; name a file in a folder that exists, has room and can be written"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "the old one");
    assert_eq!(names(folder.path()), ["report.json"]);
}

#[test]
fn a_link_stays_one() {
    let (folder, path) = file("the old one");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    write(&link, &empty()).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(read(&path).unwrap(), empty());
}

#[test]
fn what_was_left_by_a_killed_process_of_this_number_is_passed_by() {
    let folder = TempDir::new().unwrap();
    let left = format!(".report.json.{}.0.tmp", std::process::id());
    std::fs::write(folder.path().join(&left), "half").unwrap();
    let path = folder.path().join("report.json");
    write(&path, &empty()).unwrap();
    assert_eq!(read(&path).unwrap(), empty());
    assert_eq!(std::fs::read_to_string(folder.path().join(left)).unwrap(), "half");
}

#[test]
fn what_cannot_be_read() {
    let folder = TempDir::new().unwrap();
    assert_eq!(
        message(&folder.path().join("nothing")).replace(folder.path().to_str().unwrap(), "DIR"),
        "the report FILE does not exist; check the path, or make one with `lockscope run -o FILE -- PROGRAM`"
    );
    assert_eq!(
        message(folder.path()),
        "FILE is a folder, not a report; name a file in it that `lockscope run` wrote"
    );
    // A file below a file: refused whoever asks, a privileged user too.
    let (_folder, path) = file("");
    assert_eq!(
        message(&path.join("report.json")),
        "the report FILE cannot be read: Not a directory (os error 20); name a file that the user who runs lockscope has the right to read"
    );
}

#[test]
fn nothing_in_the_file() {
    let expected = "the report FILE is an empty file; lockscope writes reports whole or not at all, so something else made it: copy it again, or profile the program again";
    assert_eq!(complaint(""), expected);
    assert_eq!(complaint(" \n"), expected);
}

#[test]
fn half_a_file() {
    assert_eq!(
        complaint("{\"format\":\"lockscope-re"),
        "the report FILE is not whole: it ends at byte 23, within the report; lockscope writes reports whole or not at all, so it was probably cut short while it was copied: copy it again"
    );
}

#[test]
fn no_json() {
    let expected = |found: &str| {
        format!(
            "the file FILE is not JSON: expected a lockscope report, found {found}; name a file that `lockscope run` wrote"
        )
    };
    assert_eq!(complaint("{}\n{"), expected("'{' at line 2, column 1"));
    assert_eq!(complaint("locks of a program"), expected("'l' at line 1, column 1"));
    assert_eq!(
        complaint(b"\x1f\x8b\x08"),
        expected(
            "compressed data (a pprof profile is read with `go tool pprof`) at line 1, column 1"
        )
    );
}

#[test]
fn no_report() {
    let expected = |found: &str| {
        format!(
            "the file FILE is not a lockscope report: expected an object whose 'format' is 'lockscope-report', found {found}; name a file that `lockscope run` wrote"
        )
    };
    assert_eq!(complaint("[1, 2]"), expected("an array"));
    assert_eq!(complaint("\"text\""), expected("a string"));
    assert_eq!(complaint("7"), expected("a single value"));
    assert_eq!(complaint("{}"), expected("an object without 'format'"));
    assert_eq!(complaint("{\"format\":\"har\"}"), expected("'format' \"har\""));
    for version in ["", ",\"version\":0", ",\"version\":\"1\"", ",\"version\":-1"] {
        let text = format!("{{\"format\":\"lockscope-report\"{version}}}");
        assert_eq!(complaint(text), expected("no 'version' that is a number from 1"));
    }
}

#[test]
fn a_newer_report_says_so_whatever_it_holds() {
    assert_eq!(
        complaint("{\"format\":\"lockscope-report\",\"version\":2,\"session\":7}"),
        "the report FILE has version 2 of the format, this lockscope reads versions up to 1; read it with the lockscope that wrote it, or a newer one"
    );
}

#[test]
fn a_field_that_is_not_there_or_not_right() {
    let mut value = serde_json::to_value(empty()).unwrap();
    value["losses"] = Value::Null;
    assert_eq!(
        complaint(format!("{value:#}")),
        "the report FILE does not follow version 1 of the format: invalid type: null, expected a sequence at line 35 column 16; something else than lockscope wrote or changed it: see docs/report-format.md, or profile the program again"
    );
}
/// The file that tests of the command read. It was written by the first
/// version of the format, so it has to stay readable.
#[test]
fn the_example_can_be_read() {
    let text = include_bytes!("../../../tests/host/report/example.json");
    let example = Text { path: Path::new("example.json"), bytes: text.to_vec() };
    assert_eq!(example.report().unwrap(), populated());
}
