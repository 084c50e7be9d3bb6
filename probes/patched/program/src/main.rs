//! Counts with prometheus from several threads, and prints how often prometheus must have
//! locked in each of its files: `cargo xtask test --only patched` compares that with what
//! lockscope has seen.
#![forbid(unsafe_code)]

use std::error::Error;
use std::thread;

use prometheus::{IntCounterVec, Opts, Registry};

const CODES: [&str; 5] = ["200", "304", "403", "404", "500"];
const THREADS: u64 = 4;
const PER_THREAD: u64 = 2_000;
const GATHERED: u64 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let answers = IntCounterVec::new(Opts::new("answers", "by status"), &["code"])?;
    registry.register(Box::new(answers.clone()))?;
    // Each looks for the counter, as a reader, and makes it, as the writer. Alone, so that
    // no two threads miss the same one.
    for code in CODES {
        answers.with_label_values(&[code]);
    }
    let made = 2 * CODES.len() as u64;
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for code in CODES.iter().cycle().take(PER_THREAD as usize) {
                    answers.with_label_values(&[code]).inc();
                }
            });
        }
    });
    for _ in 0..GATHERED {
        registry.gather();
    }
    let counted: u64 = CODES.iter().map(|code| answers.with_label_values(&[code]).get()).sum();
    assert_eq!(counted, THREADS * PER_THREAD);
    let looked_up = THREADS * PER_THREAD + CODES.len() as u64;
    println!("vec.rs {}", made + looked_up + GATHERED);
    println!("registry.rs {}", 1 + GATHERED);
    Ok(())
}
