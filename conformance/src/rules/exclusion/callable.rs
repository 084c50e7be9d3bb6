//! Where a hook may be called: under any lock, in a fork, beside a snapshot.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use lockscope::{parking_lot, sync};
use lockscope_core::sync::{AtomicBool, AtomicU64, Ordering};

use super::patience::{PATIENCE, patiently};
use super::states;
use crate::keys::Recording;
use crate::trial::Trial;
use crate::verdict::Failure;

/// Locks of a program, of which a thread may hold all.
struct Locks {
    mutex: sync::Mutex<()>,
    shared: sync::RwLock<()>,
    bare: parking_lot::Mutex<()>,
    slotless: parking_lot::slotless::Mutex<()>,
}

impl Locks {
    fn named(name: &'static str) -> Self {
        Self {
            mutex: sync::Mutex::named(name, ()),
            shared: sync::RwLock::named(name, ()),
            bare: parking_lot::Mutex::new(()),
            slotless: parking_lot::slotless::Mutex::new(()),
        }
    }

    /// Does `act` with all of them held.
    fn hold_all<T>(&self, act: impl FnOnce() -> T) -> T {
        let _mutex = self.mutex.lock();
        let _shared = self.shared.write();
        let _bare = self.bare.lock();
        let _slotless = self.slotless.lock();
        act()
    }

    fn try_all(&self) {
        drop(self.mutex.try_lock());
        drop(self.shared.try_read());
        drop(self.bare.try_lock_for(Duration::from_millis(1)));
        drop(self.slotless.try_lock());
    }
}

/// Everything that a hook is told of.
fn anything() {
    let locks = Locks::named("used");
    locks.hold_all(|| ());
    drop(locks.shared.read());
    // Each waits for a moment, or fails.
    locks.hold_all(|| std::thread::scope(|scope| drop(scope.spawn(|| locks.try_all()).join())));
    let call = sync::Condvar::new();
    if let Ok(guard) = locks.mutex.lock() {
        drop(call.wait_timeout(guard, Duration::from_micros(100)));
    }
}

pub(super) fn hooks_take_no_lock_of_the_program(trial: &mut Trial) -> Result<(), Failure> {
    states::in_each(trial, || {
        let locks = Arc::new(Locks::named("held while others are used"));
        let mine = Arc::clone(&locks);
        // Met, and known to whoever remembers locks.
        patiently("locks are taken and given back", move || mine.hold_all(|| ()))?;
        let mine = Arc::clone(&locks);
        let what = "a thread that holds locks uses and drops others";
        patiently(what, move || mine.hold_all(anything))?;
        let mut result = Ok(());
        locks.hold_all(|| {
            result = patiently("a thread uses locks while another one holds others", anything);
        });
        result
    })
}

/// How often the process forks. Each time every other thread is somewhere else, in a
/// hook or not: so often that a lock which a hook holds for a part of the time is had
/// at one of them.
const FORKS: usize = 30;
/// Forks come to an end after this, on a machine with much else to do.
const LONG: Duration = Duration::from_secs(2);
/// How long threads that use locks are waited for before a fork, at most.
const UNTIL_BUSY: Duration = Duration::from_millis(100);
/// They then go on for up to so long, all alike.
const APART_US: u64 = 200;

/// What a thread does over and over while others fork: mostly one thing, so that
/// it is nearly always in the hook for that.
const USES: [fn(&Locks); 3] = [
    |locks| drop(locks.shared.read()),
    |locks| drop((locks.mutex.lock(), locks.slotless.lock(), locks.shared.read())),
    |_| drop(sync::Mutex::new(()).lock()),
];

/// Threads that use locks when a fork comes.
///
/// Relaxed, all of it: they are to see it at some time.
struct Busy {
    locks: Locks,
    /// How often each has done what it does.
    done: [AtomicU64; USES.len()],
    /// Set while a fork is waited for, which has use for the processor.
    rest: AtomicBool,
    end: AtomicBool,
}

impl Busy {
    fn start() -> Arc<Self> {
        let (rest, end) = (AtomicBool::new(false), AtomicBool::new(false));
        let done = USES.map(|_| AtomicU64::new(0));
        let busy = Arc::new(Self { locks: Locks::named("used"), done, rest, end });
        for number in 0..USES.len() {
            let busy = Arc::clone(&busy);
            std::thread::spawn(move || busy.keep_using(number));
        }
        busy
    }

    fn keep_using(&self, number: usize) {
        while !self.end.load(Ordering::Relaxed) {
            if self.rest.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_micros(50));
            } else {
                USES[number](&self.locks);
                self.done[number].fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Has them rest no more, and waits until each has done something since.
    fn wake(&self) {
        let now = || self.done.each_ref().map(|done| done.load(Ordering::Relaxed));
        let before = now();
        self.rest.store(false, Ordering::Relaxed);
        let began = Instant::now();
        let are_awake = || now().iter().zip(before).all(|(now, before)| *now > before + 1);
        while !are_awake() && began.elapsed() < UNTIL_BUSY {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

pub(super) fn forks_can_lock(trial: &mut Trial) -> Result<(), Failure> {
    let mut random = trial.random();
    let profiler = trial.profile(Recording::Everything)?;
    let busy = Busy::start();
    let began = Instant::now();
    let mut forks = (0..FORKS).take_while(|_| began.elapsed() < LONG);
    let result = forks.try_for_each(|_| {
        busy.wake();
        std::thread::sleep(Duration::from_micros(random.below(APART_US)));
        forked(trial, &busy)
    });
    busy.end.store(true, Ordering::Relaxed);
    states::unless_failed(profiler, result)
}

/// Forks; the fork uses locks, has a session of its own, uses locks again, and
/// ends.
fn forked(trial: &mut Trial, busy: &Busy) -> Result<(), Failure> {
    const FINE: i32 = 0;
    const NO_SESSION: i32 = 3;
    // SAFETY: the fork does what the rule is about, and ends without coming back.
    let fork = unsafe { libc::fork() };
    if fork == 0 {
        anything();
        let outcome = match trial.profile(Recording::Everything) {
            Ok(own) => {
                anything();
                own.stop().map_or(NO_SESSION, |_| FINE)
            }
            Err(_) => NO_SESSION,
        };
        // SAFETY: the call ends the process.
        unsafe { libc::_exit(outcome) }
    }
    if fork < 0 {
        return Err(Failure::blocked_by("EXCL-11", "the process cannot fork"));
    }
    busy.rest.store(true, Ordering::Relaxed);
    let deadline = Instant::now() + PATIENCE;
    let mut status = 0;
    // SAFETY: the status is valid for writes.
    while unsafe { libc::waitpid(fork, &raw mut status, libc::WNOHANG) } == 0 {
        if Instant::now() > deadline {
            // SAFETY: the process is our child, which nobody has waited for.
            unsafe { libc::kill(fork, libc::SIGKILL) };
            return Err(Failure::new(
                "a fork uses its locks, before and in a session of its own, and ends",
                format!("it did not within {PATIENCE:?}"),
            ));
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    match libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)) {
        Some(FINE) => Ok(()),
        Some(NO_SESSION) => Err(Failure::new("a fork has a session of its own", "an error")),
        Some(other) => Err(Failure::new("a fork goes on", format!("it exited with {other}"))),
        None => Err(Failure::new(
            "a fork goes on",
            format!("it was ended by signal {}", libc::WTERMSIG(status)),
        )),
    }
}

/// How often the whole is tried: a machine with much else to do may stop a thread
/// for as long as a hook that waits does.
const TRIES: usize = 3;
/// For how long no operation may stand still.
const STILL: Duration = Duration::from_millis(400);
/// How many operations there are before the first snapshot.
const BEFORE: usize = 3_000;
const SNAPSHOTS: usize = 2;

pub(super) fn hooks_do_not_wait_for_snapshots(trial: &mut Trial) -> Result<(), Failure> {
    let profiler = trial.profile(Recording::Everything)?;
    // So that there is something to report.
    let others: Vec<sync::Mutex<()>> = (0..1_000).map(|_| sync::Mutex::new(())).collect();
    others.iter().for_each(|lock| drop(lock.lock()));
    let locks = Arc::new(Locks::named("used"));
    (0..BEFORE).for_each(|_| drop(locks.shared.read()));
    let mut longest = Duration::MAX;
    for _ in 0..TRIES {
        let (done, is_done) = channel();
        let theirs = Arc::clone(&locks);
        let ends = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&ends);
        std::thread::spawn(move || {
            // Nobody listens any more if it took too long.
            let _ = done.send(longest_operation(&theirs, &is_over));
        });
        for _ in 0..SNAPSHOTS {
            profiler.snapshot()?;
            std::thread::sleep(Duration::from_millis(2));
        }
        // Relaxed: the thread is to end at some time.
        ends.store(true, Ordering::Relaxed);
        let found = is_done.recv_timeout(PATIENCE).unwrap_or(PATIENCE);
        longest = longest.min(found);
        if longest < STILL {
            break;
        }
    }
    let result = if longest < STILL {
        Ok(())
    } else {
        Err(Failure::new(
            "locks are used while snapshots are made, as fast as ever",
            format!("an operation took {longest:?}, each time that it was tried"),
        ))
    };
    states::unless_failed(profiler, result)
}

/// Uses locks in all ways until it is over: how long the slowest took.
fn longest_operation(locks: &Locks, is_over: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        drop(locks.shared.read());
        drop(locks.mutex.lock());
        drop(sync::Mutex::new(()).lock());
        longest = longest.max(began.elapsed());
    }
    longest
}
