//! Instructions, loads, stores and atomic read-modify-writes of a lock + unlock that nobody waits for and nobody
//! records, counted by callgrind: what must not drift.
//!
//! Needs valgrind and gungraun-runner; `cargo xtask bench` says how to get both, and
//! writes what was counted into docs/cost.md, where the limits are argued. The bench
//! fails when a path takes more than its limit, or the bare lock more than it took.
#![allow(missing_docs, reason = "what gungraun's macros make has none")]

use core::hint::black_box;

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use lockscope_benches::limits::{OPERATIONS, Path, State};

/// Atomic read-modify-writes of every path, ours and the bare lock's: one to take it, one
/// to give it back.
const ATOMICS: u64 = 2;

/// Fails where a path takes more than these instructions, loads and stores for one
/// lock + unlock, with the loop of this bench; the loop's beginning and end apart.
fn most(instructions: u64, loads: u64, stores: u64) -> LibraryBenchmarkConfig {
    let of = |each: u64| each * OPERATIONS + OPERATIONS / 2;
    let limits = [
        (EventKind::Ir, instructions),
        (EventKind::Dr, loads),
        (EventKind::Dw, stores),
        (EventKind::Ge, ATOMICS),
    ];
    let mut callgrind = Callgrind::with_args(["--cache-sim=yes", "--collect-bus=yes"]);
    callgrind.hard_limits(limits.map(|(event, each)| (event, of(each))));
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

#[library_benchmark]
#[bench::std_bare(args = (Path::std(State::Bare)), config = most(21, 4, 4))]
#[bench::std_closed(args = (Path::std(State::Closed)), config = most(27, 6, 4))]
#[bench::std_open(args = (Path::std(State::Open)), config = most(49, 9, 6))]
#[bench::std_excluded(args = (Path::std(State::Excluded)), config = most(49, 9, 6))]
#[bench::parking_lot_bare(args = (Path::parking_lot(State::Bare)), config = most(12, 2, 4))]
#[bench::parking_lot_closed(args = (Path::parking_lot(State::Closed)), config = most(17, 3, 4))]
#[bench::parking_lot_open(args = (Path::parking_lot(State::Open)), config = most(43, 7, 6))]
#[bench::parking_lot_excluded(args = (Path::parking_lot(State::Excluded)), config = most(43, 7, 6))]
#[bench::slotless_bare(args = (Path::slotless(State::Bare)), config = most(12, 2, 4))]
#[bench::slotless_closed(args = (Path::slotless(State::Closed)), config = most(17, 3, 4))]
#[bench::slotless_open(args = (Path::slotless(State::Open)), config = most(39, 7, 5))]
#[bench::slotless_excluded(args = (Path::slotless(State::Excluded)), config = most(39, 7, 5))]
#[bench::std_read_bare(args = (Path::std_read(State::Bare)), config = most(20, 4, 4))]
#[bench::std_read_closed(args = (Path::std_read(State::Closed)), config = most(30, 5, 4))]
#[bench::std_read_open(args = (Path::std_read(State::Open)), config = most(50, 9, 5))]
#[bench::std_read_excluded(args = (Path::std_read(State::Excluded)), config = most(50, 9, 5))]
#[bench::parking_lot_read_bare(args = (Path::parking_lot_read(State::Bare)), config = most(22, 4, 4))]
#[bench::parking_lot_read_closed(args = (Path::parking_lot_read(State::Closed)), config = most(29, 5, 4))]
#[bench::parking_lot_read_open(args = (Path::parking_lot_read(State::Open)), config = most(51, 9, 5))]
#[bench::parking_lot_read_excluded(args = (Path::parking_lot_read(State::Excluded)), config = most(51, 9, 5))]
fn path(path: Path) -> Path {
    black_box(&path).run();
    path
}

library_benchmark_group!(name = limits, benchmarks = [path]);
main!(library_benchmark_groups = limits);
