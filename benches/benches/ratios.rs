//! Uncontended and contended cost, as ratios to the bare lock.
//!
//! `cargo bench -p lockscope-benches --bench ratios [-- --quick]` prints the
//! table of the README, with what it was measured on.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lockscope_benches::locks::*;
use lockscope_benches::stats::Ratio;
use lockscope_host::Profiler;

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

/// A session whose cost is measured.
#[derive(Clone, Copy)]
struct Watching {
    title: &'static str,
    backend: &'static str,
    settings: &'static [(&'static str, &'static str)],
    /// A pattern of locks that are not watched; empty for none.
    exclude: &'static str,
}

impl Watching {
    const fn new(
        title: &'static str,
        backend: &'static str,
        settings: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { title, backend, settings, exclude: "" }
    }

    const fn without(self, exclude: &'static str) -> Self {
        Self { exclude, ..self }
    }

    fn start(&self) -> Profiler {
        let builder = Profiler::builder().backend(self.backend).control(false);
        let builder = self.settings.iter().fold(builder, |b, (key, value)| b.set(key, *value));
        let builder = if self.exclude.is_empty() { builder } else { builder.exclude(self.exclude) };
        builder.start().unwrap_or_else(|error| panic!("the bench cannot start {self:?}: {error}"))
    }
}

impl core::fmt::Debug for Watching {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.title)
    }
}

/// So that a bench that does nothing but lock stays watched.
const NO_LIMIT: (&str, &str) = ("auto_disable_ops_per_sec", "0");
/// A trigger that nothing pulls.
const UNREACHED: (&str, &str) = ("wake_on_contentions", "1000000000");
/// A window that does not end.
const AWAKE: [(&str, &str); 3] =
    [("wake_at_start", "1"), ("window_ms", "3600000"), ("period", "100")];
const AWAKE_MANY: [(&str, &str); 4] = [AWAKE[0], AWAKE[1], AWAKE[2], MANY];
const MANY: (&str, &str) = ("max_locks", "2000000");
const EVERY: (&str, &str) = ("period", "1");
const ONE_IN_100: (&str, &str) = ("period", "100");

const UNCONTENDED: &[Watching] = &[
    Watching::new("wrapper, one in 1000", "wrapper", &[("period", "1000")]),
    Watching::new("wrapper, one in 100", "wrapper", &[ONE_IN_100]),
    Watching::new("wrapper, every operation", "wrapper", &[EVERY]),
    Watching::new("wrapper, of a lock that is excluded", "wrapper", &[ONE_IN_100])
        .without("kind:*"),
    Watching::new("sidetable, one in 100", "sidetable", &[ONE_IN_100]),
    Watching::new("sidetable, every operation", "sidetable", &[EVERY]),
    Watching::new("adaptive, of a quiet lock", "adaptive", &[NO_LIMIT]),
    Watching::new("lazy, asleep", "lazy", &[]),
    Watching::new("lazy, asleep, with a trigger", "lazy", &[UNREACHED]),
    Watching::new("lazy, awake, one in 100", "lazy", &AWAKE),
];

const ONE_IN_100_EACH: &[Watching] = &[
    Watching::new("wrapper, one in 100", "wrapper", &[ONE_IN_100]),
    Watching::new("sidetable, one in 100", "sidetable", &[ONE_IN_100]),
    Watching::new("adaptive", "adaptive", &[NO_LIMIT]),
    Watching::new("lazy, awake, one in 100", "lazy", &AWAKE),
];

struct Size {
    rounds: usize,
    operations: u64,
}

impl Size {
    /// As many rounds of so many times fewer operations, which take longer.
    fn part(&self, times: u64) -> Self {
        Self { operations: self.operations / times, ..*self }
    }
}

/// Ratios of `ours` to `bare`, run in turn.
fn ratios(ours: &dyn Counter, bare: &dyn Counter, usage: Usage, size: &Size) -> Ratio {
    time(bare, usage, size.operations);
    time(ours, usage, size.operations);
    Ratio::of(
        (0..size.rounds)
            .map(|round| {
                // Whoever goes first does so every other time.
                let (ours, bare) = if round % 2 == 0 {
                    let ours = time(ours, usage, size.operations);
                    (ours, time(bare, usage, size.operations))
                } else {
                    let bare = time(bare, usage, size.operations);
                    (time(ours, usage, size.operations), bare)
                };
                ours.as_secs_f64() / bare.as_secs_f64()
            })
            .collect(),
    )
}

fn row(title: &str, cells: impl Iterator<Item = String>) {
    println!("| {title} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

fn head(title: &str, families: &[Family]) {
    println!("### {title}\n");
    row("", families.iter().map(|family| family.name.to_owned()));
    row("---", families.iter().map(|_| "---".to_owned()));
}

fn uncontended(families: &mut [Family], size: &Size) {
    head("Uncontended lock + unlock, ratio to the bare lock: median (quartiles)", families);
    let measure = |title: &str, families: &[Family], pick: fn(&Family) -> &dyn Counter| {
        let ratios =
            families.iter().map(|f| ratios(pick(f), &*f.bare, Usage::Alone, size).to_string());
        row(title, ratios);
    };
    measure("never started", families, |f| &*f.before);
    for watching in UNCONTENDED {
        let session = watching.start();
        for family in families.iter_mut() {
            family.during = (family.make)();
        }
        measure(watching.title, families, |f| &*f.during);
        session.stop().expect("the session stops");
    }
    for family in families.iter_mut() {
        family.after = Some((family.make)());
    }
    measure("stopped, lock made before", families, |f| &*f.before);
    measure("stopped, lock made during", families, |f| &*f.during);
    measure("stopped, lock made after", families, |f| f.after.as_deref().unwrap_or(&*f.before));
    println!();
}

/// Throughput of two threads, without a session and with each of `sessions`.
fn throughput(
    what: &str,
    families: &[(&dyn Counter, &dyn Counter)],
    usage: Usage,
    sessions: &[Watching],
    size: &Size,
) {
    let measure = |gate: &str| {
        let cells = families
            .iter()
            .map(|(ours, bare)| ratios(*ours, *bare, usage, size).inverse().to_string());
        row(&format!("{gate}; {what}"), cells);
    };
    measure("closed");
    for watching in sessions {
        let session = watching.start();
        measure(watching.title);
        session.stop().expect("the session stops");
    }
}

fn contended(families: &[Family], size: &Size) {
    head("Two threads on one lock: throughput relative to the bare lock", families);
    let pairs: Vec<(&dyn Counter, &dyn Counter)> =
        families.iter().map(|family| (&*family.before, &*family.bare)).collect();
    let long = size.part(50);
    let long_held = "500 ns held, up to 3 µs not";
    throughput(long_held, &pairs, Usage::TwoLong, ONE_IN_100_EACH, &long);
    let short_held = "50 ns held, up to 300 ns not";
    throughput(short_held, &pairs, Usage::TwoShort, ONE_IN_100_EACH, &size.part(5));
    let idle = "nothing done but locking";
    throughput(idle, &pairs, Usage::TwoIdle, &ONE_IN_100_EACH[..2], size);
    println!();
}

fn a_hundred_locks(size: &Size) {
    println!("### Two threads on a hundred locks: throughput relative to the bare locks\n");
    println!("| | std Mutex | parking_lot Mutex | parking_lot Mutex, no slot |\n|---|---|---|---|");
    let std = (
        Hundred::new(|| Aligned(OurStd::new(0))),
        Hundred::new(|| Aligned(BareStd::new(Default::default()))),
    );
    let parking_lot = (
        Hundred::new(|| Aligned(OurParkingLot::new(0))),
        Hundred::new(|| Aligned(BareParkingLot::new(Default::default()))),
    );
    let slotless = (
        Hundred::new(|| Aligned(OurSlotless::new(0))),
        Hundred::new(|| Aligned(BareSlotless::new(0))),
    );
    let pairs: [(&dyn Counter, &dyn Counter); 3] =
        [(&std.0, &std.1), (&parking_lot.0, &parking_lot.1), (&slotless.0, &slotless.1)];
    throughput("nothing done but locking", &pairs, Usage::TwoIdle, ONE_IN_100_EACH, size);
    let short_held = "50 ns held, up to 300 ns not";
    throughput(short_held, &pairs, Usage::TwoShort, ONE_IN_100_EACH, &size.part(5));
    println!();
}

/// What a budget of one per cent is worth: time for the same work.
fn ten_million_a_second(families: &[Family], size: &Size) {
    head("Ten million operations a second: time relative to the bare lock", families);
    let measure = |title: &str| {
        let paced =
            families.iter().map(|f| ratios(&*f.before, &*f.bare, Usage::Paced, size).to_string());
        row(title, paced);
    };
    measure("closed");
    for watching in ONE_IN_100_EACH {
        let session = watching.start();
        // A budget needs a moment to settle.
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(1) {
            time(&*families[0].before, Usage::Paced, size.operations);
        }
        measure(watching.title);
        let report = session.stop().expect("the session stops");
        report.notes.iter().for_each(|note| eprintln!("{}: {note}", watching.title));
    }
    println!();
}

/// How long it takes from waking a backend to its first sample.
fn waking() {
    let lock = OurStd::new(0);
    let goes_on = AtomicBool::new(true);
    let session =
        Watching::new("lazy, every operation", "lazy", &[EVERY, ("window_ms", "20")]).start();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
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
    times.sort_unstable();
    println!("### From waking lazy to a snapshot that shows its first sample\n");
    println!(
        "{:.2?} (median of {}), {:.2?} at most\n",
        times[times.len() / 2],
        times.len(),
        times[times.len() - 1]
    );
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc is mounted");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("the second field of statm is a number") * 4096
}

const MILLION: usize = 1_000_000;

fn memory() {
    println!("### A million locks, each locked once: bytes per lock\n");
    println!("| | parking_lot Mutex<()> | with slot | no slot |");
    println!("|---|---|---|---|");
    let slotted = size_of::<lockscope::parking_lot::Mutex<()>>() as u64;
    let slotless = size_of::<lockscope::parking_lot::slotless::Mutex<()>>() as u64;
    let bare = size_of::<parking_lot::Mutex<()>>() as u64;
    println!("| closed | {bare} | {slotted} | {slotless} |");
    assert_eq!((bare, slotted, slotless), (1, 64, 1));
    for (number, (watching, most_slotted, most_slotless)) in MEMORY.iter().enumerate() {
        let with = slotted + grown_apart(number, SLOTTED);
        let without = slotless + grown_apart(number, SLOTLESS);
        println!("| {} | | {with} | {without} |", watching.title);
        assert!(with <= *most_slotted, "{watching:?}: {with}, {most_slotted} are stated");
        assert!(without <= *most_slotless, "{watching:?}: {without}, {most_slotless} are stated");
    }
    println!();
}

/// What memory is measured with, and most bytes that are stated: with slot, and
/// without.
const MEMORY: &[(Watching, u64, u64)] = &[
    (Watching::new("wrapper, one in 100", "wrapper", &[MANY, ONE_IN_100]), 96, 32),
    (Watching::new("wrapper, every operation", "wrapper", &[MANY, EVERY]), 964, 964),
    (Watching::new("sidetable, one in 100", "sidetable", &[MANY, ONE_IN_100]), 96, 32),
    (Watching::new("sidetable, every operation", "sidetable", &[MANY, EVERY]), 1264, 1264),
    (Watching::new("adaptive", "adaptive", &[MANY, NO_LIMIT]), 164, 164),
    (Watching::new("lazy, asleep", "lazy", &[MANY]), 72, 8),
    (Watching::new("lazy, awake, one in 100", "lazy", &AWAKE_MANY), 96, 32),
];

/// Arguments of a process that measures one row, since what one session has
/// freed the next would use again.
const GROWN: &str = "--grown";
const SLOTTED: &str = "slotted";
const SLOTLESS: &str = "slotless";

fn grown_apart(number: usize, kind: &str) -> u64 {
    let bench = std::env::current_exe().expect("the bench knows where it is");
    let output = Command::new(bench).args([GROWN, &number.to_string(), kind]).output();
    let output = output.expect("the bench can be started again");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    text.parse().unwrap_or_else(|_| panic!("no number of bytes but '{text}': {error}"))
}

/// Measures what [`grown_apart`] asks for.
fn measure_grown(number: &str, kind: &str) {
    let number: usize = number.parse().expect("a row's number");
    let watching = MEMORY[number].0;
    let grown = match kind {
        SLOTTED => grown(watching, lockscope::parking_lot::Mutex::new),
        _ => grown(watching, lockscope::parking_lot::slotless::Mutex::new),
    };
    println!("{grown}");
}

/// By how many bytes the process grows for each of a million locks that are
/// locked once in a session.
fn grown<L: Lockable>(watching: Watching, make: fn(()) -> L) -> u64 {
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

fn first_line(command: &str, args: &[&str]) -> String {
    let output = Command::new(command).args(args).output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

fn provenance(quick: bool) {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        cpu.lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split(": ").nth(1))
            .unwrap_or("unknown")
            .to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "Machine: {} (family {}, model {}), {cores} cores; {}; commit {}; \
         `cargo bench -p lockscope-benches --bench ratios{}`",
        field("model name"),
        field("cpu family"),
        field("model"),
        first_line("rustc", &["-V"]),
        first_line("git", &["rev-parse", "--short", "HEAD"]),
        if quick { " -- --quick" } else { "" },
    );
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [grown, number, kind] = &args[..]
        && grown == GROWN
    {
        return measure_grown(number, kind);
    }
    let quick = std::env::args().any(|arg| arg == "--quick");
    let (single, pair) = if quick {
        (Size { rounds: 15, operations: 100_000 }, Size { rounds: 7, operations: 300_000 })
    } else {
        (Size { rounds: 61, operations: 200_000 }, Size { rounds: 21, operations: 1_000_000 })
    };
    let mut families = families();
    uncontended(&mut families, &single);
    contended(&families, &pair);
    a_hundred_locks(&pair);
    ten_million_a_second(&families, &pair.part(5));
    waking();
    memory();
    provenance(quick);
}
