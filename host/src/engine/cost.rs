//! What one sample costs, on this machine, with this backend as it is
//! configured: a reader of a report multiplies it by the number of samples.
//!
//! It is measured where it arises. An instance that has been initialised runs
//! a session of its own, with all gates closed, in which the host plays the
//! probe: it shows the backend a lock that nobody else knows, and records
//! operations on it one after the other. Each reads the clock twice and calls
//! the backend's `event` once, or leaves a word on the pad that the backend has
//! lent, as a sampled acquisition does. The figure is the
//! median over batches, because some are hit by an interrupt or by the
//! backend's first touch of its own memory, and those say nothing of the rest.
//!
//! It is the price of a sample that goes well: one lock, one call site, warm
//! caches, nobody else at work. What the probe does around a sample, some
//! nanoseconds, and the cache misses of a real program come on top.
//!
//! The session leaves nothing behind: the next one begins empty, by contract,
//! and has a generation of its own, so that nothing a backend keeps by
//! generation can be taken for the program's.

use core::cell::Cell;
use core::ffi::c_void;
use core::panic::Location;

use lockscope_core::backend::SessionRef;
use lockscope_core::clock;
use lockscope_core::event::{Event, EventKind, LockKind, LockRef, Mode};
use lockscope_core::gate::state;
use lockscope_core::pad::Pad;
use lockscope_core::sync::{AtomicBool, Ordering};
use lockscope_core::{CallSite, Countdown, Session, Slot};

use super::scale::scale;
use super::state::{Entry, next_lock_id};

/// Samples that are timed together: reading the clock for a batch is then a
/// small part of it.
const BATCH: usize = 16;
const BATCHES: usize = 32;
/// After this long no batch is begun. With the session's start and stop the
/// whole stays under a millisecond, for a backend whose sample takes less than
/// some twenty microseconds.
const BUDGET_NS: u64 = 300_000;

/// The backend has given up in the session that is measured. There is one at a
/// time, since the engine is held.
static GAVE_UP: AtomicBool = AtomicBool::new(false);

/// The cost of one sample in nanoseconds; nothing if the backend fails, or
/// gives up its session.
///
/// `session` is the one to use, but for its `abandon`.
pub(super) fn of_sample_ns(entry: Entry, session: &Session) -> Option<f64> {
    GAVE_UP.store(false, Ordering::Relaxed);
    let session = Session { abandon: give_up, context: core::ptr::null(), ..*session };
    let backend = entry.backend;
    backend.start(SessionRef((&raw const session).cast())).into_result().ok()?;
    let slot = Slot::new(None);
    let cost = wake(entry).then(|| Trial::new(entry, &session, &slot).cost_ns());
    backend.stop().into_result().ok()?;
    if GAVE_UP.load(Ordering::Relaxed) { None } else { cost }
}

/// The cost of one stack of up to `frames` frames in nanoseconds: of the one that has
/// led here, because it is there.
pub(super) fn of_stack_ns(frames: u32) -> f64 {
    let uses_tsc = scale().tsc == 1;
    // SAFETY: the call takes nothing and cannot fail.
    let thread = unsafe { libc::gettid() } as u32;
    let site = CallSite::of(Location::caller());
    let mut batches: Vec<u64> = (0..BATCHES)
        .map(|_| {
            let began = clock::now(uses_tsc);
            for _ in 0..BATCH {
                core::hint::black_box(lockscope_stacks::take(site, thread, frames as usize));
            }
            scale().ns(clock::now(uses_tsc).saturating_sub(began))
        })
        .collect();
    median(&mut batches) / BATCH as f64
}

/// Sees to it that a backend that sleeps is awake; false if it is not.
fn wake(entry: Entry) -> bool {
    let backend = entry.backend;
    let is_awake = || backend.pace().into_result().is_ok_and(|pace| pace.gate == state::OPEN);
    is_awake() || backend.wake("the host".into()).is_ok() && is_awake()
}

/// No gate is open that would have to be closed. A backend may keep this entry
/// for longer than it should: it touches nothing that goes away.
unsafe extern "C" fn give_up(_: *const c_void, _: *const u8, _: usize) {
    GAVE_UP.store(true, Ordering::Relaxed);
}

/// A lock that only the host knows, in a running session.
struct Trial<'a> {
    entry: Entry,
    session: &'a Session,
    slot: &'a Slot,
    lock: LockRef,
    site: CallSite,
    thread: u32,
    /// What the backend has lent; null if nothing.
    pad: Cell<*const Pad>,
}

impl<'a> Trial<'a> {
    #[track_caller]
    fn new(entry: Entry, session: &'a Session, slot: &'a Slot) -> Self {
        let lock = LockRef {
            slot,
            address: core::ptr::from_ref(slot) as usize,
            id: slot.id(|| next_lock_id()),
            created: CallSite::UNKNOWN,
            name: core::ptr::null(),
            state: 0,
            name_len: 0,
            kind: LockKind::MUTEX,
            probe: 0,
            reserved: 0,
        };
        // SAFETY: the call takes nothing and cannot fail.
        let thread = unsafe { libc::gettid() } as u32;
        let (site, pad) = (CallSite::of(Location::caller()), Cell::new(core::ptr::null()));
        Self { entry, session, slot, lock, site, thread, pad }
    }

    /// The lock's life: met, used, dropped.
    fn cost_ns(&self) -> f64 {
        self.meet();
        let began = self.now();
        let mut batches = Vec::with_capacity(BATCHES);
        while batches.len() < BATCHES && self.ns_since(began) < BUDGET_NS {
            let began = self.now();
            (0..BATCH).for_each(|_| self.sample());
            batches.push(self.ns_since(began));
        }
        let hooks = self.entry.hooks;
        // SAFETY: as in `meet`; this thread alone knows the lock.
        unsafe { (hooks.dropped)(hooks.context, &raw const self.lock) };
        median(&mut batches) / BATCH as f64
    }

    fn meet(&self) {
        let stamp = self.stamp();
        if self.slot.claim(stamp) {
            let hooks = self.entry.hooks;
            // SAFETY:
            // - the session has started and not stopped;
            // - this thread owns the lock, which is valid for the call, and
            //   its slot is freshly claimed.
            let armed = unsafe { (hooks.meet)(hooks.context, &raw const self.lock) };
            self.slot.arm(stamp, armed);
        }
    }

    /// What a probe does for one sampled acquisition.
    fn sample(&self) {
        let acquired = self.now();
        // SAFETY: the backend has lent it for this lock, which was not dropped, and
        // the session goes on; this thread alone knows the lock.
        if let Some(pad) = unsafe { self.pad.get().as_ref() }
            && pad.push(self.now().saturating_sub(acquired))
        {
            return;
        }
        let state = self.slot.state_in(self.stamp()).unwrap_or_default();
        let event = Event {
            lock: LockRef { state, ..self.lock },
            kind: EventKind::RELEASED,
            weight: self.slot.weight().max(1),
            mode: Mode::EXCLUSIVE,
            contended: 0,
            counted: 1,
            reserved: 0,
            stack_len: 0,
            site: self.site,
            holder: CallSite::UNKNOWN,
            begin: acquired,
            acquired,
            end: self.now(),
            thread: self.thread,
            stack: core::ptr::null(),
        };
        let hooks = self.entry.hooks;
        // SAFETY: as in `meet`; the event is valid for the call.
        let answer = unsafe { (hooks.event)(hooks.context, &raw const event) };
        if answer.operations != 0 {
            self.slot.arm(self.stamp(), answer);
        }
        if answer == Countdown::EVERY
            && let Some(pad) = hooks.pad
        {
            // SAFETY: as above.
            self.pad.set(unsafe { pad(hooks.context, &raw const event) });
        }
    }

    fn stamp(&self) -> u64 {
        u64::from(self.session.generation) << 32
    }

    fn now(&self) -> u64 {
        clock::now(self.session.clock.tsc == 1)
    }

    fn ns_since(&self, began: u64) -> u64 {
        self.session.clock.ns(self.now().saturating_sub(began))
    }
}

/// The middle one; of an even number, the higher of the two. 0 for none.
fn median(values: &mut [u64]) -> f64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default() as f64
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use lockscope_core::backend::{
        Backend, BackendError, Description, ErrorKind, Setting, TableRef, module,
    };
    use lockscope_core::clock::ClockScale;
    use lockscope_core::hooks::HookTable;
    use lockscope_core::report::Report;

    use super::super::gates;
    use super::*;

    const GENERATION: u32 = 7;

    /// Says in its report what it was called for, and fails where it is told to.
    #[derive(Default)]
    struct Trier(Mutex<Calls>);

    #[derive(Default)]
    struct Calls {
        fail: String,
        session: Option<Session>,
        heard: Vec<&'static str>,
        events: u64,
    }

    impl Trier {
        fn hear(&self, call: &'static str) -> Result<(), BackendError> {
            let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            calls.heard.push(call);
            if calls.fail == call {
                return Err(BackendError::new(ErrorKind::Resource, "told to; tell it not to"));
            }
            Ok(())
        }
    }

    impl Backend for Trier {
        fn describe() -> Description {
            Description::new("trier", "0.1.0", "for tests")
        }
        fn init(&self, settings: &[Setting]) -> Result<(), BackendError> {
            self.0.lock().unwrap().fail = settings[0].value.to_string();
            Ok(())
        }
        fn start(&self, session: &Session) -> Result<(), BackendError> {
            assert_eq!(session.generation, GENERATION);
            self.0.lock().unwrap().session = Some(*session);
            self.hear("start")
        }
        fn stop(&self) -> Result<(), BackendError> {
            self.hear("stop")
        }
        fn snapshot(&self) -> Result<Report, BackendError> {
            let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let notes: Vec<_> = calls.heard.iter().map(|call| (*call).into()).collect();
            Ok(Report { samples: calls.events, notes: notes.into(), ..Report::default() })
        }
        fn meet(&self, lock: Option<&LockRef>) -> Countdown {
            assert!(lock.is_some_and(|lock| lock.id >> 48 == 0xffff));
            let _ = self.hear("meet");
            Countdown { operations: 3, weight: 3 }
        }
        fn event(&self, event: &Event) -> Countdown {
            let mut calls = self.0.lock().unwrap();
            calls.events += 1;
            assert_eq!((event.weight, event.counted), (3, 1));
            assert!(calls.fail != "event", "told to");
            if calls.fail == "abandon" {
                let session = calls.session.unwrap();
                // SAFETY: the session is running; the reason lives for the call.
                unsafe { (session.abandon)(session.context, b"so".as_ptr(), 2) };
            }
            let began = Instant::now();
            while began.elapsed() < Duration::from_micros(2) {}
            Countdown { operations: 3, weight: 3 }
        }
        fn dropped(&self, _: &LockRef) {
            let _ = self.hear("dropped");
        }
    }

    /// The cost, and what the backend has heard, of one that fails in `fail`.
    fn tried(fail: &str) -> (Option<f64>, Report) {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _held = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let backend = module::<Trier>().create()().unwrap();
        let backend = Box::leak(Box::new(backend));
        let settings = vec![Setting { key: "fail".into(), value: fail.into() }];
        backend.init(settings.into()).unwrap();
        let TableRef(table) = backend.hooks();
        // SAFETY: a table of this build, which lives for ever.
        let hooks = unsafe { &*table.cast::<HookTable>() };
        let session = Session {
            generation: GENERATION,
            reserved: 0,
            clock: ClockScale::NANOSECONDS,
            started: clock::monotonic_ns(),
            seed: 1,
            next_lock_id,
            abandon: gates::abandon,
            context: GENERATION as usize as *const c_void,
        };
        let cost = of_sample_ns(Entry { backend, hooks }, &session);
        (cost, backend.snapshot().unwrap())
    }

    #[test]
    fn a_sample_costs_what_the_backend_takes_for_it() {
        let (cost, report) = tried("nowhere");
        let cost = cost.unwrap();
        assert!(cost >= 2_000.0, "{cost}");
        assert_eq!(report.notes.as_slice(), ["start", "meet", "dropped", "stop"]);
        let batches = report.samples / BATCH as u64;
        assert_eq!(report.samples % BATCH as u64, 0);
        // The budget ends it: 32 batches of 2 µs would take more than three times as long.
        assert!((1..BATCHES as u64).contains(&batches), "{batches}");
    }

    #[test]
    fn a_backend_that_fails_has_no_cost() {
        for fail in ["start", "event", "stop", "abandon"] {
            assert_eq!(tried(fail).0, None, "{fail}");
        }
    }

    #[test]
    fn giving_up_is_not_the_hosts_business() {
        tried("abandon");
        assert!(!gates::is_abandoned(GENERATION));
    }

    #[test]
    fn the_middle_one() {
        assert_eq!(median(&mut [9, 1, 5]), 5.0);
        assert_eq!(median(&mut [1, 9]), 9.0);
        assert_eq!(median(&mut []), 0.0);
    }
}
