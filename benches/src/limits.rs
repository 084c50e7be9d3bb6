//! What a lock + unlock takes that nobody waits for and nobody records: counted
//! instructions, loads, stores and atomic read-modify-writes.
//!
//! The bench `instructions` runs the paths under callgrind, and fails where one takes
//! more than its limit; here they are made, and here what callgrind has counted
//! becomes a table.

use std::path::PathBuf;

use lockscope_host::Profiler;

use crate::documents;
use crate::locks::*;
use crate::record::{Cell, Row, Table};

/// How many operations are counted together: so many that half an instruction of each
/// is more than one sample takes, which may be drawn among them.
pub const OPERATIONS: u64 = 10_000;

/// Who watches a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody can: the bare lock.
    Bare,
    /// Nobody does.
    Closed,
    /// A session whose period is so long that it does not record this operation.
    Open,
    /// A session that leaves the lock out.
    Excluded,
}

/// A lock in a state.
pub struct Path {
    lock: Box<dyn Counter>,
    session: Option<Profiler>,
}

impl Path {
    fn new(state: State, bare: impl Counter + 'static, ours: impl Counter + 'static) -> Self {
        let lock: Box<dyn Counter> =
            if state == State::Bare { Box::new(bare) } else { Box::new(ours) };
        // The longest there is: of these ten thousand operations, one is drawn in one run
        // of a hundred, and adds less than the limits leave. No limit to waits: to keep one
        // takes a thread, and callgrind would count each thread by itself.
        let builder = || {
            let longest = Profiler::builder().backend("wrapper").set("period", "1000000");
            longest.set("contentions_per_sec", "0").control(false)
        };
        let session = match state {
            State::Bare | State::Closed => None,
            State::Open => Some(builder()),
            State::Excluded => Some(builder().exclude("kind:*")),
        };
        let session = session.map(|session| session.start().expect("the session starts"));
        // A lock that the session has met.
        lock.run(10);
        Self { lock, session }
    }

    /// std's mutex.
    #[must_use]
    pub fn std(state: State) -> Self {
        Self::new(state, BareStd::new(Default::default()), OurStd::new(0))
    }

    /// parking_lot's mutex.
    #[must_use]
    pub fn parking_lot(state: State) -> Self {
        Self::new(state, BareParkingLot::new(Default::default()), OurParkingLot::new(0))
    }

    /// parking_lot's mutex, without slot.
    #[must_use]
    pub fn slotless(state: State) -> Self {
        Self::new(state, BareSlotless::new(0), OurSlotless::new(0))
    }

    /// std's reader-writer lock, read.
    #[must_use]
    pub fn std_read(state: State) -> Self {
        Self::new(state, BareStdRead::new(Default::default()), OurStdRead::new(0))
    }

    /// parking_lot's reader-writer lock, read.
    #[must_use]
    pub fn parking_lot_read(state: State) -> Self {
        Self::new(state, BareParkingLotRead::new(Default::default()), OurParkingLotRead::new(0))
    }

    /// What is counted.
    pub fn run(&self) {
        self.lock.run(OPERATIONS);
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        // The lock first: no session should see its end.
        self.lock.take();
        drop(self.session.take());
    }
}

/// Paths, by what the bench calls them, with what they are.
const LOCKS: [(&str, &str); 5] = [
    ("std", "std Mutex"),
    ("parking_lot", "parking_lot Mutex"),
    ("slotless", "parking_lot Mutex, no slot"),
    ("std_read", "std RwLock, read"),
    ("parking_lot_read", "parking_lot RwLock, read"),
];
const STATES: [(&str, &str); 3] =
    [("closed", "closed"), ("open", "open, not sampled"), ("excluded", "open, lock excluded")];

/// What the best possible version of a path adds to the bare lock: instructions,
/// loads, stores, atomic read-modify-writes. docs/cost.md argues each.
fn best(lock: &str, state: &str) -> [u64; 4] {
    match (lock, state) {
        (_, "closed") => [2, 1, 0, 0],
        ("std" | "parking_lot", "excluded") => [5, 2, 0, 0],
        _ => [7, 2, 1, 0],
    }
}

/// Why a path takes more than the best possible one, in the words of docs/cost.md, where
/// each is argued; what comes with the table when it is shown.
fn reasons(row: &str) -> &'static str {
    let has_slot = row.starts_with("std Mutex") || row.starts_with("parking_lot Mutex, open");
    match (has_slot, row) {
        (_, row) if row.ends_with("closed") => "a token",
        (true, row) if row.ends_with("excluded") => {
            "a token; a try first; who holds it; what a sample would need; an excluded lock"
        }
        (true, _) => "a token; a try first; who holds it; what a sample would need",
        (false, _) => "a token; a try first; what a sample would need",
    }
}

/// The table for the documents, with the reasons.
#[must_use]
pub fn markdown(table: &Table) -> String {
    let text = documents::markdown(table, &[]);
    let lines = text.lines().enumerate().map(|(number, line)| match number {
        0 => format!("{line} ours takes more for |\n"),
        1 => format!("{line}---|\n"),
        _ => {
            let title = line.trim_start_matches("| ").split(" |").next().unwrap_or_default();
            format!("{line} {} |\n", reasons(title))
        }
    });
    lines.collect()
}

/// What callgrind has counted when the bench `instructions` ran last, as added to the
/// bare lock, beside the best possible.
///
/// # Errors
///
/// A sentence that names the count that there is not.
pub fn counted() -> Result<Table, String> {
    let columns = EVENTS.map(|(_, name)| [name, "at best"]);
    let title = "Added to an uncontended lock + unlock that is not recorded";
    let mut table = Table::new("limits", title, columns.as_flattened());
    for (lock, name) in LOCKS {
        let bare = count(&format!("{lock}_bare"))?;
        for (state, how) in STATES {
            let ours = count(&format!("{lock}_{state}"))?;
            let best = best(lock, state);
            let added = |event: usize| ours[event].saturating_sub(bare[event]);
            let cells = (0..EVENTS.len()).flat_map(|event| [added(event), best[event]]);
            let cells = cells.map(|number| Some(Cell::Count(number))).collect();
            table.rows.push(Row { title: format!("{name}, {how}"), cells });
        }
    }
    Ok(table)
}

/// What callgrind calls what it counts, and what the table does.
const EVENTS: [(&str, &str); 4] =
    [("Ir", "instructions"), ("Dr", "loads"), ("Dw", "stores"), ("Ge", "atomics")];

/// Each of them, of one operation on this path.
fn count(path: &str) -> Result<[u64; EVENTS.len()], String> {
    let file = written().join(format!("path.{path}/callgrind.path.{path}.out"));
    let text = std::fs::read_to_string(&file)
        .map_err(|error| format!("'{path}' was not counted ({}: {error}); `cargo xtask bench` says what it needs for that", file.display()))?;
    parsed(&text).ok_or_else(|| format!("{} holds no counts of Ir, Dr, Dw and Ge", file.display()))
}

/// Where gungraun keeps what callgrind has written: beside what is built.
fn written() -> PathBuf {
    let bench = std::env::current_exe().unwrap_or_default();
    // target, release, deps, the bench.
    let target = bench.ancestors().nth(3).map(PathBuf::from).unwrap_or_default();
    target.join("gungraun/lockscope-benches/instructions/limits")
}

/// Of one operation, to the nearest whole number.
fn parsed(text: &str) -> Option<[u64; EVENTS.len()]> {
    let line = |begin: &str| text.lines().find_map(|line| line.strip_prefix(begin));
    let events: Vec<&str> = line("events: ")?.split_whitespace().collect();
    let totals: Vec<u64> =
        line("totals: ")?.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    let of = |event: &str| {
        let at = events.iter().position(|other| *other == event)?;
        Some((totals.get(at)? + OPERATIONS / 2) / OPERATIONS)
    };
    let mut counts = [0; EVENTS.len()];
    for (count, (event, _)) in counts.iter_mut().zip(EVENTS) {
        *count = of(event)?;
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Record, kept_limits, root};

    #[test]
    fn counts_are_read_whatever_else_callgrind_counts() {
        let text = "version: 1\nevents: Ir I1mr Dr Dw Ge\nfn=(1)\n0 5\ntotals: 210490 7 60120 39900 20010\n";
        assert_eq!(parsed(text), Some([21, 6, 4, 2]));
        assert_eq!(parsed("events: Ir\ntotals: 210490\n"), None);
    }

    /// What the reasons are is prose; that each path has some that the page argues is not.
    #[test]
    fn every_reason_is_argued_below_the_table() {
        let record = Record::load(&kept_limits()).unwrap();
        let table = record.table("limits").unwrap();
        let page = std::fs::read_to_string(root().join("docs/cost.md")).unwrap().to_lowercase();
        for row in &table.rows {
            for reason in reasons(&row.title).split("; ") {
                assert!(page.contains(&format!("- **{reason}")), "{}: {reason}", row.title);
            }
        }
        assert_eq!(markdown(table).lines().count(), 2 + table.rows.len());
    }

    /// All states in one process: each session has to end before the next begins.
    #[test]
    fn every_path_can_be_run() {
        for state in [State::Bare, State::Closed] {
            Path::std(state).run();
            Path::slotless(state).run();
            Path::parking_lot_read(state).run();
        }
    }
}
