//! The workloads of more than one lock or thread, with what they are called: the
//! list, and little else.

use crate::locks::*;
use crate::memory::BY_NUMBER;
use crate::real::REAL;
use crate::record::Cell;
use crate::tasks::*;
use crate::workload::{Size, Usage, Used, Workload, ratio};

/// What a table's cells say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Time, relative to the bare lock: of one thread.
    Time,
    /// Throughput, relative to the bare lock: of several.
    Throughput,
}

/// One workload on several kinds of locks: one table.
pub struct Task {
    /// The table's id.
    pub id: &'static str,
    /// Its title.
    pub title: String,
    /// What its cells say.
    pub figure: Figure,
    /// By how much it takes longer than the shortest operation, so that fewer do.
    pub part: u64,
    /// Whether a quick run measures it.
    pub is_quick: bool,
    /// Its columns.
    pub pairs: Vec<Pair>,
}

/// The same workload on a lock of ours and on the bare one.
pub struct Pair {
    /// What kind of lock.
    pub name: &'static str,
    ours: Box<dyn Workload>,
    bare: Box<dyn Workload>,
}

impl Pair {
    fn new(
        name: &'static str,
        ours: impl Workload + 'static,
        bare: impl Workload + 'static,
    ) -> Self {
        Self { name, ours: Box::new(ours), bare: Box::new(bare) }
    }
}

impl Task {
    /// The ratios, one for each kind of lock.
    #[must_use]
    pub fn cells(&self, size: &Size) -> Vec<Option<Cell>> {
        let one = |pair: &Pair| {
            let time = ratio(&*pair.ours, &*pair.bare, size);
            let figure = if self.figure == Figure::Time { time } else { time.inverse() };
            Some(Cell::Ratio(figure))
        };
        self.pairs.iter().map(one).collect()
    }
}

/// A counter that is used in one way, and owned.
struct Owned<C>(C, Usage);

impl<C: Counter> Workload for Owned<C> {
    fn threads(&self) -> u64 {
        Used(&self.0, self.1).threads()
    }

    fn run(&self, thread: u64, n: u64) {
        Used(&self.0, self.1).run(thread, n);
    }

    fn check(&self, n: u64) {
        Used(&self.0, self.1).check(n);
    }
}

const STD: &str = "std Mutex";
const PARKING_LOT: &str = "parking_lot Mutex";
const SLOTLESS: &str = "parking_lot Mutex, no slot";
const STD_READ: &str = "std RwLock, read";
const PARKING_LOT_READ: &str = "parking_lot RwLock, read";

/// The same workload on each family of mutexes.
macro_rules! mutexes {
    (|$lock:ident| $make:expr) => {{
        macro_rules! of {
            ($kind:ty) => {{
                type $lock = $kind;
                $make
            }};
        }
        vec![
            Pair::new(STD, of!(OurStd), of!(BareStd)),
            Pair::new(PARKING_LOT, of!(OurParkingLot), of!(BareParkingLot)),
            Pair::new(SLOTLESS, of!(OurSlotless), of!(BareSlotless)),
        ]
    }};
}

fn one_lock(usage: Usage) -> Vec<Pair> {
    mutexes!(|Lock| Owned(Aligned(<Lock as Mutex>::make()), usage))
}

fn one_lock_read(usage: Usage) -> Vec<Pair> {
    macro_rules! of {
        ($lock:ty) => {
            Owned(Aligned(<$lock as RwLock>::make()), usage)
        };
    }
    vec![
        Pair::new(STD_READ, of!(OurStdRead), of!(BareStdRead)),
        Pair::new(PARKING_LOT_READ, of!(OurParkingLotRead), of!(BareParkingLotRead)),
    ]
}

fn alike(usage: Usage) -> Vec<Pair> {
    mutexes!(|Lock| Owned(Hundred::alike(|| Aligned(<Lock as Mutex>::make())), usage))
}

fn zipf(usage: Usage) -> Vec<Pair> {
    mutexes!(|Lock| Owned(Hundred::zipf(|| Aligned(<Lock as Mutex>::make())), usage))
}

/// Whether there is a table of this id that may not be in a record: one of a task, or
/// one that was added to the bench.
#[must_use]
pub fn is_measured(id: &str) -> bool {
    [SESSIONS, PERIODS, BY_NUMBER, REAL].contains(&id) || tasks().iter().any(|task| task.id == id)
}

/// The table of how long it takes to start a session and to stop it.
pub const SESSIONS: &str = "sessions";

/// The table of cost against the sampling period.
pub const PERIODS: &str = "periods";

/// What tables of cost against the number of threads are called by.
pub const BY_THREADS: &str = "threads_";

/// All of them. What a quick run measures comes first.
#[must_use]
pub fn tasks() -> Vec<Task> {
    let mut all = one_thread();
    all.extend(two_threads());
    all.extend(by_threads());
    all.extend([4, 8].into_iter().flat_map(more_threads));
    all
}

fn one_thread() -> Vec<Task> {
    let task = |id, title: &str, pairs| Task {
        id,
        title: format!("{title}: time relative to the bare lock"),
        figure: Figure::Time,
        part: 2,
        is_quick: true,
        pairs,
    };
    vec![
        task(
            "try_free",
            "try_lock of a free lock + unlock",
            mutexes!(|Lock| Tries::<Lock>::free()),
        ),
        task("try_held", "try_lock of a held lock", mutexes!(|Lock| Tries::<Lock>::held())),
        task("nested", "Two locks, one inside the other", mutexes!(|Lock| Nested::<Lock>::new())),
        task("made", "A lock made and dropped", mutexes!(|Lock| Births::<Lock>::unused())),
        task(
            "made_locked",
            "A lock made, locked once and dropped",
            mutexes!(|Lock| Births::<Lock>::locked_once()),
        ),
    ]
}

/// How a table of threads on one lock is called by how the lock is held.
const HELD: [(Option<Held>, &str, u64); 4] = [
    (Some(Held::Long), "500 ns held, up to 3 µs not", 50),
    (Some(Held::Short), "50 ns held, up to 300 ns not", 5),
    (Some(Held::Bimodal), "50 ns or, one time in ten, 2 µs held, up to 1.5 µs not", 25),
    (None, "which do nothing but lock", 1),
];

fn usage(threads: u64, held: Option<Held>) -> Usage {
    held.map_or(Usage::idle(threads), |held| Usage::busy(threads, held))
}

fn threads(id: &'static str, title: String, part: u64, pairs: Vec<Pair>) -> Task {
    let title = format!("{title}: throughput relative to the bare lock");
    Task { id, title, figure: Figure::Throughput, part, is_quick: true, pairs }
}

fn two_threads() -> Vec<Task> {
    let ids = ["two_long", "two_short", "two_bimodal", "two_idle"];
    let mut all: Vec<Task> = ids
        .into_iter()
        .zip(HELD)
        .map(|(id, (held, how, part))| {
            let mut pairs = one_lock(usage(2, held));
            pairs.extend(one_lock_read(usage(2, held)));
            threads(id, format!("Two threads on one lock, {how}"), part, pairs)
        })
        .collect();
    let short = usage(2, Some(Held::Short));
    let hundred = |how| format!("Two threads on a hundred locks {how}");
    let (busy, idle) = ("50 ns held, up to 300 ns not", "which do nothing but lock");
    let alike_short = hundred(format!("at random, {busy}"));
    let alike_idle = hundred(format!("at random, {idle}"));
    let zipf_short = hundred(format!("chosen by Zipf's law, {busy}"));
    let zipf_idle = hundred(format!("chosen by Zipf's law, {idle}"));
    all.extend([
        threads("hundred_short", alike_short, 5, alike(short)),
        threads("hundred_idle", alike_idle, 1, alike(usage(2, None))),
        threads("zipf_short", zipf_short, 5, zipf(short)),
        Task { is_quick: false, ..threads("zipf_idle", zipf_idle, 1, zipf(usage(2, None))) },
        threads(
            "readers",
            format!("Two threads that read, and write one time in 64, {busy}"),
            5,
            vec![
                Pair::new(STD_READ, Readers::<OurStdRead>::new(), Readers::<BareStdRead>::new()),
                Pair::new(
                    PARKING_LOT_READ,
                    Readers::<OurParkingLotRead>::new(),
                    Readers::<BareParkingLotRead>::new(),
                ),
            ],
        ),
        threads(
            "queue",
            "A queue of 16 places between two threads, which wait by condition variables"
                .to_owned(),
            20,
            vec![
                Pair::new(STD, OurStdQueue::default(), BareStdQueue::default()),
                Pair::new(
                    PARKING_LOT,
                    OurParkingLotQueue::default(),
                    BareParkingLotQueue::default(),
                ),
            ],
        ),
    ]);
    all
}

/// What a lock costs as threads become more: on one lock, and each on its own.
fn by_threads() -> Vec<Task> {
    macro_rules! of {
        ($ours:ty, $bare:ty) => {{
            let one = |name, threads| {
                let usage = usage(threads, Some(Held::Short));
                let ours = Owned(Aligned(<$ours as Mutex>::make()), usage);
                Pair::new(name, ours, Owned(Aligned(<$bare as Mutex>::make()), usage))
            };
            let own = |name, threads| {
                let ours = Disjoint::<$ours>::new(threads, Held::Short);
                Pair::new(name, ours, Disjoint::<$bare>::new(threads, Held::Short))
            };
            vec![
                one("1 thread", 1),
                one("2 threads", 2),
                one("4 threads", 4),
                one("8 threads", 8),
                own("2 threads, a lock each", 2),
                own("4 threads, a lock each", 4),
            ]
        }};
    }
    let title = |kind| format!("Threads on one {kind}, or each on its own, {}", HELD[1].1);
    let parking_lot = of!(OurParkingLot, BareParkingLot);
    vec![
        threads("threads_parking_lot", title(PARKING_LOT), 10, parking_lot),
        Task { is_quick: false, ..threads("threads_std", title(STD), 10, of!(OurStd, BareStd)) },
    ]
}

/// For a full run: more threads than a small machine has cores.
fn more_threads(number: u64) -> Vec<Task> {
    let (word, ids) = match number {
        4 => ("Four", ["four_long", "four_short", "four_bimodal", "four_idle"]),
        _ => ("Eight", ["eight_long", "eight_short", "eight_bimodal", "eight_idle"]),
    };
    ids.into_iter()
        .zip(HELD)
        .map(|(id, (held, how, part))| {
            let title = format!("{word} threads on one lock, {how}");
            // All together do twice of what two do.
            let part = part * number / 4;
            let pairs = one_lock(usage(number, held));
            Task { is_quick: false, ..threads(id, title, part, pairs) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_task_does_what_it_should_and_has_an_id_of_its_own() {
        let all = tasks();
        let size = Size { rounds: 1, operations: 100, budget: Duration::MAX };
        for task in &all {
            assert!(all.iter().filter(|other| other.id == task.id).count() == 1, "{}", task.id);
            let cells = task.cells(&size);
            assert_eq!(cells.len(), task.pairs.len());
        }
    }
}
