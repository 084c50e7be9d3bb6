//! Scripts: operations on a lock, each entered into its ledger by whoever
//! performs it.

use std::panic::Location;
use std::thread;
use std::time::{Duration, Instant};

use lockscope_host::Profiler;

use super::ledger::{Ledger, Span};
use crate::locks::{Lock, Mode};
use crate::support::PATIENCE;

/// How long everybody waits once all of them do, so that the shortest time that
/// a wait can have taken says something. Longer does no harm.
const MOMENT: Duration = Duration::from_millis(2);

/// Lets a moment pass: how long it was.
pub(super) fn moment() -> Duration {
    let begin = Instant::now();
    thread::sleep(MOMENT);
    begin.elapsed()
}

/// A lock, and what has been done with it.
pub(super) struct Script<'a, L: Lock> {
    lock: &'static L,
    profiler: &'a Profiler,
    pub(super) ledger: Ledger,
}

/// An acquisition that had to wait, as its thread saw it.
struct Waited {
    line: u32,
    mode: Mode,
    asked: Instant,
    had: Instant,
    let_go: Instant,
    over: Instant,
}

impl Waited {
    fn hold(&self) -> Span {
        Span { at_least: self.let_go - self.had, at_most: self.over - self.asked }
    }
}

impl<'a, L: Lock> Script<'a, L> {
    pub(super) fn new(lock: &'static L, profiler: &'a Profiler) -> Self {
        Self { lock, profiler, ledger: Ledger::default() }
    }

    /// Takes the lock, which is free, so many times.
    #[track_caller]
    pub(super) fn take(&mut self, mode: Mode, times: u32) {
        let done = self.ledger.at(Location::caller().line(), mode);
        for _ in 0..times {
            let asked = Instant::now();
            self.lock.hold(mode, || ());
            done.holds.push(Span { at_least: Duration::ZERO, at_most: asked.elapsed() });
            done.acquisitions += 1;
        }
    }

    /// Tries to have the lock, which is free.
    #[track_caller]
    pub(super) fn attempt(&mut self, mode: Mode) {
        let done = self.ledger.at(Location::caller().line(), mode);
        let asked = Instant::now();
        assert!(self.lock.attempt(mode));
        done.holds.push(Span { at_least: Duration::ZERO, at_most: asked.elapsed() });
        done.acquisitions += 1;
    }

    /// Holds the lock while another thread tries in vain to have it.
    #[track_caller]
    pub(super) fn refuse(&mut self, held: Mode, tried: Mode, times: u32) {
        let holder = Location::caller().line();
        let lock = self.lock;
        let (asked, mut inside, mut line) = (Instant::now(), Duration::ZERO, 0);
        lock.hold(held, || {
            let had = Instant::now();
            line = thread::spawn(move || refused(lock, tried, times)).join().unwrap();
            inside = had.elapsed();
        });
        self.enter_hold(holder, held, Span { at_least: inside, at_most: asked.elapsed() });
        self.ledger.at(line, tried).failures += u64::from(times);
    }

    /// Holds the lock until two other threads, who stand at lines of their own,
    /// are waiting for it.
    #[track_caller]
    pub(super) fn contend(&mut self, held: Mode, wanted: Mode) {
        let holder = Location::caller().line();
        let (lock, profiler) = (self.lock, self.profiler);
        let (asked, mut inside, mut all_wait) = (Instant::now(), Duration::ZERO, Duration::ZERO);
        let mut waiters = Vec::new();
        lock.hold(held, || {
            let had = Instant::now();
            waiters.push(thread::spawn(move || wait(lock, wanted)));
            waiters.push(thread::spawn(move || wait(lock, wanted)));
            until_waiting(profiler, waiters.len());
            all_wait = moment();
            inside = had.elapsed();
        });
        self.enter_hold(holder, held, Span { at_least: inside, at_most: asked.elapsed() });
        for waiter in waiters {
            self.enter_wait(holder, &waiter.join().unwrap(), all_wait);
        }
    }

    fn enter_hold(&mut self, line: u32, mode: Mode, hold: Span) {
        let done = self.ledger.at(line, mode);
        done.holds.push(hold);
        done.acquisitions += 1;
    }

    /// `waited` has waited for `holder`, for `at_least` so long.
    fn enter_wait(&mut self, holder: u32, waited: &Waited, at_least: Duration) {
        let wait = Span { at_least, at_most: waited.had - waited.asked };
        self.enter_hold(waited.line, waited.mode, waited.hold());
        self.ledger.at(waited.line, waited.mode).waits.push(wait);
        self.ledger.charge(L::HAS_SLOT.then_some(holder), waited.line, wait);
    }
}

#[track_caller]
fn wait<L: Lock>(lock: &L, mode: Mode) -> Waited {
    let line = Location::caller().line();
    let asked = Instant::now();
    let (mut had, mut let_go) = (asked, asked);
    lock.hold(mode, || {
        had = Instant::now();
        let_go = Instant::now();
    });
    Waited { line, mode, asked, had, let_go, over: Instant::now() }
}

/// The line at which `times` tries have failed.
#[track_caller]
fn refused<L: Lock>(lock: &L, mode: Mode, times: u32) -> u32 {
    for _ in 0..times {
        assert!(!lock.attempt(mode));
    }
    Location::caller().line()
}

/// Returns once so many threads are waiting, as the session sees it.
fn until_waiting(profiler: &Profiler, number: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let pending = profiler.snapshot().unwrap().pending;
        let waiting = pending.iter().filter(|acquisition| acquisition.waiting).count();
        if waiting == number {
            return;
        }
        assert!(Instant::now() < deadline, "{waiting} wait, and not {number}: {pending:?}");
        thread::yield_now();
    }
}
