//! Counts with prometheus and by itself, from several threads, and prints how often either
//! must have locked, file by file: `cargo xtask test --only patched` compares that with what
//! lockscope has seen.
#![forbid(unsafe_code)]

use std::error::Error;
use std::thread;

use parking_lot::{
    FairMutex, Mutex, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard, const_mutex,
};
use prometheus::{IntCounterVec, Opts, Registry};

const CODES: [&str; 5] = ["200", "304", "403", "404", "500"];
const THREADS: u64 = 4;
const PER_THREAD: u64 = 2_000;
const GATHERED: u64 = 10;

static COUNTED: Mutex<u64> = const_mutex(0);

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
                    *COUNTED.lock() += 1;
                }
            });
        }
    });
    for _ in 0..GATHERED {
        registry.gather();
    }
    let counted: u64 = CODES.iter().map(|code| answers.with_label_values(&[code]).get()).sum();
    assert_eq!(counted, THREADS * PER_THREAD);
    assert_eq!(*COUNTED.lock(), counted);
    let looked_up = THREADS * PER_THREAD + CODES.len() as u64;
    println!("vec.rs {}", made + looked_up + GATHERED);
    println!("registry.rs {}", 1 + GATHERED);
    println!("main.rs {}", counted + 1 + by_itself());
    Ok(())
}

/// Locks in ways of which there is one each, and says how often in all.
fn by_itself() -> u64 {
    let lock = RwLock::new(0);
    // Three holds, one after the other, each in its own mode.
    let mut writer = RwLockUpgradableReadGuard::upgrade(lock.upgradable_read());
    *writer += 1;
    let reader = RwLockWriteGuard::downgrade(writer);
    // A second one beside it, which is given back later than the first.
    let second = lock.read_recursive();
    drop(reader);
    drop(second);
    let fair = FairMutex::new(0);
    let tried = fair.try_lock().is_some();
    *fair.lock() += u64::from(tried);
    3 + 1 + 2
}
