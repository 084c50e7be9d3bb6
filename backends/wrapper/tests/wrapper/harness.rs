//! A probe that makes everything up.

use core::ffi::c_void;

use lockscope_core::backend::{Backend, Setting};
use lockscope_core::clock::ClockScale;
use lockscope_core::report::{Report, SiteReport};
use lockscope_core::sync::{AtomicU32, AtomicU64, Ordering};
use lockscope_core::{
    CallSite, Countdown, Event, EventKind, LockKind, LockRef, Mode, Session, Slot,
};
use lockscope_wrapper::Wrapper;

/// The host gives ids from here on.
pub(crate) const GIVEN: u64 = 1 << 40;

/// A session with this number, in which ticks are nanoseconds.
pub(crate) fn session(generation: u32) -> Session {
    extern "C" fn next_lock_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(GIVEN);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
    unsafe extern "C" fn abandon(_: *const c_void, _: *const u8, _: usize) {}
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

/// A backend with these settings, in session 1.
pub(crate) fn started(settings: &[(&str, &str)]) -> Wrapper {
    let wrapper = initialised(settings);
    wrapper.start(&session(1)).expect("none was running");
    wrapper
}

pub(crate) fn initialised(settings: &[(&str, &str)]) -> Wrapper {
    let wrapper = Wrapper::default();
    let settings: Vec<_> = settings
        .iter()
        .map(|(key, value)| Setting { key: (*key).into(), value: (*value).into() })
        .collect();
    wrapper.init(&settings).expect("the settings are valid");
    wrapper
}

/// A lock as a probe has it.
pub(crate) struct Lock {
    /// `None` for a lock without slot.
    pub(crate) slot: Option<Box<Slot>>,
    pub(crate) id: u64,
    pub(crate) created: usize,
    /// The session that is running, if it has met the lock; 0 if not.
    met: AtomicU32,
}

impl Lock {
    pub(crate) fn new(id: u64, created: usize) -> Self {
        Self { slot: Some(Box::new(Slot::new(None))), id, created, met: AtomicU32::new(0) }
    }

    /// Known by its address alone, which `id` stands for.
    pub(crate) fn slotless(id: u64, created: usize) -> Self {
        Self { slot: None, id, created, met: AtomicU32::new(0) }
    }

    pub(crate) fn as_ref(&self) -> LockRef {
        LockRef {
            slot: self.slot.as_deref().map_or(core::ptr::null(), core::ptr::from_ref),
            address: self.id as usize * 64,
            id: if self.slot.is_some() { self.id } else { 0 },
            created: CallSite(self.created),
            name: core::ptr::null(),
            state: self
                .slot
                .as_ref()
                .and_then(|slot| slot.state_in(self.stamp()))
                .unwrap_or_default(),
            name_len: 0,
            kind: LockKind::RWLOCK,
            probe: 0,
            reserved: 0,
        }
    }

    fn stamp(&self) -> u64 {
        u64::from(self.met.load(Ordering::Relaxed)) << 32
    }

    /// The session that has met it is over.
    pub(crate) fn outlive(&self) {
        self.met.store(0, Ordering::Relaxed);
    }

    /// As a probe does before the first event of a session.
    pub(crate) fn meet(&self, wrapper: &Wrapper, generation: u32) {
        self.met.store(generation, Ordering::Relaxed);
        let stamp = self.stamp();
        if let Some(slot) = &self.slot
            && slot.claim(stamp)
        {
            slot.arm(stamp, wrapper.meet(Some(&self.as_ref())));
        }
    }
}

/// An event to begin with: an acquisition that did not wait.
pub(crate) fn event(lock: &Lock, site: usize, mode: Mode) -> Event {
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
        thread: 1,
        stack: core::ptr::null(),
    }
}

/// Tells `event` as a probe does: without the slot if nobody may touch it.
pub(crate) fn tell(wrapper: &Wrapper, mut event: Event) -> Countdown {
    let is_parted = event.contended != 0 && event.lock.state != 0;
    if is_parted || event.kind == EventKind::FAILED {
        event.lock.slot = core::ptr::null();
    }
    wrapper.event(&event)
}

/// An exclusive acquisition of `lock` at `site`, held for `hold_ns`.
pub(crate) fn lock_once(wrapper: &Wrapper, lock: &Lock, site: usize, hold_ns: u64) -> Countdown {
    lock.meet(wrapper, 1);
    tell(wrapper, Event { end: hold_ns, counted: 1, ..event(lock, site, Mode::EXCLUSIVE) })
}

/// All call sites of all locks.
pub(crate) fn sites(report: &Report) -> impl Iterator<Item = &SiteReport> {
    report.locks.iter().flat_map(|lock| lock.sites.iter())
}

pub(crate) fn acquisitions(report: &Report) -> f64 {
    sites(report).map(|site| site.acquisitions.value).sum()
}

/// How many operations the report says that it lost.
pub(crate) fn lost(report: &Report) -> u64 {
    report.losses.iter().map(|loss| loss.count).sum()
}
