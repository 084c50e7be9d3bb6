//! `go tool pprof` reads the profiles, and shows what the report says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use lockscope_host::report::model::ReportFile;

use super::{EXAMPLE, example, printed};
use crate::support::{folder, stderr, stdout};

/// The command `go`, on the path or where Debian puts a version of it. If there is
/// none, that is said.
pub(crate) fn go() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = std::fs::read_dir("/usr/lib").into_iter().flatten();
    let installed = installed.filter_map(|entry| {
        let entry = entry.ok()?;
        let is_go = entry.file_name().to_string_lossy().starts_with("go");
        is_go.then(|| entry.path().join("bin"))
    });
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(installed).collect();
    let found = folders.into_iter().map(|folder| folder.join("go")).find(|go| go.is_file());
    if found.is_none() {
        eprintln!(
            "skipped: there is no `go`, on the path or in /usr/lib; to have it: apt-get install golang-go"
        );
    }
    found
}

/// What `go tool pprof` prints; offline, and at home nowhere but in `home`.
pub(crate) fn viewed(go: &Path, home: &Path, arguments: &[&str]) -> String {
    let output = Command::new(go)
        .args(["tool", "pprof"])
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("TMPDIR", home)
        .env("PPROF_TMPDIR", home)
        .env("GOCACHE", home.join("cache"))
        .env("GOENV", "off")
        .env("GOFLAGS", "")
        .env("GOPROXY", "off")
        .env("GOTELEMETRY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

/// The numbers that `-top` shows, by what it calls the function, and in sum.
fn top(text: &str, unit: &str) -> BTreeMap<String, f64> {
    let rows = text.lines().skip_while(|line| !line.trim().starts_with("flat ")).skip(1);
    rows.map(|row| {
        let cells: Vec<&str> = row.split_whitespace().collect();
        let [flat, _, _, cumulated, _, name @ ..] = &cells[..] else { panic!("{row}: {text}") };
        // A stack is one frame.
        assert_eq!(flat, cumulated, "{row}");
        let number = flat.strip_suffix(unit).unwrap_or(flat).parse().expect(flat);
        (name.join(" "), number)
    })
    .collect()
}

/// What of the report is to be seen in which profile and unit, by function.
fn expected(report: &ReportFile, profile: &str, is_time: bool) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    let mut add = |place: Option<String>, value: f64| {
        let name = place.unwrap_or_else(|| "(holder not known)".to_owned());
        *sums.entry(name).or_default() += value;
    };
    for lock in &report.locks {
        let mut unblamed = 0.0;
        for site in &lock.sites {
            let wait = if is_time { site.wait_ns.total } else { site.contentions }.value;
            let hold = if is_time { site.hold_ns.total } else { site.acquisitions }.value;
            let place = site.place.as_ref().map(|place| place.label());
            match profile {
                "block" => add(place, wait),
                "hold" => add(place, hold),
                _ => unblamed += wait,
            }
        }
        for blame in lock.blame.iter().filter(|_| profile == "mutex") {
            let value = if is_time { blame.wait_ns } else { blame.contentions }.value;
            add(blame.holder.as_ref().map(|place| place.label()), value);
            unblamed -= value;
        }
        add(None, unblamed);
    }
    sums.retain(|_, value| *value > 0.0);
    sums
}

#[test]
fn it_shows_what_the_report_says() {
    let Some(go) = go() else { return };
    let dir = folder();
    std::fs::write(dir.path().join("r.json"), EXAMPLE).unwrap();
    printed(dir.path(), &["r.json", "--pprof", "p"]);
    let report = example();
    for (profile, kinds) in [
        ("mutex", ["contentions", "delay"]),
        ("block", ["contentions", "delay"]),
        ("hold", ["acquisitions", "hold"]),
    ] {
        let file = format!("p.{profile}.pb.gz");
        // Times are what is shown if nobody asks for something.
        let text = viewed(&go, dir.path(), &["-top", &file]);
        assert!(text.contains(&format!("\nType: {}\n", kinds[1])), "{text}");
        assert!(text.contains("\nDuration: 12.35s,"), "{text}");
        assert!(text.contains("src/index.rs:88\n"), "{text}");
        for (kind, is_time) in [(kinds[0], false), (kinds[1], true)] {
            let index = format!("-sample_index={kind}");
            let flags = ["-top", "-nodefraction=0", "-unit=ns", &index, &file];
            let text = viewed(&go, dir.path(), &flags);
            assert_eq!(top(&text, "ns"), expected(&report, profile, is_time), "{text}");
        }
    }
}

#[test]
fn it_knows_the_locks_and_what_the_numbers_lack() {
    let Some(go) = go() else { return };
    let dir = folder();
    std::fs::write(dir.path().join("r.json"), EXAMPLE).unwrap();
    printed(dir.path(), &["r.json", "--pprof", "p"]);
    let tags = viewed(&go, dir.path(), &["-tags", "p.mutex.pb.gz"]);
    for (label, value) in [
        ("lock", "index"),
        ("lock_kind", "rwlock"),
        ("creation_site", "src/main.rs:41"),
        ("waiter", "src/index.rs:112"),
    ] {
        let (_, of_label) = tags.split_once(&format!(" {label}: Total ")).expect(label);
        let of_label = of_label.split_once("\n\n").map_or(of_label, |(first, _)| first);
        assert!(of_label.contains(&format!(": {value}")), "{label}: {tags}");
    }
    let focus = ["-top", "-nodefraction=0", "-tagfocus=lock=src/pool.rs:41", "p.block.pb.gz"];
    let text = viewed(&go, dir.path(), &focus);
    assert_eq!(top(&text, "ms"), BTreeMap::from([("src/pool.rs:57".to_owned(), 3.0)]), "{text}");
    let comments = viewed(&go, dir.path(), &["-comments", "p.hold.pb.gz"]);
    assert!(comments.contains("period: one operation in 100\n"), "{comments}");
    assert!(comments.contains("not recorded: 12,345 samples beyond 32 held locks"), "{comments}");
}
