//! How much threads wait for locks while it sleeps.

use std::collections::VecDeque;

use lockscope_backends::contention::Waits;

use crate::settings::Terms;

/// How often in its length a window is looked at.
const LOOKS: u64 = 10;
/// How many contended acquisitions are to be told in a window at whose end it
/// wakes up: their number is then within 1/√1000 of the truth, 3 %.
const TOLD: u64 = 1_000;

const NS_PER_S: f64 = 1e9;

/// A look at contention over the last while.
#[derive(Debug)]
pub(crate) struct Sight {
    /// When it was looked at last, in nanoseconds since the session's start.
    at_ns: u64,
    /// What had been counted then.
    so_far: Waits,
    /// What was seen from one look to the next, oldest first.
    spans: VecDeque<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    from_ns: u64,
    to_ns: u64,
    waits: Waits,
}

impl Span {
    /// The part of it that is after `ns`: waits are spread evenly over a span,
    /// for all that is known.
    fn part_after(&self, ns: u64) -> f64 {
        if self.from_ns >= ns {
            return 1.0;
        }
        self.to_ns.saturating_sub(ns) as f64 / (self.to_ns - self.from_ns) as f64
    }
}

impl Sight {
    /// Begins to look, when so much has been counted.
    pub(crate) fn new(now_ns: u64, so_far: Waits) -> Self {
        Self { at_ns: now_ns, so_far, spans: VecDeque::new() }
    }

    /// How long until the next look.
    pub(crate) fn look_after_ns(terms: &Terms) -> u64 {
        terms.watch_ns / LOOKS
    }

    /// Of how many contended acquisitions one is told: so many as are needed to
    /// know their number well enough, if that is all that is asked for. A single
    /// long wait may be all there is to see, so none is left out where the time
    /// waited counts.
    pub(crate) fn contended_period(terms: &Terms) -> u32 {
        if terms.wait_percent > 0 {
            return 1;
        }
        let wakes_at = threshold(terms.contentions, terms.watch_ns) as u64;
        u32::try_from(wakes_at / TOLD).unwrap_or(u32::MAX).clamp(1, 1 << 20)
    }

    /// Looks again, when so much has been counted: what wakes the backend, if
    /// anything does.
    pub(crate) fn look(&mut self, now_ns: u64, so_far: Waits, terms: &Terms) -> Option<String> {
        let waits = Waits {
            number: so_far.number.wrapping_sub(self.so_far.number),
            wait_ns: so_far.wait_ns.wrapping_sub(self.so_far.wait_ns),
        };
        let (from_ns, to_ns) = (self.at_ns, now_ns);
        (self.at_ns, self.so_far) = (now_ns, so_far);
        self.spans.push_back(Span { from_ns, to_ns, waits });
        // Nothing is before the session's start.
        let since = now_ns.checked_sub(terms.watch_ns);
        while let Some(since) = since
            && self.spans.front().is_some_and(|oldest| oldest.to_ns <= since)
        {
            self.spans.pop_front();
        }
        let (mut number, mut wait_ns) = (0.0, 0.0);
        for span in &self.spans {
            let part = since.map_or(1.0, |since| span.part_after(since));
            number += part * span.waits.number as f64;
            wait_ns += part * span.waits.wait_ns as f64;
        }
        alarm(number, wait_ns, terms)
    }
}

/// So many in a second are so many in a window.
fn threshold(per_second: u32, window_ns: u64) -> f64 {
    f64::from(per_second) * window_ns as f64 / NS_PER_S
}

/// What is too much of so many waits in a window, for so long in all.
fn alarm(number: f64, wait_ns: f64, terms: &Terms) -> Option<String> {
    let window_ns = terms.watch_ns as f64;
    if terms.contentions > 0 && number >= threshold(terms.contentions, terms.watch_ns) {
        return Some(format!("{:.0} contentions a second", number * NS_PER_S / window_ns));
    }
    let percent = wait_ns * 100.0 / window_ns;
    (terms.wait_percent > 0 && percent >= f64::from(terms.wait_percent))
        .then(|| format!("waits worth {percent:.0} % of a thread's time"))
}
