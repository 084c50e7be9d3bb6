//! How near to the truth reports are: programs whose totals are all known, played to each
//! backend in simulated time, and what its reports state of them.
//!
//! Time is made up and everything follows from seeds, so a busy machine finds what one
//! that is idle does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use lockscope_conformance::coverage::{Course, Of, Program, Quantities};
use lockscope_conformance::statistics::Runs;
use lockscope_conformance::{Pacing, Simulation, Subject};
use lockscope_core::gate::state::{CLOSED, OPEN};

use crate::record::{Cell, Record, Row, Table};
use crate::watching::Backend;

/// What ids of these tables begin with.
pub const ID: &str = "accuracy_";

/// The sampling periods.
const PERIODS: [u32; 4] = [1, 10, 100, 1_000];

/// One in so many waits is recorded, where not all are.
const ONE_WAIT_IN: u32 = 10;

/// How long a window is in which the gate stands open, and how long it is closed after
/// it. One does not divide the other, or what programs repeat.
const WINDOWS_NS: [(u32, u64); 2] = [(OPEN, 1_000_003), (CLOSED, 900_001)];

/// Awake, and without a budget that the machine's clock could find exceeded.
const ALWAYS: [(&str, &str); 4] = [
    ("budget_percent", "0"),
    ("contentions_per_sec", "0"),
    ("wake_at_start", "1"),
    ("window_ms", "86400000"),
];

/// A program, and how often it does what it does.
struct Played {
    id: &'static str,
    title: &'static str,
    program: fn() -> Program,
    course: Course,
}

const PROGRAMS: [Played; 2] = [
    Played {
        id: "accuracy_mixed",
        title: "Four locks used in turn, 210,000 acquisitions: errors, and intervals that hold the truth",
        program: Program::mixed,
        course: Course { waits: 750, ..Course::PLAIN },
    },
    Played {
        id: "accuracy_skewed",
        title: "Eight locks, each used twice as often as the next, 220,000 acquisitions, a few held long: errors, and intervals that hold the truth",
        program: Program::skewed,
        course: Course { rounds: 1, waits: 800, ..Course::PLAIN },
    },
];

const COLUMNS: [&str; 8] = [
    "acquisitions",
    "acquisitions of a lock",
    "hold time",
    "hold time of a lock",
    "hold time of a call site",
    "wait time",
    "intervals that hold the truth",
    "least",
];

/// What the last column of the documents' tables is called, which comes from another
/// record.
const COST: &str = "time, relative to bare";

/// A backend as it is configured for one row.
struct Way {
    /// The row.
    title: String,
    settings: Vec<(&'static str, String)>,
    pacing: Pacing,
    /// How often the program is played through in one run.
    times: u32,
}

/// All rows of a backend: each of the periods, or its own if it moves them; in windows if
/// it sleeps; and one where waits are drawn.
fn ways(backend: &Backend) -> Vec<Way> {
    let way = |title: String, period: Option<u32>| {
        let always = ALWAYS.iter().map(|(key, value)| (*key, (*value).to_owned()));
        let mut settings: Vec<_> = always.collect();
        settings.extend(period.map(|period| ("period", period.to_string())));
        settings.retain(|(key, _)| backend.has(key));
        let windows = if backend.sleeps() { WINDOWS_NS.to_vec() } else { Vec::new() };
        let times = if backend.sleeps() { 2 } else { 1 };
        Way { title, settings, pacing: Pacing { contended_period: None, windows }, times }
    };
    let name = &backend.name;
    if backend.rises() || !backend.has("period") {
        return vec![way(name.clone(), None), drawn(way(name.clone(), None))];
    }
    let awake = if backend.sleeps() { ", in windows" } else { "" };
    let row = |period: u32| match period {
        1 => way(format!("{name}{awake}, every operation"), Some(1)),
        _ => way(format!("{name}{awake}, one in {period}"), Some(period)),
    };
    PERIODS.map(row).into_iter().chain([drawn(row(100))]).collect()
}

/// The same where waits are so many that they are drawn.
fn drawn(way: Way) -> Way {
    let pacing = Pacing { contended_period: Some(ONE_WAIT_IN), ..way.pacing };
    Way { title: format!("{}; one wait in {ONE_WAIT_IN}", way.title), pacing, ..way }
}

/// Plays every program to every backend, `runs` times, on all processors.
///
/// # Errors
///
/// A sentence that says which backend fails.
pub fn measured(backends: &[Backend], runs: u64) -> Result<Vec<Table>, String> {
    let all: Vec<(&Backend, Way)> = backends
        .iter()
        .flat_map(|backend| ways(backend).into_iter().map(move |way| (backend, way)))
        .collect();
    let mut tables = Vec::new();
    for played in &PROGRAMS {
        let rows: Vec<_> = all.iter().map(|_| Mutex::new(None)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            // Relaxed: which row is whose, and nothing else.
            while let Some((backend, way)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                let row = row(backend, way, played, runs);
                let place = all.iter().position(|(_, other)| core::ptr::eq(other, way));
                if let Some(place) = place.and_then(|place| rows.get(place)) {
                    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(row);
                }
            }
        };
        std::thread::scope(|scope| {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            (0..threads).for_each(|_| drop(scope.spawn(work)));
        });
        let mut table = Table::new(played.id, played.title, &COLUMNS);
        for row in rows {
            let row = row.into_inner().unwrap_or_else(PoisonError::into_inner);
            table.rows.push(row.ok_or("a row was not played")??);
        }
        tables.push(table);
    }
    Ok(tables)
}

fn row(backend: &Backend, way: &Way, played: &Played, runs: u64) -> Result<Row, String> {
    let failed = |error: &dyn core::fmt::Display| format!("{}: {error}", way.title);
    let plugin = backend.plugin()?;
    let subject = Subject::new(&plugin).map_err(|error| failed(&error))?;
    let settings: Vec<(&str, &str)> = way.settings.iter().map(|(key, v)| (*key, &**v)).collect();
    subject.init(&subject.settings(&settings)).map_err(|error| failed(&error.message))?;
    let subject = subject.paced(way.pacing.clone());
    let course = Course { waits: played.course.waits * way.times, ..played.course };
    let script = course.script((played.program)(), None);
    let mut quantities = Quantities::default();
    for seed in 0..runs {
        let played =
            Simulation::play(&subject, seed, &script).map_err(|error| failed(&error.message))?;
        quantities.add(&played);
    }
    Ok(Row { title: way.title.clone(), cells: cells(&quantities) })
}

/// Where there are several of a kind, the error is that of the one that is farthest off.
fn cells(quantities: &Quantities) -> Vec<Option<Cell>> {
    let error = |name: &str, is_asked: fn(&Of) -> bool| {
        let all = quantities.each().filter(|(of, other, _)| *other == name && is_asked(of));
        let errors = all.map(|(_, _, runs)| runs.relative_error());
        Some(Cell::Percent(100.0 * errors.fold(0.0, f64::max)))
    };
    let whole: fn(&Of) -> bool = |of| *of == Of::All;
    let lock: fn(&Of) -> bool = |of| matches!(of, Of::Lock(_));
    let site: fn(&Of) -> bool = |of| matches!(of, Of::Line(_));
    let coverages: Vec<f64> = quantities.estimated().map(Runs::coverage).collect();
    let of_coverages =
        |figure: f64| (!coverages.is_empty()).then_some(Cell::Percent(100.0 * figure));
    vec![
        error("acquisitions", whole),
        error("acquisitions", lock),
        error("hold_ns", whole),
        error("hold_ns", lock),
        error("hold_ns", site),
        error("wait_ns", whole),
        of_coverages(coverages.iter().sum::<f64>() / coverages.len() as f64),
        of_coverages(coverages.iter().copied().fold(1.0, f64::min)),
    ]
}

/// `table` with what it costs beside it, of the rows that `costs` has: an uncontended
/// `parking_lot` mutex.
#[must_use]
pub fn beside_cost(table: &Table, costs: &Record) -> Table {
    let mut both = table.clone();
    both.columns.push(COST.to_owned());
    for row in &mut both.rows {
        row.cells.push(cost(&row.title, costs));
    }
    both
}

/// Of these tables, the first that has the row counts.
const COSTS: [(&str, &str); 2] =
    [("periods", "parking_lot Mutex"), ("uncontended", "parking_lot Mutex")];

fn cost(title: &str, costs: &Record) -> Option<Cell> {
    // What waits cost is another matter, and sleep costs nothing.
    if title.contains("; one wait in") {
        return None;
    }
    let title = title.replace(", in windows", ", awake");
    COSTS.iter().find_map(|(id, column)| {
        let table = costs.table(id)?;
        let at = table.columns.iter().position(|other| other == column)?;
        let is_it =
            |row: &&Row| row.title == title || row.title == format!("{title}, of a quiet lock");
        *table.rows.iter().find(is_it)?.cells.get(at)?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{kept, kept_accuracy};

    #[test]
    fn the_record_says_what_was_promised() {
        let record = Record::load(&kept_accuracy()).unwrap();
        for played in &PROGRAMS {
            let table = record.table(played.id).unwrap();
            assert_eq!(table.columns, COLUMNS);
            let percent = |row: &Row, at: usize| match row.cells[at] {
                Some(Cell::Percent(percent)) => percent,
                _ => panic!("{row:?} has no percentage in column {at}"),
            };
            for row in &table.rows {
                if row.title.ends_with("every operation") {
                    assert!((0..6).all(|at| percent(row, at) == 0.0), "{row:?}");
                    assert_eq!(row.cells[6], None, "nothing is estimated");
                } else if played.id == "accuracy_mixed" {
                    assert!((93.0..=97.0).contains(&percent(row, 6)), "{row:?}");
                }
                // Every wait is recorded, but where they are drawn.
                let is_drawn = row.title.contains("; one wait in");
                assert_eq!(percent(row, 5) > 0.0, is_drawn, "{row:?}");
            }
        }
    }

    #[test]
    fn at_every_operation_nothing_is_estimated() {
        let backends = [Backend::named("wrapper").unwrap(), Backend::named("lazy").unwrap()];
        let tables = measured(&backends, 2).unwrap();
        let rows = tables.iter().flat_map(|table| &table.rows);
        let all: Vec<&Row> = rows.filter(|row| row.title.ends_with("every operation")).collect();
        assert_eq!(all.len(), 2 * PROGRAMS.len());
        for row in all {
            assert!(row.cells[..6].iter().all(|cell| *cell == Some(Cell::Percent(0.0))), "{row:?}");
        }
    }

    #[test]
    fn what_it_costs_stands_beside_it() {
        let (record, costs) =
            (Record::load(&kept_accuracy()).unwrap(), Record::load(&kept()).unwrap());
        let both = beside_cost(&record.tables[0], &costs);
        let of = |title: &str| {
            both.rows.iter().find(|row| row.title == title).unwrap().cells.last().unwrap()
        };
        let known = ["wrapper, one in 100", "wrapper, every operation", "adaptive"];
        assert!(known.iter().all(|title| of(title).is_some()));
        assert!(of("lazy, in windows, one in 100").is_some());
    }
}
