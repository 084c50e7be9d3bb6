//! How many acquisitions have to wait, and how long.

use lockscope_core::clock::ClockScale;
use lockscope_core::sync::{AtomicU64, Ordering};
use lockscope_core::{Event, EventKind};

/// Threads that wait at one time mostly have numbers that follow each other.
const SHARDS: usize = 16;

/// Contended acquisitions since the program began, as far as they were told.
///
/// Relaxed, all of it: numbers that are added up, and order nothing.
#[derive(Debug, Default)]
pub struct Contention([Shard; SHARDS]);

/// Those of some threads: of one mostly, which then has the line to itself.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard {
    number: AtomicU64,
    wait_ticks: AtomicU64,
}

/// So many acquisitions that had to wait, for so long in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// How many.
    pub number: u64,
    /// In nanoseconds, all together.
    pub wait_ns: u64,
}

impl Contention {
    /// Counts `event`, if it had to wait for a lock: it may have given up in the
    /// end.
    pub fn count(&self, event: &Event) {
        let is_wait = event.kind == EventKind::RELEASED || event.kind == EventKind::FAILED;
        if event.contended == 0 || !is_wait {
            return;
        }
        let weight = u64::from(event.weight);
        let shard = &self.0[event.thread as usize % SHARDS];
        shard.number.fetch_add(weight, Ordering::Relaxed);
        shard.wait_ticks.fetch_add(event.wait_ticks().wrapping_mul(weight), Ordering::Relaxed);
    }

    /// How many were counted.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.sum(|shard| &shard.number)
    }

    /// All that were counted; the session's ticks are `clock`'s.
    #[must_use]
    pub fn so_far(&self, clock: ClockScale) -> Waits {
        let wait_ns = clock.ns(self.sum(|shard| &shard.wait_ticks));
        Waits { number: self.number(), wait_ns }
    }

    fn sum(&self, of: fn(&Shard) -> &AtomicU64) -> u64 {
        let each = self.0.iter().map(|shard| of(shard).load(Ordering::Relaxed));
        each.fold(0, u64::wrapping_add)
    }
}

/// For people: that only one in `highest` acquisitions that had to wait was recorded
/// at times, and one in `now` at the end, to keep to `budget`. `None` if all were.
#[must_use]
pub fn drawn(budget: &str, highest: u32, now: u32) -> Option<String> {
    let at_the_end = if now > 1 { format!("one in {now}") } else { "each".to_owned() };
    (highest > 1).then(|| {
        format!(
            "To keep to {budget}, only one in up to {highest} of the acquisitions that had to wait was recorded, and {at_the_end} at the end: contentions and waits are estimates."
        )
    })
}
