//! A program that knows nothing of lockscope. Each of its waits for a lock lasts until
//! somebody has seen it, so there are as many as it says.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::Duration;

const ROUNDS: usize = 20;

static COUNTER: Mutex<u64> = Mutex::new(0);
static TABLE: RwLock<u64> = RwLock::new(0);
static READY: Once = Once::new();
static CALLED: Condvar = Condvar::new();
static IS_CALLED: Mutex<bool> = Mutex::new(false);
static IS_OVER: AtomicBool = AtomicBool::new(false);

#[inline(never)]
fn adds_to_the_counter() {
    *COUNTER.lock().unwrap() += 1;
}

#[inline(never)]
fn keeps_the_counter(worker: &Worker) {
    let mut counter = COUNTER.lock().unwrap();
    worker.starts();
    *counter += 1;
    drop(counter);
    // What is done last leaves no frame behind.
    black_box(());
}

#[inline(never)]
fn reads_the_table() {
    black_box(*TABLE.read().unwrap());
}

#[inline(never)]
fn writes_the_table() {
    *TABLE.write().unwrap() += 1;
}

#[inline(never)]
fn keeps_the_table(worker: &Worker) {
    let mut table = TABLE.write().unwrap();
    worker.starts();
    *table += 1;
    drop(table);
    black_box(());
}

#[inline(never)]
fn is_parked() {
    while !IS_OVER.load(Ordering::Acquire) {
        thread::park();
    }
}

/// A thread that works when it is told to.
struct Worker {
    go: Sender<()>,
    done: Receiver<()>,
    /// Where the kernel says what it does.
    state: PathBuf,
    thread: thread::JoinHandle<()>,
}

static IS_AT_WORK: AtomicBool = AtomicBool::new(false);

impl Worker {
    fn new(work: fn()) -> Self {
        let (go, told) = channel();
        let (say, done) = channel();
        let (name, named) = channel();
        let thread = thread::spawn(move || {
            name.send(std::fs::read_link("/proc/thread-self").unwrap()).unwrap();
            while told.recv().is_ok() {
                IS_AT_WORK.store(true, Ordering::Release);
                work();
                say.send(()).unwrap();
            }
        });
        let state = PathBuf::from("/proc").join(named.recv().unwrap()).join("stat");
        Self { go, done, state, thread }
    }

    /// Lets it work, and returns when it sleeps over that.
    fn starts(&self) {
        IS_AT_WORK.store(false, Ordering::Release);
        self.go.send(()).unwrap();
        while !IS_AT_WORK.load(Ordering::Acquire) || !self.sleeps() {
            thread::sleep(Duration::from_micros(100));
        }
    }

    /// Lets it finish what it does, and is its end.
    fn ends(self) {
        self.done.recv().unwrap();
        drop(self.go);
        self.thread.join().unwrap();
    }

    fn sleeps(&self) -> bool {
        let line = std::fs::read_to_string(&self.state).unwrap();
        line.split(") ").nth(1).is_some_and(|rest| rest.starts_with('S'))
    }
}

/// Gives the counter back, and takes it again before the thread that waits for it can.
fn is_faster() {
    let worker = Worker::new(adds_to_the_counter);
    let mut counter = COUNTER.lock().unwrap();
    worker.starts();
    for _ in 0..ROUNDS {
        drop(counter);
        counter = COUNTER.lock().unwrap();
        while !worker.sleeps() {
            thread::sleep(Duration::from_micros(100));
        }
    }
    drop(counter);
    worker.ends();
}

/// Keeps the counter, while another thread waits for it, until it is killed.
fn is_stuck() {
    let _counter = COUNTER.lock().unwrap();
    Worker::new(adds_to_the_counter).starts();
    loop {
        thread::park();
    }
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("faster") => return is_faster(),
        Some("stuck") => return is_stuck(),
        _ => {}
    }
    let parked = thread::spawn(is_parked);
    for (keep, work) in [
        (keeps_the_counter as fn(&Worker), adds_to_the_counter as fn()),
        (keeps_the_table, reads_the_table),
        (keeps_the_table, writes_the_table),
    ] {
        let worker = Worker::new(work);
        for round in 1..=ROUNDS {
            keep(&worker);
            if round < ROUNDS {
                worker.done.recv().unwrap();
            }
        }
        worker.ends();
    }
    let worker = Worker::new(|| READY.call_once(|| unreachable!()));
    READY.call_once(|| worker.starts());
    worker.ends();
    let worker = Worker::new(|| {
        let mut called = IS_CALLED.lock().unwrap();
        while !*called {
            called = CALLED.wait(called).unwrap();
        }
    });
    worker.starts();
    *IS_CALLED.lock().unwrap() = true;
    CALLED.notify_one();
    worker.ends();
    IS_OVER.store(true, Ordering::Release);
    parked.thread().unpark();
    parked.join().unwrap();
    println!("{} {}", *COUNTER.lock().unwrap(), *TABLE.read().unwrap());
}
