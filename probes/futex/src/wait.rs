//! A thread that waits, in an open session.
//!
//! Nothing here has a destructor: a thread that is cancelled at any moment unwinds its
//! stack through these frames.

use core::ffi::{c_int, c_long};

use lockscope_core::recorder;
use lockscope_core::thread::{self, ThreadState};
use lockscope_core::{CallSite, Token};

use crate::held;
use crate::map::{self, Map};
use crate::meaning::{Acquires, Purpose, Word};
use crate::real::{Call, errno, set_errno};
use crate::waiting;
use crate::watch::{Lock, PROBE};
use crate::way;

/// Where an operation that is looked at was called from.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) map: &'static Map,
    pub(crate) thread: &'static ThreadState,
}

impl Caller {
    /// `None` for what is not the program's own: our host's, and what it does in our name.
    #[inline]
    pub(crate) fn at(address: usize) -> Option<Self> {
        let map = map::get().filter(|map| map.is_of_the_program(address))?;
        let thread = thread::current().filter(|thread| !thread.is_inside())?;
        Some(Self { map, thread })
    }
}

/// `FUTEX_WAIT` and `FUTEX_WAIT_BITSET`, called from `caller`.
///
/// # Safety
///
/// - The arguments are those that the program hands the kernel.
pub(crate) unsafe extern "C-unwind" fn waits(
    caller: usize,
    word: usize,
    operation: usize,
    value: usize,
    timeout: usize,
    other: usize,
    bits: usize,
) -> c_long {
    let call = Call { word, operation, value, timeout, other, bits };
    let before = errno();
    let Some(Caller { map, thread }) = Caller::at(caller) else {
        set_errno(before);
        // SAFETY: as the caller promises, here and below.
        return unsafe { call.make() };
    };
    let way = way::to(map, caller, thread.id() as u32);
    let make = || {
        set_errno(before);
        waiting::begin(word);
        // SAFETY: as above.
        let status = unsafe { call.make() };
        let after = errno();
        waiting::end(word);
        (status, after)
    };
    let (status, after) = match way.purpose {
        Purpose::Lock(acquires) => {
            let lock = Lock::new(map, word, acquires, way.site);
            contended(word, lock, acquires, way.site, make)
        }
        Purpose::Work(kind) => idle(Lock::at(map, word, kind, way.site), way.site, make),
    };
    set_errno(after);
    status
}

/// What came of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Somebody has woken the thread.
    Woken,
    /// There was nothing to wait for.
    Changed,
    /// A signal has come, and the thread will look again.
    Interrupted,
    /// It was too long.
    TimedOut,
    /// The kernel refuses such a wait.
    Refused,
}

impl Outcome {
    fn of(status: c_long, errno: c_int) -> Self {
        match errno {
            _ if status == 0 => Self::Woken,
            libc::EAGAIN => Self::Changed,
            libc::EINTR => Self::Interrupted,
            libc::ETIMEDOUT => Self::TimedOut,
            _ => Self::Refused,
        }
    }
}

/// Waits for a lock. Whoever returns from the kernel has not got it yet: it tries again,
/// and may wait again.
fn contended(
    word: usize,
    lock: Lock,
    acquires: Acquires,
    site: CallSite,
    make: impl FnOnce() -> (c_long, c_int),
) -> (c_long, c_int) {
    let generation = PROBE.gate.generation();
    // One that has waited for this lock already, and has not given it back since.
    let earlier = held::with(|held| held.take(generation, word));
    let token = match earlier {
        Some(token) => recorder::waits_on(&PROBE, &lock, token),
        None => recorder::wait(&PROBE, &lock, acquires.mode, site),
    };
    let (status, after) = make();
    let outcome = Outcome::of(status, after);
    let keep = |token| held::with(|held| held.keep(generation, word, token));
    match outcome {
        Outcome::Woken => {
            recorder::ended_by(token, waiting::waker_of(word));
            had(lock, acquires, site, token, keep);
        }
        Outcome::Changed if earlier.is_some() => had(lock, acquires, site, token, keep),
        Outcome::Interrupted => keep(token),
        Outcome::TimedOut => recorder::gave_up(&PROBE, &lock, token),
        Outcome::Changed | Outcome::Refused => recorder::withdrawn(token),
    }
    (status, after)
}

/// The thread has the lock, as far as is known.
fn had(lock: Lock, acquires: Acquires, site: CallSite, token: Token, keep: impl FnOnce(Token)) {
    let token = recorder::waited(&PROBE, &lock, site, token);
    if acquires.word == Word::LockAndUnlock {
        keep(token);
    } else if token.is_some() {
        // For how long is not known. An event cannot end before it was acquired: so none.
        const AT_ONCE: u64 = 0;
        let thread = thread::current();
        let parting = recorder::release_by(&PROBE, thread, &lock, token, AT_ONCE);
        recorder::parted(&PROBE, parting);
    }
}

/// Waits until somebody has something to do for the thread.
fn idle(lock: Lock, site: CallSite, make: impl FnOnce() -> (c_long, c_int)) -> (c_long, c_int) {
    let idle = recorder::idle_begin(&PROBE);
    let (status, after) = make();
    if !matches!(Outcome::of(status, after), Outcome::Changed | Outcome::Refused) {
        recorder::idle_end(&PROBE, &lock, site, idle);
    }
    (status, after)
}
