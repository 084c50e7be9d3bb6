//! What the stand-in costs beside parking_lot 0.12, uncontended, in one run in turns:
//!
//! ```text
//! cargo run --release --manifest-path probes/patched/parking_lot-0.12/Cargo.toml \
//!     --example cost -- target/release/liblockscope_wrapper.so
//! ```
//!
//! The argument is the backend. Each number is a ratio to the original, which is measured
//! before and after each loop of the stand-in: a median, with the quartiles.

use std::hint::black_box;
use std::time::Instant;

use lockscope_host::Profiler;

const ROUNDS: usize = 100;
const LOOPS_PER_SESSION: usize = 5;
const OPERATIONS: u32 = 20_000;

fn ns(mut operation: impl FnMut()) -> f64 {
    let began = Instant::now();
    for _ in 0..OPERATIONS {
        operation();
    }
    began.elapsed().as_nanos() as f64 / f64::from(OPERATIONS)
}

/// One operation of the original and of the stand-in.
struct Pair<'a> {
    name: &'static str,
    original: Box<dyn Fn() -> f64 + 'a>,
    stand_in: Box<dyn Fn() -> f64 + 'a>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let backend = std::env::args().nth(1).ok_or("which backend? the path of a plugin")?;
    let mutexes = (original::Mutex::new(0_u64), parking_lot::Mutex::new(0_u64));
    let rwlocks = (original::RwLock::new(0_u64), parking_lot::RwLock::new(0_u64));
    let pairs = [
        Pair {
            name: "Mutex",
            original: Box::new(|| ns(|| *black_box(&mutexes.0).lock() += 1)),
            stand_in: Box::new(|| ns(|| *black_box(&mutexes.1).lock() += 1)),
        },
        Pair {
            name: "RwLock, read",
            original: Box::new(|| ns(|| _ = black_box(*black_box(&rwlocks.0).read()))),
            stand_in: Box::new(|| ns(|| _ = black_box(*black_box(&rwlocks.1).read()))),
        },
        Pair {
            name: "RwLock, write",
            original: Box::new(|| ns(|| *black_box(&rwlocks.0).write() += 1)),
            stand_in: Box::new(|| ns(|| *black_box(&rwlocks.1).write() += 1)),
        },
    ];
    let states = [("closed", None), ("one in 100", Some(100)), ("every operation", Some(1))];
    let mut ratios = vec![vec![Vec::new(); pairs.len()]; states.len()];
    let mut bare = vec![Vec::new(); pairs.len()];
    for _ in 0..ROUNDS / LOOPS_PER_SESSION {
        for ((_, period), ratios) in states.iter().zip(&mut ratios) {
            let session = match period {
                Some(period) => {
                    Some(Profiler::builder().backend(&backend).period(*period).start()?)
                }
                None => None,
            };
            for _ in 0..LOOPS_PER_SESSION {
                for ((pair, ratios), bare) in pairs.iter().zip(&mut *ratios).zip(&mut bare) {
                    let before = (pair.original)();
                    let stand_in = (pair.stand_in)();
                    let original = f64::midpoint(before, (pair.original)());
                    ratios.push(stand_in / original);
                    bare.push(original);
                }
            }
            if let Some(session) = session {
                session.stop()?;
            }
        }
    }
    for (index, pair) in pairs.iter().enumerate() {
        println!("{}: the original takes {:.1} ns", pair.name, quartiles(&mut bare[index])[1]);
        for ((state, _), ratios) in states.iter().zip(&mut ratios) {
            let [low, median, high] = quartiles(&mut ratios[index]);
            println!("  {state:<16} {median:.2} ({low:.2}–{high:.2})");
        }
    }
    Ok(())
}

fn quartiles(numbers: &mut [f64]) -> [f64; 3] {
    numbers.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| numbers[(numbers.len() - 1) * quarter / 4])
}
