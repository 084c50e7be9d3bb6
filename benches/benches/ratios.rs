//! Uncontended and contended cost, as ratios to the bare lock, and memory.
//!
//! `cargo xtask bench` builds what it measures and runs this; `--help` says what it
//! can be asked for.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lockscope_benches::asked::{Asked, USAGE};
use lockscope_benches::locks::*;
use lockscope_benches::real::Programs;
use lockscope_benches::record::{self, Cell, Provenance, Record, Row, Table};
use lockscope_benches::rows::{shown, watched};
use lockscope_benches::suite::{Figure, PERIODS, Task, tasks};
use lockscope_benches::watching::{Backend, Watching};
use lockscope_benches::workload::{Size, Usage, Used, ratio, time};
use lockscope_benches::{accuracy, compare, documents, limits, memory, page, sessions};

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

/// What one in so many costs, for one in all, ten, and so on.
fn periods(families: &mut [Family], backends: &[Backend], size: &Size) -> Table {
    let title = "Uncontended lock + unlock, by the sampling period: time relative to the bare lock";
    // Mutexes: readers, and locks that have no slot, are counted down in one way.
    let families = &mut families[..3];
    let mut table = Table::new(PERIODS, title, &names(families));
    eprintln!("{title}");
    for watching in backends.iter().flat_map(Backend::every_period) {
        table.rows.push(watched(&watching, || {
            for family in families.iter_mut() {
                family.during = (family.make)();
            }
            families.iter().map(|f| alone(&*f.during, &*f.bare, Usage::ALONE, size)).collect()
        }));
    }
    table
}

/// What a task costs, without a session and with those of each backend.
fn task(task: &Task, unwatched: Row, backends: &[Backend], plan: &Plan) -> Table {
    let columns: Vec<&str> = task.pairs.iter().map(|pair| pair.name).collect();
    let size = &plan.size_of(task);
    let mut table = Table::new(task.id, &task.title, &columns);
    eprintln!("{}", task.title);
    table.rows.push(shown(unwatched));
    for watching in backends.iter().flat_map(|backend| plan.sessions_of(task, backend)) {
        table.rows.push(watched(&watching, || task.cells(size)));
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

/// How long the suite measures.
struct Plan {
    /// A ratio of one thread.
    single: Size,
    /// A ratio of several.
    pair: Size,
    /// So many sessions are started and stopped for a median.
    sessions: usize,
    is_quick: bool,
}

impl Plan {
    fn new(is_quick: bool) -> Self {
        let size = |rounds, operations, ms| {
            let budget = Duration::from_millis(ms);
            Size { rounds, operations, budget }
        };
        if is_quick {
            let (single, pair) = (size(15, 100_000, 120), size(35, 60_000, 250));
            return Self { single, pair, sessions: 1, is_quick };
        }
        let (single, pair) = (size(61, 200_000, 500), size(105, 200_000, 1_500));
        Self { single, pair, sessions: 3, is_quick }
    }

    fn tasks(&self) -> Vec<Task> {
        tasks().into_iter().filter(|task| task.is_quick || !self.is_quick).collect()
    }

    fn size_of(&self, task: &Task) -> Size {
        match task.figure {
            Figure::Time => self.single.part(task.part),
            Figure::Throughput => self.pair.part(task.part),
        }
    }

    /// The sessions that a task is measured with.
    fn sessions_of(&self, task: &Task, backend: &Backend) -> Vec<Watching> {
        let is_full = task.is_quick && !self.is_quick;
        if task.figure == Figure::Time || is_full {
            backend.periods()
        } else {
            vec![backend.one_in_100()]
        }
    }

    /// How long it takes at most, on a machine that is not much slower than those of
    /// today: every ratio has its budget, and the rest is known from experience.
    fn longest(&self, tasks: &[Task], backends: &[Backend]) -> Duration {
        let number = |of: fn(&Backend) -> usize| backends.iter().map(of).sum::<usize>() as u32;
        let of_task = |task: &Task| {
            let sessions = backends.iter().map(|backend| self.sessions_of(task, backend).len());
            let ratios = (2 + sessions.sum::<usize>()) * task.pairs.len();
            self.size_of(task).budget * ratios as u32
        };
        let tasks: Duration = tasks.iter().map(of_task).sum();
        let alone = 5 * (4 + number(|b| b.uncontended().len()));
        let single = self.single.budget * (alone + 3 * number(|b| b.every_period().len()) + 20);
        let crates = 3 * (1 + number(|b| b.periods().len()));
        let paced = self.pair.budget * (5 * (1 + backends.len() as u32) + crates);
        let millions = number(|b| b.memory().len());
        let seconds = backends.len() as u32 + millions * (4 * self.sessions as u32 + 4);
        tasks + single + paced + Duration::from_secs(seconds.into())
    }
}

/// Tables as they are measured, each with the time that it took.
#[derive(Default)]
struct Tables(Vec<Table>);

impl Tables {
    fn add(&mut self, measure: impl FnOnce() -> Table) {
        self.0.push(timed(measure));
    }
}

/// Says how long it took.
fn timed<R>(measure: impl FnOnce() -> R) -> R {
    let began = Instant::now();
    let measured = measure();
    eprintln!("  took {:.0} s", began.elapsed().as_secs_f64());
    measured
}

fn measure(plan: &Plan, backends: &[Backend], asked: &Asked) -> Result<Vec<Table>, String> {
    let mut families = families();
    let tasks = plan.tasks();
    let longest = plan.longest(&tasks, backends).as_secs_f64() / 60.0;
    eprintln!(
        "This takes up to {:.0} minutes on a machine that does nothing else.",
        longest.ceil()
    );
    // Before the first session: nothing is as it was afterwards.
    eprintln!("All tasks, before any session");
    let unwatched = |task: &Task| Row {
        title: "never started".to_owned(),
        cells: task.cells(&plan.size_of(task)),
    };
    let never_started: Vec<Row> = timed(|| tasks.iter().map(unwatched).collect());
    let mut tables = Tables::default();
    tables.add(|| uncontended(&mut families, backends, &plan.single));
    tables.add(|| periods(&mut families, backends, &plan.single));
    for (of, unwatched) in tasks.iter().zip(never_started) {
        tables.add(|| task(of, unwatched, backends, plan));
    }
    tables.add(|| ten_million_a_second(&families, backends, &plan.pair.part(5)));
    tables.add(|| sessions::waking(backends));
    tables.add(|| sessions::start_and_stop(backends, plan.sessions));
    tables.add(|| memory::memory(backends));
    let million = tables.0.last().cloned();
    tables.add(|| memory::by_number(backends, million.as_ref()));
    #[cfg(feature = "peers")]
    tables.add(|| peers(backends, &plan.single));
    if let Some(folder) = &asked.programs {
        let programs = Programs::new(folder.clone());
        tables.0.push(timed(|| programs.table(backends, &plan.pair.part(10)))?);
    }
    Ok(tables.0)
}

/// Writes the documents' tables from `record`.
fn write_documents(record: &Record) -> Result<(), String> {
    for document in documents::DOCUMENTS {
        let path = record::root().join(document);
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("cannot read {document}: {e}"))?;
        record::replace(&path, &documents::filled(&text, record)?)?;
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
        ("cost", record::kept(), measure(&Plan::new(asked.quick), &backends, asked)?)
    };
    let record = Record { provenance: provenance(), tables };
    show(&record, name)?;
    if let Some(before) = before {
        compare::differences(&before, &record).iter().for_each(|line| println!("{line}"));
    }
    if asked.record {
        record.noise().is_bearable()?;
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
    record::replace(&html, &page::html(record))?;
    println!("Written: {} and {}", inside(&json), inside(&html));
    println!("{}", record.noise());
    Ok(())
}

/// A path as it is seen from the workspace's root.
fn inside(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(record::root()).unwrap_or(path).display()
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if memory::answer(&args) {
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
