//! Condition variables: a thread that has nothing to do until it is told.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use lockscope::parking_lot::{self, slotless};
use lockscope::sync;

use super::ledger::{Ledger, Span};
use super::script::moment;
use crate::locks::Mode;

/// A flag, and a condition variable that goes with it.
pub(super) trait Signal: Sync {
    /// Waits until the flag is up, after `holds` was called with the mutex held:
    /// how long each of the waits took at most. All of it stands where the
    /// caller does.
    #[track_caller]
    fn wait(&self, holds: impl FnOnce()) -> Vec<Duration>;

    /// Puts up the flag, unless somebody holds the mutex; calls `with` while
    /// it holds it itself.
    #[track_caller]
    fn tell(&self, with: impl FnOnce()) -> bool;
}

/// The two of std's family.
pub(super) struct Std {
    flag: sync::Mutex<bool>,
    told: sync::Condvar,
}

impl Std {
    pub(super) fn named(flag: &'static str, told: &'static str) -> Self {
        Self { flag: sync::Mutex::named(flag, false), told: sync::Condvar::named(told) }
    }
}

impl Signal for Std {
    #[track_caller]
    fn wait(&self, holds: impl FnOnce()) -> Vec<Duration> {
        let mut waits = Vec::new();
        let mut flag = self.flag.lock().unwrap();
        holds();
        while !*flag {
            let begin = Instant::now();
            flag = self.told.wait(flag).unwrap();
            waits.push(begin.elapsed());
        }
        waits
    }

    #[track_caller]
    fn tell(&self, with: impl FnOnce()) -> bool {
        let Ok(mut flag) = self.flag.try_lock() else { return false };
        with();
        *flag = true;
        self.told.notify_one();
        true
    }
}

macro_rules! signal {
    ($pair:ty) => {
        impl Signal for $pair {
            #[track_caller]
            fn wait(&self, holds: impl FnOnce()) -> Vec<Duration> {
                let mut waits = Vec::new();
                let mut flag = self.0.lock();
                holds();
                while !*flag {
                    let begin = Instant::now();
                    self.1.wait(&mut flag);
                    waits.push(begin.elapsed());
                }
                waits
            }

            #[track_caller]
            fn tell(&self, with: impl FnOnce()) -> bool {
                let Some(mut flag) = self.0.try_lock() else { return false };
                with();
                *flag = true;
                self.1.notify_one();
                true
            }
        }
    };
}

signal!((parking_lot::Mutex<bool>, parking_lot::Condvar));
signal!((slotless::Mutex<bool>, slotless::Condvar));

/// What was done with the mutex, and with the condition variable.
#[derive(Default)]
pub(super) struct Told {
    pub(super) mutex: Ledger,
    pub(super) condvar: Ledger,
}

/// One thread waits until another tells it.
pub(super) fn tell_another<S: Signal>(signal: &S) -> Told {
    let (sender, receiver) = channel();
    let mut told = Told::default();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let begin = Instant::now();
            let waits = signal.wait(|| sender.send(line!()).unwrap());
            (waits, begin.elapsed())
        });
        let line = receiver.recv().unwrap();
        let asleep = told.tell(signal);
        let (waits, over) = waiter.join().unwrap();
        told.enter_waits(line, asleep, &waits, over);
    });
    told
}

impl Told {
    /// Tells the thread that waits, which holds the mutex until it does: how
    /// long it was certainly waiting.
    fn tell<S: Signal>(&mut self, signal: &S) -> Duration {
        let done = self.mutex.at(line!() + 3, Mode::Write);
        loop {
            let (begin, mut asleep) = (Instant::now(), Duration::ZERO);
            if signal.tell(|| asleep = moment()) {
                done.acquisitions += 1;
                done.holds.push(Span { at_least: asleep, at_most: begin.elapsed() });
                return asleep;
            }
            done.failures += 1;
            thread::yield_now();
        }
    }

    /// A thread has waited at `line`: more than once, if it was woken for
    /// nothing.
    fn enter_waits(&mut self, line: u32, asleep: Duration, waits: &[Duration], over: Duration) {
        let done = self.mutex.at(line, Mode::Write);
        done.acquisitions = waits.len() as u64 + 1;
        done.holds = vec![Span { at_least: Duration::ZERO, at_most: over }; waits.len() + 1];
        let at_least = if waits.len() == 1 { asleep } else { Duration::ZERO };
        let idles = waits.iter().map(|&at_most| Span { at_least, at_most });
        self.condvar.at(line, Mode::Read).idles.extend(idles);
    }
}
