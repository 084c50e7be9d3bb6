//! `cargo xtask real-programs`: programs that nobody rebuilds, of Debian's, with their
//! pthread locks watched: that they do what they do unwatched, that what is counted is
//! true, and what it costs them.
//!
//! | file | what it is |
//! |---|---|
//! | `ways` | with what a program is started: plain, with a closed gate, recorded |
//! | `programs` | which programs, and what they are to do |
//! | `memcached` | a client that asks at a steady pace |
//! | `mariadb` | a server with a database of its own, and sysbench as its client |
//! | `count.c` | an independent count of what they lock |
//! | `record` | what was found, as it is kept |
//! | `page` | the table of `docs/real-programs.md` |

mod mariadb;
mod memcached;
pub mod page;
mod programs;
pub mod record;
mod ways;

use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::metadata;
use crate::system;
use programs::{Outcome, PROGRAMS, Program, Stage};
use record::{Compared, Found, Provenance, Record, Spread};
use ways::{Way, Ways};

const COMMAND: &str = "cargo xtask real-programs";
const KNOWN: &str = "\
--quick   each program once, and mariadb not at all: a few minutes less
--record  keep what was found, and write the table of docs/real-programs.md
--tables  only write that table
--program NAME  of one program, of several if it is repeated
";
/// How often each way takes its turn.
const ROUNDS: usize = 7;
/// Of all acquisitions, this part may be counted on one side alone: those before the
/// session begins, and after it has ended.
const UNSEEN: f64 = 0.01;
/// An estimate at one in 100 of some hundred thousand is no further off.
const OFF: f64 = 0.05;

/// Runs the programs, and says what was found.
///
/// # Errors
///
/// A program that ends otherwise when it is watched, a count that is wrong, or anything
/// else that keeps it from being found out.
pub fn run(args: &[&str]) -> Result<(), Error> {
    let asked = Asked::by(args)?;
    if !asked.only_tables {
        let record = found(&asked)?;
        println!("\n{}", page::table(&record));
        println!("{}", page::provenance(&record.provenance));
        if !asked.is_recorded {
            return Ok(());
        }
        record.keep()?;
    }
    page::write(&Record::load()?)
}

/// What the command line asks for.
#[derive(Debug, Default)]
struct Asked {
    is_quick: bool,
    is_recorded: bool,
    only_tables: bool,
    /// Of these alone, if there are some.
    programs: Vec<String>,
}

impl Asked {
    fn by(args: &[&str]) -> Result<Self, Error> {
        let mut asked = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match *arg {
                "--quick" => asked.is_quick = true,
                "--record" => asked.is_recorded = true,
                "--tables" => asked.only_tables = true,
                "--program" => asked.programs.extend(args.next().map(|name| (*name).to_owned())),
                wrong => {
                    return Err(Error::Usage { found: wrong.to_owned(), known: KNOWN.to_owned() });
                }
            }
        }
        let unknown = |name: &&String| !PROGRAMS.iter().any(|program| program.name == **name);
        match asked.programs.iter().find(unknown) {
            Some(found) => Err(Error::Usage {
                found: found.clone(),
                known: PROGRAMS.iter().map(|program| format!("{}\n", program.name)).collect(),
            }),
            None => Ok(asked),
        }
    }

    fn wants(&self, program: &Program) -> bool {
        if self.programs.is_empty() {
            return !(self.is_quick && program.is_slow);
        }
        self.programs.iter().any(|name| name == program.name)
    }
}

/// As the step of `cargo xtask test`: what differs is an error, what it costs is shown.
///
/// # Errors
///
/// As [`run`].
pub fn check() -> Result<Option<String>, Error> {
    if let Some(why) = ways::missing() {
        return Ok(Some(why));
    }
    run(&["--quick"]).map(|()| None)
}

fn found(asked: &Asked) -> Result<Record, Error> {
    let command = if asked.is_quick { format!("{COMMAND} --quick") } else { COMMAND.to_owned() };
    let provenance = Provenance::of_now(command)?;
    let ways = Ways::new()?;
    let mut programs = Vec::new();
    for program in PROGRAMS.iter().filter(|program| asked.wants(program)) {
        system::install(program.tools);
        if let Some(missing) = program.tools.iter().find(|tool| !system::has(tool.program)) {
            eprintln!(
                "{} skipped: {} is not installed; to have it: apt-get update && apt-get install {}",
                program.name, missing.program, missing.package
            );
            continue;
        }
        eprintln!("\n{}: {}", program.name, program.work);
        programs.push(found_of(program, &ways, if asked.is_quick { 1 } else { ROUNDS })?);
    }
    Ok(Record { provenance, programs })
}

fn found_of(program: &Program, ways: &Ways, rounds: usize) -> Result<Found, Error> {
    let folder = metadata::of_workspace()?.target.join("real-programs").join(program.name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|source| Error::File { path: folder.clone(), source })?;
    let stage = Stage { ways, folder: &folder };
    (program.prepare)(&stage)?;
    let mut taken: [Vec<Outcome>; 3] = Default::default();
    for _ in 0..rounds {
        for (way, outcomes) in Way::COMPARED.into_iter().zip(&mut taken) {
            let outcome = (program.run)(&stage, way)?;
            eprintln!("  {:16} {outcome}", way.name());
            outcomes.push(outcome);
        }
    }
    let [plain, closed, sampled] = &taken;
    for (way, outcomes) in [(Way::Closed, closed), (Way::Sampled, sampled)] {
        for outcome in outcomes {
            same(program, way, outcome, &plain[0])?;
        }
    }
    let every = count(program, &stage, Way::CountedEvery, &plain[0])?;
    let estimated = count(program, &stage, Way::CountedSampled, &plain[0])?;
    for (counted, most) in [(&every, UNSEEN), (&estimated, OFF)] {
        let off = (counted.seen / counted.counted - 1.0).abs();
        // Of a few hundred an estimate says nothing.
        if off > most && counted.counted > 50_000.0 {
            return Err(differs(
                program,
                format!(
                    "{}: {:.0} acquisitions were recorded, and {:.0} counted",
                    program.name, counted.seen, counted.counted
                ),
            ));
        }
    }
    let per_s = estimated.counted / estimated.seconds;
    let compared = |outcomes: &[Outcome]| Compared {
        cpu: Spread::of(
            outcomes
                .iter()
                .zip(plain)
                .map(|(this, plain)| this.cpu_per_unit() / plain.cpu_per_unit()),
        ),
        throughput: Spread::of(
            outcomes.iter().zip(plain).map(|(this, plain)| this.throughput() / plain.throughput()),
        ),
    };
    Ok(Found {
        name: program.name.to_owned(),
        work: program.work.to_owned(),
        per_s,
        every: every.seen / every.counted,
        sampled: estimated.seen / estimated.counted,
        top: estimated.top,
        closed: compared(closed),
        one_in_100: compared(sampled),
    })
}

/// A program that is watched has to come to the same.
fn same(program: &Program, way: Way, outcome: &Outcome, plain: &Outcome) -> Result<(), Error> {
    if outcome.result == plain.result {
        return Ok(());
    }
    let (way, found, expected) = (way.name(), &outcome.result, &plain.result);
    Err(differs(program, format!("{}, {way}: {found} instead of {expected}", program.name)))
}

fn differs(program: &Program, what: String) -> Error {
    Error::Differs { what, command: format!("{COMMAND} --quick --program {}", program.name) }
}

/// What one run was told about on both sides.
struct Counted {
    seen: f64,
    counted: f64,
    seconds: f64,
    top: String,
}

fn count(
    program: &Program,
    stage: &Stage<'_>,
    way: Way,
    plain: &Outcome,
) -> Result<Counted, Error> {
    let outcome = (program.run)(stage, way)?;
    same(program, way, &outcome, plain)?;
    let counted = ways::counted(stage.folder)?;
    let report = record::Report::read(&ways::report_in(stage.folder))?;
    let seen = report.acquisitions();
    eprintln!("  {:16} {seen:.0} acquisitions recorded, {counted} counted", way.name());
    Ok(Counted { seen, counted: counted as f64, seconds: outcome.seconds, top: report.top() })
}

/// Reads a file that must be there.
fn text_of(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })
}
