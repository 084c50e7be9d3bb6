//! A backend as a whole, with threads that a checker interleaves: nothing is lost,
//! nothing is counted twice, and a look shows what has been, and no more.
//!
//! Every number is held against how many calls have begun and ended. The text of a
//! model is one for both checkers; loom gets fewer threads, each of which does one
//! thing, because it tries all there is to try. See
//! `lockscope_core::exploration`.

use std::sync::atomic::{AtomicU64, AtomicUsize};

use lockscope_core::backend::Backend;
use lockscope_core::exploration::{Seen, thread};
use lockscope_core::report::Report;
use lockscope_core::sync::{Arc, Mutex, Ordering};
use lockscope_core::{CallSite, Event, EventKind, Mode};

use super::probe::{Lock, acquisitions, event, lost, recording, sites, snapshot, tell};

/// Threads that tell of something, if none looks.
const THREADS: usize = if cfg!(lockscope_loom) { 2 } else { 4 };
/// Those beside one that looks.
const BESIDE_A_LOOK: usize = THREADS - 1;
/// How often each of them does.
const ROUNDS: u64 = if cfg!(lockscope_loom) { 1 } else { 3 };
/// How often each of them tries in vain.
const TRIES: usize = if cfg!(lockscope_loom) { 0 } else { 1 };
/// How often a thread looks.
const LOOKS: usize = if cfg!(lockscope_loom) { 1 } else { 3 };
/// How long every lock is held.
const HOLD_NS: u64 = 10;
/// How long every wait lasts.
const WAIT_NS: u64 = 7;

/// A profiled program of which it is known what it has told. Its own counters are
/// no part of what is checked.
struct Program<B> {
    backend: B,
    begun: AtomicU64,
    ended: AtomicU64,
    /// The thread that was the first to be done, plus one.
    first: AtomicUsize,
}

impl<B: Backend> Program<B> {
    fn new(given: &[(&str, &str)]) -> Self {
        Self {
            backend: recording(given),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            first: AtomicUsize::new(0),
        }
    }

    /// Tells of one acquisition.
    fn tell(&self, event: Event) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        tell(&self.backend, event);
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// The thread is done.
    fn finish(&self, thread: usize) {
        let _ = self.first.compare_exchange(0, thread + 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What a snapshot shows, between what had ended before it and what has begun
    /// by now.
    fn look(&self, at_least: f64) -> f64 {
        let ended = self.ended.load(Ordering::Relaxed) as f64;
        let report = snapshot(&self.backend);
        let begun = self.begun.load(Ordering::Relaxed) as f64;
        let seen = acquisitions(&report);
        assert!(seen <= begun, "{seen} are shown, and {begun} have begun");
        assert!(hold_ns(&report) <= begun * HOLD_NS as f64, "a hold is there twice");
        // To loom, what another thread did is not there before anything says so.
        if !cfg!(lockscope_loom) {
            assert!(seen >= ended, "{seen} are shown, and {ended} had ended");
            assert!(seen >= at_least, "{at_least} were shown, and now {seen}");
        }
        seen
    }

    /// As often as a thread looks; how the first came out.
    fn looks(&self, all: u64) -> &'static str {
        let first = self.look(0.0);
        (1..LOOKS).fold(first, |before, _| self.look(before));
        match first as u64 {
            0 => "nothing yet",
            seen if seen == all => "all",
            _ => "some",
        }
    }

    /// What is there when all threads are done.
    fn expect(&self, all: u64) -> Report {
        let report = snapshot(&self.backend);
        assert_eq!((acquisitions(&report), lost(&report)), (all as f64, 0), "{report:?}");
        assert_eq!(hold_ns(&report), (all * HOLD_NS) as f64, "{report:?}");
        assert_eq!(report.samples, all);
        report
    }
}

fn hold_ns(report: &Report) -> f64 {
    sites(report).map(|site| site.hold.total_ns.value).sum()
}

/// An acquisition by one of these threads. They are told apart by numbers, as
/// threads of a program are, which in a model they are not.
fn acquisition(lock: &Lock, thread: usize, mode: Mode) -> Event {
    Event {
        thread: 1 + thread as u32,
        end: HOLD_NS,
        counted: u8::from(mode == Mode::EXCLUSIVE),
        ..event(lock, 1 + thread % 2, mode)
    }
}

/// Has `act` done by so many threads, on one program with one `shared`.
fn together<B: Backend, S: Send + Sync + 'static>(
    threads: usize,
    program: &Arc<Program<B>>,
    shared: &Arc<S>,
    act: impl Fn(&Program<B>, &S, usize) + Copy + Send + 'static,
) -> Vec<thread::JoinHandle<()>> {
    let spawn = |number| {
        let (program, shared) = (program.clone(), shared.clone());
        thread::spawn(move || {
            act(&program, &shared, number);
            program.finish(number);
        })
    };
    (0..threads).map(spawn).collect()
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().expect("a thread of the model"));
}

/// Explores `threads` beside one that looks: what is looked at before, meanwhile
/// and afterwards.
fn beside_a_look<B: Backend, S: Send + Sync + 'static>(
    shared: fn(&B) -> S,
    act: impl Fn(&Program<B>, &S, usize) + Copy + Send + Sync + 'static,
) {
    let all = BESIDE_A_LOOK as u64 * ROUNDS;
    let seen: &'static Seen = Box::leak(Box::new(Seen::new()));
    // With one thing that is done once, there is no half of it.
    let expected: &[_] =
        if all == 1 { &["all", "nothing yet"] } else { &["all", "nothing yet", "some"] };
    seen.check(expected, move || {
        let program = Arc::new(Program::<B>::new(&[]));
        let shared = Arc::new(shared(&program.backend));
        let mut threads = together(BESIDE_A_LOOK, &program, &shared, act);
        let looker = program.clone();
        threads.push(thread::spawn(move || seen.note(looker.looks(all))));
        join(threads);
        program.expect(all);
    });
}

/// Explores so many threads without one that looks; `check` what is there then.
fn among_each_other<B: Backend, S: Send + Sync + 'static>(
    given: &'static [(&str, &str)],
    shared: fn(&B) -> S,
    act: impl Fn(&Program<B>, &S, usize) + Copy + Send + Sync + 'static,
    check: impl Fn(&Program<B>, &S) + Copy + Send + Sync + 'static,
) {
    let seen: &'static Seen = Box::leak(Box::new(Seen::new()));
    seen.check(&["another was faster", "the first was first"], move || {
        let program = Arc::new(Program::<B>::new(given));
        let shared = Arc::new(shared(&program.backend));
        join(together(THREADS, &program, &shared, act));
        let is_first = program.first.load(Ordering::Relaxed) == 1;
        seen.note(if is_first { "the first was first" } else { "another was faster" });
        check(&program, &shared);
    });
}

/// A lock that the session has met.
fn met<B: Backend>(backend: &B) -> Lock {
    let lock = Lock::new(1, 9);
    lock.meet(backend, 1);
    lock
}

/// One lock, in turn; what its owners write needs no more than the lock itself.
pub fn owners_one_after_the_other_beside_a_look<B: Backend>() {
    beside_a_look::<B, _>(
        |_| Mutex::new(Lock::new(1, 9)),
        |program, lock, thread| {
            for _ in 0..ROUNDS {
                let lock = lock.lock().expect("no thread has failed");
                lock.meet(&program.backend, 1);
                program.tell(acquisition(&lock, thread, Mode::EXCLUSIVE));
            }
        },
    );
}

/// One lock, at the same time.
pub fn readers_beside_each_other_and_a_look<B: Backend>() {
    beside_a_look::<B, _>(met, |program, lock, thread| {
        for _ in 0..ROUNDS {
            program.tell(acquisition(lock, thread, Mode::SHARED));
        }
    });
}

/// What the session first hears of a lock, it hears from several at once; and of
/// tries in vain beside them.
pub fn readers_who_meet_a_lock_together<B: Backend>() {
    among_each_other::<B, _>(
        &[],
        |_| Lock::new(1, 9),
        |program, lock, thread| {
            lock.meet(&program.backend, 1);
            program.tell(acquisition(lock, thread, Mode::SHARED));
            for _ in 0..TRIES {
                let failed = EventKind::FAILED;
                tell(&program.backend, Event { kind: failed, ..event(lock, 1, Mode::EXCLUSIVE) });
            }
        },
        |program, _| {
            let report = program.expect(THREADS as u64);
            let failures: f64 = sites(&report).map(|site| site.failures.value).sum();
            assert_eq!((failures as usize, report.locks.len()), (THREADS * TRIES, 1), "{report:?}");
        },
    );
}

/// Waits are told beside each other: whoever has waited has given the lock back.
pub fn waits_beside_each_other<B: Backend>() {
    among_each_other::<B, _>(
        &[],
        |backend| {
            let lock = met(backend);
            // Whatever the backend leaves in the slot, it leaves there now.
            tell(backend, acquisition(&lock, 0, Mode::EXCLUSIVE));
            lock
        },
        |program, lock, thread| {
            for _ in 0..ROUNDS {
                program.tell(Event {
                    contended: 1,
                    counted: 0,
                    holder: CallSite(5),
                    acquired: WAIT_NS,
                    end: WAIT_NS + HOLD_NS,
                    ..acquisition(lock, thread, Mode::EXCLUSIVE)
                });
            }
        },
        |program, _| {
            let waits = THREADS as u64 * ROUNDS;
            let report = program.expect(1 + waits);
            let contentions: f64 = sites(&report).map(|site| site.contentions.value).sum();
            let waited: f64 = sites(&report).map(|site| site.wait.total_ns.value).sum();
            let charges = report.locks.iter().flat_map(|lock| lock.blame.iter());
            let charged: f64 = charges.map(|blame| blame.wait_ns.value).sum();
            let expected = (waits * WAIT_NS) as f64;
            assert_eq!((contentions, waited, charged), (waits as f64, expected, expected));
        },
    );
}

/// Each with an id of its own, made at one line: what they did is there once,
/// before and after they are dropped.
pub fn locks_that_come_and_go_beside_a_look<B: Backend>() {
    beside_a_look::<B, _>(
        |_| (),
        |program, (), thread| {
            for round in 0..ROUNDS {
                let lock = Lock::new(1 + thread as u64 * ROUNDS + round, 9);
                lock.meet(&program.backend, 1);
                program.tell(acquisition(&lock, thread, Mode::EXCLUSIVE));
                program.backend.dropped(&lock.as_ref());
            }
        },
    );
}

/// Locks without slot, one after the other at one address.
pub fn a_place_that_one_lock_leaves_to_the_next<B: Backend>() {
    among_each_other::<B, _>(
        &[],
        |_| Mutex::new(()),
        |program, stack, thread| {
            let _place = stack.lock().expect("no thread has failed");
            let lock = Lock::slotless(64);
            program.tell(acquisition(&lock, thread, Mode::EXCLUSIVE));
            program.backend.dropped(&lock.as_ref());
        },
        |program, _| {
            let report = program.expect(THREADS as u64);
            let locks: u64 = report.locks.iter().map(|lock| lock.locks).sum();
            assert_eq!(locks, THREADS as u64, "each was a lock of its own: {report:?}");
        },
    );
}

/// Of the group `limits`. There is room for one lock, and several readers meet it at
/// once: one may find that the room is taken, by their own lock. From then on it has
/// its place, and loses nothing.
pub fn the_last_room_is_for_all_readers_of_a_lock<B: Backend>() {
    among_each_other::<B, _>(
        &[("max_locks", "1")],
        |_| Lock::new(1, 9),
        |program, lock, thread| {
            lock.meet(&program.backend, 1);
            program.tell(acquisition(lock, thread, Mode::SHARED));
        },
        |program, lock| {
            let counted = || {
                let report = snapshot(&program.backend);
                (acquisitions(&report) as u64, lost(&report))
            };
            let (seen, lost) = counted();
            assert_eq!(seen + lost, THREADS as u64);
            program.tell(acquisition(lock, 0, Mode::SHARED));
            assert_eq!(counted(), (seen + 1, lost), "a lock that has a place was refused");
        },
    );
}
