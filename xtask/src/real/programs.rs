//! Which programs, and what they are to do.

use core::fmt;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::ways::{Way, Ways};
use super::{mariadb, memcached, text_of};
use crate::command::Call;
use crate::error::Error;
use crate::system::Tool;

/// A program of Debian's.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) tools: &'static [Tool],
    /// What it does, for the table.
    pub(super) work: &'static str,
    /// Whether it takes so long that it is left out where it has to be quick.
    pub(super) is_slow: bool,
    pub(super) prepare: fn(&Stage<'_>) -> Result<(), Error>,
    pub(super) run: fn(&Stage<'_>, Way) -> Result<Outcome, Error>,
}

/// Where a program runs, and with what.
pub(super) struct Stage<'a> {
    pub(super) ways: &'a Ways,
    /// A folder of its own.
    pub(super) folder: &'a Path,
}

/// How a run was.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// What it came to; the same whichever way it was started.
    pub(super) result: String,
    /// How much was done, in the program's own units.
    pub(super) units: f64,
    /// In what time, by its own account if it gives one.
    pub(super) seconds: f64,
    /// The processor's time for it.
    pub(super) cpu_s: f64,
}

impl Outcome {
    pub(super) fn cpu_per_unit(&self) -> f64 {
        self.cpu_s / self.units
    }

    pub(super) fn throughput(&self) -> f64 {
        self.units / self.seconds
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.cpu_per_unit() * 1e6;
        write!(f, "{:.0} a second, {micros:.2} µs of a core each", self.throughput())
    }
}

const fn tool(program: &'static str, package: &'static str) -> Tool {
    Tool { program, package, wanted_for: "one of the real programs" }
}

const SYSBENCH: Tool = tool("sysbench", "sysbench");

/// In the order of the table.
pub(super) const PROGRAMS: &[Program] = &[
    Program {
        name: "memcached",
        tools: &[tool("memcached", "memcached")],
        work: "`-t 4`, 60,000 requests a second of 8 connections",
        is_slow: false,
        prepare: |_| Ok(()),
        run: memcached::run,
    },
    Program {
        name: "db_bench",
        tools: &[tool("db_bench", "rocksdb-tools")],
        work: "RocksDB, `readrandom --threads=4`",
        is_slow: false,
        prepare: fill_database,
        run: read_database,
    },
    Program {
        name: "mariadbd",
        tools: &[tool("mariadbd", "mariadb-server"), SYSBENCH],
        work: "sysbench `oltp_read_write`, 4 threads, one table of 10,000 rows",
        is_slow: true,
        prepare: mariadb::prepare,
        run: mariadb::run,
    },
    Program {
        name: "sysbench",
        tools: &[SYSBENCH],
        work: "`threads --threads=4 --thread-locks=2`",
        is_slow: false,
        prepare: |_| Ok(()),
        run: |stage, way| {
            let args = ["threads", "--threads=4", "--thread-locks=2", "--thread-yields=100"];
            let ran = Ran::of(
                stage,
                way,
                "sysbench",
                args.iter().chain(&["--events=6000", "--time=0", "run"]),
            )?;
            let events = number_after(&ran.said, "total number of events:");
            let seconds = number_after(&ran.said, "total time:");
            Ok(Outcome {
                result: format!("{events} events"),
                units: events,
                seconds,
                cpu_s: ran.cpu_s,
            })
        },
    },
    Program {
        name: "pigz",
        tools: &[tool("pigz", "pigz")],
        work: "`-p 4`, a text of 48 MB",
        is_slow: false,
        prepare: write_text,
        run: |stage, way| compress(stage, way, "pigz", &["-p", "4", "-n", "-c"]),
    },
    Program {
        name: "pbzip2",
        tools: &[tool("pbzip2", "pbzip2")],
        work: "`-p4`, a text of 48 MB",
        is_slow: false,
        prepare: write_text,
        run: |stage, way| compress(stage, way, "pbzip2", &["-p4", "-c"]),
    },
];

/// A program that has run to its end.
struct Ran {
    /// What it said.
    said: String,
    seconds: f64,
    cpu_s: f64,
}

impl Ran {
    /// Times it by the shell, which knows to a millisecond what the kernel does of a
    /// child, and says it last.
    fn of<A: AsRef<std::ffi::OsStr>>(
        stage: &Stage<'_>,
        way: Way,
        program: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Self, Error> {
        let said = stage.folder.join("said");
        let script = "TIMEFORMAT='%R %U %S'; said=$1; shift; time \"$@\" > \"$said\" 2> said-why";
        let timed = stage.folder.join("timed");
        let outer = format!("exec 2> \"$1\"; shift; {script}");
        let mut words: Vec<OsString> = vec!["-c".into(), outer.into(), "bash".into()];
        words.extend([timed.clone().into(), said.clone().into()]);
        words.extend(stage.ways.start(way, stage.folder));
        words.push(program.into());
        words.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        let ended = Call::new("bash").args(words).folder(stage.folder).run();
        let said = fs::read(&said).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        if ended.is_err() {
            eprintln!(
                "{said}{}",
                fs::read_to_string(stage.folder.join("said-why")).unwrap_or_default()
            );
        }
        ended?;
        let times = text_of(&timed)?;
        let last = times.lines().last().unwrap_or_default();
        let times: Vec<f64> = last.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [seconds, user, system] = times[..] else {
            return Err(Error::Differs {
                what: format!("no times of {program}: {last}"),
                command: "bash -c 'time true'".to_owned(),
            });
        };
        Ok(Self { said, seconds, cpu_s: user + system })
    }
}

/// The first number that follows these words, 0 if there is none.
pub(super) fn number_after(text: &str, words: &str) -> f64 {
    let rest = text.split_once(words).map_or("", |(_, rest)| rest).trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    rest[..end].parse().unwrap_or(0.0)
}

/// The last number that stands before these words, 0 if there is none.
fn number_before(text: &str, words: &str) -> f64 {
    let before = text.split_once(words).map_or("", |(before, _)| before).trim_end();
    let begin = before.rfind(|c: char| !c.is_ascii_digit() && c != '.').map_or(0, |at| at + 1);
    before[begin..].parse().unwrap_or(0.0)
}

fn database(stage: &Stage<'_>) -> String {
    format!("--db={}", stage.folder.join("database").display())
}

fn fill_database(stage: &Stage<'_>) -> Result<(), Error> {
    let args = ["--benchmarks=fillseq", "--num=100000", "--compression_type=none"];
    let quiet = ["--progress_reports=false"];
    Call::new("db_bench").args(args).args(quiet).args([database(stage)]).output().map(drop)
}

fn read_database(stage: &Stage<'_>, way: Way) -> Result<Outcome, Error> {
    let args = [
        "--benchmarks=readrandom",
        "--use_existing_db=1",
        "--num=100000",
        "--reads=250000",
        "--threads=4",
        "--seed=7",
        "--compression_type=none",
    ];
    let database = database(stage);
    let ran = Ran::of(stage, way, "db_bench", args.iter().copied().chain([&*database]))?;
    let units = number_before(&ran.said, " operations;");
    let found = ran.said.split_once('(').map_or("", |(_, rest)| rest);
    let found = found.split_once(')').map_or("", |(found, _)| found);
    let seconds = number_before(&ran.said, " seconds");
    Ok(Outcome { result: format!("{units} reads, {found}"), units, seconds, cpu_s: ran.cpu_s })
}

fn text(stage: &Stage<'_>) -> PathBuf {
    stage.folder.join("text")
}

/// Words at random, always the same.
fn write_text(stage: &Stage<'_>) -> Result<(), Error> {
    const WORDS: [&str; 8] =
        ["lock ", "scope ", "thread ", "wait ", "hold ", "blame ", "sample ", "weight\n"];
    let mut state = 1_u64;
    let mut text = String::with_capacity(48 << 20);
    while text.len() < 48_000_000 {
        // Knuth's MMIX generator.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS[(state >> 61) as usize]);
        text.push(char::from(b'a' + (state >> 40) as u8 % 26));
    }
    let path = self::text(stage);
    fs::write(&path, text).map_err(|source| Error::File { path, source })
}

fn compress(stage: &Stage<'_>, way: Way, program: &str, args: &[&str]) -> Result<Outcome, Error> {
    let text = text(stage);
    let ran = Ran::of(
        stage,
        way,
        program,
        args.iter().map(std::ffi::OsStr::new).chain([text.as_os_str()]),
    )?;
    let sum = Call::new("cksum").args([stage.folder.join("said")]).output()?;
    let sum = String::from_utf8_lossy(&sum);
    let sum = sum.split(' ').take(2).collect::<Vec<_>>().join(" ");
    Ok(Outcome { result: sum, units: 48.0, seconds: ran.seconds, cpu_s: ran.cpu_s })
}
