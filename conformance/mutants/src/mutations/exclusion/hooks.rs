//! Those that wait in a hook, or use there what is gone.

use core::cell::{Cell, RefCell};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lockscope_core::backend::{Backend, BackendError};
use lockscope_core::report::Report;
use lockscope_core::sync::{AtomicU32, AtomicU64, Ordering};
use lockscope_core::{Countdown, Event, EventKind, LockKind, LockRef};

use super::words::word;
use crate::Good;

/// Longer than anybody waits.
const VERY_LONG: Duration = Duration::from_secs(5);

/// Whether it is one of a real program: the addresses of simulated ones are small.
fn is_real(lock: &LockRef) -> bool {
    lock.address > 1 << 32
}

fn is_read(event: &Event) -> bool {
    is_real(&event.lock) && event.mode.is_shared() && event.kind == EventKind::RELEASED
}

pub(super) fn sleeps_after_a_try(good: &Good, event: &Event) -> Countdown {
    let is_try = event.kind == EventKind::FAILED && event.begin == event.end;
    if is_try && event.mode.is_shared() && is_real(&event.lock) {
        std::thread::sleep(VERY_LONG);
    }
    good.event(event)
}

pub(super) fn sleeps_after_a_wait(good: &Good, event: &Event) -> Countdown {
    /// Some hundred microseconds, in ticks of whatever clock.
    const NO_TRY: u64 = 1_000_000;
    let is_wait = event.kind == EventKind::FAILED && event.wait_ticks() > NO_TRY;
    if is_wait && is_real(&event.lock) {
        std::thread::sleep(VERY_LONG);
    }
    good.event(event)
}

/// There is a place for each thread, and it is never given back. Of real threads,
/// which use locks that stand where their slots are.
pub(super) fn waits_for_room(good: &Good, event: &Event) -> Countdown {
    const PLACES: u32 = 150;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static HAS_PLACE: Cell<bool> = const { Cell::new(false) };
    }
    let is_real = event.lock.address == event.lock.slot.addr();
    if is_real && !HAS_PLACE.replace(true) && TAKEN.fetch_add(1, Ordering::Relaxed) >= PLACES {
        std::thread::sleep(VERY_LONG);
    }
    good.event(event)
}

pub(super) fn uses_what_is_torn_down(good: &Good, event: &Event) -> Countdown {
    thread_local! {
        static LATEST: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    }
    LATEST.with_borrow_mut(|latest| {
        latest.clear();
        latest.push(event.end);
    });
    good.event(event)
}

/// The address of the state of a lock that is known by its name; 0 for none.
static REMEMBERED: AtomicU64 = AtomicU64::new(0);

fn word_of_the_named(lock: &LockRef) -> u64 {
    // SAFETY: the lock comes from a probe.
    let name = unsafe { lock.name() };
    let is_it = name == Some("held while others are used");
    let word = if is_it { word(lock, LockKind::MUTEX) } else { None };
    word.map_or(0, |word| core::ptr::from_ref(word).addr() as u64)
}

pub(super) fn remembers_a_lock(good: &Good, lock: Option<&LockRef>) -> Countdown {
    let word = lock.map_or(0, word_of_the_named);
    if word != 0 {
        REMEMBERED.store(word, Ordering::Relaxed);
    }
    good.meet(lock)
}

/// Waits until that lock is free.
pub(super) fn takes_it(good: &Good, lock: &LockRef) {
    let word = REMEMBERED.load(Ordering::Relaxed);
    if word != 0 && word == word_of_the_named(lock) {
        REMEMBERED.store(0, Ordering::Relaxed);
    } else if word != 0 && is_real(lock) {
        let word = word as usize as *const AtomicU32;
        // SAFETY: the lock that it is of is not dropped yet, and does not move.
        while unsafe { &*word }.load(Ordering::Relaxed) != 0 {
            std::thread::yield_now();
        }
    }
    good.dropped(lock);
}

pub(super) fn holds_a_static_lock(good: &Good, event: &Event) -> Countdown {
    const WORK: Duration = Duration::from_micros(20);
    static TABLE: Mutex<()> = Mutex::new(());
    if is_read(event) {
        let _table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        while began.elapsed() < WORK {}
    }
    good.event(event)
}

/// How many readers there were.
static READ: AtomicU64 = AtomicU64::new(0);
static TABLE: Mutex<()> = Mutex::new(());

pub(super) fn waits_for_the_snapshot(good: &Good, event: &Event) -> Countdown {
    if is_read(event) {
        READ.fetch_add(1, Ordering::Relaxed);
        drop(TABLE.lock().unwrap_or_else(PoisonError::into_inner));
    }
    good.event(event)
}

pub(super) fn holds_what_hooks_take(good: &Good) -> Result<Report, BackendError> {
    const MANY: u64 = 2_500;
    const LONG: Duration = Duration::from_millis(600);
    if READ.load(Ordering::Relaxed) > MANY {
        let _table = TABLE.lock().unwrap_or_else(PoisonError::into_inner);
        std::thread::sleep(LONG);
    }
    good.snapshot()
}
