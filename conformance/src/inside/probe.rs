//! A probe that makes everything up.

use core::ffi::c_void;
// Its own counters are no part of what a model checks.
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use lockscope_core::backend::{Backend, Setting};
use lockscope_core::clock::ClockScale;
use lockscope_core::gate::state;
use lockscope_core::report::{Report, SiteReport};
use lockscope_core::{
    CallSite, Countdown, Event, EventKind, LockKind, LockRef, Mode, Session, Slot,
};

/// The host gives ids from here on.
pub const GIVEN: u64 = 1 << 40;

/// A session with this number, in which ticks are nanoseconds.
#[must_use]
pub fn session(generation: u32) -> Session {
    extern "C" fn next_lock_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(GIVEN);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
    extern "C" fn abandon(_: *const c_void, _: *const u8, _: usize) {}
    Session {
        generation,
        reserved: 0,
        clock: ClockScale::NANOSECONDS,
        started: 0,
        seed: 1,
        next_lock_id,
        abandon,
        context: core::ptr::null(),
    }
}

/// Settings as the host hands them over.
#[must_use]
pub fn settings(settings: &[(&str, &str)]) -> Vec<Setting> {
    let setting =
        |(key, value): &(&str, &str)| Setting { key: (*key).into(), value: (*value).into() };
    settings.iter().map(setting).collect()
}

/// A backend with these settings, and the defaults that it describes for all else:
/// a host hands over all keys.
#[must_use]
pub fn initialised<B: Backend>(given: &[(&str, &str)]) -> B {
    let description = B::describe();
    let defaults = description.keys.iter().map(|key| (key.name.as_str(), key.default.as_str()));
    let is_given = |name: &str| given.iter().any(|(key, _)| *key == name);
    let mut all: Vec<_> = defaults.filter(|(name, _)| !is_given(name)).collect();
    all.extend(given);
    let backend = B::default();
    backend.init(&settings(&all)).expect("the settings are valid");
    backend
}

/// By which a backend records everything and stays awake, however slow the machine
/// is: SPEC.md says which keys mean the same wherever they are used.
const EVERYTHING: [(&str, &str); 5] = [
    ("period", "1"),
    ("max_period", "1"),
    ("wake_at_start", "1"),
    ("window_ms", "86400000"),
    ("budget_percent", "0"),
];

/// A backend that records everything, in session 1, awake; with these settings, as far
/// as it has such keys.
#[must_use]
pub fn recording<B: Backend>(given: &[(&str, &str)]) -> B {
    let description = B::describe();
    let has = |name: &str| description.keys.iter().any(|key| key.name == name);
    let known = EVERYTHING.iter().chain(given).filter(|(name, _)| has(name));
    started(&known.copied().collect::<Vec<_>>())
}

/// Begins the session with this number, and sees to it that the backend is awake
/// in it.
pub fn begin(backend: &impl Backend, generation: u32) {
    backend.start(&session(generation)).expect("none was running");
    if backend.wake("the test").is_ok() {
        assert_eq!(backend.pace().gate, state::OPEN);
    }
}

/// A backend with these settings, in session 1, awake.
#[must_use]
pub fn started<B: Backend>(given: &[(&str, &str)]) -> B {
    let backend: B = initialised(given);
    begin(&backend, 1);
    backend
}

/// What a backend has recorded.
#[must_use]
pub fn snapshot(backend: &impl Backend) -> Report {
    backend.snapshot().expect("a session was started")
}

/// A lock as a probe has it.
#[derive(Debug)]
pub struct Lock {
    /// `None` for a lock without slot.
    pub slot: Option<Box<Slot>>,
    /// Its id; for a lock without slot, by which the test knows it.
    pub id: u64,
    /// Where it is.
    pub address: usize,
    /// Where it was made.
    pub created: usize,
    /// What it is.
    pub kind: LockKind,
    /// The session that is running, if it has met the lock; 0 if not.
    pub(crate) met: AtomicU32,
}

impl Lock {
    /// A lock with slot.
    #[must_use]
    pub fn new(id: u64, created: usize) -> Self {
        Self {
            slot: Some(Box::new(Slot::new(None))),
            id,
            address: id as usize * 64,
            created,
            kind: LockKind::RWLOCK,
            met: AtomicU32::new(0),
        }
    }

    /// A lock that is known by its address alone.
    #[must_use]
    pub fn slotless(address: usize) -> Self {
        Self { slot: None, address, ..Self::new(0, 0) }
    }

    /// As the probe shows it in a call.
    #[must_use]
    pub fn as_ref(&self) -> LockRef {
        let slot = self.slot.as_deref();
        LockRef {
            slot: slot.map_or(core::ptr::null(), core::ptr::from_ref),
            address: self.address,
            id: if slot.is_some() { self.id } else { 0 },
            created: CallSite(self.created),
            name: core::ptr::null(),
            state: slot.and_then(|slot| slot.state_in(self.stamp())).unwrap_or_default(),
            name_len: 0,
            kind: self.kind,
            probe: 0,
            reserved: 0,
        }
    }

    fn stamp(&self) -> u64 {
        u64::from(self.met.load(Ordering::Relaxed)) << 32
    }

    /// The session that has met it is over.
    pub fn outlive(&self) {
        self.met.store(0, Ordering::Relaxed);
    }

    /// As a probe does before the first event of a session.
    pub fn meet(&self, backend: &impl Backend, generation: u32) {
        self.met.store(generation, Ordering::Relaxed);
        let stamp = self.stamp();
        if let Some(slot) = &self.slot
            && slot.claim(stamp)
        {
            slot.arm(stamp, backend.meet(Some(&self.as_ref())));
        }
    }
}

/// The calling thread's number, which no other thread has.
fn thread() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    thread_local! {
        static THIS: u32 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    THIS.with(|this| *this)
}

/// An event to begin with: an acquisition of the calling thread that did not
/// wait.
#[must_use]
pub fn event(lock: &Lock, site: usize, mode: Mode) -> Event {
    Event {
        lock: lock.as_ref(),
        kind: EventKind::RELEASED,
        weight: 1,
        mode,
        contended: 0,
        counted: 0,
        reserved: 0,
        stack_len: 0,
        site: CallSite(site),
        holder: CallSite::UNKNOWN,
        begin: 0,
        acquired: 0,
        end: 0,
        thread: thread(),
        stack: core::ptr::null(),
    }
}

/// Tells `event` as a probe does: without the slot if nobody may touch it.
pub fn tell(backend: &impl Backend, mut event: Event) -> Countdown {
    let is_parted = event.contended != 0 && event.lock.state != 0;
    if is_parted || event.kind == EventKind::FAILED {
        event.lock.slot = core::ptr::null();
    }
    backend.event(&event)
}

/// An exclusive acquisition of `lock` at `site`, held for `hold_ns`, in session
/// 1.
pub fn lock_once(backend: &impl Backend, lock: &Lock, site: usize, hold_ns: u64) -> Countdown {
    lock.meet(backend, 1);
    tell(backend, Event { end: hold_ns, counted: 1, ..event(lock, site, Mode::EXCLUSIVE) })
}

/// An acquisition of `lock` at `site` that waited `wait_ns` for somebody at
/// `holder`, in session 1.
pub fn wait_once(backend: &impl Backend, lock: &Lock, site: usize, holder: usize, wait_ns: u64) {
    lock.meet(backend, 1);
    let waited = Event {
        contended: 1,
        holder: CallSite(holder),
        acquired: wait_ns,
        end: wait_ns,
        ..event(lock, site, Mode::EXCLUSIVE)
    };
    tell(backend, waited);
}

/// All call sites of all locks.
pub fn sites(report: &Report) -> impl Iterator<Item = &SiteReport> {
    report.locks.iter().flat_map(|lock| lock.sites.iter())
}

/// How many acquisitions the report knows of.
#[must_use]
pub fn acquisitions(report: &Report) -> f64 {
    sites(report).map(|site| site.acquisitions.value).sum()
}

/// How many operations the report says that it lost.
#[must_use]
pub fn lost(report: &Report) -> u64 {
    report.losses.iter().map(|loss| loss.count).sum()
}
