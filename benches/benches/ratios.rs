//! Uncontended and contended cost, as ratios to the bare lock, and memory.
//!
//! `cargo xtask bench` builds what it measures and runs this; `--help` says what it
//! can be asked for.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lockscope_benches::asked::{Asked, USAGE};
use lockscope_benches::locks::*;
use lockscope_benches::record::{self, Cell, Provenance, Record, Row, Table};
use lockscope_benches::suite::{Figure, SESSIONS, Task, tasks};
use lockscope_benches::watching::{Backend, Watching};
use lockscope_benches::workload::{Size, Usage, Used, ratio, time};
use lockscope_benches::{accuracy, compare, documents, limits, page};

/// One kind of lock: the bare one, and ours made at three times.
struct Family {
    name: &'static str,
    bare: Box<dyn Counter>,
    make: fn() -> Box<dyn Counter>,
    /// Made before any session.
    before: Box<dyn Counter>,
    /// Made while a session ran.
    during: Box<dyn Counter>,
    /// Made after a session.
    after: Option<Box<dyn Counter>>,
}

impl Family {
    fn new(
        name: &'static str,
        bare: impl Counter + 'static,
        make: fn() -> Box<dyn Counter>,
    ) -> Self {
        Self {
            name,
            bare: Box::new(Aligned(bare)),
            make,
            before: make(),
            during: make(),
            after: None,
        }
    }
}

fn families() -> Vec<Family> {
    vec![
        Family::new("std Mutex", BareStd::new(Default::default()), || {
            Box::new(Aligned(OurStd::new(0)))
        }),
        Family::new("parking_lot Mutex", BareParkingLot::new(Default::default()), || {
            Box::new(Aligned(OurParkingLot::new(0)))
        }),
        Family::new("parking_lot Mutex, no slot", BareSlotless::new(0), || {
            Box::new(Aligned(OurSlotless::new(0)))
        }),
        Family::new("std RwLock, read", BareStdRead::new(Default::default()), || {
            Box::new(Aligned(OurStdRead::new(0)))
        }),
        Family::new(
            "parking_lot RwLock, read",
            BareParkingLotRead::new(Default::default()),
            || Box::new(Aligned(OurParkingLotRead::new(0))),
        ),
    ]
}

/// The row of a session: what `cells` measures while it runs.
fn watched(watching: &Watching, cells: impl FnOnce() -> Vec<Option<Cell>>) -> Row {
    let session = watching.start();
    let cells = cells();
    let report = session.stop().expect("the session stops");
    report.notes.iter().for_each(|note| eprintln!("{watching:?}: {note}"));
    shown(Row { title: watching.title.clone(), cells })
}

fn shown(row: Row) -> Row {
    let cells: Vec<String> =
        row.cells.iter().map(|cell| cell.map(documents::shown).unwrap_or_default()).collect();
    eprintln!("  {}: {}", row.title, cells.join(" | "));
    row
}

fn names(families: &[Family]) -> Vec<&'static str> {
    families.iter().map(|family| family.name).collect()
}

/// One thread's time, to that of the bare lock.
fn alone(ours: &dyn Counter, bare: &dyn Counter, usage: Usage, size: &Size) -> Option<Cell> {
    Some(Cell::Ratio(ratio(&Used(ours, usage), &Used(bare, usage), size)))
}

fn uncontended(families: &mut [Family], backends: &[Backend], size: &Size) -> Table {
    let title = "Uncontended lock + unlock: time relative to the bare lock";
    let mut table = Table::new("uncontended", title, &names(families));
    eprintln!("{title}");
    let measure = |families: &[Family], pick: fn(&Family) -> &dyn Counter| {
        families.iter().map(|f| alone(pick(f), &*f.bare, Usage::ALONE, size)).collect()
    };
    let plain = |title: &str, cells| shown(Row { title: title.to_owned(), cells });
    table.rows.push(plain("never started", measure(families, |f| &*f.before)));
    for watching in backends.iter().flat_map(Backend::uncontended) {
        table.rows.push(watched(&watching, || {
            for family in families.iter_mut() {
                family.during = (family.make)();
            }
            measure(families, |f| &*f.during)
        }));
    }
    for family in families.iter_mut() {
        family.after = Some((family.make)());
    }
    table.rows.push(plain("stopped, lock made before", measure(families, |f| &*f.before)));
    table.rows.push(plain("stopped, lock made during", measure(families, |f| &*f.during)));
    let after = measure(families, |f| f.after.as_deref().unwrap_or(&*f.before));
    table.rows.push(plain("stopped, lock made after", after));
    table
}

/// What a task costs, without a session and with those of each backend.
fn task(task: &Task, unwatched: Row, backends: &[Backend], is_quick: bool, size: &Size) -> Table {
    let columns: Vec<&str> = task.pairs.iter().map(|pair| pair.name).collect();
    let mut table = Table::new(task.id, &task.title, &columns);
    eprintln!("{}", task.title);
    table.rows.push(shown(unwatched));
    for backend in backends {
        let all = if is_quick && task.figure == Figure::Throughput {
            vec![backend.one_in_100()]
        } else {
            backend.periods()
        };
        table.rows.extend(all.iter().map(|watching| watched(watching, || task.cells(size))));
    }
    table.rows.push(shown(Row { title: "stopped".to_owned(), cells: task.cells(size) }));
    table
}

/// What a budget of one per cent is worth: time for the same work.
fn ten_million_a_second(families: &[Family], backends: &[Backend], size: &Size) -> Table {
    let title = "Ten million operations a second: time relative to the bare lock";
    let mut table = Table::new("paced", title, &names(families));
    eprintln!("{title}");
    let measure = || {
        families.iter().map(|f| alone(&*f.before, &*f.bare, Usage::PACED, size)).collect::<Vec<_>>()
    };
    table.rows.push(shown(Row { title: "closed".to_owned(), cells: measure() }));
    for backend in backends {
        table.rows.push(watched(&backend.one_in_100(), || {
            // A budget needs a moment to settle.
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(1) {
                time(&Used(&*families[0].before, Usage::PACED), size.operations);
            }
            measure()
        }));
    }
    table
}

/// Others who watch locks, and ours: what a std mutex costs.
#[cfg(feature = "peers")]
fn peers(backends: &[Backend], size: &Size) -> Table {
    let title = "Others who watch locks: an uncontended std mutex, and bytes per lock";
    let mut table = Table::new("peers", title, &["time, relative to bare", "bytes per lock"]);
    eprintln!("{title}");
    let bare = Aligned(BareStd::new(Default::default()));
    let cells = |lock: &dyn Counter, bytes: usize| {
        vec![alone(lock, &bare, Usage::ALONE, size), Some(Cell::Bytes(bytes as u64))]
    };
    let (ours, bytes) = (Aligned(OurStd::new(0)), size_of::<lockscope::sync::Mutex<()>>());
    let closed = Row { title: "lockscope, closed".to_owned(), cells: cells(&ours, bytes) };
    table.rows.push(shown(closed));
    for backend in backends {
        for watching in
            [Some(backend.one_in_100()), backend.every_operation()].into_iter().flatten()
        {
            let row = watched(&watching, || cells(&ours, bytes));
            table.rows.push(Row { title: format!("lockscope, {}", row.title), ..row });
        }
    }
    for peer in lockscope_benches::peers::all() {
        let cells = cells(&*peer.lock, peer.bytes);
        table.rows.push(shown(Row { title: peer.name.to_owned(), cells }));
    }
    table
}

/// How long it takes from waking a backend to a snapshot with its first sample.
fn waking(backends: &[Backend]) -> Table {
    let title = "From waking a backend that sleeps to a snapshot that shows its first sample";
    let mut table = Table::new("waking", title, &["median", "most"]);
    eprintln!("{title}");
    for watching in backends.iter().filter_map(Backend::to_be_woken) {
        let mut times = times_to_wake(&watching);
        times.sort_unstable();
        let ns = |time: Duration| Some(Cell::Ns(time.as_nanos() as u64));
        let cells = vec![ns(times[times.len() / 2]), ns(times[times.len() - 1])];
        table.rows.push(shown(Row { title: watching.title, cells }));
    }
    table
}

fn times_to_wake(watching: &Watching) -> Vec<Duration> {
    let lock = OurStd::new(0);
    let goes_on = AtomicBool::new(true);
    let session = watching.start();
    let times = std::thread::scope(|scope| {
        scope.spawn(|| {
            while goes_on.load(Ordering::Relaxed) {
                lock.run(1);
            }
        });
        let times = (0..15).map(|_| {
            let samples = || session.snapshot().expect("a snapshot").session.samples;
            let before = samples();
            let began = Instant::now();
            session.wake("the bench").expect("it sleeps");
            while samples() == before {}
            let time = began.elapsed();
            std::thread::sleep(Duration::from_millis(60));
            time
        });
        let times = times.collect();
        goes_on.store(false, Ordering::Relaxed);
        times
    });
    lock.take();
    session.stop().expect("the session stops");
    times
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc is mounted");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("the second field of statm is a number") * 4096
}

const MILLION: usize = 1_000_000;

/// How long it takes to start a session and to stop it, with one lock and with a
/// million, each of which is locked once in it.
fn start_and_stop(backends: &[Backend]) -> Table {
    let columns = ["start, one lock", "stop, one lock", "start, a million", "stop, a million"];
    let title = "Start and stop with a million locks alive, each locked once between";
    let mut table = Table::new(SESSIONS, title, &columns);
    eprintln!("{title}");
    let locks: Vec<_> = (0..MILLION).map(lockscope::parking_lot::Mutex::new).collect();
    for backend in backends {
        for watching in backend.memory() {
            let times = [1, MILLION].map(|n| session_times(&watching, &locks[..n]));
            let cells = times.as_flattened().iter().map(|ns| Some(Cell::Ns(*ns))).collect();
            table.rows.push(shown(Row { title: watching.title, cells }));
        }
    }
    for (number, lock) in locks.into_iter().enumerate() {
        assert_eq!(lock.into_inner(), number, "a lock has lost what it guards");
    }
    table
}

/// The medians of a few starts and stops, in nanoseconds.
fn session_times<T>(watching: &Watching, locks: &[lockscope::parking_lot::Mutex<T>]) -> [u64; 2] {
    let (mut starts, mut stops) = (Vec::new(), Vec::new());
    // Each makes a report of a million locks, which takes some gigabytes: no more often.
    for _ in 0..3 {
        let began = Instant::now();
        let session = watching.start();
        starts.push(began.elapsed());
        locks.iter().for_each(|lock| drop(lock.lock()));
        let began = Instant::now();
        let report = session.stop().expect("the session stops");
        stops.push(began.elapsed());
        if watching.sees_all() {
            let sites = report.locks.iter().flat_map(|lock| &lock.sites);
            let seen: f64 = sites.map(|site| site.acquisitions.value).sum();
            assert_eq!(seen, locks.len() as f64, "{watching:?}: acquisitions that were seen");
        }
    }
    [starts, stops].map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_nanos() as u64
    })
}

/// Bytes for each of a million locks.
fn memory(backends: &[Backend]) -> Table {
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
            let with = slotted + grown_apart(backend, number, SLOTTED);
            let without = slotless + grown_apart(backend, number, SLOTLESS);
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

fn grown_apart(backend: &Backend, number: usize, kind: &str) -> u64 {
    let bench = std::env::current_exe().expect("the bench knows where it is");
    let output =
        Command::new(bench).args([GROWN, backend.asked(), &number.to_string(), kind]).output();
    let output = output.expect("the bench can be started again");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    text.parse().unwrap_or_else(|_| panic!("no number of bytes but '{text}': {error}"))
}

/// Measures what [`grown_apart`] asks for.
fn measure_grown(backend: &str, number: &str, kind: &str) {
    let number: usize = number.parse().expect("a row's number");
    let backend = Backend::named(backend).expect("it was found before");
    let watching = &backend.memory()[number];
    let grown = match kind {
        SLOTTED => grown(watching, lockscope::parking_lot::Mutex::new),
        _ => grown(watching, lockscope::parking_lot::slotless::Mutex::new),
    };
    println!("{grown}");
}

/// By how many bytes the process grows for each of a million locks that are
/// locked once in a session.
fn grown<L: Lockable>(watching: &Watching, make: fn(()) -> L) -> u64 {
    let locks: Vec<L> = (0..MILLION).map(|_| make(())).collect();
    let session = watching.start();
    let before = resident();
    locks.iter().for_each(Lockable::lock_once);
    let grown = resident().saturating_sub(before) / MILLION as u64;
    session.stop().expect("the session stops");
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

fn measure(asked: &Asked, backends: &[Backend]) -> Vec<Table> {
    let (single, pair) = if asked.quick {
        (Size { rounds: 15, operations: 100_000 }, Size { rounds: 35, operations: 60_000 })
    } else {
        (Size { rounds: 61, operations: 200_000 }, Size { rounds: 105, operations: 200_000 })
    };
    let mut families = families();
    let tasks: Vec<Task> = tasks().into_iter().filter(|t| t.is_quick || !asked.quick).collect();
    let size_of = |task: &Task| match task.figure {
        Figure::Time => single.part(task.part),
        Figure::Throughput => pair.part(task.part),
    };
    // Before the first session: nothing is as it was afterwards.
    let never_started: Vec<Row> = tasks
        .iter()
        .map(|task| Row { title: "never started".to_owned(), cells: task.cells(&size_of(task)) })
        .collect();
    let mut tables = vec![uncontended(&mut families, backends, &single)];
    for (of, unwatched) in tasks.iter().zip(never_started) {
        tables.push(task(of, unwatched, backends, asked.quick, &size_of(of)));
    }
    tables.push(ten_million_a_second(&families, backends, &pair.part(5)));
    tables.push(waking(backends));
    tables.push(start_and_stop(backends));
    tables.push(memory(backends));
    #[cfg(feature = "peers")]
    tables.push(peers(backends, &single));
    tables
}

/// Writes the documents' tables from `record`.
fn write_documents(record: &Record) -> Result<(), String> {
    for document in documents::DOCUMENTS {
        let path = record::root().join(document);
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("cannot read {document}: {e}"))?;
        std::fs::write(&path, documents::filled(&text, record)?)
            .map_err(|error| format!("cannot write {document}: {error}"))?;
    }
    Ok(())
}

fn run(asked: &Asked) -> Result<(), String> {
    let provenance = || Provenance::of(asked.command());
    if asked.limits {
        let record = Record { provenance: provenance(), tables: vec![limits::counted()?] };
        record.save(&record::kept_limits())?;
    }
    if asked.tables || asked.limits {
        return write_documents(&Record::load(&record::kept())?);
    }
    // Before anything is measured: a file that is not there should not be found
    // missing after ten minutes.
    let before = asked.against.as_deref().map(Record::load).transpose()?;
    let backends = asked.backends()?;
    let (name, kept, tables) = if asked.accuracy {
        let runs = if asked.quick { 200 } else { 1_000 };
        ("accuracy", record::kept_accuracy(), accuracy::measured(&backends, runs)?)
    } else {
        ("cost", record::kept(), measure(asked, &backends))
    };
    let record = Record { provenance: provenance(), tables };
    show(&record, name)?;
    if let Some(before) = before {
        compare::differences(&before, &record).iter().for_each(|line| println!("{line}"));
    }
    if asked.record {
        record.save(&kept)?;
        write_documents(&Record::load(&record::kept())?)?;
    }
    Ok(())
}

/// Prints it, and writes it as JSON and as a page.
fn show(record: &Record, name: &str) -> Result<(), String> {
    for table in &record.tables {
        println!("### {}\n\n{}", table.title, documents::markdown(table, &[]));
    }
    println!("{}", documents::provenance(&record.provenance));
    let folder = record::root().join("target/bench");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let [json, html] = ["json", "html"].map(|end| folder.join(format!("{name}.{end}")));
    record.save(&json)?;
    std::fs::write(&html, page::html(record)).map_err(|error| error.to_string())?;
    println!("Written: {} and {}", inside(&json), inside(&html));
    Ok(())
}

/// A path as it is seen from the workspace's root.
fn inside(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(record::root()).unwrap_or(path).display()
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [grown, backend, number, kind] = &args[..]
        && grown == GROWN
    {
        measure_grown(backend, number, kind);
        return ExitCode::SUCCESS;
    }
    match Asked::parse(&args)
        .map_err(|error| format!("{error}\n{USAGE}"))
        .and_then(|asked| run(&asked))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
