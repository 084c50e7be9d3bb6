//! Locks in other people's crates, for as long as the bench asks: it writes the name of a
//! workload and how often each thread is to do it, a line each time, and reads how many
//! nanoseconds that took. What must have come of it is checked each time.
//!
//! Built twice, with the locks as they are and with those that are watched, from this one
//! text: nothing in it names lockscope.
#![forbid(unsafe_code)]

use std::error::Error;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use prometheus::IntCounterVec;
use prometheus::core::Collector;
use quick_cache::sync::Cache;
use r2d2::{ManageConnection, Pool};

/// As many as the smallest machine has cores.
const THREADS: u64 = 2;

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let mut workloads: Vec<Box<dyn Workload>> = vec![
        Box::new(Counters::new()?),
        Box::new(Cached::new()),
        Box::new(Pooled(Pool::builder().max_size(4).build(Nobody)?)),
    ];
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (name, n) = line.split_once(' ').ok_or("a workload and a number are expected")?;
        let n = n.parse()?;
        let workload = workloads.iter_mut().find(|workload| workload.name() == name);
        let workload = workload.ok_or_else(|| format!("there is no workload '{name}'"))?;
        let time = time(&**workload, n);
        workload.check(n)?;
        println!("{}", time.as_nanos());
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// Something that threads do with a crate.
trait Workload: Sync {
    /// The crate.
    fn name(&self) -> &'static str;
    /// What each thread does, `n` times.
    fn run(&self, thread: u64, n: u64);
    /// Whether all threads together have done it, and forgets it.
    fn check(&mut self, n: u64) -> Result<(), Failure>;
}

fn time(workload: &dyn Workload, n: u64) -> Duration {
    let (start, end) = (&Barrier::new(THREADS as usize), &Barrier::new(THREADS as usize));
    let work = move |thread| {
        start.wait();
        let began = Instant::now();
        workload.run(thread, n);
        end.wait();
        began.elapsed()
    };
    thread::scope(|scope| {
        (1..THREADS).for_each(|thread| drop(scope.spawn(move || work(thread))));
        work(0)
    })
}

fn expect(what: &str, found: u64, expected: u64) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: {found}, and {expected} were expected").into())
}

/// prometheus: each look-up of a counter by its labels reads a lock.
struct Counters(IntCounterVec);

const CODES: [&str; 5] = ["200", "304", "403", "404", "500"];

impl Counters {
    fn new() -> Result<Self, Failure> {
        let options = prometheus::Opts::new("answers", "by status");
        Ok(Self(IntCounterVec::new(options, &["code"])?))
    }
}

impl Workload for Counters {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn run(&self, _: u64, n: u64) {
        let codes = CODES.iter().cycle().take(n as usize);
        codes.for_each(|code| self.0.with_label_values(&[*code]).inc());
    }

    fn check(&mut self, n: u64) -> Result<(), Failure> {
        let families = self.0.collect();
        let counters = families.iter().flat_map(|family| family.get_metric());
        let counted: f64 = counters.map(|metric| metric.get_counter().get_value()).sum();
        self.0.reset();
        expect("answers that were counted", counted as u64, THREADS * n)
    }
}

/// quick_cache: a cache of a few locks, smaller than what is asked of it.
struct Cached {
    cache: Cache<u64, u64>,
    found: std::sync::atomic::AtomicU64,
}

const KEYS: u64 = 4_096;
const ROOM: usize = 1_024;

impl Cached {
    fn new() -> Self {
        Self { cache: Cache::new(ROOM), found: Default::default() }
    }

    fn value(key: u64) -> u64 {
        key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Workload for Cached {
    fn name(&self) -> &'static str {
        "quick_cache"
    }

    fn run(&self, thread: u64, n: u64) {
        let (mut random, mut right) = (thread + 1, 0);
        for _ in 0..n {
            // Xorshift (Marsaglia 2003). Of two numbers the lower one: some keys are
            // asked for more often.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let key = ((random >> 8) % KEYS).min((random >> 32) % KEYS);
            let value = match self.cache.get(&key) {
                Some(value) => value,
                None => {
                    self.cache.insert(key, Self::value(key));
                    Self::value(key)
                }
            };
            right += u64::from(black_box(value) == Self::value(key));
        }
        self.found.fetch_add(right, std::sync::atomic::Ordering::Relaxed);
    }

    fn check(&mut self, n: u64) -> Result<(), Failure> {
        let found = std::mem::take(self.found.get_mut());
        expect("values that are those of their keys", found, THREADS * n)
    }
}

/// r2d2: a pool of connections to nobody, which count how often they were had.
struct Pooled(Pool<Nobody>);

struct Nobody;

impl ManageConnection for Nobody {
    type Connection = u64;
    type Error = std::convert::Infallible;

    fn connect(&self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn is_valid(&self, _: &mut u64) -> Result<(), Self::Error> {
        Ok(())
    }

    fn has_broken(&self, _: &mut u64) -> bool {
        false
    }
}

impl Workload for Pooled {
    fn name(&self) -> &'static str {
        "r2d2"
    }

    fn run(&self, _: u64, n: u64) {
        for _ in 0..n {
            // Without one, the count is too low, which is found.
            if let Ok(mut connection) = self.0.get() {
                *connection += 1;
            }
        }
    }

    fn check(&mut self, n: u64) -> Result<(), Failure> {
        let mut all = Vec::new();
        for _ in 0..self.0.max_size() {
            all.push(self.0.get()?);
        }
        let had = all.iter_mut().map(|connection| std::mem::take(&mut **connection)).sum();
        expect("connections that were had", had, THREADS * n)
    }
}
