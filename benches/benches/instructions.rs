//! Instructions of a lock + unlock, counted by callgrind: what must not drift.
//!
//! Needs valgrind and gungraun-runner; `cargo xtask bench` says how to get
//! both. Ours minus bare is what a closed gate adds; the bench fails when that
//! grows beyond 6 per operation.
#![allow(missing_docs, reason = "what gungraun's macros make has none")]

use core::hint::black_box;

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use lockscope_benches::locks::{BareParkingLot, BareStd, Counter, OurParkingLot, OurStd};

const N: u64 = 1000;
/// What a bare lock + unlock takes in the loop of this bench, with Rust 1.95.
const BARE_STD: u64 = 21;
const BARE_PARKING_LOT: u64 = 12;
/// What a closed gate may add.
const ADDED: u64 = 6;

/// Fails beyond what a closed gate may add, the loop's own beginning and end
/// apart.
fn closed_gate(bare: u64) -> LibraryBenchmarkConfig {
    let most = (bare + ADDED) * N + N / 10;
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, most)]));
    config
}

fn bare_std() -> BareStd {
    BareStd::new(Default::default())
}

/// A lock whose process has passed the gate once, so that it is closed.
fn our_std() -> OurStd {
    let lock = OurStd::new(0);
    lock.run(1);
    lock
}

fn bare_parking_lot() -> BareParkingLot {
    BareParkingLot::new(Default::default())
}

fn our_parking_lot() -> OurParkingLot {
    let lock = OurParkingLot::new(0);
    lock.run(1);
    lock
}

#[library_benchmark]
#[bench::bare(bare_std())]
fn std_bare(lock: BareStd) -> BareStd {
    black_box(&lock).run(N);
    lock
}

#[library_benchmark(config = closed_gate(BARE_STD))]
#[bench::closed(our_std())]
fn std_closed(lock: OurStd) -> OurStd {
    black_box(&lock).run(N);
    lock
}

#[library_benchmark]
#[bench::bare(bare_parking_lot())]
fn parking_lot_bare(lock: BareParkingLot) -> BareParkingLot {
    black_box(&lock).run(N);
    lock
}

#[library_benchmark(config = closed_gate(BARE_PARKING_LOT))]
#[bench::closed(our_parking_lot())]
fn parking_lot_closed(lock: OurParkingLot) -> OurParkingLot {
    black_box(&lock).run(N);
    lock
}

library_benchmark_group!(
    name = closed,
    benchmarks = [std_bare, std_closed, parking_lot_bare, parking_lot_closed]
);
main!(library_benchmark_groups = closed);
