//! What locks cost in memory.

use std::process::Command;

use crate::record::{Cell, Row, Table};
use crate::rows::shown;
use crate::watching::{Backend, Watching};

/// How many locks there are, where memory is measured against that.
const NUMBERS: [(&str, usize); 4] = [
    ("1,000 locks", 1_000),
    ("10,000 locks", 10_000),
    ("100,000 locks", 100_000),
    ("1,000,000 locks", MILLION),
];
const MILLION: usize = 1_000_000;

/// The table of memory against the number of locks.
pub const BY_NUMBER: &str = "memory_by_number";

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc is mounted");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("the second field of statm is a number") * 4096
}

/// Bytes for each of a million locks.
///
/// # Panics
///
/// If a lock takes more than is stated for it.
#[must_use]
pub fn memory(backends: &[Backend]) -> Table {
    let title = "A million locks of type parking_lot::Mutex<()>, each locked once: bytes per lock";
    let mut table = Table::new("memory", title, &["bare", "with slot", "no slot"]);
    eprintln!("{title}");
    let slotted = size_of::<lockscope::parking_lot::Mutex<()>>() as u64;
    let slotless = size_of::<lockscope::parking_lot::slotless::Mutex<()>>() as u64;
    let bare = size_of::<parking_lot::Mutex<()>>() as u64;
    assert_eq!((bare, slotted, slotless), (1, 64, 1));
    let bytes = |bytes| Some(Cell::Bytes(bytes));
    let cells = vec![bytes(bare), bytes(slotted), bytes(slotless)];
    table.rows.push(shown(Row { title: "closed".to_owned(), cells }));
    for backend in backends {
        for (number, watching) in backend.memory().into_iter().enumerate() {
            let with = slotted + grown_apart(backend, number, MILLION, SLOTTED);
            let without = slotless + grown_apart(backend, number, MILLION, SLOTLESS);
            if let Some((_, most, most_slotless)) =
                STATED.iter().find(|stated| stated.0 == watching.title)
            {
                assert!(with <= *most, "{watching:?}: {with}, {most} are stated");
                assert!(without <= *most_slotless, "{watching:?}: {without} without slot");
            }
            let cells = vec![None, bytes(with), bytes(without)];
            table.rows.push(shown(Row { title: watching.title, cells }));
        }
    }
    table
}

/// Bytes for each of so many locks with slot, which share what a session needs in any
/// case; for a million as `million` has it, if it is the table that [`memory`] has made.
///
/// # Panics
///
/// If a session cannot be started.
#[must_use]
pub fn by_number(backends: &[Backend], million: Option<&Table>) -> Table {
    let title = "Locks of type parking_lot::Mutex<()>, each locked once: bytes per lock, by how many there are";
    let mut table = Table::new(BY_NUMBER, title, &NUMBERS.map(|(name, _)| name));
    eprintln!("{title}");
    let slotted = size_of::<lockscope::parking_lot::Mutex<()>>() as u64;
    for backend in backends {
        for (number, watching) in backend.memory().into_iter().enumerate() {
            let known =
                million.and_then(|table| table.rows.iter().find(|row| row.title == watching.title));
            let cells = NUMBERS.map(|(_, locks)| match known {
                Some(row) if locks == MILLION => row.cells[1],
                _ => {
                    let grown = grown_apart(backend, number, locks, SLOTTED);
                    Some(Cell::Bytes(slotted + grown))
                }
            });
            table.rows.push(shown(Row { title: watching.title, cells: cells.to_vec() }));
        }
    }
    table
}

/// Most bytes that are stated for a lock: with slot, and without.
const STATED: &[(&str, u64, u64)] = &[
    ("wrapper, one in 100", 96, 32),
    ("wrapper, every operation", 964, 964),
    ("sidetable, one in 100", 96, 32),
    ("sidetable, every operation", 1264, 1264),
    ("adaptive", 164, 164),
    ("lazy, asleep", 72, 8),
    ("lazy, awake, one in 100", 96, 32),
];

/// Arguments of a process that measures one row, since what one session has
/// freed the next would use again.
const GROWN: &str = "--grown";
const SLOTTED: &str = "slotted";
const SLOTLESS: &str = "slotless";

fn grown_apart(backend: &Backend, number: usize, locks: usize, kind: &str) -> u64 {
    let bench = std::env::current_exe().expect("the bench knows where it is");
    let [number, locks] = [number, locks].map(|number| number.to_string());
    let output = Command::new(bench).args([GROWN, backend.asked(), &number, &locks, kind]).output();
    let output = output.expect("the bench can be started again");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    text.parse().unwrap_or_else(|_| panic!("no number of bytes but '{text}': {error}"))
}

/// Measures what a process of this bench asks another for by these arguments, and prints
/// it; false if they are something else.
///
/// # Panics
///
/// If it cannot be measured.
#[must_use]
pub fn answer(args: &[String]) -> bool {
    let [asked, backend, number, locks, kind] = args else { return false };
    if asked != GROWN {
        return false;
    }
    let [number, locks]: [usize; 2] =
        [number, locks].map(|number| number.parse().expect("a row's number, and of locks"));
    let backend = Backend::named(backend).expect("it was found before");
    let watching = &backend.memory()[number];
    let grown = match &**kind {
        SLOTTED => grown(watching, locks, lockscope::parking_lot::Mutex::new),
        _ => grown(watching, locks, lockscope::parking_lot::slotless::Mutex::new),
    };
    println!("{grown}");
    true
}

/// By how many bytes the process grows for each of so many locks that are locked once
/// in a session.
fn grown<L: Lockable>(watching: &Watching, number: usize, make: fn(()) -> L) -> u64 {
    let locks: Vec<L> = (0..number).map(|_| make(())).collect();
    let session = watching.start();
    let before = resident();
    locks.iter().for_each(Lockable::lock_once);
    let grown = resident().saturating_sub(before) / number as u64;
    // It is known, and the process ends: no report of a million locks is made.
    core::mem::forget((session, locks));
    grown
}

/// A lock that can be locked.
trait Lockable {
    fn lock_once(&self);
}

impl Lockable for lockscope::parking_lot::Mutex<()> {
    fn lock_once(&self) {
        drop(self.lock());
    }
}

impl Lockable for lockscope::parking_lot::slotless::Mutex<()> {
    fn lock_once(&self) {
        drop(self.lock());
    }
}
