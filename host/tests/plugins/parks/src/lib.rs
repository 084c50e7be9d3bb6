//! A library whose threads wait for locks of parking_lot, for a program that knows
//! nothing of lockscope. Each wait lasts until somebody has seen it.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, RwLock};

static STORE: Mutex<u64> = Mutex::new(0);
static INDEX: RwLock<u64> = RwLock::new(0);
static EMPTY: Mutex<()> = Mutex::new(());
static FILLED: Condvar = Condvar::new();
static IS_AT_WORK: AtomicBool = AtomicBool::new(false);

#[inline(never)]
fn adds_to_the_store() {
    *STORE.lock() += 1;
}

#[inline(never)]
fn keeps_the_store(work: fn()) {
    let store = STORE.lock();
    let worker = started(work);
    drop(store);
    worker.join().unwrap_or_default();
}

#[inline(never)]
fn reads_the_index() {
    black_box(*INDEX.read());
}

#[inline(never)]
fn keeps_the_index(work: fn()) {
    let index = INDEX.write();
    let worker = started(work);
    drop(index);
    worker.join().unwrap_or_default();
}

#[inline(never)]
fn has_nothing_to_do() {
    FILLED.wait_for(&mut EMPTY.lock(), Duration::from_millis(5));
}

/// A thread that does `work`, and sleeps over it.
fn started(work: fn()) -> thread::JoinHandle<()> {
    let (name, named) = channel();
    IS_AT_WORK.store(false, Ordering::Release);
    let worker = thread::spawn(move || {
        let _ = name.send(std::fs::read_link("/proc/thread-self").unwrap_or_default());
        IS_AT_WORK.store(true, Ordering::Release);
        work();
    });
    let state = PathBuf::from("/proc").join(named.recv().unwrap_or_default()).join("stat");
    let sleeps = || {
        let line = std::fs::read_to_string(&state).unwrap_or_default();
        line.split(") ").nth(1).is_some_and(|rest| rest.starts_with('S'))
    };
    while !IS_AT_WORK.load(Ordering::Acquire) || !sleeps() {
        thread::sleep(Duration::from_micros(100));
    }
    worker
}

/// All of it, so often.
#[unsafe(no_mangle)]
pub extern "C" fn parks_run(rounds: u32) -> u64 {
    for _ in 0..rounds {
        keeps_the_store(adds_to_the_store);
        keeps_the_index(reads_the_index);
        let _ = thread::spawn(has_nothing_to_do).join();
    }
    *STORE.lock()
}
