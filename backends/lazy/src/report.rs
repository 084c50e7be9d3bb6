//! What the host is told beyond what backends share: windows, and what the
//! numbers stand for.

use std::collections::VecDeque;

use lockscope_core::report::{Report, Window};

/// So many windows are listed: a program may run for months.
const MOST_LISTED: usize = 1_000;

const NS_PER_MS: u64 = 1_000_000;

/// Windows that are over.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// The newest, oldest first.
    listed: VecDeque<Window>,
    number: u64,
    awake_ns: u64,
    samples: u64,
}

impl Past {
    /// Adds one that ended last.
    pub(crate) fn add(&mut self, window: Window) {
        self.number += 1;
        self.awake_ns += window.length_ns;
        self.samples += window.samples;
        if self.listed.len() == MOST_LISTED {
            self.listed.pop_front();
        }
        self.listed.push_back(window);
    }

    /// How many there were.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Samples taken in all of them.
    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// When the last one ended, in nanoseconds since the session's start.
    pub(crate) fn last_ended_ns(&self) -> Option<u64> {
        self.listed.back().map(|window| window.after_ns + window.length_ns)
    }
}

/// How the session stands; times that are left are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It has ended.
    Over,
    /// Only a wake opens a window.
    Asleep,
    /// Contention opens one as well, but not yet.
    Cooling(u64),
    /// Contention opens one as well.
    Watching,
    /// A window is open.
    Awake(u64),
}

/// Adds the windows that are over, the one that is not, and how the session
/// stands.
pub(crate) fn add(report: &mut Report, (past, open, mood): (&Past, Option<Window>, Mood)) {
    let number = past.number + u64::from(open.is_some());
    let awake_ns = past.awake_ns + open.as_ref().map_or(0, |open| open.length_ns);
    report.windows.extend(past.listed.iter().cloned().chain(open));
    let summary = match number {
        0 => "Nothing has woken the backend, so nothing is recorded; wake it by a command, a signal or the program, or let contention do so (wake_on_contentions, wake_on_wait_percent).".to_owned(),
        1 => format!("The backend was awake for {}; every total is of that time alone.", lasting(awake_ns)),
        _ => format!("The backend was awake {number} times, for {} in all; every total is of that time alone.", lasting(awake_ns)),
    };
    report.notes.push(summary.into());
    let unlisted = past.number - past.listed.len() as u64;
    if unlisted > 0 {
        report.notes.push(
            format!("The first {unlisted} windows are not listed; what was seen in them is in the totals.").into(),
        );
    }
    let standing = match mood {
        Mood::Over => return,
        Mood::Asleep => "It is asleep.".to_owned(),
        Mood::Cooling(left_ns) => {
            format!("It is asleep; contention does not wake it for another {}.", lasting(left_ns))
        }
        Mood::Watching => "It is asleep, and watches for contention.".to_owned(),
        Mood::Awake(left_ns) => format!("It is awake for another {}.", lasting(left_ns)),
    };
    report.notes.push(standing.into());
}

/// A length of time, for people.
fn lasting(ns: u64) -> String {
    let ms = ns / NS_PER_MS;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..100_000 => format!("{:.1} s", ms as f64 / 1e3),
        100_000..6_000_000 => format!("{} min", ms / 60_000),
        _ => format!("{:.1} h", ms as f64 / 3.6e6),
    }
}
