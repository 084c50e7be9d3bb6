//! A line that says how a long run is doing.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::preflight::Preflight;
use crate::output::Pattern;
use crate::tell::show;

/// A program that ends sooner is not spoken to.
const PATIENCE: Duration = Duration::from_secs(2);
const CLEAR_LINE: &str = "\r\x1b[K";

/// Rewrites one line of the terminal while a program runs.
#[derive(Debug)]
pub(super) struct Progress {
    output: Pattern,
    since: Instant,
    started_unix_ns: u64,
    terminal: bool,
    shown: bool,
}

impl Progress {
    pub(super) fn new(preflight: &Preflight, started_unix_ns: u64) -> Self {
        Self {
            output: preflight.output.clone(),
            since: Instant::now(),
            started_unix_ns,
            terminal: std::io::stderr().is_terminal(),
            shown: false,
        }
    }

    /// Shows how the process `pid` is doing, if it is time and place for it.
    pub(super) fn show(&mut self, pid: u32) {
        let elapsed = self.since.elapsed();
        if !self.terminal || elapsed < PATIENCE {
            return;
        }
        self.shown = true;
        let flush = Flush::of(self.output.of(pid), self.started_unix_ns);
        show(&format!("{CLEAR_LINE}{}", line(elapsed, flush.as_ref())));
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if core::mem::take(&mut self.shown) {
            show(CLEAR_LINE);
        }
    }
}

/// The last writing of the report.
#[derive(Debug)]
struct Flush {
    bytes: u64,
    age: Duration,
}

impl Flush {
    fn of(path: PathBuf, started_unix_ns: u64) -> Option<Self> {
        let of = path.metadata().ok()?;
        let modified = of.modified().ok()?;
        let since = modified.duration_since(UNIX_EPOCH).ok()?;
        (since.as_nanos() >= u128::from(started_unix_ns))
            .then(|| Self { bytes: of.len(), age: modified.elapsed().unwrap_or_default() })
    }
}

fn line(elapsed: Duration, flush: Option<&Flush>) -> String {
    let elapsed = elapsed.as_secs();
    match flush {
        Some(flush) => format!(
            "lockscope: {elapsed} s, report of {} kB written {} s ago",
            flush.bytes.div_ceil(1000),
            flush.age.as_secs()
        ),
        None => format!("lockscope: {elapsed} s, no watched lock used yet"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_long_and_what_is_safe() {
        let elapsed = Duration::from_millis(12_900);
        let flush = Flush { bytes: 45_001, age: Duration::from_secs(3) };
        assert_eq!(line(elapsed, Some(&flush)), "lockscope: 12 s, report of 46 kB written 3 s ago");
        assert_eq!(line(elapsed, None), "lockscope: 12 s, no watched lock used yet");
    }
}
