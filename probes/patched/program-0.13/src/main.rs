//! Lets a thread pool run jobs and locks by itself, and prints how often either must have
//! locked, place by place: `cargo xtask test --only patched` compares that with what
//! lockscope has seen.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use parking_lot::{
    Condvar, FairMutex, Mutex, Once, RecursiveRwLock, RwLock, RwLockUpgradableReadGuard,
    RwLockWriteGuard,
};
use scheduled_thread_pool::ScheduledThreadPool;

const THREADS: u64 = 4;
const PER_THREAD: u64 = 2_000;

/// In the pool's sources: where a job is handed in, where its thread takes the next one,
/// and where it is told to come to its end.
const POOL: [&str; 3] = ["lib.rs:85", "lib.rs:391", "lib.rs:128"];

static COUNTED: Mutex<u64> = Mutex::new(0);

thread_local! {
    /// Dropped at the thread's end, and with it the other side knows of it.
    static LIVES: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

fn main() {
    // The first lock of a process looks for lockscope's host; what other threads lock until
    // that is found is not seen. So here is none yet.
    assert_eq!(*COUNTED.lock(), 0);
    let pool = ScheduledThreadPool::builder().num_threads(1).build();
    let (go, gone) = channel::<()>();
    let (lives, ended) = channel();
    pool.execute(move || {
        LIVES.set(Some(lives));
        // Until all are handed in, and the pool is told to end: from there on its thread
        // finds a job, or the end, and waits for nothing.
        let _ = gone.recv();
    });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..PER_THREAD {
                    pool.execute(|| *COUNTED.lock() += 1);
                }
            });
        }
    });
    drop(pool);
    drop(go);
    assert!(ended.recv().is_err());
    let jobs = THREADS * PER_THREAD;
    assert_eq!(*COUNTED.lock(), jobs);
    let pool = "scheduled-thread-pool-0.2.8/src";
    // The first job is the one that waits; and the last look finds the end.
    for (place, times) in POOL.iter().zip([jobs + 1, jobs + 2, 1]) {
        println!("{pool}/{place} {times}");
    }
    println!("src/main.rs {}", 1 + jobs + 1 + by_itself());
}

/// Locks in ways of which there is one each, and says how often in all.
fn by_itself() -> u64 {
    let lock = RwLock::new(0);
    // Three holds, one after the other, each in its own mode.
    let mut writer = RwLockUpgradableReadGuard::upgrade(lock.upgradable_read());
    *writer += 1;
    drop(RwLockWriteGuard::downgrade(writer));
    let recursive = RecursiveRwLock::new(0);
    let first = recursive.read();
    // A second one beside it, which is given back later than the first.
    let second = recursive.read();
    drop(first);
    drop(second);
    let fair = FairMutex::new(0);
    let tried = fair.try_lock().is_some();
    *fair.lock() += u64::from(tried);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {});
    ONCE.call_once(|| unreachable!());
    3 + 2 + 2 + 1 + by_waiting()
}

/// Two threads that take turns, one of whom begins.
fn by_waiting() -> u64 {
    let turn = Arc::new((Mutex::new(false), Condvar::new()));
    let mut is_over = turn.0.lock();
    let other = Arc::clone(&turn);
    let other = thread::spawn(move || {
        *other.0.lock() = true;
        other.1.notify_one();
    });
    // Its own lock, given away once and had again: the other one waits for that.
    while !*is_over {
        turn.1.wait(&mut is_over);
    }
    drop(is_over);
    assert!(other.join().is_ok());
    3
}
