//! What the host is told beyond what backends share: windows, and what the
//! numbers stand for.

use std::collections::VecDeque;

use lockscope_core::report::{Report, Window};

/// So many windows are listed: a program may run for months.
const MOST_LISTED: usize = 1_000;

const NOTHING: &str = "Nothing has woken the backend, so nothing is recorded; wake it by a command, a signal or the program, or by less contention than it takes now (wake_on_contentions, wake_on_wait_percent).";

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

    /// What is to be said of those that are not listed, if there are any.
    fn unlisted(&self) -> Option<String> {
        let number = self.number - self.listed.len() as u64;
        let listed_ns: u64 = self.listed.iter().map(|window| window.length_ns).sum();
        (number > 0).then(|| {
            let length = lasting(self.awake_ns - listed_ns);
            format!("The first {number} windows, {length} in all, are not listed; what was seen in them is in the totals.")
        })
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
    /// Contention opens one as well; it is looked for in so many percent of the
    /// time.
    Watching(u32),
    /// A window is open.
    Awake(u64),
}

impl Mood {
    /// In words, while it may change.
    fn told(self) -> Option<String> {
        Some(match self {
            Self::Over => return None,
            Self::Asleep => "The backend is asleep.".to_owned(),
            Self::Cooling(left_ns) => format!(
                "The backend is asleep; contention does not wake it for another {}.",
                lasting(left_ns)
            ),
            Self::Watching(100) => "The backend is asleep, and watches for contention.".to_owned(),
            Self::Watching(percent) => format!(
                "The backend is asleep, and watches for contention in {percent} % of the time."
            ),
            Self::Awake(left_ns) => {
                format!("The backend is awake for another {}.", lasting(left_ns))
            }
        })
    }
}

/// Adds the windows that are over, the one that is not, and how the session
/// stands.
pub(crate) fn add(report: &mut Report, (past, open, mood): (&Past, Option<Window>, Mood)) {
    if past.number == 0 && open.is_none() {
        report.notes.push(NOTHING.into());
    }
    report.notes.extend(past.unlisted().map(Into::into));
    report.notes.extend(mood.told().map(Into::into));
    report.windows.extend(past.listed.iter().cloned().chain(open));
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
