//! What one stack costs, warm: by the number of frames above `main`.
//!
//! ```sh
//! cargo run --release -p lockscope-stacks --example cost
//! ```

use std::hint::black_box;
use std::time::Instant;

use lockscope_core::CallSite;
use lockscope_stacks::{prepare, stack_of, take};

const TIMES: u32 = 20_000;
const ROUNDS: usize = 31;

/// As a probe calls its host.
#[inline(never)]
extern "C" fn stack(site: CallSite, thread: u32, frames: usize) -> CallSite {
    take(site, thread, frames)
}

#[inline(never)]
fn nested(calls: usize, act: &mut dyn FnMut()) {
    if calls == 0 {
        act();
    } else {
        nested(calls - 1, act);
    }
    // Not a jump, so that every call has a frame.
    black_box(calls);
}

/// The median of the rounds.
fn ns_each(act: &mut dyn FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            (0..TIMES).for_each(|_| act());
            begin.elapsed().as_nanos() as f64 / f64::from(TIMES)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn main() -> std::io::Result<()> {
    prepare(1_000)?;
    let thread = std::process::id();
    println!("{:>8} {:>10}", "frames", "ns");
    for calls in [0, 4, 8, 16, 32, 64] {
        nested(calls, &mut || {
            let mut site = CallSite::UNKNOWN;
            let ns = ns_each(&mut || site = stack(CallSite(8), thread, 128));
            let frames = stack_of(site).map_or(0, |kept| kept.frames.len());
            println!("{frames:>8} {ns:>10.0}");
        });
    }
    Ok(())
}
