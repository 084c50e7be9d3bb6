//! When it sleeps, watches, and is awake: a machine that is driven by time and
//! by whoever wakes it.
//!
//! | phase | gates | ends |
//! |---|---|---|
//! | `Asleep` | closed | with a wake; with the cool-down, if contention may wake it |
//! | `Watching` | contended acquisitions alone | with a wake, with enough contention, or after a window of it |
//! | `Blind` | closed | with a wake, or when it is time to watch again |
//! | `Awake` | open | when the window is over; a wake prolongs it |
//! | `Settling` | closed | when it is asked again, for then no hook runs |
//!
//! Times are in nanoseconds since the session's start, and come from outside.

use core::fmt;

use lockscope_backends::contention::Waits;
use lockscope_core::backend::Pace;
use lockscope_core::gate::state::{CLOSED, OPEN, WATCH};
use lockscope_core::report::Window;

use super::contention::Sight;
use crate::report::{Mood, Past};
use crate::settings::Terms;

/// Longest cause that is kept, in characters.
const LONGEST_CAUSE: usize = 200;
const WHEN_WOKEN: u64 = u64::MAX;

/// Where a session stands, and what it has been through.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    terms: Terms,
    phase: Phase,
    /// Who wants it to wake up and has not been answered.
    wanted: Option<Cause>,
    past: Past,
}

#[derive(Debug, Default)]
enum Phase {
    /// No session runs.
    #[default]
    Over,
    Asleep,
    /// Since a time.
    Watching(Sight, u64),
    /// Until a time.
    Blind(u64),
    Awake(Open),
    Settling(Open),
}

/// A window that is open, or may still be written to.
#[derive(Debug)]
struct Open {
    cause: Cause,
    since_ns: u64,
    /// When it is to end, or has ended.
    until_ns: u64,
}

/// Who has woken it, and who has prolonged that.
#[derive(Debug)]
struct Cause {
    first: String,
    last: String,
    prolonged: u32,
}

impl Cause {
    fn new(cause: &str) -> Self {
        let first = cause.chars().take(LONGEST_CAUSE).collect();
        Self { first, last: String::new(), prolonged: 0 }
    }

    fn and(&mut self, later: Self) {
        self.prolonged += later.prolonged + 1;
        self.last = if later.prolonged == 0 { later.first } else { later.last };
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, prolonged } = self;
        match prolonged {
            0 => f.write_str(first),
            1 => write!(f, "{first}, prolonged by {last}"),
            times => write!(f, "{first}, prolonged {times} times, last by {last}"),
        }
    }
}

impl Open {
    fn new(cause: Cause, now_ns: u64, terms: &Terms) -> Self {
        Self { cause, since_ns: now_ns, until_ns: now_ns + terms.window_ns }
    }

    fn ended(self, now_ns: u64) -> Self {
        Self { until_ns: now_ns, ..self }
    }

    /// As it is told at this time, when so many samples were taken in it.
    fn window(&self, now_ns: u64, samples: u64) -> Window {
        Window {
            cause: self.cause.to_string().into(),
            after_ns: self.since_ns,
            length_ns: now_ns.saturating_sub(self.since_ns),
            samples,
        }
    }
}

impl Schedule {
    /// What holds from the next answer on.
    pub(crate) fn terms_mut(&mut self) -> &mut Terms {
        &mut self.terms
    }

    /// A session begins, and perhaps a window with it.
    pub(crate) fn start(&mut self, now_ns: u64, is_awake: bool) {
        self.phase = if is_awake {
            Phase::Awake(Open::new(Cause::new("the session's start"), now_ns, &self.terms))
        } else {
            Phase::Asleep
        };
        self.wanted = None;
        self.past = Past::default();
    }

    /// Somebody wants it to wake up: the next answer will be that it is awake.
    /// False if no session runs.
    pub(crate) fn wake(&mut self, cause: &str) -> bool {
        if matches!(self.phase, Phase::Over) {
            return false;
        }
        let cause = Cause::new(cause);
        match &mut self.wanted {
            Some(wanted) => wanted.and(cause),
            None => self.wanted = Some(cause),
        }
        true
    }

    /// The number of the window that is open, or may still be written to; 0 if
    /// there is none.
    pub(crate) fn window(&self) -> u64 {
        match self.phase {
            Phase::Awake(_) | Phase::Settling(_) => self.past.number() + 1,
            _ => 0,
        }
    }

    /// Whether a window is to be closed for good by [`Schedule::settle`].
    pub(crate) fn is_settling(&self) -> bool {
        matches!(self.phase, Phase::Settling(_))
    }

    /// No hook of the window runs any more; so many samples were taken in the
    /// session.
    pub(crate) fn settle(&mut self, samples: u64) {
        self.phase = match core::mem::take(&mut self.phase) {
            Phase::Settling(open) => {
                let in_it = samples.saturating_sub(self.past.samples());
                self.past.add(open.window(open.until_ns, in_it));
                Phase::Asleep
            }
            other => other,
        };
    }

    /// How it goes on, when so much contention has been counted.
    pub(crate) fn next(&mut self, now_ns: u64, so_far: Waits) -> Pace {
        self.phase = match core::mem::take(&mut self.phase) {
            Phase::Asleep => self.sleep(now_ns, so_far, None),
            Phase::Watching(sight, since) => self.sleep(now_ns, so_far, Some((sight, since))),
            Phase::Blind(until)
                if now_ns < until && self.wanted.is_none() && self.terms.watches() =>
            {
                Phase::Blind(until)
            }
            Phase::Blind(_) => self.sleep(now_ns, so_far, None),
            Phase::Awake(open) => self.stay_awake(open, now_ns),
            other => other,
        };
        self.pace(now_ns)
    }

    fn sleep(&mut self, now_ns: u64, so_far: Waits, sight: Option<(Sight, u64)>) -> Phase {
        let terms = &self.terms;
        if let Some(cause) = self.wanted.take() {
            return Phase::Awake(Open::new(cause, now_ns, terms));
        }
        if !terms.watches() || now_ns < self.cool_at_ns() {
            return Phase::Asleep;
        }
        let (mut sight, since) = sight.unwrap_or_else(|| (Sight::new(now_ns, so_far), now_ns));
        if let Some(cause) = sight.look(now_ns, so_far, terms) {
            return Phase::Awake(Open::new(Cause::new(&cause), now_ns, terms));
        }
        match terms.blind_ns() {
            blind_ns if blind_ns > 0 && now_ns >= since + terms.watch_ns => {
                Phase::Blind(now_ns + blind_ns)
            }
            _ => Phase::Watching(sight, since),
        }
    }

    fn stay_awake(&mut self, mut open: Open, now_ns: u64) -> Phase {
        if let Some(cause) = self.wanted.take() {
            open.cause.and(cause);
            open.until_ns = now_ns + self.terms.window_ns;
        }
        if now_ns < open.until_ns {
            Phase::Awake(open)
        } else {
            Phase::Settling(open.ended(now_ns))
        }
    }

    /// When contention may wake it.
    fn cool_at_ns(&self) -> u64 {
        self.past.last_ended_ns().map_or(0, |ended| ended + self.terms.cool_down_ns)
    }

    fn pace(&self, now_ns: u64) -> Pace {
        let pace = |gate, ask_after_ns| Pace { gate, contended_period: 1, ask_after_ns };
        match &self.phase {
            Phase::Asleep if self.terms.watches() => {
                pace(CLOSED, self.cool_at_ns().saturating_sub(now_ns))
            }
            Phase::Over | Phase::Asleep => pace(CLOSED, WHEN_WOKEN),
            Phase::Blind(until) => pace(CLOSED, until.saturating_sub(now_ns)),
            Phase::Watching(..) => Pace {
                contended_period: Sight::contended_period(&self.terms),
                ..pace(WATCH, Sight::look_after_ns(&self.terms))
            },
            Phase::Awake(open) => pace(OPEN, open.until_ns.saturating_sub(now_ns)),
            Phase::Settling(_) => pace(CLOSED, 0),
        }
    }

    /// The session ends; so many samples were taken in it. No hook runs.
    pub(crate) fn stop(&mut self, now_ns: u64, samples: u64) {
        self.phase = match core::mem::take(&mut self.phase) {
            Phase::Awake(open) => Phase::Settling(open.ended(now_ns)),
            other => other,
        };
        self.settle(samples);
        (self.phase, self.wanted) = (Phase::Over, None);
    }

    /// What is over, and what is not: a window with the samples that were taken
    /// in it, of so many in all.
    pub(crate) fn told(&self, now_ns: u64, samples: u64) -> (&Past, Option<Window>, Mood) {
        let in_it = samples.saturating_sub(self.past.samples());
        let (window, mood) = match &self.phase {
            Phase::Over => (None, Mood::Over),
            Phase::Asleep if self.terms.watches() => {
                (None, Mood::Cooling(self.cool_at_ns().saturating_sub(now_ns)))
            }
            Phase::Asleep => (None, Mood::Asleep),
            Phase::Watching(..) | Phase::Blind(_) => {
                (None, Mood::Watching(self.terms.watch_percent))
            }
            Phase::Awake(open) => {
                let left_ns = open.until_ns.saturating_sub(now_ns);
                (Some(open.window(now_ns, in_it)), Mood::Awake(left_ns))
            }
            Phase::Settling(open) => (Some(open.window(open.until_ns, in_it)), Mood::Asleep),
        };
        (&self.past, window, mood)
    }
}

#[cfg(test)]
mod tests;
