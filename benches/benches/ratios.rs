//! Uncontended and contended cost, as ratios to the bare lock.
//!
//! `cargo bench -p lockscope-benches --bench ratios [-- --quick]` prints the
//! table of the README, with what it was measured on.

use std::process::Command;

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

/// What a row of the table does with the profiler.
#[derive(Clone, Copy, PartialEq)]
enum Setting {
    NeverStarted,
    Stopped,
    Period(u32),
}

struct Size {
    rounds: usize,
    operations: u64,
}

fn start(period: u32) -> Profiler {
    Profiler::builder()
        .backend("wrapper")
        .period(period)
        .start()
        .unwrap_or_else(|error| panic!("the bench cannot start the profiler: {error}"))
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

fn uncontended(families: &mut [Family], size: &Size) {
    println!("### Uncontended lock + unlock, ratio to the bare lock: median (quartiles)\n");
    row("", families.iter().map(|family| family.name.to_owned()));
    row("---", families.iter().map(|_| "---".to_owned()));
    let measure = |title: &str, families: &[Family], pick: fn(&Family) -> &dyn Counter| {
        let ratios =
            families.iter().map(|f| ratios(pick(f), &*f.bare, Usage::Alone, size).to_string());
        row(title, ratios);
    };
    for setting in [
        Setting::NeverStarted,
        Setting::Period(1000),
        Setting::Period(100),
        Setting::Period(1),
        Setting::Stopped,
    ] {
        match setting {
            Setting::NeverStarted => measure("never started", families, |f| &*f.before),
            Setting::Period(period) => {
                let session = start(period);
                let title = match period {
                    1 => "wrapper, every operation".to_owned(),
                    n => format!("wrapper, one in {n}"),
                };
                for family in families.iter_mut() {
                    family.during = (family.make)();
                }
                measure(&title, families, |f| &*f.during);
                session.stop().expect("the session stops");
            }
            Setting::Stopped => {
                for family in families.iter_mut() {
                    family.after = Some((family.make)());
                }
                measure("stopped, lock made before", families, |f| &*f.before);
                measure("stopped, lock made during", families, |f| &*f.during);
                measure("stopped, lock made after", families, |f| {
                    f.after.as_deref().unwrap_or(&*f.before)
                });
            }
        }
    }
    println!();
}

fn contended(families: &[Family], size: &Size) {
    println!("### Two threads on one lock: throughput relative to the bare lock\n");
    row("", families.iter().map(|family| family.name.to_owned()));
    row("---", families.iter().map(|_| "---".to_owned()));
    let long = Size { operations: size.operations / 4, ..*size };
    for (what, usage, size) in [
        ("500 ns held, up to 3 µs not", Usage::TwoLong, &long),
        ("50 ns held, up to 300 ns not", Usage::TwoShort, size),
        ("nothing done but locking", Usage::TwoIdle, size),
    ] {
        for (gate, period) in [("closed", None), ("wrapper, one in 100", Some(100))] {
            let session = period.map(start);
            let throughput = families.iter().map(|f| {
                let times = ratios(&*f.before, &*f.bare, usage, size);
                times.inverse().to_string()
            });
            row(&format!("{gate}; {what}"), throughput);
            if let Some(session) = session {
                session.stop().expect("the session stops");
            }
        }
    }
    println!();
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc is mounted");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("the second field of statm is a number") * 4096
}

const MILLION: usize = 1_000_000;

fn memory() {
    println!("### A million locks: bytes per lock\n");
    println!("| | parking_lot Mutex<()> | with slot | no slot |");
    println!("|---|---|---|---|");
    let slotted = size_of::<lockscope::parking_lot::Mutex<()>>();
    let slotless = size_of::<lockscope::parking_lot::slotless::Mutex<()>>();
    let bare = size_of::<parking_lot::Mutex<()>>();
    println!("| closed | {bare} | {slotted} | {slotless} |");
    assert_eq!((bare, slotted, slotless), (1, 64, 1));
    for (title, period, limit) in [
        ("wrapper, one in 100, each locked once", 100, 64 + 32),
        ("wrapper, every operation, each locked once", 1, 64 + 900),
    ] {
        let locks: Vec<_> = (0..MILLION).map(|_| lockscope::parking_lot::Mutex::new(())).collect();
        let before = resident();
        let session = Profiler::builder()
            .backend("wrapper")
            .period(period)
            .set("max_locks", "2000000")
            .start()
            .unwrap_or_else(|error| panic!("the bench cannot start the profiler: {error}"));
        for lock in &locks {
            drop(lock.lock());
        }
        let per_lock = slotted as u64 + resident().saturating_sub(before) / MILLION as u64;
        session.stop().expect("the session stops");
        println!("| {title} | | {per_lock} | |");
        assert!(
            per_lock <= limit,
            "{title}: {per_lock} bytes per lock, at most {limit} are stated"
        );
    }
    println!();
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
    let quick = std::env::args().any(|arg| arg == "--quick");
    let (single, pair) = if quick {
        (Size { rounds: 15, operations: 100_000 }, Size { rounds: 9, operations: 100_000 })
    } else {
        (Size { rounds: 81, operations: 400_000 }, Size { rounds: 61, operations: 400_000 })
    };
    let mut families = families();
    uncontended(&mut families, &single);
    contended(&families, &pair);
    memory();
    provenance(quick);
}
