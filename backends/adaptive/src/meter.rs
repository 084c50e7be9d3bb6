//! What the backend itself costs: how much it does, and how long that takes.
//!
//! Every call of a probe is counted, and one in 64 of each sort is timed, with
//! the session's clock, around all that the backend does for it. What the probe does
//! around the backend cannot be timed from here: it is known by how often the
//! probe reads the clock, whose reading is timed at the start, and an allowance
//! for the rest.

use core::array::from_fn;

use lockscope_core::clock::{self, ClockScale};
use lockscope_core::sync::{AtomicBool, AtomicU64, IS_MODEL, Ordering};
use lockscope_core::{Event, EventKind, LockRef, Session};

/// What an operation costs that passes an open gate and is not recorded: it
/// counts its lock's countdown down. One lock + unlock of 9.5 ns took 1.05 times
/// as long where next to none were recorded.
pub(crate) const PASSING_NS: f64 = 0.5;
/// What a probe does for a sample beside reading the clock: it finds a place for
/// the record, and calls the backend. Of an operation that took 25 ns where each
/// was recorded, 18 were for two readings of the clock.
const AROUND_NS: f64 = 8.0;
/// Threads that may count without getting in each other's way.
const PLACES: usize = if IS_MODEL { 2 } else { 64 };
/// One call in so many is timed, the first after half as many: what comes first
/// in a session makes records, which little does later.
const TIMED: u64 = 64;
/// How far one timing moves the mean.
const WEIGHT: f64 = 1.0 / 8.0;
/// A thread may have lost its processor while it was timed: no timing counts for
/// more. A record is made in less.
const LONGEST_NS: f64 = 20_000.0;

/// Sorts of work, by what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// An acquisition that was sampled.
    Sample,
    /// One that had to wait, whether it got the lock or not.
    Wait,
    /// What no period makes rarer: tries that fail at once, idle times, locks
    /// that are met and dropped.
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
        [40.0, 60.0, 60.0][self as usize]
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
    /// Everything else.
    pub(crate) rest: u64,
    /// Acquisitions that samples and waits stand for.
    pub(crate) operations: u64,
}

/// What one of each sort costs, in nanoseconds, with what the probe does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Prices {
    pub(crate) sample_ns: f64,
    pub(crate) wait_ns: f64,
    pub(crate) rest_ns: f64,
}

/// Counts and times the calls of a session.
#[derive(Debug)]
pub(crate) struct Meter {
    places: [Place; PLACES],
    /// How long the backend takes for each sort of work: means in ticks, as the
    /// bits of an `f64`. Two threads that time at once may lose one of the
    /// timings. Relaxed: each is by itself.
    took: [AtomicU64; 3],
    is_tsc: AtomicBool,
    /// How long reading the clock takes, and [`LONGEST_NS`]: likewise.
    reading: AtomicU64,
    longest: AtomicU64,
}

/// What some threads have done. Relaxed: nothing is found or ordered by it.
///
/// Two lines, for the adjacent-line prefetcher.
#[derive(Debug)]
#[repr(align(128))]
struct Place {
    /// By [`Work`].
    calls: [AtomicU64; 3],
    /// The operations that these stand for, less the calls themselves: not written
    /// where each stands for itself.
    beyond: AtomicU64,
}

/// A call that is being timed.
#[derive(Debug)]
pub(crate) struct Timing {
    work: Work,
    began: u64,
}

impl Default for Meter {
    fn default() -> Self {
        let place = || Place { calls: from_fn(|_| AtomicU64::new(0)), beyond: AtomicU64::new(0) };
        Self {
            places: from_fn(|_| place()),
            took: from_fn(|_| AtomicU64::new(0)),
            is_tsc: AtomicBool::new(false),
            reading: AtomicU64::new(0),
            longest: AtomicU64::new(0),
        }
    }
}

impl Meter {
    /// Begins a session at nothing. No hook runs.
    pub(crate) fn start(&self, session: &Session) {
        for place in &self.places {
            place.calls.iter().chain([&place.beyond]).for_each(|n| n.store(0, Ordering::Relaxed));
        }
        let is_tsc = session.clock.tsc == 1;
        self.is_tsc.store(is_tsc, Ordering::Relaxed);
        store(&self.reading, ticks_of_a_reading(is_tsc));
        let ns_per_tick = session.clock.ns_per_tick();
        store(&self.longest, LONGEST_NS / ns_per_tick);
        for (took, work) in self.took.iter().zip(SORTS) {
            store(took, work.first_guess_ns() / ns_per_tick);
        }
    }

    /// Counts `event`, and begins to time it if its turn has come.
    #[inline]
    pub(crate) fn begin_event(&self, event: &Event) -> Option<Timing> {
        let place = &self.places[event.thread as usize % PLACES];
        let work = Work::of(event);
        if work != Work::Rest && event.weight > 1 {
            place.beyond.fetch_add(u64::from(event.weight) - 1, Ordering::Relaxed);
        }
        self.begin(place, work)
    }

    /// Counts what is done for `lock` when it is met, or dropped, likewise.
    #[inline]
    pub(crate) fn begin_rest(&self, lock: &LockRef) -> Option<Timing> {
        self.begin(&self.places[lock.id as usize % PLACES], Work::Rest)
    }

    #[inline]
    fn begin(&self, place: &Place, work: Work) -> Option<Timing> {
        let before = place.calls[work as usize].fetch_add(1, Ordering::Relaxed);
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
        store(mean, before + (ticks.min(load(&self.longest)) - before) * WEIGHT);
    }

    /// What was done in the session.
    pub(crate) fn done(&self) -> Done {
        let sum = |work: Work| {
            let calls = |place: &Place| place.calls[work as usize].load(Ordering::Relaxed);
            self.places.iter().map(calls).sum::<u64>()
        };
        let [samples, waits, rest] = SORTS.map(sum);
        let beyond: u64 =
            self.places.iter().map(|place| place.beyond.load(Ordering::Relaxed)).sum();
        Done { samples, waits, rest, operations: samples + waits + beyond }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{event, session};
    use lockscope_core::{Mode, Slot};

    fn started() -> Meter {
        let meter = Meter::default();
        meter.start(&session(1, 1));
        meter
    }

    fn spin(ns: u64) {
        let until = clock::monotonic_ns() + ns;
        while clock::monotonic_ns() < until {}
    }

    #[test]
    fn it_counts_what_was_done_and_for_how_many_operations_that_stands() {
        let (meter, slot) = (started(), Slot::new(None));
        let sample = event(&slot, Mode::EXCLUSIVE, 64);
        let failed = Event { kind: EventKind::FAILED, weight: 1, ..sample };
        let events = [
            sample,
            Event { weight: 1, thread: 7, ..sample },
            Event { contended: 1, weight: 4, acquired: 9, end: 9, ..sample },
            failed,
            Event { acquired: 9, end: 9, ..failed },
        ];
        for event in &events {
            meter.end(meter.begin_event(event));
        }
        meter.end(meter.begin_rest(&sample.lock));
        let done = Done { samples: 2, waits: 2, rest: 2, operations: 64 + 1 + 4 + 1 };
        assert_eq!(meter.done(), done);
        meter.start(&session(2, 1));
        assert_eq!(meter.done(), Done::default());
    }

    #[test]
    fn it_measures_each_sort_of_work_by_itself() {
        let (meter, slot) = (started(), Slot::new(None));
        let clock = ClockScale::NANOSECONDS;
        let before = meter.prices(clock);
        let sample = event(&slot, Mode::EXCLUSIVE, 1);
        for _ in 0..100 * TIMED {
            let timing = meter.begin_event(&sample);
            if timing.is_some() {
                spin(3_000);
            }
            meter.end(timing);
        }
        let after = meter.prices(clock);
        assert!((3_000.0..10_000.0).contains(&after.sample_ns), "{after:?}");
        assert_eq!((after.wait_ns, after.rest_ns), (before.wait_ns, before.rest_ns));
    }

    #[test]
    fn a_thread_that_lost_its_processor_counts_for_little() {
        let (meter, slot) = (started(), Slot::new(None));
        let sample = event(&slot, Mode::EXCLUSIVE, 1);
        let timing = (0..TIMED).find_map(|_| meter.begin_event(&sample));
        spin(3_000_000);
        meter.end(timing);
        let price = meter.prices(ClockScale::NANOSECONDS).sample_ns;
        assert!((2_500.0..3_500.0).contains(&price), "{price}");
    }
}
