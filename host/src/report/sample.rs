//! Reports for tests: one that has everything, and what tests change in it.

use super::model::{
    Blame, FORMAT, Filters, Frame, Lock, Loss, PendingAcquisition, Place, ReportFile, SessionInfo,
    Site, Times, Total, VERSION,
};

/// A report of nothing.
pub(crate) fn empty() -> ReportFile {
    ReportFile {
        format: FORMAT.to_owned(),
        version: VERSION,
        session: session(),
        locks: Vec::new(),
        pending: Vec::new(),
        windows: Vec::new(),
        losses: Vec::new(),
        notes: Vec::new(),
        frames: Vec::new(),
    }
}

/// A report in which every field is there and says something.
///
/// A named map is the bottleneck; a thousand locks of a pool stand on one row;
/// a condition variable idles; one lock is made at the end of a long path, and
/// one is known by an address alone.
pub(crate) fn populated() -> ReportFile {
    ReportFile {
        locks: vec![
            index(),
            pool(281_474_976_710_657, 1),
            pool(0, 999),
            distant(),
            ready(),
            nameless(),
        ],
        pending: vec![waiting(4711, 281_474_976_710_656, place("src/index.rs", 88))],
        losses: vec![Loss {
            what: "samples beyond 32 held locks per thread".to_owned(),
            count: 12_345,
        }],
        notes: vec!["the clock of this machine is not invariant; times are rounded".to_owned()],
        ..empty()
    }
}

/// A report whose waits have stacks: two ways to one line, one of them through a
/// function that was inlined into another.
pub(crate) fn stacked() -> ReportFile {
    let frame = |function: &str, file: &str, line, object: &str, address, inlined| Frame {
        function: function.to_owned(),
        file: file.to_owned(),
        line,
        object: object.to_owned(),
        address,
        inlined,
    };
    let at = |stack: &[u32]| Place { stack: stack.to_vec(), ..place("src/bank.rs", 40) };
    let waits = |stack: &[u32], ns| {
        let mut waits = site(at(stack), "write");
        waits.acquisitions = exact(10.0);
        waits.contentions = exact(1.0);
        waits.wait_ns.total = exact(ns);
        waits.hold_ns.total = exact(2.0 * ns);
        waits
    };
    let mut accounts = lock(281_474_976_710_700, "mutex");
    accounts.name = Some("accounts".to_owned());
    accounts.sites = vec![waits(&[0, 1, 4], 500.0), waits(&[0, 2, 3, 5], 300.0)];
    accounts.blame = vec![
        blame(Some(place("src/bank.rs", 52)), Some(at(&[0, 1, 4])), 500.0),
        blame(None, Some(at(&[0, 2, 3, 5])), 300.0),
    ];
    ReportFile {
        locks: vec![accounts],
        frames: vec![
            frame(
                "bank::transfer",
                "/usr/src/bank/src/bank.rs",
                40,
                "/usr/bin/bank",
                0x1005,
                false,
            ),
            frame("bank::by_day", "/usr/src/bank/src/day.rs", 7, "/usr/bin/bank", 0x1105, false),
            frame("bank::each", "/usr/src/bank/src/night.rs", 9, "/usr/bin/bank", 0x1205, true),
            frame(
                "bank::by night",
                "/usr/src/bank/src/night.rs",
                3,
                "/usr/bin/bank",
                0x1205,
                false,
            ),
            frame("start_thread", "", 0, "/lib/libc.so.6", 0x7005, false),
            frame("(deeper)", "", 0, "", 0, false),
        ],
        ..empty()
    }
}

/// A report in which two threads wait for each other, and one for them.
pub(crate) fn deadlock() -> ReportFile {
    let (accounts, journal) = (281_474_976_710_700, 281_474_976_710_701);
    let mut report = empty();
    report.session.complete = false;
    for (id, name) in [(accounts, "accounts"), (journal, "journal")] {
        let mut lock = pool(id, 1);
        lock.name = Some(name.to_owned());
        report.locks.push(lock);
    }
    report.pending = vec![
        waiting(11, journal, place("src/bank.rs", 52)),
        waiting(12, accounts, place("src/bank.rs", 40)),
        waiting(13, accounts, place("src/audit.rs", 7)),
        holding(11, accounts, place("src/bank.rs", 39)),
        holding(12, journal, place("src/bank.rs", 51)),
        holding(14, 281_474_976_710_799, place("src/other.rs", 1)),
    ];
    report
}

fn session() -> SessionInfo {
    SessionInfo {
        backend: "wrapper".to_owned(),
        backend_version: "0.1.0".to_owned(),
        plugin: "/usr/lib/lockscope/liblockscope_wrapper.so".to_owned(),
        probes: vec!["rust".to_owned()],
        settings: vec![("period".to_owned(), "100".to_owned())],
        filters: Filters::default(),
        periods: vec![100],
        generation: 1,
        started_unix_ns: 1_790_000_000_000_000_000,
        length_ns: 12_345_678_901,
        complete: true,
        asleep: false,
        pid: 1234,
        command: ["./indexer", "--threads", "8"].map(str::to_owned).to_vec(),
        samples: 45_210,
        sample_cost_ns: Some(41.7),
        stacks: None,
    }
}

pub(crate) fn place(file: &str, line: u32) -> Place {
    let address = 0x5555_0000 + u64::from(line);
    Place { file: file.to_owned(), line, column: 9, address, stack: Vec::new() }
}

/// A total that is known for certain.
pub(crate) fn exact(value: f64) -> Total {
    Total { value, standard_error: 0.0 }
}

fn times(total: f64, max: u64, histogram: &[(u64, u64, f64)]) -> Times {
    Times { total: exact(total), max, histogram: histogram.to_vec() }
}

/// What a call site did that neither waited nor held.
pub(crate) fn site(place: Place, mode: &str) -> Site {
    Site {
        place: Some(place),
        mode: mode.to_owned(),
        samples: 1,
        acquisitions: Total::default(),
        contentions: Total::default(),
        failures: Total::default(),
        idles: Total::default(),
        wait_ns: Times::default(),
        hold_ns: Times::default(),
        idle_ns: Times::default(),
    }
}

/// A lock that nobody touched.
pub(crate) fn lock(id: u64, kind: &str) -> Lock {
    Lock {
        id,
        locks: 1,
        kind: kind.to_owned(),
        name: None,
        created: None,
        probe: "rust".to_owned(),
        sites: Vec::new(),
        blame: Vec::new(),
    }
}

/// Waits of 1 µs each.
pub(crate) fn blame(holder: Option<Place>, waiter: Option<Place>, ns: f64) -> Blame {
    Blame { holder, waiter, contentions: exact((ns / 1_000.0).ceil()), wait_ns: exact(ns) }
}

fn index() -> Lock {
    let (insert, find) = (place("src/index.rs", 88), place("src/index.rs", 112));
    let mut writes = Site {
        samples: 30_000,
        acquisitions: Total { value: 2_900_000.0, standard_error: 16_155.0 },
        contentions: exact(90_000.0),
        failures: exact(12.0),
        idles: exact(3.0),
        wait_ns: times(
            1.1e9,
            4_900_000,
            &[(8_192, 9_216, 85_000.0), (2_097_152, 2_359_296, 5_000.0)],
        ),
        hold_ns: times(3.5e9, 70_000, &[(1_024, 1_152, 2_900_000.0)]),
        idle_ns: times(30_000.0, 20_000, &[(4_096, 5_120, 3.0)]),
        ..site(insert.clone(), "write")
    };
    writes.hold_ns.total.standard_error = 21_000_000.0;
    let reads = Site {
        samples: 400,
        acquisitions: Total { value: 40_000.0, standard_error: 1_990.0 },
        contentions: exact(300.0),
        wait_ns: times(1.3e8, 900_000, &[(262_144, 294_912, 300.0)]),
        hold_ns: times(2e6, 90, &[(48, 52, 40_000.0)]),
        ..site(find.clone(), "read")
    };
    Lock {
        name: Some("index".to_owned()),
        created: Some(place("src/main.rs", 41)),
        sites: vec![writes, reads],
        blame: vec![
            Blame {
                contentions: exact(80_000.0),
                ..blame(Some(insert.clone()), Some(insert.clone()), 9e8)
            },
            Blame {
                contentions: exact(9_000.0),
                ..blame(Some(find.clone()), Some(insert.clone()), 1.5e8)
            },
            Blame { contentions: exact(300.0), ..blame(Some(insert), Some(find), 1.3e8) },
        ],
        ..lock(281_474_976_710_656, "rwlock")
    }
}

/// Locks of one creation site: one, or many that were dropped.
fn pool(id: u64, locks: u64) -> Lock {
    let number = locks as f64;
    let take = place("src/pool.rs", 57);
    let taken = Site {
        samples: locks,
        acquisitions: Total { value: 100.0 * number, standard_error: 99.5 * number.sqrt() },
        contentions: exact(2.0 * number),
        wait_ns: times(3_000.0 * number, 2_100, &[(1_024, 1_152, 2.0 * number)]),
        hold_ns: times(4_300.0 * number, 60, &[(40, 44, 100.0 * number)]),
        ..site(take.clone(), "write")
    };
    Lock {
        locks,
        created: Some(place("src/pool.rs", 41)),
        sites: vec![taken],
        // The rest of the waits found a holder that is not known.
        blame: vec![blame(Some(take.clone()), Some(take), 1_000.0 * number)],
        ..lock(id, "mutex")
    }
}

fn distant() -> Lock {
    let path = "/usr/src/indexer/vendor/worker-queue-2.1.0/src/deque/stealing/steal.rs";
    Lock {
        created: Some(place(path, 1_234)),
        sites: vec![Site {
            acquisitions: exact(7.0),
            contentions: exact(1.0),
            wait_ns: times(500.0, 500, &[(480, 512, 1.0)]),
            hold_ns: times(287.0, 60, &[(40, 44, 7.0)]),
            ..site(place(path, 1_300), "write")
        }],
        blame: vec![blame(Some(place(path, 1_301)), Some(place(path, 1_300)), 500.0)],
        ..lock(281_474_976_710_658, "mutex")
    }
}

/// A condition variable: it has neither waits nor holds.
fn ready() -> Lock {
    Lock {
        name: Some("work is ready".to_owned()),
        sites: vec![Site {
            idles: exact(2_000.0),
            idle_ns: times(8e9, 90_000_000, &[(4_194_304, 4_718_592, 2_000.0)]),
            ..site(place("src/queue.rs", 30), "write")
        }],
        ..lock(281_474_976_710_659, "condvar")
    }
}

/// A lock of an interposer: nothing is known but addresses.
fn nameless() -> Lock {
    let address =
        Place { file: String::new(), line: 0, column: 0, address: 0x7f12_3456_789a, stack: vec![] };
    Lock {
        probe: "pthread".to_owned(),
        sites: vec![Site { acquisitions: exact(1.0), ..site(address, "write") }],
        ..lock(562_949_953_421_313, "mutex")
    }
}

pub(crate) fn waiting(thread: u64, lock: u64, at: Place) -> PendingAcquisition {
    PendingAcquisition {
        lock,
        thread,
        waiting: true,
        place: Some(at),
        holder: Some(place("src/index.rs", 112)),
        holder_thread: None,
        for_ns: 1_200_000_000 + thread,
    }
}

pub(crate) fn holding(thread: u64, lock: u64, at: Place) -> PendingAcquisition {
    PendingAcquisition {
        waiting: false,
        holder: None,
        for_ns: 1_500_000_000 + thread,
        ..waiting(thread, lock, at)
    }
}
