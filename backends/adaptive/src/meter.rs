//! What the backend itself costs: how much it does, and how long that takes.
//!
//! Every event is counted, and one in 64 of each sort is timed, with the
//! session's clock, around all that the backend does for it. What the probe does
//! around the backend cannot be timed from here: it is known by how often the
//! probe reads the clock, whose reading is timed at the start, and an allowance
//! for the rest.

use core::array::from_fn;

use lockscope_core::clock::{self, ClockScale};
use lockscope_core::sync::{AtomicBool, AtomicU64, Ordering};
use lockscope_core::{Event, EventKind, Session};

/// What an operation costs that passes an open gate and is not recorded: it
/// counts its lock's countdown down. One lock + unlock of 9.5 ns took 1.05 times
/// as long where next to none were recorded.
pub(crate) const PASSING_NS: f64 = 0.5;
/// What a probe does for a sample beside reading the clock: it finds a place for
/// the record, and calls the backend. Of an operation that took 25 ns where each
/// was recorded, 18 were for two readings of the clock.
const AROUND_NS: f64 = 8.0;
/// Threads that may count without getting in each other's way.
const PLACES: usize = 64;
/// One event in so many is timed, the first after half as many: what comes first
/// in a session makes records, which no later one does.
const TIMED: u64 = 64;
/// How far one timing moves the mean.
const WEIGHT: f64 = 1.0 / 16.0;
/// A thread may have been interrupted while it was timed: no timing counts for
/// more than so many times the mean.
const OUTLIER: f64 = 4.0;

/// Sorts of work, by what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// An acquisition that was sampled.
    Sample,
    /// One that had to wait, whether it got the lock or not.
    Wait,
    /// What no period makes rarer: tries that failed at once, idle times.
    Rest,
}

impl Work {
    fn of(event: &Event) -> Self {
        match event.kind {
            EventKind::RELEASED if event.contended == 0 => Self::Sample,
            EventKind::RELEASED => Self::Wait,
            EventKind::FAILED if event.wait_ticks() > 0 => Self::Wait,
            _ => Self::Rest,
        }
    }

    /// How often the probe reads the clock for it.
    fn readings(self) -> f64 {
        [2.0, 3.0, 1.0][self as usize]
    }

    /// How long the backend takes for it, as long as it has not been timed.
    fn first_guess_ns(self) -> f64 {
        [40.0, 150.0, 60.0][self as usize]
    }
}

const SORTS: [Work; 3] = [Work::Sample, Work::Wait, Work::Rest];

/// How much was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// Acquisitions that were sampled.
    pub(crate) samples: u64,
    /// Acquisitions that had to wait and were recorded.
    pub(crate) waits: u64,
    /// Everything else that was recorded.
    pub(crate) rest: u64,
    /// Operations that all these stand for.
    pub(crate) operations: u64,
}

/// What one of each sort costs, in nanoseconds, with what the probe does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Prices {
    pub(crate) sample_ns: f64,
    pub(crate) wait_ns: f64,
    pub(crate) rest_ns: f64,
}

/// Counts and times the events of a session.
#[derive(Debug)]
pub(crate) struct Meter {
    places: [Place; PLACES],
    /// How long the backend takes for each sort of work: means in ticks, as the
    /// bits of an `f64`. Two threads that time at once may lose one of the
    /// timings. Relaxed: each is by itself.
    took: [AtomicU64; 3],
    is_tsc: AtomicBool,
    /// How long reading the clock takes, in ticks, as the bits of an `f64`.
    reading: AtomicU64,
}

/// What some threads have done. Relaxed: nothing is found or ordered by it.
///
/// Two lines, for the adjacent-line prefetcher.
#[derive(Debug)]
#[repr(align(128))]
struct Place {
    /// By [`Work`].
    events: [AtomicU64; 3],
    /// The operations that these stand for, less the events themselves: seldom
    /// more where every operation is recorded, and then it is not written.
    beyond: AtomicU64,
}

/// An event that is being timed.
#[derive(Debug)]
pub(crate) struct Timing {
    work: Work,
    began: u64,
}

impl Default for Meter {
    fn default() -> Self {
        let place = || Place { events: from_fn(|_| AtomicU64::new(0)), beyond: AtomicU64::new(0) };
        Self {
            places: from_fn(|_| place()),
            took: from_fn(|_| AtomicU64::new(0)),
            is_tsc: AtomicBool::new(false),
            reading: AtomicU64::new(0),
        }
    }
}

impl Meter {
    /// Begins a session at nothing. No hook runs.
    pub(crate) fn start(&self, session: &Session) {
        for place in &self.places {
            place.events.iter().chain([&place.beyond]).for_each(|n| n.store(0, Ordering::Relaxed));
        }
        let is_tsc = session.clock.tsc == 1;
        self.is_tsc.store(is_tsc, Ordering::Relaxed);
        store(&self.reading, ticks_of_a_reading(is_tsc));
        let ns_per_tick = session.clock.ns_per_tick();
        for (took, work) in self.took.iter().zip(SORTS) {
            store(took, work.first_guess_ns() / ns_per_tick);
        }
    }

    /// Counts `event`, and begins to time it if its turn has come.
    #[inline]
    pub(crate) fn begin(&self, event: &Event) -> Option<Timing> {
        let work = Work::of(event);
        let place = &self.places[event.thread as usize % PLACES];
        let before = place.events[work as usize].fetch_add(1, Ordering::Relaxed);
        if event.weight > 1 {
            place.beyond.fetch_add(u64::from(event.weight) - 1, Ordering::Relaxed);
        }
        (before % TIMED == TIMED / 2).then(|| Timing { work, began: self.now() })
    }

    /// The backend has done its work.
    #[inline]
    pub(crate) fn end(&self, timing: Option<Timing>) {
        if let Some(timing) = timing {
            self.took(timing.work, self.now().saturating_sub(timing.began) as f64);
        }
    }

    #[cold]
    fn took(&self, work: Work, ticks: f64) {
        let mean = &self.took[work as usize];
        let before = load(mean);
        store(mean, before + (ticks.min(OUTLIER * before.max(1.0)) - before) * WEIGHT);
    }

    /// What was done in the session.
    pub(crate) fn done(&self) -> Done {
        let sum = |work: Work| {
            let events = |place: &Place| place.events[work as usize].load(Ordering::Relaxed);
            self.places.iter().map(events).sum::<u64>()
        };
        let [samples, waits, rest] = SORTS.map(sum);
        let beyond: u64 =
            self.places.iter().map(|place| place.beyond.load(Ordering::Relaxed)).sum();
        Done { samples, waits, rest, operations: samples + waits + rest + beyond }
    }

    /// What it costs, in a session whose ticks are `clock`'s.
    pub(crate) fn prices(&self, clock: ClockScale) -> Prices {
        let reading = load(&self.reading);
        let price = |work: Work| {
            // What was timed contains one reading: half of the first, and half of
            // the second.
            let ticks = load(&self.took[work as usize]) + (work.readings() - 1.0) * reading;
            ticks * clock.ns_per_tick() + AROUND_NS
        };
        let [sample_ns, wait_ns, rest_ns] = SORTS.map(price);
        Prices { sample_ns, wait_ns, rest_ns }
    }

    fn now(&self) -> u64 {
        clock::now(self.is_tsc.load(Ordering::Relaxed))
    }
}

/// How long reading the clock takes, in ticks: the shortest of some batches,
/// because others were interrupted.
fn ticks_of_a_reading(is_tsc: bool) -> f64 {
    const READINGS: u64 = 32;
    let batch = || {
        let began = clock::now(is_tsc);
        (1..READINGS).for_each(|_| {
            core::hint::black_box(clock::now(is_tsc));
        });
        clock::now(is_tsc).saturating_sub(began)
    };
    let shortest = (0..4).map(|_| batch()).min().unwrap_or_default();
    shortest as f64 / READINGS as f64
}

fn load(cell: &AtomicU64) -> f64 {
    f64::from_bits(cell.load(Ordering::Relaxed))
}

fn store(cell: &AtomicU64, number: f64) {
    cell.store(number.to_bits(), Ordering::Relaxed);
}
