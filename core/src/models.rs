//! Model checks: every interleaving of two or three threads, one property
//! each. Run by `cargo xtask test --only models`.
//!
//! Each model has a twin with a bug seeded into it, which must fail, and
//! asserts that it saw every outcome it allows: see [`crate::exploration`].

use std::ffi::c_void;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use crate::acquisition::{self, Acquisition, Token};
use crate::event::{Beginning, Event, EventKind, LockKind, LockRef, Mode, What};
use crate::exploration::{Seen, must_fail};
use crate::gate::{Gate, Opening, state};
use crate::hooks::HookTable;
use crate::pad::{Pad, Settled};
use crate::site::CallSite;
use crate::slot::{Countdown, Slot};
use crate::sync::{AtomicU32, AtomicU64, Ordering, fence, heavy_fence};
use crate::thread::{ThreadState, wait_outside};

fn opening(generation: u32) -> Opening {
    Opening {
        state: state::OPEN,
        generation,
        hooks: std::ptr::null::<HookTable>(),
        tsc: false,
        expedited: false,
        contended_period: 1,
    }
}

fn open(gate: &Gate, generation: u32) {
    gate.close();
    // SAFETY: no model calls a hook, and only one thread opens and closes.
    unsafe { gate.open(&opening(generation)) };
}

// start_stop: when stop returns, no hook of the session runs or will run.

/// One thread runs hooks on `session`, another stops it and takes it away.
fn start_stop(enter: fn(&ThreadState, &Gate, &dyn Fn()), seen: Option<&'static Seen>) {
    let gate = Arc::new(Gate::new());
    let own = Arc::new(ThreadState::new(0));
    let session = Arc::new(UnsafeCell::new(()));
    open(&gate, 1);
    let hook = {
        let (gate, own, session) = (gate.clone(), own.clone(), session.clone());
        thread::spawn(move || {
            let ran = std::cell::Cell::new(false);
            // loom reports an access that is not ordered with the other's.
            enter(&own, &gate, &|| {
                session.with(|_| ran.set(true));
            });
            if let Some(seen) = seen {
                seen.note(if ran.get() { "recorded" } else { "refused" });
            }
        })
    };
    let stop = thread::spawn(move || {
        gate.close();
        heavy_fence(gate.is_expedited());
        wait_outside(&own);
        session.with_mut(|_| ());
    });
    hook.join().expect("hook");
    stop.join().expect("stop");
}

#[test]
fn start_stop_is_linearizable() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["recorded", "refused"], || {
        start_stop(
            |own, gate, hook| {
                if let Some(_inside) = own.enter(gate) {
                    hook();
                }
            },
            Some(&SEEN),
        );
    });
}

#[test]
fn start_stop_without_the_handshake_is_caught() {
    must_fail(|| {
        start_stop(
            |_, gate, hook| {
                if gate.look_acquire().state() == state::OPEN {
                    hook();
                }
            },
            None,
        );
    });
}

#[test]
fn a_hook_enters_with_the_session_that_the_gate_shows() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["first", "none", "second"], || {
        let gate = Arc::new(Gate::new());
        let own = Arc::new(ThreadState::new(0));
        open(&gate, 1);
        let hook = {
            let (gate, own) = (gate.clone(), own.clone());
            thread::spawn(move || {
                let outcome = match own.enter(&gate) {
                    None => "none",
                    Some(inside) if inside.stamp() >> 32 == 1 => "first",
                    Some(inside) => {
                        assert_eq!(inside.stamp() >> 32, 2);
                        "second"
                    }
                };
                SEEN.note(outcome);
            })
        };
        let control = thread::spawn(move || {
            gate.close();
            heavy_fence(false);
            wait_outside(&own);
            open(&gate, 2);
        });
        hook.join().expect("hook");
        control.join().expect("control");
    });
}

// switch: one session follows another without a moment between. Each operation
// belongs to one of them, finds the entries of that one, and is over before that
// one is taken away.

/// The entries of the sessions 1 and 2. Nobody calls them.
fn tables() -> [&'static HookTable; 2] {
    unsafe extern "C" fn meet(_: *const c_void, _: *const LockRef) -> Countdown {
        Countdown::UNCHANGED
    }
    unsafe extern "C" fn event(_: *const c_void, _: *const Event) -> Countdown {
        Countdown::UNCHANGED
    }
    unsafe extern "C" fn dropped(_: *const c_void, _: *const LockRef) {}
    static TABLES: [HookTable; 2] = [const {
        HookTable {
            size: 0,
            version: 0,
            context: std::ptr::null(),
            meet,
            event,
            dropped,
            pad: None,
            admits: None,
            stack: None,
            host: std::ptr::null(),
        }
    }; 2];
    [&TABLES[0], &TABLES[1]]
}

fn switch(open_next: fn(&Gate, &Opening), seen: Option<&'static Seen>) {
    let gate = Arc::new(Gate::new());
    let own = Arc::new(ThreadState::new(0));
    let sessions = Arc::new([UnsafeCell::new(()), UnsafeCell::new(())]);
    let open = |gate: &Gate, generation: u32, open: fn(&Gate, &Opening)| {
        let hooks = tables()[generation as usize - 1];
        open(gate, &Opening { hooks, ..opening(generation) });
    };
    // SAFETY: one thread opens and closes, and these two sessions are all.
    open(&gate, 1, |gate, opening| unsafe { gate.open(opening) });
    let hook = {
        let (gate, own, sessions) = (gate.clone(), own.clone(), sessions.clone());
        thread::spawn(move || {
            let inside = own.enter(&gate).expect("the gate is never closed");
            let session = (inside.stamp() >> 32) as usize - 1;
            assert!(
                std::ptr::eq(gate.hooks(inside.stamp()), tables()[session]),
                "another's entries"
            );
            // loom reports an access that is not ordered with the other's.
            sessions[session].with(|_| ());
            if let Some(seen) = seen {
                seen.note(["first", "second"][session]);
            }
        })
    };
    let control = thread::spawn(move || {
        open(&gate, 2, open_next);
        heavy_fence(false);
        wait_outside(&own);
        sessions[0].with_mut(|_| ());
    });
    hook.join().expect("hook");
    control.join().expect("control");
}

#[test]
fn switch_leaves_each_operation_to_one_session() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["first", "second"], || {
        // SAFETY: as in `switch`.
        switch(|gate, opening| unsafe { gate.open(opening) }, Some(&SEEN));
    });
}

#[test]
fn switch_in_one_place_is_caught() {
    must_fail(|| {
        switch(
            |gate, next| {
                // As if there were one place for the entries of all sessions.
                let first = Opening { hooks: next.hooks, ..opening(1) };
                // SAFETY: as in `switch`.
                unsafe {
                    gate.open(&first);
                    gate.open(next);
                }
            },
            None,
        );
    });
}

// unfinished: an acquisition that ends as it is counted is counted once.

fn unfinished(cut_short: fn(&ThreadState, &dyn Fn()), seen: Option<&'static Seen>) {
    let own = Arc::new(ThreadState::new(0));
    let token = acquisition::begin(&own, 1, &beginning(1));
    let ender = {
        let own = own.clone();
        thread::spawn(move || {
            cut_short(&own, &|| acquisition::free(&own, token));
            if let Some(seen) = seen {
                seen.note("ended");
            }
        })
    };
    let counter = thread::spawn(move || assert_eq!(own.unfinished(1), 1, "not counted once"));
    ender.join().expect("ender");
    counter.join().expect("counter");
}

#[test]
fn unfinished_operations_are_counted_once() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["ended"], || {
        unfinished(|own, free| own.cut_short(1, 1, free), Some(&SEEN));
    });
}

#[test]
fn unfinished_operations_that_end_outside_the_bracket_are_caught() {
    must_fail(|| {
        unfinished(
            |own, free| {
                own.cut_short(1, 1, || ());
                free();
            },
            None,
        );
    });
}

// claim: of several readers that meet a lock at once, one arms its slot, and
// the others find what it put there.

fn claim(take: fn(&Slot, u64) -> bool, seen: Option<&'static Seen>) {
    const STAMP: u64 = 3 << 32;
    let slot = Arc::new(Slot::new(None));
    let meets = Arc::new(AtomicU32::new(0));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (slot, meets) = (slot.clone(), meets.clone());
            thread::spawn(move || {
                if take(&slot, STAMP) {
                    assert_eq!(meets.fetch_add(1, Ordering::Relaxed), 0, "met twice");
                    slot.state().store(42, Ordering::Relaxed);
                    slot.arm(STAMP, Countdown::EVERY);
                    if let Some(seen) = seen {
                        seen.note("armed");
                    }
                } else {
                    assert_eq!(slot.state().load(Ordering::Relaxed), 42);
                    if let Some(seen) = seen {
                        seen.note("found");
                    }
                }
            })
        })
        .collect();
    for reader in readers {
        reader.join().expect("reader");
    }
}

#[test]
fn claim_arms_a_slot_once() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["armed", "found"], || claim(Slot::claim, Some(&SEEN)));
}

#[test]
fn claim_by_look_and_store_is_caught() {
    must_fail(|| claim(|slot, stamp| !slot.is_current(stamp), None));
}

// sent_guard: a guard is dropped on another thread while its own takes the
// record back for a new session.

fn beginning(mark: usize) -> Beginning {
    Beginning {
        lock: LockRef {
            slot: std::ptr::null(),
            address: mark,
            id: mark as u64,
            created: CallSite::UNKNOWN,
            name: std::ptr::null(),
            state: 0,
            name_len: 0,
            kind: LockKind::MUTEX,
            probe: 0,
            reserved: 0,
        },
        what: What {
            kind: EventKind::RELEASED,
            mode: Mode::EXCLUSIVE,
            contended: 0,
            counted: 0,
            holder_thread: 0,
        },
        weight: 1,
        site: CallSite(mark),
        holder: CallSite::UNKNOWN,
        begin: 1,
        acquired: 1,
    }
}

/// Of what was read, the session and the site: a model of everything else that
/// is read between them would run for hours and say no more.
type EndForeign = fn(&ThreadState, Token) -> Option<(u32, CallSite)>;

fn session_and_site(record: &Acquisition) -> (u32, CallSite) {
    (record.generation(), record.event().site())
}

fn sent_guard(end: EndForeign, seen: Option<&'static Seen>) {
    let own = Arc::new(ThreadState::new(0));
    let token = acquisition::begin(&own, 1, &beginning(1));
    let dropper = {
        let own = own.clone();
        thread::spawn(move || {
            let ended = end(&own, token);
            if let Some(seen) = seen {
                seen.note(if ended.is_some() { "ended" } else { "void" });
            }
            if let Some(ended) = ended {
                assert_eq!(ended, (1, CallSite(1)));
            }
        })
    };
    let owner = thread::spawn(move || {
        let next = acquisition::begin(&own, 2, &beginning(2));
        assert!(next.is_some());
        let record = acquisition::held(&own, next, 2).expect("nobody else has this token");
        assert_eq!(session_and_site(record), (2, CallSite(2)));
    });
    dropper.join().expect("dropper");
    owner.join().expect("owner");
}

#[test]
fn sent_guard_ends_its_own_record_or_none() {
    static SEEN: Seen = Seen::new();
    let end: EndForeign =
        |owner, token| acquisition::end_foreign(owner, token, 1, session_and_site);
    SEEN.check(&["ended", "void"], move || sent_guard(end, Some(&SEEN)));
}

#[test]
fn sent_guard_returned_without_compare_is_caught() {
    let end: EndForeign =
        |owner, token| acquisition::end_foreign_with_a_bug(owner, token, session_and_site);
    must_fail(move || sent_guard(end, None));
}

// snapshot: what a look at a running thread shows was true at one time.

fn snapshot(begin: fn(&ThreadState, usize) -> Token, seen: Option<&'static Seen>) {
    let own = Arc::new(ThreadState::new(0));
    let first = begin(&own, 1);
    let writer = {
        let own = own.clone();
        thread::spawn(move || {
            acquisition::free(&own, first);
            begin(&own, 2);
        })
    };
    let reader = thread::spawn(move || {
        let outcome = match own.acquisitions[0].pending(7) {
            None => "nothing",
            Some(pending) => {
                assert_eq!(pending.lock, pending.site.0 as u64, "two uses in one");
                assert_eq!(pending.lock, pending.address as u64, "two uses in one");
                if pending.lock == 1 { "first" } else { "second" }
            }
        };
        if let Some(seen) = seen {
            seen.note(outcome);
        }
    });
    writer.join().expect("writer");
    reader.join().expect("reader");
}

#[test]
fn snapshot_shows_one_use_of_a_record() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["first", "nothing", "second"], || {
        snapshot(|own, mark| acquisition::begin(own, 1, &beginning(mark)), Some(&SEEN));
    });
}

#[test]
fn snapshot_without_the_fence_is_caught() {
    must_fail(|| {
        snapshot(|own, mark| acquisition::begin_with_a_bug(own, 1, &beginning(mark)), None);
    });
}

// parting: who drops a lock waits for whoever has given it back and still
// tells of it.

/// One thread gives a lock back and then tells of it, another takes it and
/// drops it.
fn parting(tell_after: fn(&ThreadState, &dyn Fn(), &dyn Fn()), seen: Option<&'static Seen>) {
    const ID: u64 = 5;
    let owner = Arc::new(ThreadState::new(0));
    let record = Arc::new(UnsafeCell::new(()));
    let is_free = Arc::new(AtomicU32::new(0));
    let teller = {
        let (owner, record, is_free) = (owner.clone(), record.clone(), is_free.clone());
        thread::spawn(move || {
            // Release, as by every unlock.
            let give_back = || is_free.store(1, Ordering::Release);
            // loom reports an access that is not ordered with the other's.
            let tell = || record.with(|_| ());
            tell_after(&owner, &give_back, &tell);
        })
    };
    let dropper = thread::spawn(move || {
        // Acquire, as by every lock.
        if is_free.load(Ordering::Acquire) == 0 {
            if let Some(seen) = seen {
                seen.note("held");
            }
            return;
        }
        owner.await_parting(ID);
        record.with_mut(|_| ());
        if let Some(seen) = seen {
            seen.note("dropped");
        }
    });
    teller.join().expect("teller");
    dropper.join().expect("dropper");
}

#[test]
fn parting_is_over_before_the_lock_is_dropped() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["dropped", "held"], || {
        parting(
            |owner, give_back, tell| {
                owner.part_from(5);
                give_back();
                tell();
                owner.parted();
            },
            Some(&SEEN),
        );
    });
}

#[test]
fn parting_that_is_said_too_late_is_caught() {
    must_fail(|| {
        parting(
            |owner, give_back, tell| {
                give_back();
                owner.part_from(5);
                tell();
                owner.parted();
            },
            None,
        );
    });
}

// The fence of the models is the one that ships where `membarrier` is missing.

#[test]
fn the_fallback_of_the_asymmetric_fence_orders() {
    static SEEN: Seen = Seen::new();
    SEEN.check(&["both", "left", "right"], || {
        let flags = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
        let other = flags.clone();
        let left = thread::spawn(move || {
            other.0.store(1, Ordering::Relaxed);
            crate::sync::light_fence(false);
            other.1.load(Ordering::Relaxed)
        });
        let other = flags.clone();
        let right = thread::spawn(move || {
            other.1.store(1, Ordering::Relaxed);
            heavy_fence(false);
            other.0.load(Ordering::Relaxed)
        });
        let outcome = match (left.join().expect("left"), right.join().expect("right")) {
            (1, 1) => "both",
            (1, 0) => "left",
            (0, 1) => "right",
            _ => panic!("neither saw the other"),
        };
        SEEN.note(outcome);
        fence(Ordering::SeqCst);
    });
}

// pad: a look sees each hold once, whether it was added up or not.

type Settle = fn(&Pad, &AtomicU64);

fn looks(settle: Settle, seen: Option<&'static Seen>) {
    let shared = Arc::new((Pad::default(), AtomicU64::new(0)));
    let owner = move |(pad, sum): &(Pad, AtomicU64)| {
        assert!(pad.push(1) && !pad.push(2), "there is room for one");
        settle(pad, sum);
        assert!(pad.push(2));
    };
    let look = move |(pad, sum): &(Pad, AtomicU64)| {
        let found = pad.try_read_with(|| sum.load(Ordering::Relaxed));
        let total = found.map(|(settled, newest)| settled + newest.iter().sum::<u64>());
        let outcome = match total {
            None => "overtaken",
            Some(0) => "none",
            Some(1) => "first",
            Some(3) => "both",
            Some(other) => panic!("{other} was never there"),
        };
        if let Some(seen) = seen {
            seen.note(outcome);
        }
    };
    let looking = {
        let shared = shared.clone();
        thread::spawn(move || look(&shared))
    };
    let owning = thread::spawn(move || owner(&shared));
    owning.join().expect("a thread of the model");
    looking.join().expect("a thread of the model");
}

fn add(settled: Settled<'_>, sum: &AtomicU64) {
    let total = sum.load(Ordering::Relaxed) + settled.sum::<u64>();
    sum.store(total, Ordering::Relaxed);
}

#[test]
fn pad_holds_are_seen_once() {
    static SEEN: Seen = Seen::new();
    let settle: Settle = |pad, sum| pad.settle(|settled| add(settled, sum));
    SEEN.check(&["both", "first", "none", "overtaken"], move || looks(settle, Some(&SEEN)));
}

#[test]
fn pad_holds_added_up_in_silence_are_caught() {
    let settle: Settle = |pad, sum| pad.settle_with_a_bug(|settled| add(settled, sum));
    must_fail(move || looks(settle, None));
}
