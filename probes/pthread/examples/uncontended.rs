//! What an uncontended `pthread_mutex_lock` and its unlock cost: bare, with the
//! library preloaded and the gate closed, and under `lockscope run`.
//!
//! ```text
//! cargo build --release -p lockscope-host -p lockscope-pthread -p lockscope-backend-sidetable
//! cargo run --release -p lockscope-pthread --example uncontended
//! ```
//!
//! Each way is another process, since a library is preloaded into a whole one. They
//! take turns, and of each the least is shown of parts that are shorter than a time
//! slice: what disturbs only adds.

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Tells the process that it is one of those that are measured.
const MEASURED: &str = "PTHREAD_EXAMPLE_MEASURED";
/// Operations between two looks at the clock, and how often.
const OPERATIONS: u32 = 20_000;
const PARTS: u32 = 200;
const TURNS: usize = 7;

fn main() -> ExitCode {
    if std::env::var_os(MEASURED).is_some() {
        println!("{}", nanoseconds());
        return ExitCode::SUCCESS;
    }
    match compare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Nanoseconds of one lock and unlock.
fn nanoseconds() -> f64 {
    // glibc locks without atomic operations while a process has one thread, and under a
    // host it has more.
    std::thread::spawn(std::thread::park);
    let mut mutex = libc::PTHREAD_MUTEX_INITIALIZER;
    let mut total = 0_u32;
    let mut least = f64::INFINITY;
    for _ in 0..PARTS {
        let begin = Instant::now();
        for _ in 0..OPERATIONS {
            // SAFETY: a mutex of this thread's, which it owns in between.
            unsafe {
                libc::pthread_mutex_lock(&raw mut mutex);
                total = std::hint::black_box(total + 1);
                libc::pthread_mutex_unlock(&raw mut mutex);
            }
        }
        least = least.min(begin.elapsed().as_nanos() as f64 / f64::from(OPERATIONS));
    }
    assert_eq!(total, OPERATIONS * PARTS, "each was done");
    least
}

fn compare() -> Result<(), Box<dyn Error>> {
    let this = std::env::current_exe()?;
    let folder = this.parent().and_then(Path::parent).ok_or("no folder above the example's")?;
    let library = folder.join("liblockscope_pthread.so");
    let command = folder.join("lockscope");
    for needed in [&library, &command] {
        if !needed.is_file() {
            return Err(format!(
                "{} is not there; build it first: cargo build --release -p lockscope-host -p lockscope-pthread -p lockscope-backend-sidetable",
                needed.display()
            )
            .into());
        }
    }
    let output = std::env::temp_dir().join(format!("pthread-{}.json", std::process::id()));
    let under = |period: &str| {
        let mut run = Command::new(&command);
        run.args(["run", "--probe", "pthread", "--backend", "sidetable", "--no-control"]);
        run.args(["--period", period, "--output"]).arg(&output).arg("--").arg(&this);
        run
    };
    let ways: [(&str, &dyn Fn() -> Command); 4] = [
        ("bare", &|| Command::new(&this)),
        ("preloaded, gate closed", &|| {
            let mut closed = Command::new(&this);
            closed.env("LD_PRELOAD", &library).env_remove("LOCKSCOPE_HOST");
            closed
        }),
        ("one in 100", &|| under("100")),
        ("every operation", &|| under("1")),
    ];
    let mut least = [f64::INFINITY; 4];
    for _ in 0..TURNS {
        for ((_, way), least) in ways.iter().zip(&mut least) {
            let answer = way().env(MEASURED, "1").output()?;
            let said = String::from_utf8_lossy(&answer.stdout);
            let found: f64 = said.trim().parse().map_err(|_| {
                format!("no number: {said}{}", String::from_utf8_lossy(&answer.stderr))
            })?;
            *least = least.min(found);
        }
    }
    let _ = std::fs::remove_file(&output);
    for ((name, _), ns) in ways.iter().zip(least) {
        println!("{name:24} {ns:6.1} ns  {:5.2}", ns / least[0]);
    }
    Ok(())
}
