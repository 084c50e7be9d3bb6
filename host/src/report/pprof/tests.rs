//! What is encoded, as the `pprof` crate decodes it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use flate2::read::GzDecoder;
use pprof::protos::{Message, Profile as Decoded, Sample, ValueType};
use tempfile::TempDir;

use super::super::sample::{empty, exact, place, populated, stacked};
use super::*;

/// A profile and its parts by name.
struct Oracle(Decoded);

impl Oracle {
    fn of(report: &ReportFile, profile: Profile) -> Self {
        Self(Decoded::decode(encode(report, profile).as_slice()).unwrap())
    }

    fn text(&self, number: i64) -> &str {
        &self.0.string_table[usize::try_from(number).unwrap()]
    }

    fn named(&self, of: &ValueType) -> (&str, &str) {
        (self.text(of.ty), self.text(of.unit))
    }

    fn comments(&self) -> Vec<&str> {
        self.0.comment.iter().map(|number| self.text(*number)).collect()
    }

    /// Name, file and line of the only frame of `sample`.
    fn frame(&self, sample: &Sample) -> (&str, &str, i64) {
        let [id] = sample.location_id[..] else { panic!("one frame: {sample:?}") };
        let location = self.0.location.iter().find(|location| location.id == id).unwrap();
        let [line] = &location.line[..] else { panic!("one line: {location:?}") };
        let functions = &self.0.function;
        let function = functions.iter().find(|function| function.id == line.function_id).unwrap();
        assert_eq!(function.name, function.system_name);
        (self.text(function.name), self.text(function.filename), line.line)
    }

    /// Labels that are texts, and `lock_id`.
    fn labels(&self, sample: &Sample) -> BTreeMap<&str, String> {
        let labels = sample.label.iter().map(|label| {
            let number = (label.str == 0).then(|| label.num.to_string());
            (self.text(label.key), number.unwrap_or_else(|| self.text(label.str).to_owned()))
        });
        labels.collect()
    }

    /// The values of all samples together.
    fn totals(&self) -> [i64; 2] {
        self.0.sample.iter().fold([0, 0], |[first, second], sample| {
            let [one, other] = sample.value[..] else { panic!("two values: {sample:?}") };
            [first + one, second + other]
        })
    }
}

/// The two totals of `report` that `profile` shows.
fn expected(report: &ReportFile, profile: Profile) -> [f64; 2] {
    let sites = || report.locks.iter().flat_map(|lock| &lock.sites);
    match profile {
        Profile::Mutex | Profile::Block => [
            sites().map(|site| site.contentions.value).sum(),
            sites().map(|site| site.wait_ns.total.value).sum(),
        ],
        Profile::Hold => [
            sites().map(|site| site.acquisitions.value).sum(),
            sites().map(|site| site.hold_ns.total.value).sum(),
        ],
    }
}

#[test]
fn sample_types_stand_in_the_order_that_viewers_expect() {
    let waits = [("contentions", "count"), ("delay", "nanoseconds")];
    let holds = [("acquisitions", "count"), ("hold", "nanoseconds")];
    for (profile, types) in
        [(Profile::Mutex, waits), (Profile::Block, waits), (Profile::Hold, holds)]
    {
        let found = Oracle::of(&populated(), profile);
        let named: Vec<_> = found.0.sample_type.iter().map(|of| found.named(of)).collect();
        assert_eq!(named, types, "{profile:?}");
        assert_eq!(found.named(found.0.period_type.as_ref().unwrap()), types[0], "{profile:?}");
    }
}

#[test]
fn values_are_weighted_already_and_no_type_is_the_default() {
    for profile in Profile::ALL {
        let found = Oracle::of(&populated(), profile).0;
        assert_eq!((found.period, found.default_sample_type), (1, 0), "{profile:?}");
        assert_eq!((found.drop_frames, found.keep_frames), (0, 0), "{profile:?}");
    }
}

#[test]
fn totals_are_those_of_the_report() {
    for profile in Profile::ALL {
        let found = Oracle::of(&populated(), profile);
        let room = found.0.sample.len() as f64 / 2.0;
        for (found, expected) in found.totals().into_iter().zip(expected(&populated(), profile)) {
            assert!(expected > 0.0, "{profile:?}");
            // Each sample is rounded.
            assert!((found as f64 - expected).abs() <= room, "{profile:?}: {found}, {expected}");
        }
    }
}

#[test]
fn the_mutex_profile_shows_who_held_and_the_block_profile_who_waited() {
    let mut report = populated();
    report.locks.truncate(1);
    let by_frame = |profile| {
        let found = Oracle::of(&report, profile);
        let samples = found.0.sample.iter().map(|sample| {
            let (name, ..) = found.frame(sample);
            (name.to_owned(), found.labels(sample).remove("waiter"), sample.value[1])
        });
        samples.collect::<Vec<_>>()
    };
    let (insert, find) = ("src/index.rs:88", "src/index.rs:112");
    let waited = |at: &str| Some(at.to_owned());
    let mut held = by_frame(Profile::Mutex);
    held.sort();
    assert_eq!(
        held,
        [
            // The rest of the insertions' waits.
            ("(holder not known)".to_owned(), waited(insert), 50_000_000),
            (find.to_owned(), waited(insert), 150_000_000),
            (insert.to_owned(), waited(find), 130_000_000),
            (insert.to_owned(), waited(insert), 900_000_000),
        ]
    );
    assert_eq!(
        by_frame(Profile::Block),
        [(insert.to_owned(), None, 1_100_000_000), (find.to_owned(), None, 130_000_000)]
    );
    assert_eq!(
        by_frame(Profile::Hold),
        [(insert.to_owned(), None, 3_500_000_000), (find.to_owned(), None, 2_000_000)]
    );
}

#[test]
fn a_frame_is_a_source_location_or_an_address() {
    let found = Oracle::of(&populated(), Profile::Hold);
    let frames: BTreeSet<_> = found.0.sample.iter().map(|sample| found.frame(sample)).collect();
    assert!(frames.contains(&("src/index.rs:88", "src/index.rs", 88)), "{frames:?}");
    assert!(frames.contains(&("0x7f123456789a", "", 0)), "{frames:?}");
}

#[test]
fn labels_say_which_lock() {
    let found = Oracle::of(&populated(), Profile::Block);
    let labels: Vec<_> = found.0.sample.iter().map(|sample| found.labels(sample)).collect();
    let of = |pairs: &[(&'static str, &str)]| {
        pairs.iter().map(|(key, text)| (*key, (*text).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let index = of(&[
        ("lock", "index"),
        ("lock_kind", "rwlock"),
        ("creation_site", "src/main.rs:41"),
        ("lock_id", "281474976710656"),
    ]);
    // Of the pool, one lock lives, and 999 that were dropped have no number.
    let pool =
        [("lock", "src/pool.rs:41"), ("lock_kind", "mutex"), ("creation_site", "src/pool.rs:41")];
    let one = of(&[&pool[..], &[("lock_id", "281474976710657")]].concat());
    assert_eq!(labels[..4], [index.clone(), index, one, of(&pool)]);
}

#[test]
fn a_lock_without_name_and_origin_has_its_number() {
    let mut report = populated();
    report.locks.retain(|lock| lock.probe == "pthread");
    let found = Oracle::of(&report, Profile::Hold);
    let labels = found.labels(&found.0.sample[0]);
    assert_eq!(labels["lock"], "lock 562949953421313");
    assert!(!labels.contains_key("creation_site"));
}

#[test]
fn comments_say_what_the_numbers_rest_on_and_what_they_lack() {
    for profile in Profile::ALL {
        assert_eq!(
            Oracle::of(&populated(), profile).comments(),
            [
                "lockscope: backend wrapper 0.1.0",
                "period: one operation in 100",
                "samples: 45,210",
                "not recorded: 12,345 samples beyond 32 held locks per thread",
                "note: the clock of this machine is not invariant; times are rounded",
            ]
        );
    }
}

#[test]
fn the_session_is_dated_and_the_program_named() {
    let found = Oracle::of(&populated(), Profile::Mutex);
    assert_eq!(found.0.time_nanos, 1_790_000_000_000_000_000);
    assert_eq!(found.0.duration_nanos, 12_345_678_901);
    let [mapping] = &found.0.mapping[..] else { panic!("{:?}", found.0.mapping) };
    assert_eq!(found.text(mapping.filename), "./indexer");
    assert!(mapping.has_functions && mapping.has_filenames && mapping.has_line_numbers);
    assert!(found.0.location.iter().all(|location| location.mapping_id == mapping.id));
}

#[test]
fn a_stack_is_a_list_of_locations_with_their_objects() {
    let found = Oracle::of(&stacked(), Profile::Block);
    let shown = |id: &u64| {
        let location = found.0.location.iter().find(|location| location.id == *id).unwrap();
        let mapping = &found.0.mapping[location.mapping_id as usize - 1];
        let lines: Vec<_> = location
            .line
            .iter()
            .map(|line| {
                let function = &found.0.function[line.function_id as usize - 1];
                assert_eq!(function.id, line.function_id);
                format!("{}:{}", found.text(function.name), line.line)
            })
            .collect();
        format!(
            "{} in {} at {:#x}",
            lines.join(" in "),
            found.text(mapping.filename),
            location.address
        )
    };
    let stacks: Vec<(Vec<_>, i64)> = found
        .0
        .sample
        .iter()
        .map(|sample| (sample.location_id.iter().map(shown).collect(), sample.value[1]))
        .collect();
    let locks = "bank::transfer:40 in /usr/bin/bank at 0x1005";
    let day = "bank::by_day:7 in /usr/bin/bank at 0x1105";
    let night = "bank::each:9 in bank::by night:3 in /usr/bin/bank at 0x1205";
    assert_eq!(
        stacks,
        [
            (
                vec![
                    locks.to_owned(),
                    day.to_owned(),
                    "start_thread:0 in /lib/libc.so.6 at 0x7005".to_owned()
                ],
                500
            ),
            (
                vec![
                    locks.to_owned(),
                    night.to_owned(),
                    "(deeper):0 in ./indexer at 0x0".to_owned()
                ],
                300
            ),
        ]
    );
    // Nobody knows more of a holder than its place.
    let held = Oracle::of(&stacked(), Profile::Mutex);
    let frames: Vec<_> = held.0.sample.iter().map(|sample| held.frame(sample).0).collect();
    assert_eq!(frames, ["src/bank.rs:52", "(holder not known)"]);
    assert_eq!(found.totals(), [2, 800]);
}

#[test]
fn the_format_is_kept() {
    for profile in Profile::ALL {
        let found = Oracle::of(&populated(), profile).0;
        assert_eq!(found.string_table[0], "");
        let distinct: BTreeSet<_> = found.string_table.iter().collect();
        assert_eq!(distinct.len(), found.string_table.len(), "{profile:?}");
        let ids: Vec<u64> = found.location.iter().map(|location| location.id).collect();
        assert!(ids.iter().all(|id| *id > 0) && ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        assert!(found.sample.iter().all(|sample| sample.value != [0, 0]), "{profile:?}");
    }
}

#[test]
fn what_a_terminal_would_obey_reaches_no_viewer() {
    let mut report = populated();
    let lock = &mut report.locks[0];
    lock.name = Some("a\u{1b}[2Jb".to_owned());
    lock.sites[0].place = Some(place("c\nd.rs", 1));
    report.notes = vec!["e\u{7}f".to_owned()];
    for profile in Profile::ALL {
        let found = Oracle::of(&report, profile).0;
        let wild = found.string_table.iter().filter(|text| text.contains(char::is_control));
        // Files are opened by this name, not printed.
        assert_eq!(wild.filter(|text| *text != "c\nd.rs").count(), 0, "{profile:?}");
    }
}

#[test]
fn a_report_of_nothing_is_a_profile_of_nothing() {
    let found = Oracle::of(&empty(), Profile::Mutex);
    assert_eq!((found.0.sample.len(), found.0.sample_type.len()), (0, 2));
}

#[test]
fn numbers_beyond_the_format_are_its_greatest() {
    let mut report = populated();
    report.locks[0].sites[0].wait_ns.total = exact(1e300);
    let found = Oracle::of(&report, Profile::Block);
    assert_eq!(found.0.sample[0].value, [90_000, i64::MAX]);
}

#[test]
fn three_compressed_files_named_after_their_profiles() {
    let folder = TempDir::new().unwrap();
    let names = |out: &str| {
        let written = write(&folder.path().join(out), &populated()).unwrap();
        for (path, profile) in written.iter().zip(Profile::ALL) {
            let mut bytes = Vec::new();
            GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, encode(&populated(), profile));
        }
        let names = written.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_owned());
        names.map(|name| name.into_os_string().into_string().unwrap()).collect::<Vec<_>>()
    };
    let expected = ["locks.mutex.pb.gz", "locks.block.pb.gz", "locks.hold.pb.gz"];
    assert_eq!(names("locks"), expected);
    assert_eq!(names("locks.pb.gz"), expected);
    assert_eq!(names(""), ["mutex.pb.gz", "block.pb.gz", "hold.pb.gz"]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6);
}
